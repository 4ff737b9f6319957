from datetime import UTC, datetime, timedelta

from dashboard.tick_watch import WINDOW, TickWatch

START = datetime(2026, 11, 23, 16, 59, tzinfo=UTC)


def lost_after(ticks):
    """What a watch says after ticks that were each finished ("f"), waiting ("w") or lost ("l")."""
    watch, finished_at = TickWatch(), None
    for number, outcome in enumerate(ticks):
        if outcome == "f":
            finished_at = START + timedelta(seconds=5 * number)
        lost = watch.note(finished_at, waiting=outcome == "w")
    return lost


def test_ticks_that_are_finished_are_not_lost():
    assert lost_after("f" * WINDOW) is False


def test_ticks_that_nobody_finishes_and_that_do_not_wait_are_lost():
    assert lost_after("l" * WINDOW) is True


def test_nine_of_ten_ticks_taken_by_another_program_are_noticed():
    assert lost_after("lllllllllf" * 2) is True


def test_ticks_that_wait_for_a_worker_are_not_lost():
    assert lost_after("w" * WINDOW) is False


def test_a_busy_worker_that_lets_a_few_ticks_expire_causes_no_warning():
    assert lost_after("fwwlfwlfwwlf") is False


def test_nothing_is_said_before_a_minute_of_ticks():
    assert lost_after("l" * (WINDOW - 1)) is None


def test_the_warning_ends_once_ticks_are_finished_again():
    assert lost_after("l" * WINDOW + "f" * WINDOW) is False
