"""The curve of a restore's progress: drawn where it says something, and inside its frame."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from restores.explain.estimates import Usual
from restores.explain.progress_curve import HEIGHT, ObservedProgress, draw_progress

CREATED = datetime(2026, 11, 23, 15, 26, 1, tzinfo=UTC)
USUAL = Usual(p10=300, p90=600, count=9)


def at(seconds):
    return CREATED + timedelta(seconds=seconds)


def observed(*states):
    return [
        ObservedProgress(at=at(seen), after=at(seen - 9), progress=level) for seen, level in states
    ]


def points(line):
    return [tuple(map(float, pair.split(","))) for pair in line.split()]


def test_a_curve_takes_three_points_at_two_heights():
    flat, rising = observed((20, 0), (60, 0), (90, 0)), observed((20, 0), (60, 10), (90, 30))
    assert draw_progress(CREATED, at(100), flat, None, finished=True) is None
    assert draw_progress(CREATED, at(100), rising[:2], None, finished=True) is None
    assert draw_progress(None, at(100), rising, None, finished=True) is None
    assert draw_progress(CREATED, at(100), rising, None, finished=True).gaps == ()
    # Where it is now is a point, too.
    assert draw_progress(CREATED, at(100), rising[:2], None, finished=False).title == (
        "10% after 1 min 40 s"
    )


def test_between_two_distant_observations_the_line_is_a_gap():
    states = [*observed((20, 0), (60, 25)), ObservedProgress(at=at(400), after=at(60), progress=75)]
    curve = draw_progress(CREATED, at(400), states, None, finished=True)
    assert points(curve.lines[0])[-1] == points(curve.gaps[0])[0] == (15, HEIGHT * 0.75)
    assert points(curve.gaps[0])[-1] == (100, HEIGHT * 0.25)


def test_the_axis_leaves_room_for_the_usual_time_of_a_restore_in_progress():
    states = observed((20, 0), (60, 25))
    running = draw_progress(CREATED, at(300), states, USUAL, finished=False)
    assert running.ticks[-1].at == at(600)
    assert points(running.usual)[:2] == [(0, HEIGHT), (50, 0)]
    just_begun = draw_progress(CREATED, at(100), states, USUAL, finished=False)
    assert just_begun.ticks[-1].at == at(400)


def test_the_ticks_are_full_minutes_apart_from_the_ends():
    states = observed((20, 0), (60, 25), (800, 100))
    curve = draw_progress(CREATED, at(840), states, None, finished=True)
    assert [f"{tick.at:%H:%M:%S}" for tick in curve.ticks] == [
        "15:26:01",
        "15:30:00",
        "15:35:00",
        "15:40:01",
    ]


OFFSETS = st.integers(-100, 2000)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(OFFSETS, st.none() | OFFSETS, st.floats(0, 100)), max_size=8),
    OFFSETS,
    st.none() | st.integers(0, 10**9),
    st.booleans(),
)
def test_any_observations_stay_inside_the_drawing(states, until, p90, finished):
    states = [
        ObservedProgress(at=at(seen), after=None if after is None else at(after), progress=level)
        for seen, after, level in states
    ]
    usual = None if p90 is None else Usual(p10=p90 // 2, p90=p90, count=3)
    curve = draw_progress(CREATED, at(until), states, usual, finished=finished)
    for line in (*curve.lines, *curve.gaps) if curve else ():
        assert all(0 <= x <= 100 and 0 <= y <= HEIGHT for x, y in points(line))
