"""A window says in words exactly what it covers."""

from datetime import UTC, datetime

import pytest

from restores.timerange import label, read, words

NOW = datetime(2026, 11, 23, 16, 59, tzinfo=UTC)
ASOF = "2026-11-23T16:59:00Z"


@pytest.mark.parametrize(
    ("params", "exact", "short"),
    [
        ({}, "all time", "all time"),
        ({"tz": "Asia/Shanghai"}, "all time, Asia/Shanghai (UTC+8 now)", "all time"),
        ({"asof": ASOF}, "before 23 Nov 16:59 UTC", "all time"),
        (
            {"from": "now-24h", "asof": ASOF},
            "22 Nov 16:59 → 23 Nov 16:59 UTC, end not included",
            "last 24 hours",
        ),
        ({"from": "now-24h"}, "since 22 Nov 16:59 UTC", "last 24 hours"),
        ({"from": "now-1h"}, "since 23 Nov 15:59 UTC", "last hour"),
        ({"from": "now-1w"}, "since 16 Nov 16:59 UTC", "last 7 days"),
        ({"from": "now-1M"}, "since 23 Oct 16:59 UTC", "last 1 month"),
        (
            {"from": "now-1M/M", "to": "now-1M/M"},
            "1 Oct 00:00 → 1 Nov 00:00 UTC, end not included",
            "last month",
        ),
        (
            {"from": "2025-03-01", "to": "2025-03-05", "tz": "Asia/Shanghai"},
            "1 Mar 2025 00:00 → 6 Mar 2025 00:00 Asia/Shanghai (UTC+8), end not included",
            "1–5 Mar 2025",
        ),
        (
            {"from": "2025-12-28", "to": "2026-01-03"},
            "28 Dec 2025 00:00 → 4 Jan 2026 00:00 UTC, end not included",
            "28 Dec 2025 – 3 Jan 2026",
        ),
        (
            {"from": "2026-02-28", "to": "2026-03-05"},
            "28 Feb 00:00 → 6 Mar 00:00 UTC, end not included",
            "28 Feb – 5 Mar 2026",
        ),
        (
            {"from": "2026-02", "to": "2026-02"},
            "1 Feb 00:00 → 1 Mar 00:00 UTC, end not included",
            "Feb 2026",
        ),
        (
            {"from": "2026-11-05", "to": "2026-11-05"},
            "5 Nov 00:00 → 6 Nov 00:00 UTC, end not included",
            "5 Nov 2026",
        ),
        (
            {"from": "2026-11-05T14:00Z", "to": "2026-11-05T14:30:05.250Z"},
            "5 Nov 14:00 → 5 Nov 14:30:05.250 UTC, end not included",
            "5 Nov 2026 14:00–14:30:05.250",
        ),
        (
            {"from": "2026-11-05T14:00Z", "to": "2026-11-06T01:00Z", "tz": "Asia/Kolkata"},
            "5 Nov 19:30 → 6 Nov 06:30 Asia/Kolkata (UTC+5:30), end not included",
            "5 Nov 2026 19:30 – 6 Nov 2026 06:30",
        ),
        (
            {"from": "2026-10-25T00:30Z", "to": "2026-10-25T01:30Z", "tz": "Europe/Berlin"},
            "25 Oct 02:30 (UTC+2) → 25 Oct 02:30 (UTC+1) Europe/Berlin, end not included",
            "25 Oct 2026 02:30–02:30",
        ),
        ({"from": "2025-11-05"}, "since 5 Nov 2025 00:00 UTC", "since 5 Nov 2025 00:00"),
        ({"to": "2026-11-05"}, "before 6 Nov 00:00 UTC", "before 6 Nov 2026 00:00"),
    ],
)
def test_a_window_is_told_exactly_and_in_short(params, exact, short):
    window = read(params, NOW)
    assert words(window, NOW) == exact
    assert label(window) == short


def test_the_year_is_left_out_by_the_calendar_of_the_windows_zone():
    new_year = datetime(2026, 12, 31, 20, tzinfo=UTC)
    window = read({"from": "2026-12-31T21:00Z", "tz": "Asia/Shanghai"}, new_year)
    assert words(window, new_year) == "since 1 Jan 05:00 Asia/Shanghai (UTC+8)"
