"""Common views are read from an index, and searches find the same rows however they are run."""

import copy
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from django.db import connection, transaction
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

LOWER_INDEXES = {"restore_id": "restore_id_lower", "backup_id": "restore_backup_lower"}
OTHER_INDEXES = """
    SELECT indexname FROM pg_indexes WHERE tablename = 'restores_restore'
    AND indexname NOT IN (SELECT conname FROM pg_constraint) AND indexname NOT LIKE %s
"""


def plan(rows, index):
    """The query plan of rows; on PostgreSQL, with no other index to choose."""
    if connection.vendor != "postgresql":
        return rows.explain()
    with transaction.atomic():
        with connection.cursor() as cursor:
            # So few rows may be read faster without an index or by another one, depending on how
            # full the pages are. The test is whether this index can be used.
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
            cursor.execute("SET LOCAL enable_sort = off")
            cursor.execute(OTHER_INDEXES, [f"%{index}%"])
            for (name,) in cursor.fetchall():
                cursor.execute(f'DROP INDEX "{name}"')
        explained = rows.explain()
        transaction.set_rollback(True)
    return explained


def scope_of(query, root):
    params = ListParams.parse(QueryDict(query), NOW)
    return Scope(params, root)


@pytest.fixture
def typical(db):
    """Typical rows: of many instances, most succeeded, one in ten failed."""
    names = ["cart-prod", *(f"other-{number}" for number in range(19))]
    projects = ["shop-prod", *names[1:]]
    instances = [
        make_instance(name, project=make_project(project))
        for name, project in zip(names, projects, strict=True)
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
        # Otherwise the plan depends on the statistics that other tests have left.
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE restores_restore")


def test_each_view_is_read_from_its_index_without_sorting(root, typical):
    for query, index in VIEWS.items():
        scope = scope_of(query, root)
        segment = ordered(scope, scope.restores).segments[0]
        sign = "-" if segment.descending else ""
        rows = segment.rows.order_by(f"{sign}{segment.column}", f"{sign}pk").values_list("pk")[:50]
        explained = plan(rows, index)
        assert index in explained, query
        assert "TEMP B-TREE" not in explained and "Sort" not in explained, query


def test_unknown_statuses_are_counted_in_an_index_of_their_own(root, typical):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite reads the rows: it doesn't match a partial index to a parameter")
    for query in ("", "project=shop-prod", HOUR):
        rows = scope_of(query, root).any_status.filter(status_group="other").values_list("status")
        assert "restore_other" in plan(rows.order_by(), "restore_other"), query


def test_an_id_in_any_case_is_read_from_its_index(typical):
    for column, index in LOWER_INDEXES.items():
        rows = Restore.objects.filter(**{f"{column}__lower__in": ["r-1"]})
        assert index in plan(rows, index)


def test_a_filter_by_ids_reads_no_other_rows(root, typical):
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
    explained = scope_of("ids=r-1,nope,id-of-cart-prod", root).restores.order_by().explain()
    assert "restore_id_lower" in explained and "restore_backup_lower" in explained, explained
    # Both begin with the instance; PostgreSQL takes the one with the fuller pages.
    assert "restore_instance" in explained or "restore_identity" in explained, explained


def test_the_spelling_of_a_code_is_looked_up_in_an_index(root, typical):
    rows = Restore.objects.with_code_like("DCS.08.0007").values_list("error_code")[:1]
    assert "restore_code_like" in plan(rows, "restore_code_like")


def test_a_restore_of_many_days_does_not_widen_the_range_read_for_others(root):
    long = make_restore("r-long", duration=90 * 86_400.0, created_at=NOW - timedelta(days=200))
    make_restore("r-1", duration=600.0)
    newer, older = scope_of(f"on=running&{HOUR}", root).parts(Restore.objects.all())
    assert [*older] == [long]
    before = make_restore("before", created_at=datetime(2026, 9, 30, 23, 50, tzinfo=UTC))
    after = make_restore("after", created_at=datetime(2026, 9, 30, 23, 50, 1, tzinfo=UTC))
    assert before not in newer and after in newer


def test_a_restore_of_many_days_is_found_on_each_of_them(web):
    created = NOW - timedelta(days=90)
    make_restore("r-long", created_at=created, ended_at=created + timedelta(days=80))
    make_restore("r-stuck", created_at=created, status="restoring")
    make_restore("r-short", created_at=created)
    params = {"on": "running", "from": "2026-10-01T00:00:00Z", "to": "2026-10-01T01:00:00Z"}
    found = web.get("/restores.json", params).json()
    assert {row["restore_id"] for row in found["restores"]} == {"r-long", "r-stuck"}
    assert found["total"] == 2


@pytest.fixture(params=[0, 15, 300], ids=["all-common", "some-common", "none-common"])
def many(request, db, monkeypatch):
    """More restores than a search scans; all, some or none of the words count as common."""
    monkeypatch.setattr("restores.search.SCANNED", 5)
    monkeypatch.setattr("restores.search._FEW", request.param)
    for number in range(30):
        make_restore(
            f"r-{number:02}",
            created_at=NOW - timedelta(minutes=number),
            restore_remark="drill" if number % 2 else "émigré 20%_x",
        )


def test_a_search_finds_the_same_rows_by_index_by_scanning_and_by_key(web, many):
    newest = Restore.objects.all().newest(1000)
    for text in ("drill", "dr", "éMIGRÉ", "20%_x", "r-29", "drill r-2", '"', "zz"):
        words = text.casefold().split()
        expected = [
            row.restore_id
            for row in newest
            if all(word in f"{row.search} {row.instance.search}" for word in words)
        ]
        for size in (10, 200):
            found = web.get("/restores.json", {"q": text, "size": str(size)}).json()
            assert [row["restore_id"] for row in found["restores"]] == expected[:size], text


def test_the_text_index_follows_changes(web, many):
    Restore.objects.filter(restore_id="r-29").update(search="r-29 renamed")
    Restore.objects.filter(restore_id="r-27").delete()

    def found(text):
        rows = web.get("/restores.json", {"q": text}).json()["restores"]
        return [row["restore_id"] for row in rows]

    assert (found("renamed"), found("r-27")) == (["r-29"], [])
    assert "r-29" not in found("drill")


def test_an_old_restore_in_progress_comes_first_in_a_search_for_a_common_word(web, many):
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


def test_matches_of_a_rare_word_are_counted_exactly(web, many, request, monkeypatch):
    monkeypatch.setattr("restores.search.SCANNED", 25)
    counted = web.get("/restores.json", {"q": "drill", "size": "10"}).json()
    rare = request.node.callspec.params["many"] != 0
    assert (counted["total"] == 15) is rare
    assert counted["total_capped"] is not rare


def test_matches_of_a_common_word_are_counted_among_the_newest_rows_only(web, many, monkeypatch):
    monkeypatch.setattr("restores.search._FEW", 0)
    monkeypatch.setattr("restores.search.SCANNED", 25)
    found = web.get("/restores.json", {"q": "drill", "size": "10"}).json()
    assert (found["total"], found["total_capped"]) == (12, True)
    shown = [row["restore_id"] for row in found["restores"]]
    assert shown == [f"r-{number:02}" for number in range(1, 20, 2)]
    page = web.get("/restores/", {"q": "drill", "size": "10"}, follow=True)
    assert "12+" in page.content.decode()
