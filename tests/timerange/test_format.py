"""A time range says in words exactly what it covers."""

from datetime import UTC, datetime

import pytest

from restores.timerange import describe_range, parse, range_label

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
