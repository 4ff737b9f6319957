"""A restore in progress has advice with a time: when to look again, when to escalate."""

from datetime import UTC, datetime, timedelta

import pytest

from restores.explain.next_steps import next_steps
from restores.explain.summary import Facts

NOW = datetime(2026, 11, 23, 16, 59, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def advice(status="restoring", stuck_in=MINUTE, known=timedelta(), **given):
    facts = {"stuck_at": NOW + stuck_in, "stuck": stuck_in <= known} | given
    return next_steps(Facts(status=status, now=NOW + known, **facts), NOW)


def text(found):
    return " ".join([found.headline, *(part for step in found.steps for part in step)])


def test_a_running_restore_is_waited_for_until_it_would_be_stuck():
    found = advice(stuck_in=90 * timedelta(seconds=1))
    # Rounded up: at the minute it names, the page knows.
    assert found.headline == "wait and check again at 17:01 UTC"
    assert "If its progress hasn’t changed by then" in text(found)
    assert "If it hasn’t finished by then" in text(advice(reports_progress=False))
    assert "If it hasn’t started by then" in text(advice("waiting"))
    assert not found.urgent


def test_a_stuck_restore_is_checked_then_escalated():
    early, late = advice(stuck_in=-MINUTE), advice(stuck_in=-10 * MINUTE)
    assert early.headline == "check now, escalate at 17:08 UTC"
    assert late.headline == "escalate now"
    for found in (early, late):
        assert "Check whether the instance responds." in text(found)
        assert "open a ticket with the provider" in text(found).replace("Open", "open")
        assert found.urgent


def test_while_syncs_fail_nobody_can_tell_whether_it_is_stuck():
    found = advice(stuck_in=-MINUTE, known=-20 * MINUTE)
    assert found.headline == "check with the provider"
    assert "Our data is from 16:39 UTC" in text(found)


def test_a_time_on_another_day_has_its_date():
    assert "24 Nov 2026 at 00:59 UTC" in advice(stuck_in=8 * 60 * MINUTE).headline


@pytest.mark.parametrize("given", [{"status": "failed"}, {"status": "Paused"}, {"stuck_at": None}])
def test_there_are_no_next_steps_without_a_time(given):
    assert advice(**given) is None
