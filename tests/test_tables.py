"""The columns of the list, and what a click on their heads does."""

import pytest
from django.http import QueryDict

from restores.columns import COLUMNS, SHOWN
from restores.filters import ListParams
from restores.tables.restores import heads, shown
from restores.timerange import instant
from tests.factories import NOW


def view(query=""):
    return ListParams.parse(QueryDict(query), NOW)


def head(name, query=""):
    return next(one for one in heads(view(query)) if one.name == name)


def test_the_usual_columns_stand_in_their_order():
    assert shown(view()) == SHOWN
    assert [one.name for one in heads(view())] == list(SHOWN)


def test_a_list_by_end_shows_the_end():
    assert "ended" in shown(view("on=ended"))
    assert "ended" in shown(view("sort=-ended"))


def test_chosen_columns_stand_in_the_tables_order():
    assert shown(view("cols=took,status,created")) == ("created", "status", "took")


def test_every_column_has_a_head():
    assert [one.name for one in heads(view("cols=" + ",".join(COLUMNS)))] == list(COLUMNS)


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
def test_a_click_sorts_and_a_second_one_turns_round(name, query, expected):
    link = QueryDict(head(name, query).query.lstrip("?"), mutable=True)
    assert link.pop("asof") == [instant(NOW)]
    assert link.urlencode() == expected


def test_a_head_says_its_direction():
    assert head("created").direction == "descending"
    assert head("took", "sort=duration").direction == "ascending"
    assert head("took").direction == ""


def test_what_has_no_order_has_no_link():
    assert head("backup").query == head("since").query == ""
