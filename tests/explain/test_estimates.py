"""Durations are formatted for their place; estimates and stuck restores need a basis."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restores.explain.estimates import (
    estimate,
    format_clock,
    format_duration,
    format_rough_duration,
    format_timestamp,
    is_stuck,
    percentile,
    seconds_between,
    usual_duration,
)

AT = datetime(2026, 11, 23, 15, 37, 41, tzinfo=UTC)
NINE = [420, 440, 450, 460, 500, 520, 540, 560, 600]
MINUTE = 60
USUAL = [9 * MINUTE, 10 * MINUTE, 11 * MINUTE, 11.5 * MINUTE, 12 * MINUTE]


def test_a_duration_needs_two_times_in_order():
    assert seconds_between(AT, AT + timedelta(seconds=4.5)) == 4.5
    assert seconds_between(AT, AT) == 0
    assert seconds_between(AT, AT - timedelta(seconds=1)) is None
    assert seconds_between(None, AT) is seconds_between(AT, None) is None


@pytest.mark.parametrize(
    ("seconds", "in_a_table", "in_a_sentence", "still_running"),
    [
        (0, "0:00", "0 s", "0 s"),
        (0.9, "0:00", "0 s", "0 s"),
        (48, "0:48", "48 s", "48 s"),
        (60, "1:00", "1 min", "1 min"),
        (190, "3:10", "3 min 10 s", "3 min"),
        (700, "11:40", "11 min 40 s", "11 min"),
        (3600, "1:00:00", "1 h", "1 h"),
        (3723, "1:02:03", "1 h 2 min", "1 h 2 min"),
        (37 * 3600 + 26 * 60 + 5, "37:26:05", "37 h 26 min", "37 h 26 min"),
        (100 * 3600 - 1, "99:59:59", "4 d 3 h", "4 d 3 h"),
        (100 * 3600, "4 d 4 h", "4 d 4 h", "4 d 4 h"),
        (-5, "0:00", "0 s", "0 s"),
    ],
)
def test_a_duration_is_formatted_for_its_place(seconds, in_a_table, in_a_sentence, still_running):
    assert format_clock(seconds) == in_a_table
    assert format_duration(seconds) == in_a_sentence
    assert format_rough_duration(seconds) == still_running


def test_a_percentile_lies_between_its_neighbors():
    assert percentile([], 90) is None
    assert percentile([7], 90) == 7
    assert percentile([3, 1, 2], 50) == 2
    assert percentile([0, 10], 90) == 9


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0, 100))
def test_a_percentile_never_leaves_the_values(values, rank):
    assert min(values) <= percentile(values, rank) <= max(values) * (1 + 1e-12)


def test_a_time_is_given_in_utc():
    assert format_timestamp(AT) == "23 Nov 2026 at 15:37:41 UTC"


def test_an_estimate_is_a_range_with_its_basis():
    found = estimate(190, 42, NINE)
    assert (found.left, found.basis) == ("4–7 min left", "based on 9 earlier restores")
    assert found.low < found.high


def test_two_earlier_restores_are_not_enough():
    assert estimate(60, None, [300, 320]) is None
    assert estimate(60, None, [300, 320, 310])


def test_there_is_no_estimate_beyond_all_earlier_restores():
    assert estimate(601, 80, NINE) is None


def test_there_is_no_estimate_while_progress_stands_still():
    assert estimate(380, 60, NINE, unchanged_for=301) is None
    assert estimate(380, 60, NINE, unchanged_for=299)


def test_without_progress_the_estimate_uses_history_alone():
    assert estimate(190, None, NINE) == estimate(190, 0, NINE)


def test_a_restore_at_100_percent_has_no_estimate():
    assert estimate(190, 100, NINE) is None


def test_there_is_no_estimate_when_progress_contradicts_history():
    assert estimate(400, 10, NINE) is None


def test_progress_ahead_of_history_lowers_the_range():
    assert estimate(190, 90, NINE).low < 30


def test_missing_or_reversed_times_have_no_estimate():
    assert estimate(None, 42, NINE) is None
    assert estimate(-5, 42, NINE) is None


def test_a_range_is_written_in_fitting_units():
    assert estimate(590, None, NINE).left == "less than 1 min left"
    assert estimate(10, None, [50, 100, 130]).left == "less than 2 min left"
    assert estimate(0, None, [180, 180, 180]).left == "about 3 min left"
    assert estimate(0, None, [7000, 9000, 12000]).left == "2–4 h left"


@settings(max_examples=100)
@given(
    st.none() | st.floats(-10, 1e6),
    st.none() | st.floats(0, 100),
    st.lists(st.floats(0, 1e6)),
    st.none() | st.floats(0, 1e6),
)
def test_an_estimate_is_in_order_and_never_negative(elapsed, progress, earlier, unchanged_for):
    found = estimate(elapsed, progress, earlier, unchanged_for)
    assert found is None or (0 <= found.low <= found.high and found.left)


def stuck(elapsed, unchanged_for, earlier=USUAL, status="restoring", **kwargs):
    """Tell whether a restore is stuck; times are in minutes."""
    elapsed, unchanged_for = (value and value * MINUTE for value in (elapsed, unchanged_for))
    return is_stuck(status, elapsed, unchanged_for, earlier, **kwargs)


def test_long_and_without_progress_is_stuck():
    assert stuck(25, 11)


def test_long_alone_is_not_stuck():
    assert not stuck(25, 4)
    assert not stuck(25, None)


def test_without_progress_alone_is_not_stuck():
    assert not stuck(20, 15)


def test_quick_instances_are_given_ten_minutes():
    quick = [MINUTE] * 5
    assert not stuck(9, 8, quick)
    assert stuck(11, 8, quick)


def test_without_history_half_an_hour_is_the_limit():
    assert not stuck(29, 20, [])
    assert stuck(31, 20, [])


def test_slow_instances_are_judged_after_half_an_hour_but_not_within_their_usual_time():
    assert stuck(31, 6, [25 * MINUTE] * 5)
    assert not stuck(31, 6, [40 * MINUTE] * 5)
    assert stuck(41, 6, [40 * MINUTE] * 5)


def test_where_a_cloud_reports_no_progress_only_the_duration_counts():
    assert not stuck(29, 29, reports_progress=False)
    assert stuck(31, 31, reports_progress=False)
    assert stuck(61, None, [25 * MINUTE] * 5, reports_progress=False)
    assert not stuck(49, 49, [25 * MINUTE] * 5, reports_progress=False)


def test_waiting_is_stuck_after_half_an_hour():
    assert not stuck(30, None, status="waiting")
    assert stuck(31, None, status="waiting")


@pytest.mark.parametrize("status", ["failed", "succeed", "paused", ""])
def test_a_restore_that_is_not_in_progress_cannot_be_stuck(status):
    assert not stuck(500, 500, status=status)


def test_a_restore_without_a_creation_time_is_not_called_stuck():
    assert not stuck(None, 50)


@pytest.mark.parametrize(
    ("earlier", "text"),
    [
        (USUAL, "usually takes 9–12 min"),
        ([MINUTE] * 5, "usually takes 1 min"),
        ([20, 30, 70], "usually takes less than 2 min"),
        ([20, 30, 40], "usually takes less than 1 min"),
        ([MINUTE, MINUTE], ""),
    ],
)
def test_the_usual_duration_is_a_range_in_minutes(earlier, text):
    assert usual_duration(earlier) == text
