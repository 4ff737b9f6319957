"""Durations are formatted for their place; estimates and stuck restores need a basis."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.stuck import WORLDS, judge
from restores.explain.estimates import (
    estimate,
    find_stuck_at,
    format_clock,
    format_duration,
    format_rough_duration,
    format_timestamp,
    percentile,
    seconds_between,
    usual_of,
)

AT = datetime(2026, 11, 23, 15, 37, 41, tzinfo=UTC)
NINE = usual_of([420, 440, 450, 460, 500, 520, 540, 560, 600])
MINUTE = 60
USUAL = usual_of([9 * MINUTE, 10 * MINUTE, 11 * MINUTE, 11.5 * MINUTE, 12 * MINUTE])


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
    assert usual_of([300, 320]) is None
    assert estimate(60, None, None) is None
    assert estimate(60, None, usual_of([300, 320, 310]))


def test_only_the_newest_restores_say_what_is_usual():
    assert usual_of([10] * 100 + [300] * 30) == usual_of([300] * 30)


def test_one_restore_of_hours_among_twenty_changes_nothing():
    usual = usual_of([300] * 10 + [36_000] + [300] * 9)
    assert estimate(250, None, usual).left == "less than 1 min left"
    assert estimate(400, None, usual) is None
    assert stuck_after(1, usual) == 10
    assert str(usual) == "usually takes 5 min"


def test_there_is_no_estimate_beyond_the_usual_time():
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
    # Neither total is several times the other, but at this pace it takes 17 minutes, not 9.
    assert estimate(300, 30, NINE) is None
    assert estimate(300, 40, NINE)


def test_near_the_end_an_estimate_follows_the_progress():
    long = usual_of([18 * MINUTE, 20 * MINUTE, 24 * MINUTE])
    assert estimate(120, 96, long).left == "less than 1 min left"
    assert estimate(405, 81, long).high == 3 * 95


def test_one_outlier_does_not_determine_the_bound():
    assert estimate(60, None, usual_of([100, 110, 120, 130, 7200])) is None
    assert estimate(60, 50, usual_of([100, 110, 120, 130, 7200])) is None
    assert estimate(60, None, usual_of([100] * 19 + [7200])).high <= 60


def test_progress_ahead_of_history_lowers_the_range():
    assert estimate(190, 90, NINE).low < 30


def test_missing_or_reversed_times_have_no_estimate():
    assert estimate(None, 42, NINE) is None
    assert estimate(-5, 42, NINE) is None


def test_a_range_is_written_in_fitting_units():
    assert estimate(560, None, NINE).left == "less than 1 min left"
    assert estimate(10, None, usual_of([50, 100, 130])).left == "less than 2 min left"
    assert estimate(0, None, usual_of([180, 180, 180])).left == "about 3 min left"
    assert estimate(0, None, usual_of([7000, 9000, 12000])).left == "2–4 h left"


@settings(max_examples=100)
@given(
    st.none() | st.floats(-10, 1e6),
    st.none() | st.floats(0, 100),
    st.lists(st.floats(0, 1e6)),
    st.none() | st.floats(0, 1e6),
)
def test_an_estimate_is_in_order_and_never_negative(elapsed, progress, earlier, unchanged_for):
    found = estimate(elapsed, progress, usual_of(earlier), unchanged_for)
    assert found is None or (0 <= found.low <= found.high and found.left)


def stuck_after(unchanged_since, usual=USUAL, status="restoring", **kwargs):
    """After how many minutes a restore is stuck if nothing has changed since this one."""
    since = AT + timedelta(minutes=unchanged_since)
    stuck_at = find_stuck_at(status, AT, since, usual, **({"reports_progress": True} | kwargs))
    return (stuck_at - AT).total_seconds() / MINUTE


def test_stuck_is_what_takes_twice_as_long_as_usual_and_stands_still():
    usual = usual_of([12 * MINUTE] * 5)
    assert stuck_after(3, usual) == 24
    # After moving for this long, it may pause for as long as a whole restore.
    assert stuck_after(23, usual) == 35


def test_quick_instances_are_given_ten_minutes_and_a_pause_of_five():
    quick = usual_of([MINUTE] * 5)
    assert stuck_after(3, quick) == 10
    assert stuck_after(9, quick) == 14


def test_without_history_ten_minutes_without_progress_are_the_limit():
    assert stuck_after(0, None) == 10
    assert stuck_after(55, None) == 65


@pytest.mark.parametrize("silent", [{"reports_progress": False}, {"status": "waiting"}])
def test_without_history_half_an_hour_is_the_limit_where_standing_still_means_nothing(silent):
    assert stuck_after(0, None, **silent) == 30
    assert stuck_after(25, None, **silent) == 30


@pytest.mark.parametrize("silent", [{"reports_progress": False}, {"status": "waiting"}])
def test_with_history_one_rule_holds_everywhere(silent):
    assert stuck_after(1, usual_of([12 * MINUTE] * 5), **silent) == 24


@pytest.mark.parametrize("status", ["failed", "succeed", "paused", ""])
def test_a_restore_that_is_not_in_progress_cannot_be_stuck(status):
    assert find_stuck_at(status, AT, AT, USUAL, reports_progress=True) is None


def test_a_restore_without_a_creation_time_is_not_called_stuck():
    assert find_stuck_at("restoring", None, AT, USUAL, reports_progress=True) is None


def test_a_usual_time_beyond_all_dates_never_ends():
    ages = usual_of([1e12] * 5)
    assert find_stuck_at("restoring", AT, AT, ages, reports_progress=True) is None


@pytest.mark.parametrize("world", [one for one in WORLDS if one.reports_progress])
def test_most_that_is_called_stuck_hangs_and_most_that_hangs_is_called_stuck(world):
    found = judge(world, count=1200)
    assert found.precision >= 0.9
    assert found.recall >= 0.8


@pytest.mark.parametrize(
    ("earlier", "text"),
    [
        ([540, 600, 660, 690, 720], "usually takes 9–12 min"),
        ([MINUTE] * 5, "usually takes 1 min"),
        ([20, 30, 70], "usually takes less than 2 min"),
        ([20, 30, 40], "usually takes less than 1 min"),
    ],
)
def test_the_usual_duration_is_a_range_in_minutes(earlier, text):
    assert str(usual_of(earlier)) == text
