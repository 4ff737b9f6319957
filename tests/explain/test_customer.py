"""A customer reads what is true, in their own time, and nothing internal."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restores.explain.summary import Facts, message

CREATED = datetime(2026, 11, 23, 15, 26, 1, tzinfo=UTC)
ENDED = datetime(2026, 11, 23, 15, 37, 41, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 16, 59, tzinfo=UTC)


def told(status, zone="Asia/Tokyo", now=NOW, **known):
    return message(Facts(status=status, now=now, created=CREATED, **known), "session-eu-2", zone)


def test_a_failure_is_told_in_the_customers_time():
    assert told("failed", ended=ENDED, code="dcs.08.0007", progress=63) == (
        "The restore of your instance session-eu-2 did not complete. It stopped at 15:37:41 UTC "
        "(00:37:41 your time). We are checking the data and will contact you before any further "
        "restore."
    )


def test_what_was_known_on_the_day_itself_is_told_with_its_date_on_a_later_one():
    facts = Facts(status="failed", now=NOW, created=CREATED, ended=ENDED)
    text = message(facts, "cart", told=datetime(2026, 11, 25, tzinfo=UTC))
    assert "It stopped at 15:37:41 UTC on 23 Nov 2026." in text


def test_an_evening_before_by_the_customers_clock_gets_its_date():
    ended = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
    text = told("failed", "America/New_York", ended=ended)
    assert "at 02:00:00 UTC on 23 Nov 2026 (21:00:00 on 22 Nov 2026 your time)" in text


def test_on_a_later_day_both_dates_are_told():
    text = told("failed", ended=ENDED, now=datetime(2026, 11, 25, tzinfo=UTC))
    assert "at 15:37:41 UTC on 23 Nov 2026 (00:37:41 on 24 Nov 2026 your time)." in text


def test_a_recovered_failure_says_so_instead_of_promising_a_check():
    text = told("failed", zone="", ended=ENDED, recovered=datetime(2026, 11, 23, 16, tzinfo=UTC))
    assert text.endswith("A later restore was completed at 16:00:00 UTC.")


def test_other_states_are_told_plainly():
    assert told("succeed", zone="UTC", ended=ENDED) == (
        "The restore of your instance session-eu-2 was completed at 15:37:41 UTC."
    )
    assert "is running since 15:26:01 UTC (00:26:01 your time). Until" in told("restoring")
    assert "is queued since 15:26:01 UTC (00:26:01 your time) and has not begun" in told("waiting")
    assert told("PAUSED").endswith("We are checking its state.")


@pytest.mark.parametrize("zone", ["", "UTC", "nowhere", "Europe", "../x", "\0"])
def test_without_a_real_zone_only_utc_is_told(zone):
    assert "your time" not in told("failed", zone, ended=ENDED)


@settings(max_examples=100)
@given(
    st.sampled_from(["failed", "succeed", "restoring", "waiting", "", "paused"]),
    st.sampled_from([None, ENDED]),
    st.sampled_from(["", "cart-prod", "推荐-缓存-生产"]),
)
def test_nothing_internal_gets_out(status, ended, name):
    known = Facts(status=status, now=NOW, ended=ended, progress=63.5, code="dcs.08.0007")
    text = message(known, name, "Asia/Tokyo")
    assert not any(word in text for word in ("dcs.08", "63", "None", "partial", "  "))
