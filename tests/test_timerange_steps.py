"""Neighbouring windows touch without sharing a row, and the usual windows have names."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restores.timerange import PRESETS, canonical, earlier, fixed, label, later, read, wider

NOW = datetime(2026, 11, 23, 16, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("params", "before", "after"),
    [
        (
            {"from": "2026-11-05T14:00Z", "to": "2026-11-05T14:30Z"},
            ("2026-11-05T13:30:00Z", "2026-11-05T14:00:00Z"),
            ("2026-11-05T14:30:00Z", "2026-11-05T15:00:00Z"),
        ),
        (  # the day of the clock change has 25 hours, its neighbours 24
            {"from": "2026-10-25", "to": "2026-10-25", "tz": "Europe/Berlin"},
            ("2026-10-23T22:00:00Z", "2026-10-24T22:00:00Z"),
            ("2026-10-25T23:00:00Z", "2026-10-26T23:00:00Z"),
        ),
        (
            {"from": "2026-02", "to": "2026-02"},
            ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"),
            ("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"),
        ),
        ({"from": "now-24h"}, ("2026-11-21T16:59:00Z", "2026-11-22T16:59:00Z"), None),
        (
            {"from": "now/d", "to": "now/d"},
            ("2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"),
            None,
        ),
        ({}, None, None),
        ({"from": "2026-11-05"}, None, None),
        ({"to": "2026-11-05"}, None, None),
        (
            {"from": "2000-01-01", "to": "2000-01-01"},
            None,
            ("2000-01-02T00:00:00Z", "2000-01-03T00:00:00Z"),
        ),
    ],
)
def test_neighbours_have_the_same_length_and_share_an_edge(params, before, after):
    window = read(params, NOW)
    for step, edges in ((earlier(window), before), (later(window), after)):
        assert (step and (step["from"], step["to"])) == edges


def test_a_neighbour_keeps_what_is_compared_its_zone_and_its_asof():
    asked = {"on": "ended", "from": "now-1d/d", "to": "now-1d/d", "tz": "Asia/Kolkata"}
    window = read(asked | {"asof": "2026-11-20T10:00:00Z"}, NOW)
    step = earlier(window)
    assert list(step) == ["on", "from", "to", "tz", "asof"]
    assert (step["on"], step["tz"], step["asof"]) == ("ended", window.tz, "2026-11-20T10:00:00Z")


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (
            {"from": "2026-11-05T14:00Z", "to": "2026-11-05T15:00Z"},
            ("2026-11-05T13:30:00Z", "2026-11-05T15:30:00Z"),
        ),
        ({"from": "now-1h"}, ("2026-11-23T14:59:00Z", "2026-11-23T16:59:00Z")),
        (  # today ends tomorrow, and so it does when it is widened
            {"from": "now/d", "to": "now/d"},
            ("2026-11-22T00:00:00Z", "2026-11-24T00:00:00Z"),
        ),
        ({"from": "2026-11-05"}, None),
        ({"to": "2026-11-05"}, None),
        ({}, None),
        ({"from": "2000-01-01", "to": "2000-01-02"}, None),
    ],
)
def test_a_window_is_widened_around_its_middle_but_not_into_the_future(params, expected):
    step = wider(read(params, NOW))
    assert (step and (step["from"], step["to"])) == expected


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"from": "now-1h"}, {"from": "2026-11-23T15:59:00Z", "to": "2026-11-23T16:59:00Z"}),
        (
            {"on": "ended", "from": "now-1d/d", "to": "now-1d/d"},
            {"on": "ended", "from": "2026-11-22T00:00:00Z", "to": "2026-11-23T00:00:00Z"},
        ),
        ({"to": "now-1d"}, {"to": "2026-11-22T16:59:00Z"}),
        ({"from": "2026-11-05"}, {"from": "2026-11-05T00:00:00Z", "to": "2026-11-23T16:59:00Z"}),
        ({"from": "2026-11-05", "to": "2026-11-06"}, None),
        ({"from": "2027-01-01"}, None),
        ({"from": "now/d", "asof": "2026-11-20T10:00:00Z"}, {
            "from": "2026-11-20T00:00:00Z", "to": "2026-11-20T10:00:00Z",
            "asof": "2026-11-20T10:00:00Z",
        }),
        ({}, None),
    ],
)  # fmt: skip
def test_a_window_that_moves_on_can_be_fixed_where_it_is(params, expected):
    assert fixed(read(params, NOW)) == expected


@settings(max_examples=150, deadline=None)
@given(
    st.datetimes(datetime(2002, 1, 1), datetime(2024, 1, 1)),
    st.timedeltas(timedelta(seconds=1), timedelta(days=300)),
    st.booleans(),
    st.sampled_from(["UTC", "Europe/Berlin", "America/Havana", "Asia/Kolkata"]),
)
def test_a_step_back_and_one_forward_meet_at_the_same_edge(start, length, days, tz):
    edges = start.isoformat(), (start + length).isoformat()
    first, last = (edge[:10] if days else edge[:19] + "Z" for edge in edges)
    window = read({"from": first, "to": last, "tz": tz}, NOW)
    before = read(earlier(window), NOW)
    assert before.end == window.start
    assert later(before)["from"] == canonical(window)["from"]


def test_the_usual_windows_read_and_bear_their_own_label():
    assert [name for name, _ in PRESETS] == [
        "last hour", "last 8 hours", "last 24 hours", "last 7 days", "last 30 days", "today",
        "yesterday", "this week", "last week", "this month", "last month", "all time",
    ]  # fmt: skip
    for name, params in PRESETS:
        window = read(params, NOW)
        assert label(window) == name
        assert canonical(window) == params
