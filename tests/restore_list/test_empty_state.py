"""What an empty list links to, and what a list by end says it leaves out."""

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
    """The page at a URL. The client's own way to follow redirects would change their spelling."""
    response = web.get(url)
    return web.get(response.headers["Location"]) if response.status_code == 302 else response


def closest(web, query):
    """The closest restores that an empty list links to, earlier and later."""
    html = opened(web, f"{URL}?{query}").content.decode()
    return dict(re.findall(r'Closest (\w+) restore:\s+<a href="/restores/([^/]+)/', html))


@pytest.fixture
def around(db):
    """Restores before and after an hour without any."""
    for name, hours in (("old", 9), ("before", 6), ("after", 3), ("new", 1)):
        make_restore(name, created_at=NOW - hours * HOUR, error_code="dcs.08.0007" * (hours == 9))


@pytest.mark.parametrize("on", ["created", "ended", "running", "changed"])
def test_an_empty_range_links_to_the_closest_restores_before_and_after_it(web, around, on):
    assert closest(web, f"on={on}&{EMPTY}") == {"earlier": "before", "later": "after"}


def test_the_closest_restores_match_the_same_filters(web, around):
    assert closest(web, f"code=any&{EMPTY}") == {"earlier": "old"}


def test_no_closest_restore_is_offered_if_finding_it_takes_a_scan(web, around):
    assert closest(web, f"q=before&{EMPTY}") == {"earlier": "before"}
    assert closest(web, f"q=be&{EMPTY}") == closest(web, f"q=before&on=ended&{EMPTY}") == {}


def test_the_closest_restores_have_instance_status_and_time_in_the_zone_of_the_link(web, around):
    text = words(web.get(f"{URL}?{EMPTY}&tz=Asia/Shanghai"))
    assert "Closest earlier restore: 23 Nov 2026 18:59:00 Shanghai, cart-prod , Succeeded" in text


def test_a_list_with_rows_offers_no_closest_restores(web, around):
    assert closest(web, "from=now-4h") == {}


def test_the_closest_restores_are_visible_to_the_user(client, django_user_model, around):
    user = django_user_model.objects.create_user("mia")
    maps = make_project("maps")
    Membership.objects.create(user=user, project=maps)
    make_restore("mine", instance=make_instance("geo", project=maps), created_at=NOW - 8 * HOUR)
    client.force_login(user)
    assert closest(client, EMPTY) == {"earlier": "mine"}


@pytest.mark.parametrize("status", ["succeeded", "Done", "fehlgeschlagen", "failed,succeed", "0"])
def test_a_status_that_no_restore_has_is_never_called_none(web, around, status):
    for query in (f"status={status}", f"status={status}&status=failed&{EMPTY}"):
        page = words(opened(web, f"{URL}?{query}"))
        assert "No results" in page and "No restores" not in page
        assert web.get(f"/restores.json?{query}").json()["not_found"] == [status]


def test_a_status_of_the_cloud_or_of_ours_is_found(web, around):
    make_restore("odd", status="Aborted", created_at=NOW - HOUR)
    for status in ("Aborted", "failed", "FAILED", "restoring", "other"):
        assert web.get(f"/restores.json?status={status}").json()["not_found"] == []


def test_in_a_snapshot_the_closest_restores_are_those_known_then(web, around):
    make_restore("late", created_at=NOW - 5.5 * HOUR, first_seen_at=NOW)
    asof = to_iso(NOW - 2 * HOUR)
    assert closest(web, f"{EMPTY}&asof={asof}") == {"earlier": "before", "later": "after"}


def test_a_range_before_the_first_record_says_when_records_start(web, around):
    text = words(web.get(f"{URL}?from=2025-01-01T00:00:00Z&to=2025-01-12T00:00:00Z"))
    assert "Records start on 23 Nov 2026." in text
    assert "Records start" not in words(web.get(f"{URL}?{EMPTY}"))


def test_a_list_by_end_says_what_it_leaves_out_and_links_to_it(web, around):
    make_restore("in-progress", status="restoring", created_at=NOW - 2 * HOUR)
    make_restore("odd", status="Aborted", created_at=NOW - HOUR)
    response = web.get(f"{URL}?on=ended")
    assert "Not shown: 2 not finished yet ." in words(response)
    [query] = re.findall(r'Not shown: <a href="([^"]+)', response.content.decode())
    response = opened(web, URL + unescape(query))
    found = re.findall(
        r'<td class="t"><a class="go" href="/restores/([^/]+)/', response.content.decode()
    )
    assert sorted(found) == ["in-progress", "odd"]


@pytest.mark.parametrize("query", ["", "on=running", "on=ended&status=failed", "on=ended&q=nope"])
def test_what_other_filters_exclude_is_not_called_left_out(web, around, query):
    make_restore("in-progress", status="restoring", created_at=NOW - 2 * HOUR)
    assert "Not shown" not in words(web.get(f"{URL}?{query}"))


def test_what_was_created_after_the_range_is_not_called_left_out(web, around):
    make_restore("in-progress", status="restoring", created_at=NOW - 2 * HOUR)
    assert "Not shown" not in words(web.get(f"{URL}?on=ended&{EMPTY}"))


def test_an_end_in_the_future_is_noted_and_reversed_edges_are_swapped_by_a_click(web, around):
    assert "The range ends in the future." in words(web.get(f"{URL}?to=2026-12-24T00:00:00Z"))
    html = web.get(f"{URL}?from=2026-11-23&to=2026-11-21").content.decode()
    [url] = re.findall(r'href="(/restores/\?from[^"]+)"><bdi>From “', html)
    swapped = opened(web, unescape(url))
    assert "21–23 Nov 2026" in words(swapped)
