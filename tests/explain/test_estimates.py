"""Lengths of time are measured honestly and written shortly."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restores.explain.estimates import at_time, clock, percentile, roughly, seconds, words

AT = datetime(2026, 11, 23, 15, 37, 41, tzinfo=UTC)


def test_a_duration_needs_two_instants_in_order():
    assert seconds(AT, AT + timedelta(seconds=4.5)) == 4.5
    assert seconds(AT, AT) == 0
    assert seconds(AT, AT - timedelta(seconds=1)) is None
    assert seconds(None, AT) is seconds(AT, None) is None


@pytest.mark.parametrize(
    ("length", "in_a_table", "in_a_sentence", "still_running"),
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
def test_a_length_is_written_for_its_place(length, in_a_table, in_a_sentence, still_running):
    assert clock(length) == in_a_table
    assert words(length) == in_a_sentence
    assert roughly(length) == still_running


def test_a_percentile_lies_between_its_neighbours():
    assert percentile([], 90) is None
    assert percentile([7], 90) == 7
    assert percentile([3, 1, 2], 50) == 2
    assert percentile([0, 10], 90) == 9


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0, 100))
def test_a_percentile_never_leaves_the_values(values, rank):
    assert min(values) <= percentile(values, rank) <= max(values) * (1 + 1e-12)


def test_an_instant_is_told_in_utc():
    assert at_time(AT) == "15:37:41 UTC on 23 Nov 2026"
