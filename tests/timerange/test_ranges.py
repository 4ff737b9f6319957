"""Adjacent time ranges share an edge and no row, and the usual ranges have names."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restores.timerange import (
    PRESETS,
    next_period,
    parse,
    pin,
    previous_period,
    range_label,
    to_params,
    zoom_out,
)

NOW = datetime(2026, 11, 23, 16, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("params", "before", "after"),
    [
        (
            {"from": "2026-11-05T14:00Z", "to": "2026-11-05T14:30Z"},
            ("2026-11-05T13:30:00Z", "2026-11-05T14:00:00Z"),
            ("2026-11-05T14:30:00Z", "2026-11-05T15:00:00Z"),
        ),
        (  # the day of the clock change has 25 hours, those next to it 24
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
def test_adjacent_periods_have_the_same_length_and_share_an_edge(params, before, after):
    time_range = parse(params, NOW)
    for step, edges in ((previous_period(time_range), before), (next_period(time_range), after)):
        assert (step and (step["from"], step["to"])) == edges


def test_an_adjacent_period_keeps_what_is_compared_its_zone_and_its_asof():
    params = {"on": "ended", "from": "now-1d/d", "to": "now-1d/d", "tz": "Asia/Kolkata"}
    time_range = parse(params | {"asof": "2026-11-20T10:00:00Z"}, NOW)
    step = previous_period(time_range)
    assert list(step) == ["on", "from", "to", "tz", "asof"]
    assert (step["on"], step["tz"]) == ("ended", time_range.tz)
    assert step["asof"] == "2026-11-20T10:00:00Z"


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
def test_zooming_out_keeps_the_middle_but_does_not_reach_into_the_future(params, expected):
    step = zoom_out(parse(params, NOW))
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
def test_a_moving_range_can_be_pinned_where_it_is(params, expected):
    assert pin(parse(params, NOW)) == expected


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
    time_range = parse({"from": first, "to": last, "tz": tz}, NOW)
    before = parse(previous_period(time_range), NOW)
    assert before.end == time_range.start
    assert next_period(before)["from"] == to_params(time_range)["from"]


def test_the_usual_ranges_can_be_parsed_and_have_their_own_label():
    assert [name for name, _ in PRESETS] == [
        "Last 15 minutes", "Last hour", "Last 4 hours", "Last 24 hours", "Last 7 days",
        "Last 30 days", "Today", "Yesterday", "This week", "Last week", "This month", "Last month",
        "Any time",
    ]  # fmt: skip
    for name, params in PRESETS:
        time_range = parse(params, NOW)
        assert range_label(time_range).capitalize() == name
        assert to_params(time_range) == params
