"""What the page of an empty list leads to, and what a list by end leaves out."""

import re
from datetime import timedelta
from html import unescape

import pytest
import time_machine

from restores.models import Membership
from restores.timerange import to_iso
from tests.factories import NOW, make_instance, make_project, make_restore

URL = "/restores/"
HOUR = timedelta(hours=1)
EMPTY = f"from={to_iso(NOW - 5 * HOUR)}&to={to_iso(NOW - 4 * HOUR)}"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


def words(response):
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"\s+", " ", unescape(text))


def opened(web, url):
    """The page that an address leads to; followed by hand, for the client would respell it."""
    response = web.get(url)
    return web.get(response.headers["Location"]) if response.status_code == 302 else response


def nearest(web, query):
    """The restores that an empty list leads to, before and after."""
    html = opened(web, f"{URL}?{query}").content.decode()
    return dict(re.findall(r'Closest (\w+) restore:\s+<a href="/restores/([^/]+)/', html))


@pytest.fixture
def around(db):
    """Restores on both sides of an hour without any."""
    for name, hours in (("old", 9), ("before", 6), ("after", 3), ("new", 1)):
        make_restore(name, created_at=NOW - hours * HOUR, error_code="dcs.08.0007" * (hours == 9))


@pytest.mark.parametrize("on", ["created", "ended", "running", "changed"])
def test_an_empty_window_leads_to_what_is_nearest_on_both_sides(web, around, on):
    assert nearest(web, f"on={on}&{EMPTY}") == {"earlier": "before", "later": "after"}


def test_the_nearest_pass_the_same_filters(web, around):
    assert nearest(web, f"code=any&{EMPTY}") == {"earlier": "old"}


def test_what_would_have_to_be_searched_row_by_row_is_not_offered(web, around):
    assert nearest(web, f"q=before&{EMPTY}") == {"earlier": "before"}
    assert nearest(web, f"q=be&{EMPTY}") == nearest(web, f"q=before&on=ended&{EMPTY}") == {}


def test_they_are_told_in_the_zone_of_the_link_with_instance_and_state(web, around):
    text = words(web.get(f"{URL}?{EMPTY}&tz=Asia/Shanghai"))
    assert "Closest earlier restore: 23 Nov 2026 18:59:00 Shanghai, cart-prod , Succeeded" in text


def test_a_list_with_rows_leads_nowhere_else(web, around):
    assert nearest(web, "from=now-4h") == {}


def test_the_nearest_are_among_what_the_reader_may_see(client, django_user_model, around):
    user = django_user_model.objects.create_user("mia")
    maps = make_project("maps")
    Membership.objects.create(user=user, project=maps)
    make_restore("mine", instance=make_instance("geo", project=maps), created_at=NOW - 8 * HOUR)
    client.force_login(user)
    assert nearest(client, EMPTY) == {"earlier": "mine"}


def test_in_a_list_of_the_past_they_are_those_known_then(web, around):
    make_restore("late", created_at=NOW - 5.5 * HOUR, first_seen_at=NOW)
    asof = to_iso(NOW - 2 * HOUR)
    assert nearest(web, f"{EMPTY}&asof={asof}") == {"earlier": "before", "later": "after"}


def test_a_window_before_the_first_record_says_when_the_records_begin(web, around):
    text = words(web.get(f"{URL}?from=2025-01-01T00:00:00Z&to=2025-01-12T00:00:00Z"))
    assert "Records start on 23 Nov 2026." in text
    assert "Records start" not in words(web.get(f"{URL}?{EMPTY}"))


def test_a_list_by_end_says_what_it_leaves_out_and_leads_there(web, around):
    make_restore("moving", status="restoring", created_at=NOW - 2 * HOUR)
    make_restore("odd", status="Aborted", created_at=NOW - HOUR)
    response = web.get(f"{URL}?on=ended")
    assert "Not shown: 2 not finished yet ." in words(response)
    [query] = re.findall(r'Not shown: <a href="([^"]+)', response.content.decode())
    there = opened(web, URL + unescape(query))
    found = re.findall(
        r'<td class="t"><a class="go" href="/restores/([^/]+)/', there.content.decode()
    )
    assert sorted(found) == ["moving", "odd"]


@pytest.mark.parametrize("query", ["", "on=running", "on=ended&status=failed", "on=ended&q=nope"])
def test_what_could_not_be_in_the_list_anyway_is_not_left_out(web, around, query):
    make_restore("moving", status="restoring", created_at=NOW - 2 * HOUR)
    assert "Not shown" not in words(web.get(f"{URL}?{query}"))


def test_what_was_created_after_the_window_is_not_left_out(web, around):
    make_restore("moving", status="restoring", created_at=NOW - 2 * HOUR)
    assert "Not shown" not in words(web.get(f"{URL}?on=ended&{EMPTY}"))


def test_an_end_ahead_is_noted_and_edges_the_wrong_way_round_are_swapped_by_a_click(web, around):
    assert "The range ends in the future." in words(web.get(f"{URL}?to=2026-12-24T00:00:00Z"))
    html = web.get(f"{URL}?from=2026-11-23&to=2026-11-21").content.decode()
    [way] = re.findall(r'href="(/restores/\?from[^"]+)">Use <bdi>', html)
    swapped = opened(web, unescape(way))
    assert "21–23 Nov 2026" in words(swapped)
