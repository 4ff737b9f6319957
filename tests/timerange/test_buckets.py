"""Days and hours of a range, by the clock of a zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from restores.timerange import buckets

NOW = datetime(2026, 11, 23, 16, 59, tzinfo=UTC)


def local_starts(start, end, zone, now=NOW):
    found = buckets(start, end, ZoneInfo(zone), now=now)
    return [f"{at.astimezone(ZoneInfo(zone)):%d %H:%M}" for at in found.starts]


def test_a_long_range_has_days_that_begin_at_midnight_of_the_zone():
    start = NOW - timedelta(days=3)
    assert local_starts(start, None, "UTC") == ["20 16:59", "21 00:00", "22 00:00", "23 00:00"]
    expected = ["20 22:44", "21 00:00", "22 00:00", "23 00:00"]
    assert local_starts(start, None, "Asia/Kathmandu") == expected


def test_a_short_range_has_hours_that_begin_at_the_full_hour_of_the_zone():
    start = NOW - timedelta(hours=2)
    assert local_starts(start, None, "UTC") == ["23 14:59", "23 15:00", "23 16:00"]
    assert local_starts(start, NOW, "Asia/Kolkata") == ["23 20:29", "23 21:00", "23 22:00"]


@pytest.mark.parametrize(
    ("start", "hours"),
    [(datetime(2026, 3, 28, 23, tzinfo=UTC), 23), (datetime(2026, 10, 24, 22, tzinfo=UTC), 25)],
)
def test_a_day_on_which_the_clocks_change_has_all_its_hours(start, hours):
    assert len(local_starts(start, start + timedelta(hours=hours), "Europe/Berlin")) == hours


def test_the_buckets_follow_each_other_and_end_with_the_range():
    end = NOW - timedelta(days=1)
    found = buckets(NOW - timedelta(days=4), end, ZoneInfo("UTC"), now=NOW)
    assert found.spans[-1][1] == end
    assert all(one[1] == other[0] for one, other in zip(found.spans, found.spans[1:], strict=False))


def test_days_to_come_have_no_bucket_of_their_own():
    found = buckets(NOW, NOW + timedelta(days=9), ZoneInfo("UTC"), now=NOW)
    assert found.spans == [(NOW, NOW + timedelta(days=9))]
    later = NOW + timedelta(days=1)
    assert buckets(later, None, ZoneInfo("UTC"), now=NOW).spans == [(later, None)]
