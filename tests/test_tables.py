"""The table of restores: its columns, and what a click on their headers does."""

import pytest
from django.http import QueryDict

from restores.filters import ListParams
from restores.filters.params import COLUMNS, DEFAULT_COLUMNS, SORTS
from restores.tables import RestoreTable, shown_columns
from restores.timerange import to_iso
from tests.factories import NOW


def params(query=""):
    return ListParams.parse(QueryDict(query), NOW)


def table(query=""):
    return RestoreTable([], params(query), NOW)


def header(name, query=""):
    names = [column.name for column in table(query).columns]
    return list(table(query).headers())[names.index(name)]


def test_the_default_columns_are_in_their_order():
    assert shown_columns(params()) == DEFAULT_COLUMNS
    assert [column.name for column in table().columns] == list(DEFAULT_COLUMNS)


def test_a_list_by_end_shows_the_end():
    assert "ended" in shown_columns(params("on=ended"))
    assert "ended" in shown_columns(params("sort=-ended"))


def test_chosen_columns_are_in_the_order_of_the_table():
    assert shown_columns(params("cols=took,status,created")) == ("created", "status", "took")


def test_old_links_with_the_column_of_outcomes_show_them_with_the_status():
    assert shown_columns(params("cols=created,since")) == ("created", "status")
    assert not params("cols=created,since").errors


def test_the_table_declares_every_column_and_sorts_by_known_orders_only():
    assert tuple(RestoreTable.base_columns) == COLUMNS
    orders = [one.order_by for one in RestoreTable.base_columns.values() if one.order_by]
    assert {name for (name,) in orders} <= SORTS.keys()


@pytest.mark.parametrize(
    ("name", "query", "expected"),
    [
        ("created", "", "sort=created"),
        ("created", "sort=created", ""),
        ("took", "", "sort=-duration"),
        ("took", "sort=-duration", "sort=duration"),
        ("instance", "status=failed&page=3", "status=failed&sort=instance"),
        ("outcome", "sort=code", "sort=-code"),
    ],
)
def test_a_click_sorts_and_a_second_one_turns_the_order(name, query, expected):
    link = QueryDict(header(name, query).sort_query.lstrip("?"), mutable=True)
    assert link.pop("asof") == [to_iso(NOW)]
    assert link.urlencode() == expected


def test_a_header_says_how_the_table_is_sorted():
    assert header("created").attrs["aria-sort"] == "descending"
    assert header("took", "sort=duration").attrs["aria-sort"] == "ascending"
    assert header("took").attrs["aria-sort"] is None


def test_columns_without_an_order_have_no_link():
    assert header("backup").sort_query == ""


@pytest.mark.parametrize(
    ("query", "classes"),
    [("", "rows fixed"), ("sort=ended", "rows fixed"), ("sort=status", "rows fixed dated")],
)
def test_times_have_a_date_where_no_heading_gives_the_day(query, classes):
    assert table(query).attrs["class"] == classes
