"""Restores as JSON: names, absent values and the envelope."""

from datetime import timedelta

import pytest
import time_machine

from restores.models import Restore
from restores.serializers import restore_json
from tests.factories import NOW, make_account, make_instance, make_project, make_restore

FIELDS = [
    "restore_id",
    "restore_name",
    "backup_id",
    "backup_name",
    "restore_remark",
    "backup_remark",
    "status",
    "progress",
    "error_code",
    "created_at",
    "updated_at",
    "account",
    "project",
    "project_id",
    "region",
    "customer",
    "instance_id",
    "instance_name",
    "created_problem",
    "updated_problem",
    "ended_at",
    "duration_seconds",
    "restoring_seconds_min",
    "restoring_seconds_max",
    "backup_taken_at",
    "recovered_at",
    "changed_at",
    "first_seen_at",
    "last_seen_at",
    "listed",
    "stale",
    "stuck",
    "url",
]


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


def as_json(**given):
    restore = make_restore(**given)
    return restore_json(Restore.objects.get(pk=restore.pk))


def test_a_restore_has_the_providers_fields_then_ours(db):
    assert list(as_json()) == FIELDS


def test_what_is_absent_is_null(db):
    nothing = dict.fromkeys(
        ["restore_name", "backup_id", "backup_name", "restore_remark", "error_code", "status"], ""
    )
    found = as_json(**nothing, progress=None, created_at=None)
    assert {found[name] for name in nothing} == {None}
    assert (found["progress"], found["created_at"], found["ended_at"]) == (None, None, None)


def test_times_are_utc_with_milliseconds_only_if_not_zero(db):
    created = NOW + timedelta(milliseconds=7)
    found = as_json(created_at=created, ended_at=created + timedelta(milliseconds=993))
    assert found["created_at"] == "2026-11-23T16:59:00.007Z"
    assert found["ended_at"] == "2026-11-23T16:59:01Z"


def test_the_time_spent_restoring_is_a_range_between_syncs(db):
    found = as_json(
        created_at=NOW,
        ended_at=NOW + timedelta(seconds=100),
        restoring_after=NOW + timedelta(seconds=10),
        restoring_by=NOW + timedelta(seconds=25),
    )
    assert (found["restoring_seconds_min"], found["restoring_seconds_max"]) == (75, 90)


def test_it_was_last_seen_at_the_instances_last_complete_sync_unless_missing(db):
    assert as_json()["last_seen_at"] == "2026-11-23T16:59:00Z"
    vanished = as_json(missing_since=NOW, removed_upstream_at=NOW)
    assert (vanished["last_seen_at"], vanished["listed"]) == (None, False)


@pytest.mark.parametrize("where", ["instance", "project", "account"])
def test_it_is_stale_while_syncs_fail(db, where):
    account = make_account("bank", sync_error_kind="credentials" if where == "account" else "")
    kind = "unreachable" if where == "project" else ""
    project = make_project("bank-core", account=account, sync_error_kind=kind)
    kind = "throttled" if where == "instance" else ""
    assert as_json(instance=make_instance(project=project, sync_error_kind=kind))["stale"] is True


def test_a_healthy_restore_is_not_stale(db):
    assert as_json()["stale"] is False


def test_the_url_is_absolute_and_quotes_odd_ids(db, settings):
    settings.BASE_URL = "https://restores.example"
    assert as_json(restore_id="../x")["url"] == "https://restores.example/restores/..~2Fx/"


def test_the_list_has_an_envelope(web):
    make_restore("r-1", status="failed", error_code="dcs.08.0007")
    found = web.get("/restores.json?from=now-24h&foo=1&project=shop-prod&project=nope").json()
    assert [row["restore_id"] for row in found.pop("restores")] == ["r-1"]
    assert found == {
        "total": 1,
        "total_capped": False,
        "without_time": 0,
        "time_range": {"on": "created", "from": "2026-11-22T16:59:00Z", "to": None, "asof": None},
        "complete_to": "2026-11-23T16:59:00Z",
        "collector_stalled_since": None,
        "sync_errors": [],
        "ignored": ["foo"],
        "not_found": ["nope"],
        "ids": [],
        "searched": None,
        "renamed": {},
        "moved": [],
        "next": None,
    }


def test_next_leads_through_every_row_once(web):
    for number in range(23):
        make_restore(f"r-{number:02}")
    seen, url = [], "/restores.json?size=10"
    while url:
        found = web.get(url).json()
        seen += [row["restore_id"] for row in found["restores"]]
        url = found["next"]
    assert len(seen) == len(set(seen)) == 23


def test_a_sync_error_in_scope_is_named(web):
    make_instance(
        "feed", sync_error_kind="throttled", sync_error_message="slow down", sync_error_since=NOW
    )
    (error,) = web.get("/restores.json").json()["sync_errors"]
    assert error == {
        "class": "throttled",
        "since": "2026-11-23T16:59:00Z",
        "text": "slow down",
        "request_id": None,
        "project": "shop-prod",
        "instance_id": "id-of-feed",
        "instance_name": "feed",
    }


def test_an_invalid_parameter_is_an_error_in_json(web):
    response = web.get("/restores.json?size=5&from=x")
    assert response.status_code == 400
    errors = response.json()["errors"]
    assert [(error["param"], error["value"]) for error in errors] == [("size", "5"), ("from", "x")]
    assert errors[0]["reason"] == "must be a whole number from 10 to 200"


def test_json_never_redirects(web):
    assert web.get("/restores.json?page=1&status=FAILED").status_code == 200


def test_a_signed_out_script_gets_401_and_not_a_page(client, db):
    response = client.get("/restores.json")
    assert (response.status_code, response.headers["Content-Type"]) == (401, "application/json")
