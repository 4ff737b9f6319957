"""The histogram of the list: its bars have the restores of the lists that they link to."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
import time_machine
from django.http import QueryDict

from restores.filters import ListParams, Scope
from restores.models import Membership, Restore
from restores.restore_list.histogram import KINDS, histogram
from restores.timerange import to_iso
from tests.factories import NOW, make_instance, make_observation, make_project, make_restore

URL = "/restores/histogram/"
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def world(db):
    """Restores of every kind, seven hours apart, and one without a time."""
    other = make_instance("geo", project=make_project("maps"))
    states = [
        {"status": "succeed"},
        {"status": "failed", "error_code": "dcs.08.0007"},
        {"status": "failed", "recovered_at": NOW},
        {"status": "restoring"},
        {"status": "paused"},
    ]
    for number in range(25):
        instance = make_instance() if number % 3 else other
        make_restore(instance=instance, created_at=NOW - number * 7 * HOUR, **states[number % 5])
    make_restore(created_at=None)


def drawn(user, query=""):
    params = ListParams.parse(QueryDict(query), NOW)
    assert not params.errors
    return histogram(Scope(params, user))


def bars_with_restores(user, query=""):
    return [bar for bar in drawn(user, query).bars if bar.total]


def words(response):
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode())))


@pytest.mark.parametrize(
    "query",
    [
        "from=now-7d",
        "",
        "from=now-36h&tz=Asia/Kolkata",
        "from=2026-11-17T03:04:05Z&to=2026-11-23T12:00:30Z&tz=America/New_York",
        "on=ended&from=now-7d",
        "from=now-7d&project=maps&status=failed",
        f"asof={to_iso(NOW - HOUR)}&from=2026-11-17T00:00:00Z",
    ],
)
def test_a_bar_counts_the_restores_of_the_list_that_it_links_to(web, root, world, query):
    bars = drawn(root, query).bars
    assert bars
    for bar in bars:
        listed = web.get(bar.url.replace("/restores/", "/restores.json")).json()
        assert bar.total == listed["total"], bar.label
    everything = web.get(f"/restores.json?{query}").json()
    assert sum(bar.total for bar in bars) == everything["total"] - (query == "")


def test_a_bar_begins_at_midnight_where_clocks_change_by_half_an_hour(web, root):
    midnight = datetime(2026, 5, 9, 13, 30, tzinfo=UTC)  # +11:00 at first, +10:30 since April
    for minutes in (-10, 10):
        make_restore(created_at=midnight + timedelta(minutes=minutes))
    bars = bars_with_restores(root, "from=2026-03-01&to=2026-08-31&tz=Australia/Lord_Howe")
    assert [bar.total for bar in bars] == [1, 1]
    for bar in bars:
        assert web.get(bar.url.replace("/restores/", "/restores.json")).json()["total"] == 1


def test_each_kind_is_counted_and_a_bar_says_so(root, world):
    kinds = dict.fromkeys(KINDS, 0)
    for bar in drawn(root).bars:
        for kind, count in zip(KINDS, bar.counts, strict=True):
            kinds[kind] += count
    assert kinds == dict.fromkeys(KINDS, 5)
    assert bars_with_restores(root, "from=now-1h")[0].text.endswith(": 1 succeeded")


def test_a_snapshot_is_drawn_as_it_was_then(root):
    then = NOW - HOUR
    restore = make_restore(
        status="failed", first_seen_at=then - HOUR, created_at=then - HOUR, moved_at=NOW
    )
    make_observation(restore, then - HOUR, status="restoring")
    make_restore(status="failed", created_at=then - 2 * HOUR, recovered_at=NOW)

    bars = bars_with_restores(root, f"asof={to_iso(then)}&from=2026-11-23T00:00:00Z")

    assert [bar.text.rpartition(": ")[2] for bar in bars] == ["1 unresolved", "1 in progress"]


def test_bars_are_as_wide_as_their_time_and_fill_the_axis(root, world):
    found = drawn(root, "from=2026-11-16T00:00:00Z&to=2026-11-23T00:00:00Z")
    assert all(bar.x >= 0 and bar.x + bar.width <= 100.01 for bar in found.bars)
    assert {bar.width for bar in found.bars} == {1.19}
    assert [tick.label for tick in found.ticks][:2] == ["Tue 17", "Wed 18"]


def test_a_member_sees_only_their_own_restores(client, django_user_model, world):
    user = django_user_model.objects.create_user("mia")
    Membership.objects.create(user=user, project=make_project("maps"))
    assert sum(bar.total for bar in drawn(user).bars) == 9
    assert client.get(URL).status_code == 302


def test_an_invalid_value_is_refused_as_in_the_list(web):
    response = web.get(f"{URL}?size=9")
    assert response.status_code == 400
    assert "must be a whole number from 10 to 200" in words(response)


def test_above_ten_thousand_the_page_and_the_list_say_so(web):
    instance = make_instance()
    Restore.objects.bulk_create(
        Restore(
            instance=instance,
            project=instance.project,
            restore_id=f"many-{number}",
            status="succeed",
            created_at=NOW - timedelta(seconds=number),
            first_seen_at=NOW,
            changed_at=NOW,
        )
        for number in range(10_001)
    )
    reason = "Too many restores for a histogram (max. 10,000). Choose a shorter time range."
    assert reason in words(web.get(URL))
    assert reason in words(web.get("/restores/"))
    assert '<svg class="bars"' in web.get(f"{URL}?from=now-2h").content.decode()


def test_what_is_listed_by_another_time_has_no_histogram(web):
    make_restore()
    assert "only available by creation or finish time" in words(
        web.get(f"{URL}?on=running&from=now-1d")
    )
    assert "data-histogram=" not in web.get("/restores/?on=running&from=now-1d").content.decode()


def test_the_histogram_is_switched_off_by_a_cookie(web):
    make_restore()
    first = web.get("/restores/")
    assert 'data-histogram="/restores/histogram/"' in first.content.decode()
    web.cookies["histogram"] = "off"
    tag = first.headers["ETag"]
    assert (
        "data-histogram="
        not in web.get("/restores/", headers={"if-none-match": tag}).content.decode()
    )


def test_a_histogram_is_counted_in_one_query(root, world, django_assert_num_queries):
    scope = Scope(ListParams.parse(QueryDict("from=now-7d"), NOW), root)
    with django_assert_num_queries(1):
        histogram(scope)
