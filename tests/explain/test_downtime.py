"""Estimated downtime: what a record proves, and sums that count no minute twice."""

import re
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restores.explain.downtime import (
    clip,
    customer_notes,
    downtime_of,
    format_range,
    merged_length,
)

AT = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def at(seconds):
    return None if seconds is None else AT + seconds * SECOND


def downtime(status="succeed", created=0, ended=360, after=None, by=None, known=1000, now=1000):
    return downtime_of(
        status,
        at(created),
        at(ended),
        restoring_after=at(after),
        restoring_by=at(by),
        known_until=at(known),
        now=at(now),
    )


@pytest.mark.parametrize(
    ("given", "least", "most"),
    [
        # Restoring was first seen 29 s after the creation, and not yet 19 s after it.
        ({"after": 19, "by": 29}, 331, 341),
        # Nobody saw it restoring: it may have been queued until just before its end.
        ({"by": None}, 0, 360),
        ({"by": 360}, 0, 360),
        # Never later than when it was first seen.
        ({"after": 40, "by": 30}, 330, 330),
        ({"status": "failed", "by": 10}, 350, 360),
        # While it runs, up to now; for certain only until its status was last known.
        ({"status": "restoring", "ended": None, "by": 10}, 990, 1000),
        ({"status": "restoring", "ended": None, "by": 10, "known": 600}, 590, 1000),
        # In the queue the instance is online, but it may have begun since the last sync.
        ({"status": "waiting", "ended": None}, 0, 0),
        ({"status": "waiting", "ended": None, "known": 900}, 0, 100),
        # What a snapshot can't know yet.
        ({"after": 2000}, 0, 360),
    ],
)
def test_the_downtime_is_what_the_syncs_prove_and_what_they_leave_open(given, least, most):
    assert downtime(**given).seconds == (least, most)


@pytest.mark.parametrize(
    "given",
    [
        {"created": None},
        {"ended": None},
        {"ended": -1},
        {"status": "rolling_back"},
        {"status": "", "ended": None},
    ],
)
def test_without_usable_times_or_a_known_status_there_is_no_estimate(given):
    assert downtime(**given) is None


def test_the_downtime_of_a_running_restore_is_marked_so_far():
    assert downtime("restoring", ended=None).so_far and downtime("waiting", ended=None).so_far
    assert not downtime("succeed").so_far


@pytest.mark.parametrize(
    ("least", "most", "text"),
    [(331, 341, "5:31–5:41"), (0, 341, "up to 5:41"), (341.2, 341.9, "5:41"), (0, 0, "0:00")],
)
def test_a_range_is_short_enough_for_a_table(least, most, text):
    assert format_range(least, most) == text


SECONDS = st.integers(0, 200)
MAYBE = st.none() | SECONDS
RESTORES = st.lists(
    st.fixed_dictionaries(
        {
            "status": st.sampled_from(["succeed", "failed", "restoring", "waiting", "odd"]),
            "created": MAYBE,
            "ended": MAYBE,
            "after": MAYBE,
            "by": MAYBE,
            "known": SECONDS,
        }
    ),
    max_size=8,
)


def seconds_within(intervals, start, end):
    """The oracle: examine each second individually."""
    return sum(
        any(begin <= at(second) < stop for begin, stop in intervals) for second in range(start, end)
    )


@given(RESTORES, SECONDS, SECONDS)
def test_the_sums_are_those_of_an_oracle_that_looks_at_every_second(restores, start, end):
    found = [downtime(**{**one, "known": min(one["known"], 200), "now": 200}) for one in restores]
    sums = []
    for name in ("least", "most"):
        intervals = [getattr(one, name) for one in found if one and getattr(one, name)]
        clipped = [part for one in intervals if (part := clip(one, at(start), at(end)))]
        sums.append(merged_length(clipped))
        assert sums[-1] == SECOND * seconds_within(intervals, start, end)
        assert sums[-1] <= sum((stop - begin for begin, stop in clipped), timedelta())
    assert sums[0] <= sums[1]


@given(RESTORES)
def test_the_certain_downtime_lies_within_the_longest(restores):
    for one in restores:
        if (found := downtime(**one)) and found.least:
            assert found.most[0] <= found.least[0] < found.least[1] <= found.most[1]


def test_an_interval_without_a_lower_bound_is_only_cut_at_its_end():
    assert clip((at(1), at(3)), None, at(2)) == (at(1), at(2))
    assert clip((at(1), at(3)), at(3), at(9)) is None
    assert clip(None, None, at(2)) is None


INTERNAL = re.compile(
    r"\b(sync\w*|snapshot|provider|project|as of|asof|records?|observed|estimate\w*|http\S*)\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize(
    ("rows", "running", "uncounted", "complete", "known"),
    list(product((True, False), (0, 1, 1200), (0, 1, 1200), (True, False, None), (True, False))),
)
def test_a_customer_is_told_what_is_certain_in_plain_words(
    rows, running, uncounted, complete, known
):
    notes = customer_notes(
        rows=rows,
        running=running,
        uncounted=uncounted,
        complete=complete,
        known=known,
        known_at="16:59 on 23 Nov 2026 (Tokyo time)",
    )
    words = " ".join(notes)
    assert notes and all(note.endswith(".") for note in notes)
    assert not INTERNAL.search(words)
    none = known and complete and not rows and not uncounted
    assert ("None of your instances" in words) == bool(none)
    everything = known and complete and rows and not uncounted
    assert ("All restores in this period are included" in words) == bool(everything)
