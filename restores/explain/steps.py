"""The steps of a restore: created, queued, restoring, ended; each with its times and length."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from .estimates import format_duration, format_rough_duration, seconds_between
from .summary import Facts, format_percent

_ENDINGS = {"succeed": "Succeeded", "failed": "Failed"}
# The icons of states that have icons with other names.
_ICONS = {"done": "recovered", "current": "running"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step; ``state`` is done, current, waiting, stuck, stopped, failed, unknown or ahead.

    ``times`` are one time, or the two between which it happened; ``lead`` is the word before them
    and ``note`` any further remark.
    """

    name: str
    state: str
    lead: str = ""
    times: tuple[datetime, ...] = ()
    note: str = ""

    @property
    def icon(self) -> str:
        """The name of its icon."""
        return _ICONS.get(self.state, self.state)


def steps_of(
    facts: Facts, restoring_after: datetime | None, restoring_by: datetime | None
) -> list[Step]:
    """List the steps of a restore that began to restore between two times, if that is known."""
    created = Step(
        name="Created",
        state="done",
        times=(facts.created_at,) if facts.created_at else (),
        note="" if facts.created_at else "time unknown",
    )
    if facts.status == "waiting":
        return [created, _waiting(facts), Step(name="Restoring", state="ahead"), _end_ahead(facts)]
    if facts.status == "restoring":
        return [created, *_middle(facts, restoring_after, restoring_by), _end_ahead(facts)]
    if facts.status not in _ENDINGS:
        note = "" if facts.progress is None else f"at {format_percent(facts.progress)}"
        return [created, Step(name="Unknown status", state="unknown", note=note)]
    if facts.duration is None:
        return [created, _end(facts)]
    return [created, *_middle(facts, restoring_after, restoring_by), _end(facts)]


def format_span(least: float, most: float) -> str:
    """Format a duration between two numbers of seconds: ``19–29 s``, ``about 5 min``."""
    shortest, longest = format_duration(least), format_duration(most)
    if shortest == longest:
        return longest
    if most < 60:
        return f"{int(least)}–{int(most)} s"
    if most - least < 60:
        return f"about {format_rough_duration((least + most) / 2)}"
    return f"{shortest} – {longest}"


def _waiting(facts: Facts) -> Step:
    elapsed = "" if facts.elapsed is None else f" {format_rough_duration(facts.elapsed)}"
    return Step(name=f"Queued{elapsed}", state="stuck" if facts.stuck else "waiting")


def _middle(facts: Facts, after: datetime | None, by: datetime | None) -> list[Step]:
    """The queue and the restore itself, in one step where the change wasn't observed."""
    created, until = facts.created_at, facts.ended_at or facts.now
    if created is None or by is None or not created <= by <= until:
        length = seconds_between(created, until)
        name = "Queued and restoring" + ("" if length is None else f" {format_duration(length)}")
        return [_restoring(facts, name, "start not observed")]
    earliest = min(max(after, created), by) if after else created
    waited = format_span((earliest - created).total_seconds(), (by - created).total_seconds())
    times = (by,) if earliest == by else (earliest, by)
    queued = Step(name=f"Queued {waited}", state="done", lead="until", times=times)
    least, most = ((until - start).total_seconds() for start in (by, earliest))
    if facts.ended_at:
        lasted = format_span(least, most)
    elif most - least < 60:
        lasted = format_rough_duration(most)
    else:
        lasted = f"{format_rough_duration(least)} – {format_rough_duration(most)}"
    return [queued, _restoring(facts, f"Restoring {lasted}")]


def _restoring(facts: Facts, name: str, note: str = "") -> Step:
    if facts.status != "restoring":
        return Step(name=name, state="done" if facts.status == "succeed" else "stopped", note=note)
    if facts.progress == 100 and not facts.stuck:
        name += ", finishing"
    elif facts.shows_progress:
        name += f", {format_percent(facts.progress)}"
    if facts.stuck and facts.unchanged_for is not None:
        note = f"no change for {format_rough_duration(facts.unchanged_for)}"
    return Step(name=name, state="stuck" if facts.stuck else "current", note=note)


def _end_ahead(facts: Facts) -> Step:
    times: tuple[datetime, ...] = ()
    if facts.created_at and facts.usual:
        with suppress(OverflowError):  # later than the last date
            times = (facts.created_at + timedelta(seconds=facts.usual.p90),)
    return Step(name="Finished", state="ahead", lead="usually by", times=times)


def _end(facts: Facts) -> Step:
    failed = facts.status == "failed"
    stopped = facts.progress is not None and (failed or facts.progress < 100)
    at = f" at {format_percent(facts.progress)}" if stopped else ""
    return Step(
        name=f"{_ENDINGS[facts.status]}{at}",
        state=("recovered" if facts.recovered_at else "failed") if failed else "done",
        times=(facts.ended_at,) if facts.ended_at else (),
        note="" if facts.ended_at else "no usable time reported",
    )
