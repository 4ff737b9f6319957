"""An estimate names its basis, and there is none where it would be a guess."""

from hypothesis import given, settings
from hypothesis import strategies as st

from restores.explain.estimates import estimate

NINE = [420, 440, 450, 460, 500, 520, 540, 560, 600]


def test_an_estimate_is_a_range_with_its_basis():
    found = estimate(190, 42, NINE)
    assert found.text == "4–7 min left, from 9 earlier restores"
    assert found.low < found.high


def test_two_earlier_restores_are_not_enough():
    assert estimate(60, None, [300, 320]) is None
    assert estimate(60, None, [300, 320, 310])


def test_beyond_all_earlier_restores_nothing_is_said():
    assert estimate(601, 80, NINE) is None


def test_standing_progress_silences_the_estimate():
    assert estimate(380, 60, NINE, unchanged=301) is None
    assert estimate(380, 60, NINE, unchanged=299)


def test_without_steps_history_alone_speaks():
    assert estimate(190, None, NINE) == estimate(190, 0, NINE)


def test_a_restore_at_100_per_cent_has_no_estimate():
    assert estimate(190, 100, NINE) is None


def test_progress_that_contradicts_history_silences_both():
    assert estimate(400, 10, NINE) is None


def test_progress_ahead_of_history_lowers_the_range():
    assert estimate(190, 90, NINE).low < 30


def test_missing_or_reversed_times_have_no_estimate():
    assert estimate(None, 42, NINE) is None
    assert estimate(-5, 42, NINE) is None


def test_a_range_is_written_in_fitting_units():
    assert estimate(590, None, NINE).left == "less than 1 min left"
    assert estimate(10, None, [50, 100, 130]).left == "up to 2 min left"
    assert estimate(0, None, [180, 180, 180]).left == "about 3 min left"
    assert estimate(0, None, [7000, 9000, 12000]).left == "2–4 h left"


@settings(max_examples=100)
@given(
    st.none() | st.floats(-10, 1e6),
    st.none() | st.floats(0, 100),
    st.lists(st.floats(0, 1e6)),
    st.none() | st.floats(0, 1e6),
)
def test_an_estimate_is_in_order_and_never_negative(elapsed, progress, earlier, unchanged):
    found = estimate(elapsed, progress, earlier, unchanged)
    assert found is None or (0 <= found.low <= found.high and found.text)
