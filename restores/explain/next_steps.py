"""What to do about a restore in progress: wait, check or escalate, and when."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from .estimates import city_of, format_date
from .summary import Facts

# A restore that stood still may go on: this long after it is possibly stuck, ask the provider.
_PATIENCE = timedelta(minutes=10)
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class NextSteps:
    """Advice about a restore in progress; each step is an instruction and its reason.

    ``headline`` completes "What to do: …"; ``urgent``: somebody has to act.
    """

    headline: str
    steps: tuple[tuple[str, str], ...]
    data_at_risk: str
    owner: str
    urgent: bool = False
    retry: str = "not while this restore is in progress"


def next_steps(facts: Facts, now: datetime) -> NextSteps | None:
    """Say what to do about a restore in progress, known up to ``facts.now``; else None."""
    if facts.status not in ("waiting", "restoring") or facts.stuck_at is None:
        return None
    waiting = facts.status == "waiting"
    risk = "no" if waiting else "unknown until it finishes"
    if facts.stuck:
        until = facts.stuck_at + _PATIENCE
        clock = _clock(until, now, facts.zone)
        return _escalate(clock, over=now >= until, waiting=waiting, risk=risk)
    if facts.now < now:
        instruction = "Look the restore up in the provider’s console."
        known_at = _clock(facts.now, now, facts.zone)
        reason = f"Our data is from {known_at}, so we can’t tell if it’s stuck."
        return NextSteps(
            headline="check with the provider",
            steps=((instruction, reason),),
            data_at_risk=risk,
            owner="support",
            urgent=True,
        )
    again = _clock(facts.stuck_at, now, facts.zone)
    if waiting:
        first = "Wait for it to start.", "The instance is still online."
        overdue = "it hasn’t started"
    else:
        first = "Wait for it to finish.", "The instance rejects connections until then."
        overdue = "its progress hasn’t changed" if facts.reports_progress else "it hasn’t finished"
    second = f"Check again at {again}.", f"If {overdue} by then, it’s possibly stuck."
    return NextSteps(
        headline=f"wait and check again at {again}",
        steps=(first, second),
        data_at_risk=risk,
        owner="support",
    )


def _escalate(until: str, *, over: bool, waiting: bool, risk: str) -> NextSteps:
    restoring = "While it’s being restored, it normally rejects connections."
    reason = "It should: its restore hasn’t started." if waiting else restoring
    check = "Check whether the instance responds.", reason
    second = "Don’t start a second restore: it would be rejected while this one is in progress."
    if not over:
        headline = f"check now, escalate at {until}"
        escalate = [
            (f"Wait until {until}.", "It may still resume by itself."),
            ("If nothing has changed by then, open a ticket with the provider.", second),
        ]
    else:
        headline = "escalate now"
        escalate = [("Open a ticket with the provider.", second)]
    return NextSteps(
        headline=headline,
        steps=(check, *escalate),
        data_at_risk=risk,
        owner="support, then provider (ticket)",
        urgent=True,
    )


def _clock(at: datetime, now: datetime, zone: tzinfo) -> str:
    """The first full minute from a time on, with the day unless it is today's: ``19:33 UTC``."""
    at, today = at.astimezone(zone), now.astimezone(zone).date()
    at += -(at - at.replace(second=0, microsecond=0)) % _MINUTE
    day = "" if at.date() == today else f"{format_date(at)} at "
    return f"{day}{at:%H:%M} {city_of(zone)}"
