"""The time strip draws what was seen, and hatches what nobody could see."""

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from restores.explain.timeline_svg import BASE, LEFT, RIGHT, TOP, WIDTH, Label, Seen, placed, strip


def at(clock):
    return datetime.fromisoformat(f"2026-11-23T{clock}Z")


def seen(clock, after, status, progress=None, why=""):
    after = after and at(after)
    return Seen(at=at(clock), after=after, status=status, progress=progress, why=why)


CREATED, ENDED, NOW = at("15:26:01"), at("15:37:41"), at("16:58:51")
LOOKS = [
    seen("15:26:10", None, "waiting"),
    seen("15:26:30", "15:26:20", "restoring", 0),
    seen("15:28:00", "15:27:50", "restoring", 14),
    seen("15:30:00", "15:29:51", "restoring", 25),
    seen("15:34:00", "15:30:00", "restoring", 63, "throttled (429)"),
    seen("15:37:45", "15:37:36", "failed", 63),
]


def points(curve):
    return [tuple(map(float, pair.split(","))) for pair in curve.split()]


def texts(drawn):
    return [label.text for label in drawn.labels]


def test_a_failed_restore_shows_queue_curve_gap_and_end():
    drawn = strip(CREATED, ENDED, NOW, LOOKS)
    assert drawn.queued.x == LEFT and drawn.queued.width > 0
    [gap] = drawn.gaps
    before, after = map(points, drawn.curves)
    assert before[0] == (LEFT + drawn.queued.width, BASE)
    assert before[-1][0] == gap.x
    assert after[0][0] == round(gap.x + gap.width, 1)
    assert after[-1][0] == drawn.end == RIGHT
    assert drawn.outcome == "failed"
    assert texts(drawn)[:3] == ["15:26:01 queued", "15:37:41 failed", "63 %"]
    assert "not observed: throttled (429)" in texts(drawn)


def test_the_title_tells_the_same_without_eyes():
    assert strip(CREATED, ENDED, NOW, LOOKS).title == (
        "Queued 15:26:01, restoring from 15:26:20, not observed 15:30:00 to 15:34:00, "
        "last progress 63 %, failed 15:37:41"
    )


def test_a_restore_nobody_watched_is_one_gap():
    drawn = strip(CREATED, ENDED, NOW, [seen("16:40:00", None, "succeed", 100)])
    assert (drawn.queued, drawn.curves) == (None, ())
    assert [(gap.x, gap.width) for gap in drawn.gaps] == [(LEFT, RIGHT - LEFT)]
    assert texts(drawn) == ["15:26:01 created", "15:37:41 succeeded", "not observed"]
    assert strip(CREATED, ENDED, NOW, []).gaps == drawn.gaps


def test_a_running_restore_is_drawn_up_to_now_without_an_end():
    drawn = strip(CREATED, None, at("15:28:30"), LOOKS[:3])
    assert (drawn.end, drawn.outcome, drawn.gaps) == (None, "", ())
    assert points(drawn.curves[0])[-1][0] == RIGHT
    assert "15:28:30 now" in texts(drawn)


def test_a_waiting_restore_is_all_queue():
    drawn = strip(CREATED, None, at("15:26:40"), LOOKS[:1])
    assert (drawn.queued.x, drawn.queued.width) == (LEFT, RIGHT - LEFT)
    assert drawn.curves == drawn.gaps == ()


def test_a_pin_inside_is_drawn_and_one_outside_is_not():
    drawn = strip(CREATED, ENDED, NOW, LOOKS, (at("15:32:00"), "customer: “down at 00:32”"))
    assert LEFT < drawn.pin < RIGHT and "customer: “down at 00:32”" in texts(drawn)
    assert strip(CREATED, ENDED, NOW, LOOKS, (at("12:00:00"), "earlier")).pin is None


def test_without_any_time_there_is_nothing_to_draw():
    assert strip(None, ENDED, NOW, []) is None
    assert strip(ENDED, CREATED, NOW, LOOKS) is None


def test_over_midnight_the_times_carry_their_day():
    drawn = strip(CREATED - timedelta(days=1), ENDED, NOW, [])
    assert texts(drawn)[:2] == ["22 Nov 15:26:01 created", "23 Nov 15:37:41 ended"]


def test_a_restore_of_no_length_is_drawn():
    assert strip(CREATED, CREATED, NOW, [seen("15:26:10", None, "failed", 0)]).end == RIGHT


def test_a_label_that_would_cover_a_more_important_one_is_left_out():
    first, over, below = Label(10, 86, "first text"), Label(40, 86, "over"), Label(40, 64, "below")
    assert placed([first, over, below], WIDTH) == (first, below)
    assert placed([Label(5, 20, "beyond the left edge", "end")], WIDTH) == ()


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
    st.none() | OFFSETS,
)
def test_whatever_was_seen_stays_inside_the_drawing_and_labels_stay_apart(looks, end, pin):
    moment = lambda offset: None if offset is None else CREATED + timedelta(seconds=offset)  # noqa: E731
    observed = [
        Seen(at=moment(one), after=moment(after), status=status, progress=progress)
        for one, after, status, progress in looks
    ]
    marked = (moment(pin), "pin") if pin is not None else None
    drawn = strip(CREATED, moment(end), CREATED + timedelta(seconds=2000), observed, marked)
    if drawn is None:
        assert end < 0
        return
    for x, y in (point for curve in drawn.curves for point in points(curve)):
        assert LEFT <= x <= RIGHT and TOP <= y <= BASE
    for box in (*drawn.gaps, *filter(None, [drawn.queued])):
        assert box.x >= LEFT and box.width >= 0 and box.x + box.width <= RIGHT + 0.1
    assert placed(drawn.labels, WIDTH) == drawn.labels
    assert "None" not in drawn.title
