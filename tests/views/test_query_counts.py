"""How many queries a page sends: no more for fifty rows than for five, and never above twenty."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from restores.models import Backup, Membership, Observation, Project
from tests.factories import NOW, make_instance, make_project, make_restore

MAX_QUERIES = 20
ASOF = f"asof={NOW - timedelta(minutes=30):%Y-%m-%dT%H:%M:%SZ}"
URLS = [
    "/",
    "/overview.json",
    "/restores/",
    f"/restores/?{ASOF}",
    "/restores/?instance=a&instance=b&status=failed&code=dcs.08.0007&recovered=no",
    "/restores/?on=running&from=now-2d",
    "/restores/?on=ended&from=now-2d",
    "/restores/?q=r-",
    "/restores.json",
    f"/restores.json?{ASOF}",
    "/restores.csv",
    "/restores.md",
    "/restores.md?format=customer",
    "/facets/",
    "/restores/r-0/",
    f"/restores/r-0/?status=failed&sort=status&{ASOF}",
    "/restores/r-0.json",
    "/restores/r-0.md",
    "/instances/",
    "/instances.json",
    "/instances/id-of-a/",
    "/instances/id-of-a.json",
    "/sync-status/",
    "/sync-status.json",
]


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


def grow(start, stop):
    """Add to every list of every page; each restore differs from what it was half an hour ago."""
    a, b = (make_instance(name, project=make_project(f"p-{name}")) for name in "ab")
    for number in range(start, stop):
        project = make_project(f"p-{number}", sync_error_kind="unreachable")
        make_instance(f"i-{number}", project=project, sync_error_kind="unreachable")
        failed = number % 3 == 0
        restore = make_restore(
            f"r-{number}",
            instance=(a, b)[number % 2],
            status=("failed", "succeed", "restoring")[number % 3],
            error_code="dcs.08.0007" if failed else "",
            backup_id="backup",
            created_at=NOW - timedelta(minutes=40, seconds=number),
            moved_at=NOW,
        )
        at = NOW - timedelta(minutes=35)
        Observation.objects.create(restore=restore, seen_at=at, recorded_at=at, status="waiting")
        Backup.objects.create(
            instance=a, backup_id=f"b-{number}", first_seen_at=NOW, changed_at=NOW
        )


def queries(client, url):
    with CaptureQueriesContext(connection) as captured:
        response = client.get(url)
        assert response.status_code == 200
        if response.streaming:
            list(response.streaming_content)
    return [query["sql"] for query in captured.captured_queries]


@pytest.mark.parametrize("viewer", ["superuser", "member"])
def test_a_page_sends_no_more_queries_for_fifty_rows_than_for_five(
    client, root, django_user_model, viewer
):
    user = root if viewer == "superuser" else django_user_model.objects.create_user("mia")
    client.force_login(user)
    sent = {}
    for start, stop in ((0, 5), (5, 50)):
        grow(start, stop)
        if user is not root:
            Membership.objects.filter(user=user).delete()
            everything = Project.objects.all()
            Membership.objects.bulk_create(Membership(user=user, project=p) for p in everything)
        sent[stop] = {url: queries(client, url) for url in URLS}
    for url in URLS:
        few, many = sent[5][url], sent[50][url]
        assert len(many) <= len(few), "\n".join([url, *few, "", *many])
        assert len(many) <= MAX_QUERIES, "\n".join([url, *many])
