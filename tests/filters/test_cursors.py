"""Paging by cursor: each row once, in order, for every sort column."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restores.filters.cursors import Cursor
from restores.filters.params import SORTS
from restores.models import Restore
from tests.factories import NOW, make_instance, make_restore

SIZE = 10


@pytest.fixture
def many(db):
    """Thirty-six restores in which every key has ties, and some have none."""
    places = [make_instance(name) for name in ("b", "a", "")]
    for number in range(36):
        ended = number % 5 != 0
        make_restore(
            f"r-{number:02}",
            instance=places[number % 3],
            status=("succeed", "failed", "restoring", "paused")[number % 4],
            created_at=NOW - timedelta(minutes=number // 2) if number % 7 else None,
            ended_at=NOW + timedelta(minutes=number // 3) if ended else None,
            duration=60.0 * (number // 3) if ended else None,
            progress=float(number // 6) if number % 4 else None,
            error_code=f"dcs.08.000{number % 3}" if number % 2 else "",
        )


def walk(web, query):
    """The ids of every page of the JSON endpoint, one page after the other."""
    url, pages = f"/restores.json?size={SIZE}{query}", []
    while url:
        body = web.get(url).json()
        pages.append([row["restore_id"] for row in body["restores"]])
        url = body["next"]
    return pages


@pytest.mark.parametrize("sort", [*SORTS, *(f"-{name}" for name in SORTS)])
def test_following_next_shows_each_row_once_in_the_lists_order(web, many, sort):
    pages = walk(web, f"&sort={sort}")
    whole = web.get(f"/restores.json?size=200&sort={sort}").json()["restores"]
    assert [key for page in pages for key in page] == [row["restore_id"] for row in whole]
    assert [len(page) for page in pages] == [10, 10, 10, 6]


@pytest.mark.parametrize("sort", [*SORTS, *(f"-{name}" for name in SORTS)])
def test_going_back_shows_the_page_before(web, many, sort, monkeypatch):
    monkeypatch.setattr("restores.restore_list.pagination.MAX_NUMBERED", 0)
    first = page(web, f"?sort={sort}&size={SIZE}")
    second = page(web, first["next"])
    third = page(web, second["next"])
    back = page(web, third["previous"])
    assert keys(back) == keys(second)
    assert keys(page(web, back["next"])) == keys(third)
    assert keys(page(web, back["previous"])) == keys(first)


def test_rows_beyond_the_ten_thousandth_are_reached_by_cursor(web, many, monkeypatch):
    assert "page=2" in page(web, f"?size={SIZE}")["next"]
    monkeypatch.setattr("restores.restore_list.pagination.MAX_NUMBERED", 2 * SIZE)
    assert "page=2" in page(web, f"?size={SIZE}")["next"]
    assert "after=" in page(web, f"?size={SIZE}&page=2")["next"]


def test_rows_that_come_later_do_not_shift_what_follows(web, many):
    following = web.get(f"/restores.json?size={SIZE}&sort=-created").json()["next"]
    before = web.get(following).json()["restores"]
    make_restore("r-new", created_at=NOW + timedelta(hours=1))
    assert web.get(following).json()["restores"] == before


@pytest.mark.parametrize("sort", ["created", "-duration"])
def test_a_cursor_is_valid_in_its_own_order_only(web, many, sort):
    token = after(web, "&sort=-created")
    error = web.get("/restores.json", {"sort": sort, "after": token}).json()["errors"][0]
    assert (error["param"], "different sort order" in error["reason"]) == ("after", True)


def test_a_token_that_is_not_ours_is_an_error(web, many):
    token = after(web, "")
    for other in (token[:-1], "x" + token, "abc", "x" * 2000, "é"):
        assert web.get("/restores.json", {"after": other}).status_code == 400
        assert web.get("/restores/", {"before": other}).status_code == 400


def test_a_page_is_chosen_by_number_or_by_cursor_not_both(web, many):
    token = after(web, "")
    response = web.get("/restores.json", {"after": token, "before": token})
    assert response.json()["errors"][0]["param"] == "before"
    assert web.get("/restores.json", {"page": "2", "after": token}).status_code == 400


def test_a_change_of_the_view_leads_to_its_first_page(web, many, monkeypatch):
    monkeypatch.setattr("restores.restore_list.pagination.MAX_NUMBERED", 0)
    second = page(web, page(web, f"?size={SIZE}")["next"])
    assert all("after=" not in state.query for state in second["tabs"])


keys_of_any_kind = st.one_of(
    st.none(), st.text(min_size=1, max_size=40), st.floats(allow_nan=False), st.datetimes()
)


@settings(max_examples=100, deadline=None)
@given(sort=st.sampled_from(sorted(SORTS)), value=keys_of_any_kind, pk=st.integers(0, 2**63 - 1))
def test_a_token_is_decoded_to_its_cursor(sort, value, pk):
    cursor = Cursor(sort, value, pk)
    assert Cursor.decode(str(cursor)) == cursor


def after(web, query):
    following = web.get(f"/restores.json?size={SIZE}{query}").json()["next"]
    return parse_qs(urlsplit(following).query)["after"][0]


def page(web, query):
    response = web.get(f"/restores/{query}", follow=True)
    assert response.status_code == 200
    return response.context


def keys(context):
    shown = [row.pk for row in context["table"].data]
    assert len(shown) == len(set(shown)) == Restore.objects.filter(pk__in=shown).count()
    return shown
