"""How many queries a page sends: no more for fifty rows than for five, and never above twenty."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from restores.models import Backup, Membership, Project
from tests.factories import NOW, make_instance, make_observation, make_project, make_restore

MAX_QUERIES = 20
ASOF = f"asof={NOW - timedelta(minutes=30):%Y-%m-%dT%H:%M:%SZ}"
URLS = [
    "/",
    "/?from=now-30d&tz=Asia/Kolkata",
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
    "/restores.xlsx",
    "/restores/?cols=created,downtime",
    f"/restores/?{ASOF}&cols=created,downtime",
    "/restores.md",
    "/restores.md?format=customer",
    "/facets/",
    "/restores/histogram/?from=now-2d",
    f"/restores/histogram/?{ASOF}",
    "/restores/r-0/",
    f"/restores/r-0/?status=failed&sort=status&{ASOF}",
    "/restores/r-0.json",
    "/restores/r-0.md",
    "/instances/",
    "/instances.json",
    "/instances.csv",
    "/instances.xlsx",
    "/instances/id-of-a/",
    "/instances/id-of-a.json",
    "/reports/downtime/",
    f"/reports/downtime/?{ASOF}",
    "/reports/downtime/?customer=Shopwell&from=now-2d&audience=customer",
    "/reports/downtime.json",
    "/reports/downtime.csv",
    "/reports/downtime.xlsx",
    "/restores/?status=failed&ids=b-1,backup,id-of-a,none,r-1&from=now-1d",
    "/codes/",
    "/codes.json",
    "/codes/dcs.08.0007/",
    "/codes/dcs.08.0007.json",
    "/codes/none.1/",
    "/lookup/?q=" + ",".join(f"r-{number}" for number in range(50)) + ",b-0,dcs.08.0007,p-a",
    "/lookup.json?q=" + ",".join(f"r-{number}" for number in range(50)) + ",b-0,dcs.08.0007,p-a",
    "/sync-status/",
    "/sync-status.json",
    "/account/",
    "/account/tokens/",
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
        make_observation(restore, at, status="waiting")
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


@pytest.mark.parametrize(
    ("url", "most"),
    [("/restores/", 13), ("/facets/", 8), ("/instances/", 9), ("/sync-status/", 10)],
)
def test_a_common_page_sends_few_queries(web, url, most):
    for number in range(3):
        make_restore(f"r-{number}", instance=make_instance(f"i-{number}"))
    make_restore("running", status="restoring")
    make_restore("unknown", status="paused")
    sent = queries(web, url)
    assert len(sent) <= most, "\n".join(sent)


def test_a_member_of_two_projects_waits_for_one_query_more_than_of_one(client, django_user_model):
    """What bounds the rows of several projects is queried once: not for those in progress."""
    user = django_user_model.objects.create_user("mia")
    client.force_login(user)
    client.get("/codes/")  # what the menu has is asked once a minute
    sent = []
    for name in ("a", "b"):
        project = make_project(f"p-{name}")
        make_restore(name, status="restoring", instance=make_instance(name, project=project))
        Membership.objects.create(user=user, project=project)
        sent.append(queries(client, "/restores/"))
    assert len(sent[1]) == len(sent[0]) + 1
