"""A restore is called stuck for two reasons together, never for one."""

import pytest

from restores.explain.estimates import stuck

MINUTE = 60
USUAL = [9 * MINUTE, 10 * MINUTE, 11 * MINUTE, 11.5 * MINUTE, 12 * MINUTE]


def reason(elapsed, unchanged, earlier=USUAL, status="restoring", **kwargs):
    unchanged = unchanged and unchanged * MINUTE
    found = stuck(status, elapsed and elapsed * MINUTE, unchanged, earlier, **kwargs)
    return found and found.reason


def test_long_and_without_progress_is_stuck_and_says_why():
    assert reason(25, 11) == "no change for 11 min, usually done in 9–12"


def test_long_alone_is_not_stuck():
    assert reason(25, 4) is None
    assert reason(25, None) is None


def test_without_progress_alone_is_not_stuck():
    assert reason(20, 15) is None


def test_quick_instances_get_ten_minutes_all_the_same():
    quick = [MINUTE] * 5
    assert reason(9, 8, quick) is None
    assert reason(11, 8, quick) == "no change for 8 min, usually done within 1 min"


def test_without_history_half_an_hour_is_the_limit():
    assert reason(29, 20, []) is None
    assert reason(31, 20, []) == "no change for 20 min"


def test_slow_instances_are_judged_after_half_an_hour_but_not_within_their_usual_time():
    assert reason(31, 6, [25 * MINUTE] * 5)
    assert reason(31, 6, [40 * MINUTE] * 5) is None
    assert reason(41, 6, [40 * MINUTE] * 5)


def test_where_a_cloud_reports_no_steps_only_the_outer_limit_counts():
    assert reason(29, 29, steps=False) is None
    assert reason(31, 31, steps=False) == "still restoring after 31 min, usually done in 9–12"
    assert reason(61, None, [25 * MINUTE] * 5, steps=False)
    assert reason(49, 49, [25 * MINUTE] * 5, steps=False) is None


def test_waiting_is_stuck_after_half_an_hour():
    assert reason(30, None, status="waiting") is None
    assert reason(31, None, status="waiting") == "not started after 31 min"


@pytest.mark.parametrize("status", ["failed", "succeed", "paused", ""])
def test_what_is_not_in_progress_cannot_be_stuck(status):
    assert reason(500, 500, status=status) is None


def test_without_a_created_time_nothing_is_claimed():
    assert reason(None, 50) is None
