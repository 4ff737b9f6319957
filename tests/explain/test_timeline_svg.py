"""The timeline draws what was observed, and hatches what was not."""

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from restores.explain.timeline_svg import (
    BASE,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Label,
    ObservedState,
    draw,
    fit,
)


def at(clock):
    return datetime.fromisoformat(f"2026-11-23T{clock}Z")


def observed(clock, after, status, progress=None):
    after = after and at(after)
    return ObservedState(at=at(clock), after=after, status=status, progress=progress)


CREATED, ENDED, NOW = at("15:26:01"), at("15:37:41"), at("16:58:51")
OBSERVED = [
    observed("15:26:10", None, "waiting"),
    observed("15:26:30", "15:26:20", "restoring", 0),
    observed("15:28:00", "15:27:50", "restoring", 14),
    observed("15:30:00", "15:29:51", "restoring", 25),
    observed("15:34:00", "15:30:00", "restoring", 63),
    observed("15:37:45", "15:37:36", "failed", 63),
]


def points(curve):
    return [tuple(map(float, pair.split(","))) for pair in curve.split()]


def texts(drawn):
    return [label.text for label in drawn.labels]


def test_a_failed_restore_shows_queue_curve_gap_and_end():
    drawn = draw(CREATED, ENDED, NOW, OBSERVED)
    assert drawn.queued.x == LEFT and drawn.queued.width > 0
    [gap] = drawn.gaps
    before, after = map(points, drawn.curves)
    assert before[0] == (LEFT + drawn.queued.width, BASE)
    assert before[-1][0] == gap.x
    assert after[0][0] == round(gap.x + gap.width, 1)
    assert after[-1][0] == drawn.end == RIGHT
    assert drawn.outcome == "failed"
    assert texts(drawn)[:3] == ["15:26:01 queued", "15:37:41 failed", "63%"]
    assert "no data" in texts(drawn)


def test_the_title_says_the_same_to_a_screen_reader():
    assert draw(CREATED, ENDED, NOW, OBSERVED).title == (
        "Queued 15:26:01, restoring from 15:26:20, no data 15:30:00 to 15:34:00, "
        "last progress 63%, failed 15:37:41"
    )


def test_a_restore_that_was_never_observed_running_is_one_gap():
    drawn = draw(CREATED, ENDED, NOW, [observed("16:40:00", None, "succeed", 100)])
    assert (drawn.queued, drawn.curves) == (None, ())
    assert [(gap.x, gap.width) for gap in drawn.gaps] == [(LEFT, RIGHT - LEFT)]
    assert texts(drawn) == ["15:26:01 created", "15:37:41 succeeded", "no data"]
    assert draw(CREATED, ENDED, NOW, []).gaps == drawn.gaps


def test_a_running_restore_is_drawn_up_to_now_without_an_end():
    drawn = draw(CREATED, None, at("15:28:30"), OBSERVED[:3])
    assert (drawn.end, drawn.outcome, drawn.gaps) == (None, "", ())
    assert points(drawn.curves[0])[-1][0] == RIGHT
    assert "15:28:30 now" in texts(drawn)


def test_a_waiting_restore_is_all_queue():
    drawn = draw(CREATED, None, at("15:26:40"), OBSERVED[:1])
    assert (drawn.queued.x, drawn.queued.width) == (LEFT, RIGHT - LEFT)
    assert drawn.curves == drawn.gaps == ()


def test_without_any_time_there_is_nothing_to_draw():
    assert draw(None, ENDED, NOW, []) is None
    assert draw(ENDED, CREATED, NOW, OBSERVED) is None


def test_over_midnight_the_times_carry_their_day():
    drawn = draw(CREATED - timedelta(days=1), ENDED, NOW, [])
    assert texts(drawn)[:2] == ["22 Nov 15:26:01 created", "23 Nov 15:37:41 finished"]


def test_a_restore_of_no_length_is_drawn():
    assert draw(CREATED, CREATED, NOW, [observed("15:26:10", None, "failed", 0)]).end == RIGHT


def test_a_label_that_would_cover_a_more_important_one_is_left_out():
    first, over, below = Label(10, 86, "first text"), Label(40, 86, "over"), Label(40, 64, "below")
    assert fit([first, over, below], WIDTH) == (first, below)
    assert fit([Label(5, 20, "beyond the left edge", "end")], WIDTH) == ()


OFFSETS = st.integers(-100, 2000)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            OFFSETS,
            st.none() | OFFSETS,
            st.sampled_from(["waiting", "restoring", "failed", "succeed", "odd"]),
            st.none() | st.floats(0, 100),
        ),
        max_size=12,
    ),
    st.none() | OFFSETS,
)
def test_any_observations_stay_inside_the_drawing_and_labels_stay_apart(states, end):

    def time(offset):
        return None if offset is None else CREATED + timedelta(seconds=offset)

    states = [
        ObservedState(at=time(one), after=time(after), status=status, progress=progress)
        for one, after, status, progress in states
    ]
    drawn = draw(CREATED, time(end), CREATED + timedelta(seconds=2000), states)
    if drawn is None:
        assert end < 0
        return
    for x, y in (point for curve in drawn.curves for point in points(curve)):
        assert LEFT <= x <= RIGHT and TOP <= y <= BASE
    for box in (*drawn.gaps, *filter(None, [drawn.queued])):
        assert box.x >= LEFT and box.width >= 0 and box.x + box.width <= RIGHT + 0.1
    assert fit(drawn.labels, WIDTH) == drawn.labels
    assert "None" not in drawn.title
