"""Requests to the cloud are counted by account and status, whatever the outcome of the sync."""

from collections import Counter

import pytest
import requests
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError

from restores.dcs.client import new_session
from restores.models import CallCount
from restores.sync import call_counts
from tests.factories import make_account


@pytest.fixture(autouse=True)
def _nothing_counted():
    call_counts._counted.clear()


def stored():
    rows = CallCount.objects.order_by("pk").values_list("account__name", "status", "count")
    return {(account, status): count for account, status, count in rows}


@pytest.mark.django_db(transaction=True)
def test_every_request_of_a_sync_is_counted_by_its_status(simulator):
    simulator.faults.add({"kind": "status", "status": 503, "times": 3})
    with pytest.raises(CommandError):
        simulator.faults.add({"kind": "status", "status": 403, "match": "/backups", "times": 1})
        simulator.faults.add({"kind": "status", "status": 400, "match": "/restores", "times": 9})
        call_command("sync")
    served = Counter(str(entry.status) for entry in simulator.log.entries)
    counted = Counter()
    for (_, status), count in stored().items():
        counted[status] += count
    assert counted == served and counted["503"] == 3


@pytest.mark.django_db
def test_counts_of_several_processes_add_up():
    make_account("shop")
    for _ in range(2):
        call_counts.count("shop", 200)
        call_counts.count("shop", 200)
        call_counts.count("shop", None)
        call_counts.save()
    call_counts.save()
    assert stored() == {("shop", "200"): 4, ("shop", "none"): 2}


@pytest.mark.django_db
def test_only_a_few_statuses_are_counted_whatever_a_cloud_sends():
    make_account("shop")
    for status in range(100, 1000):
        call_counts.count("shop", status)
    call_counts.save()
    names = {status for _, status in stored()}
    assert {"200", "429", "503", "5xx", "9xx"} <= names and len(names) < 25


@pytest.mark.django_db
def test_counts_that_could_not_be_stored_are_added_later(monkeypatch):
    make_account("shop")
    call_counts.count("shop", 200)
    with monkeypatch.context() as broken:
        broken.setattr(call_counts, "_add", _fail)
        with pytest.raises(DatabaseError):
            call_counts.save()
    call_counts.count("shop", 200)
    call_counts.save()
    assert stored() == {("shop", "200"): 2}


@pytest.mark.django_db
def test_counts_of_a_deleted_account_are_dropped():
    call_counts.count("gone", 200)
    call_counts.save()
    assert stored() == {} and not call_counts._counted


def _fail(*_):
    raise DatabaseError


def test_a_request_without_a_response_counts_too():
    counted = []
    with new_session(count=counted.append) as session, pytest.raises(requests.ConnectionError):
        session.get("http://127.0.0.1:1/", timeout=1)
    assert counted == [None]
