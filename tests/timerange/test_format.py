"""A time range says in words exactly what it covers."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restores.timerange import (
    InvalidTimeRange,
    describe_range,
    edge_texts,
    parse,
    range_label,
    to_iso,
)

NOW = datetime(2026, 11, 23, 16, 59, tzinfo=UTC)
ASOF = "2026-11-23T16:59:00Z"


@pytest.mark.parametrize(
    ("params", "exact", "short"),
    [
        ({}, "any time", "any time"),
        ({"tz": "Asia/Shanghai"}, "any time · Shanghai (UTC+8)", "any time"),
        ({"asof": ASOF}, "before 23 Nov, 16:59 UTC", "any time"),
        (
            {"from": "now-24h", "asof": ASOF},
            "22 Nov, 16:59 – 23 Nov, 16:59 UTC",
            "last 24 hours",
        ),
        ({"from": "now-24h"}, "since 22 Nov, 16:59 UTC", "last 24 hours"),
        ({"from": "now-1h"}, "since 23 Nov, 15:59 UTC", "last hour"),
        ({"from": "now-1w"}, "since 16 Nov, 16:59 UTC", "last 7 days"),
        ({"from": "now-1M"}, "since 23 Oct, 16:59 UTC", "last 1 month"),
        (
            {"from": "now-1M/M", "to": "now-1M/M"},
            "1 Oct, 00:00 – 1 Nov, 00:00 UTC",
            "last month",
        ),
        (
            {"from": "2025-03-01", "to": "2025-03-05", "tz": "Asia/Shanghai"},
            "1 Mar 2025, 00:00 – 6 Mar 2025, 00:00 Shanghai (UTC+8)",
            "1–5 Mar 2025",
        ),
        (
            {"from": "2025-12-28", "to": "2026-01-03"},
            "28 Dec 2025, 00:00 – 4 Jan 2026, 00:00 UTC",
            "28 Dec 2025 – 3 Jan 2026",
        ),
        (
            {"from": "2026-02-28", "to": "2026-03-05"},
            "28 Feb, 00:00 – 6 Mar, 00:00 UTC",
            "28 Feb – 5 Mar 2026",
        ),
        (
            {"from": "2026-02", "to": "2026-02"},
            "1 Feb, 00:00 – 1 Mar, 00:00 UTC",
            "Feb 2026",
        ),
        (
            {"from": "2026-11-05", "to": "2026-11-05"},
            "5 Nov, 00:00 – 6 Nov, 00:00 UTC",
            "5 Nov 2026",
        ),
        (
            {"from": "2026-11-05T14:00Z", "to": "2026-11-05T14:30:05.250Z"},
            "5 Nov, 14:00 – 5 Nov, 14:30:05.250 UTC",
            "5 Nov 2026, 14:00–14:30:05.250",
        ),
        (
            {"from": "2026-11-05T14:00Z", "to": "2026-11-06T01:00Z", "tz": "Asia/Kolkata"},
            "5 Nov, 19:30 – 6 Nov, 06:30 Kolkata (UTC+5:30)",
            "5 Nov 2026, 19:30 – 6 Nov 2026, 06:30",
        ),
        (
            {"from": "2026-10-25T00:30Z", "to": "2026-10-25T01:30Z", "tz": "Europe/Berlin"},
            "25 Oct, 02:30 (UTC+2) – 25 Oct, 02:30 (UTC+1) Berlin",
            "25 Oct 2026, 02:30–02:30",
        ),
        ({"from": "2025-11-05"}, "since 5 Nov 2025, 00:00 UTC", "since 5 Nov 2025, 00:00"),
        ({"to": "2026-11-05"}, "before 6 Nov, 00:00 UTC", "before 6 Nov 2026, 00:00"),
    ],
)
def test_a_range_has_an_exact_description_and_a_short_label(params, exact, short):
    time_range = parse(params, NOW)
    assert describe_range(time_range, NOW) == exact
    assert range_label(time_range) == short


def test_the_year_is_left_out_by_the_calendar_of_the_ranges_time_zone():
    new_year = datetime(2026, 12, 31, 20, tzinfo=UTC)
    time_range = parse({"from": "2026-12-31T21:00Z", "tz": "Asia/Shanghai"}, new_year)
    assert describe_range(time_range, new_year) == "since 1 Jan, 05:00 Shanghai (UTC+8)"


@pytest.mark.parametrize(
    ("params", "texts"),
    [
        ({}, ("", "")),
        ({"from": "now-24h", "to": "now/d"}, ("now-24h", "now/d")),
        ({"from": "2026-11-22T14:05Z"}, ("22 Nov 2026 14:05", "")),
        (
            {"from": "2026-11-22T14:05Z", "to": "2026-11-22T15:05:09.5Z", "tz": "Europe/Berlin"},
            ("22 Nov 2026 15:05", "22 Nov 2026 16:05:09.500"),
        ),
        (
            {"from": "2026-11-20", "to": "2026-11-21", "tz": "Asia/Shanghai"},
            ("20 Nov 2026", "21 Nov 2026"),
        ),
        (
            {"from": "2026-10-25T00:30Z", "to": "2026-10-25T01:30Z", "tz": "Europe/Berlin"},
            ("25 Oct 2026 02:30 UTC+2", "25 Oct 2026 02:30 UTC+1"),
        ),
        ({"from": "now-1h", "asof": ASOF}, ("now-1h", "")),
    ],
)
def test_fields_show_the_edges_in_the_zone_of_the_range(params, texts):
    assert edge_texts(parse(params, NOW)) == texts


@given(
    st.datetimes(datetime(2000, 1, 2), datetime(2100, 12, 30), timezones=st.just(UTC)),
    st.timedeltas(timedelta(milliseconds=1), timedelta(days=40)),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Beirut",
                     "Australia/Lord_Howe", "America/Havana", "UTC-9:30"]),
    st.booleans(),
)  # fmt: skip
@settings(deadline=None)
def test_what_fields_show_is_read_as_the_same_range(start, length, tz, minutes):
    if minutes:
        start, length = start.replace(second=0, microsecond=0), max(length, timedelta(minutes=1))
    params = {"from": to_iso(start), "to": to_iso(start + length), "tz": tz}
    time_range = parse(params, NOW)
    first, last = edge_texts(time_range)
    with pytest.raises(InvalidTimeRange) as typed:
        parse({"from": first, "to": last, "tz": tz}, NOW)
    assert all(error.clear for error in typed.value.errors)
    strict = {name: at for error in typed.value.errors for name, at in error.suggestion.items()}
    again = parse(strict | {"tz": tz}, NOW)
    assert (again.start, again.end) == (time_range.start, time_range.end)
