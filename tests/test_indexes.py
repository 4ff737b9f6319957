"""The views that everybody uses are read off an index, on the database at hand."""

import copy
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.http import QueryDict

from restores.filters import ListParams, Scope
from restores.models import Restore
from restores.restore_list.pagination import ordered
from tests.factories import NOW, make_instance, make_project, make_restore

HOUR = "from=2026-10-01T00:00:00Z&to=2026-10-01T01:00:00Z"
VIEWS = {
    "": "restore_created",
    "status=failed": "restore_status",
    f"status=failed&{HOUR}": "restore_status",
    "recovered=no&status=failed": "restore_unresolved",
    "project=shop-prod": "restore_project",
    "project=shop-prod&status=failed": "restore_project_status",
    "instance=cart-prod": "restore_instance",
    "instance=cart-prod&status=failed": "restore_instance_status",
    "code=dcs.08.0007": "restore_code",
    "code=any": "restore_coded",
    "sort=-ended": "restore_ended",
    "sort=duration": "restore_duration",
    "sort=status": "restore_by_status",
    "sort=code": "restore_by_code",
}


OTHERS = """
    SELECT indexname FROM pg_indexes WHERE tablename = 'restores_restore'
    AND indexname NOT IN (SELECT conname FROM pg_constraint) AND indexname NOT LIKE %s
"""


def plan(rows, index):
    """How rows are read where there is this index."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # A few rows are read quicker without any index, or with another: which depends on how
            # full the pages are. Here it is whether this one would do.
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
            cursor.execute("SET LOCAL enable_sort = off")
            cursor.execute(OTHERS, [f"%{index}%"])
            for (name,) in cursor.fetchall():
                cursor.execute(f'DROP INDEX "{name}"')
    return rows.explain()


def scope_of(query, root):
    params = ListParams.parse(QueryDict(query), NOW)
    return Scope(params, root)


@pytest.fixture
def usual(db):
    """Rows as they usually are: of many instances, most succeeded, one in ten failed."""
    names = ["cart-prod", *(f"other-{number}" for number in range(19))]
    places = ["shop-prod", *names[1:]]
    instances = [
        make_instance(name, project=make_project(place))
        for name, place in zip(names, places, strict=True)
    ]
    rows = [
        make_restore(f"r-{number}", instance=instance, created_at=NOW - timedelta(hours=number))
        for number, instance in enumerate(instances)
    ]
    copies = []
    for number in range(2000):
        row = copy.copy(rows[number % 20])
        row.pk, row.restore_id = None, f"copy-{number}"
        row.created_at -= timedelta(hours=number)
        row.ended_at = row.created_at + timedelta(seconds=number)
        row.duration = float(number)
        if number % 10 == 7:
            row.status, row.error_code = "failed", f"dcs.08.000{number // 10 % 8 + 1}"
            row.recovered_at = None if number % 100 == 7 else row.ended_at
        if number % 50 == 3:
            row.status = "rolledback"
        copies.append(row)
    Restore.objects.bulk_create(copies)
    if connection.vendor == "postgresql":
        # Else it depends on what other tests have left in the statistics.
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE restores_restore")


@pytest.mark.parametrize(("query", "index"), VIEWS.items())
def test_a_view_is_read_off_its_index_without_sorting(root, usual, query, index):
    scope = scope_of(query, root)
    segment = ordered(scope, scope.restores).segments[0]
    sign = "-" if segment.descending else ""
    rows = segment.rows.order_by(f"{sign}{segment.column}", f"{sign}pk").values_list("pk")[:50]
    found = plan(rows, index)
    assert index in found
    assert "TEMP B-TREE" not in found and "Sort" not in found


def test_a_restore_of_many_days_makes_no_other_range_longer(root):
    long = make_restore("r-long", duration=90 * 86_400.0, created_at=NOW - timedelta(days=200))
    make_restore("r-1", duration=600.0)
    newer, older = scope_of(f"on=running&{HOUR}", root).parts(Restore.objects.all())
    assert [*older] == [long]
    before = make_restore("before", created_at=datetime(2026, 9, 30, 23, 50, tzinfo=UTC))
    after = make_restore("after", created_at=datetime(2026, 9, 30, 23, 50, 1, tzinfo=UTC))
    assert before not in newer and after in newer


def test_a_restore_of_many_days_is_found_within_them(web):
    begun = NOW - timedelta(days=90)
    make_restore("r-long", created_at=begun, ended_at=begun + timedelta(days=80))
    make_restore("r-stuck", created_at=begun, status="restoring")
    make_restore("r-short", created_at=begun)
    window = {"on": "running", "from": "2026-10-01T00:00:00Z", "to": "2026-10-01T01:00:00Z"}
    found = web.get("/restores.json", window).json()
    assert {row["restore_id"] for row in found["restores"]} == {"r-long", "r-stuck"}
    assert found["total"] == 2


@pytest.fixture(params=[0, 15, 300], ids=["every", "some", "no"])
def many(request, db, monkeypatch):
    """More restores than a search reads one by one; every word, some or none is a common one."""
    monkeypatch.setattr("restores.search.SCANNED", 5)
    monkeypatch.setattr("restores.search._FEW", request.param)
    for number in range(30):
        make_restore(
            f"r-{number:02}",
            created_at=NOW - timedelta(minutes=number),
            restore_remark="drill" if number % 2 else "émigré 20%_x",
        )


@pytest.mark.parametrize("text", ["drill", "dr", "éMIGRÉ", "20%_x", "r-29", "drill r-2", '"', "zz"])
def test_a_text_is_found_by_index_by_walking_and_by_key_alike(web, many, text):
    words = text.casefold().split()
    expected = [
        row.restore_id
        for row in Restore.objects.all().newest(1000)
        if all(word in f"{row.search} {row.instance.search}" for word in words)
    ]
    for size in (10, 200):
        found = web.get("/restores.json", {"q": text, "size": str(size)}).json()
        assert [row["restore_id"] for row in found["restores"]] == expected[:size]


def test_the_index_of_the_text_follows_changes(web, many):
    Restore.objects.filter(restore_id="r-29").update(search="r-29 renamed")
    Restore.objects.filter(restore_id="r-27").delete()

    def found(text):
        rows = web.get("/restores.json", {"q": text}).json()["restores"]
        return [row["restore_id"] for row in rows]

    assert (found("renamed"), found("r-27")) == (["r-29"], [])
    assert "r-29" not in found("drill")


def test_an_old_restore_in_progress_stands_first_beside_a_common_word(web, many):
    make_restore("r-stuck", status="restoring", created_at=NOW - timedelta(days=3))
    query = {"q": "r-", "size": "10"}
    html = web.get("/restores/", query, follow=True).content.decode()
    assert "In progress · 1" in html and "/restores/r-stuck/" in html
    found, url = [], f"/restores.json?{urlencode(query)}"
    while url:
        page = web.get(url).json()
        found += [row["restore_id"] for row in page["restores"]]
        url = page["next"]
    assert found == ["r-stuck", *(f"r-{number:02}" for number in range(30))]


def test_a_rare_word_is_counted_to_its_last_row(web, many, request, monkeypatch):
    monkeypatch.setattr("restores.search.SCANNED", 25)
    counted = web.get("/restores.json", {"q": "drill", "size": "10"}).json()
    rare = request.node.callspec.params["many"] != 0
    assert (counted["total"] == 15) is rare
    assert counted["total_capped"] is not rare


def test_a_common_word_is_counted_among_the_newest_only(web, many, monkeypatch):
    monkeypatch.setattr("restores.search.SCANNED", 15)
    found = web.get("/restores.json", {"q": "r-", "size": "10"}).json()
    assert (found["total"], found["total_capped"]) == (16, True)
    shown = [row["restore_id"] for row in found["restores"]]
    assert shown == [f"r-{number:02}" for number in range(10)]
    assert "16+" in web.get("/restores/", {"q": "r-", "size": "10"}, follow=True).content.decode()
