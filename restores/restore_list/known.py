"""Until when a list is complete, sentence by sentence, and what may be said when it is empty."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from restores.filters import ListParams, Scope
from restores.sync_errors import SyncError
from restores.sync_status import Coverage, Emptiness, answer_for
from restores.timerange import instant

NAMED = 3
_NONE = {
    "created": "was requested",
    "ended": "ended",
    "running": "was in progress",
    "changed": "was seen to change",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A sentence that ends in a time; ``late`` when something keeps us from knowing more.

    ``header`` names the header in which a later answer brings the time that has become of it;
    ``more`` continues the sentence before.
    """

    text: str
    iso: str = ""
    time: str = ""
    header: str = ""
    late: bool = False
    more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """Why there are no rows; ``proven`` when we know that there is none."""

    title: str
    text: str
    proven: bool = False


def sayings(coverage: Coverage, now: datetime) -> list[Said]:
    """Complete to when, checked when, and the looks that failed."""
    said = [_complete(coverage, now)]
    if coverage.checked_at:
        checked = coverage.checked_at
        text, time = "in progress checked", _clock(checked, now, "%H:%M:%S")
        iso = instant(checked)
        said.append(Said(text=text, iso=iso, time=time, header="X-Synced-At", more=True))
    said += [_fault(fault, now) for fault in coverage.faults[:NAMED]]
    if len(coverage.faults) > NAMED:
        said.append(Said(text="and other looks that failed", late=True))
    return said


def absence(params: ListParams, scope: Scope, coverage: Coverage, now: datetime) -> Absence:
    """What is known when no row was found: none, not known yet, or nothing to know."""
    if scope.not_found:
        text = "What was asked for does not exist, or is in a project that you may not see."
        return Absence(title="Nothing found", text=text)
    if scope.past:
        then = f"{_clock(scope.past.asof, now)} UTC"
        text = f"None was known at {then}. What has been found since is in the live list."
        return Absence(title=f"None known at {then}", text=text)
    answer = answer_for(coverage, scope.instances, params.time_range.start, params.time_range.end)
    if answer.kind == "outside":
        text = "No instance that you may see is being looked at, so we cannot say anything."
        return Absence(title="Nothing is monitored here", text=text)
    none = (
        "No restore matches" if params.filters_rows else f"No restore {_NONE[params.time_range.on]}"
    )
    if params.time_range.on == "changed":
        # Of the time before the first look nobody knows what changed, only what was seen.
        text = "A change counts at the moment when a look saw it, not when the cloud made it."
        return Absence(title=f"{none} in this window", text=text)
    left_out = " Projects that are no longer monitored are left out." if scope.unwatched() else ""
    if answer.kind == "none":
        text = f"{_proof(coverage, now)}{left_out}"
        return Absence(title=f"{none} in this window", text=text, proven=True)
    known, end = coverage.known_to, params.time_range.end
    if known and end is None and not coverage.faults and not answer.lost:
        text = f"Every instance was looked at completely by then.{left_out}"
        return Absence(title=f"{none} as of {_clock(known, now)} UTC", text=text)
    text = f"We have seen none so far. {_doubt(answer, coverage, end, now)}"
    return Absence(title="Not known yet", text=text)


def _proof(coverage: Coverage, now: datetime) -> str:
    if coverage.known_to and coverage.monitored:
        at = f"{_clock(coverage.known_to, now)} UTC"
        return f"Every instance was looked at completely at {at} or later, after the window ended."
    return "The instances are gone, and were looked at completely after the window, or gone before."


def _doubt(answer: Emptiness, coverage: Coverage, end: datetime | None, now: datetime) -> str:
    if answer.lost:
        one = answer.lost[0]
        seen = (
            f"looked at last at {_clock(one.complete_to, now)}" if one.complete_to else "never seen"
        )
        gone = f"{one} was {seen} and gone by {_clock(one.deleted_at or now, now)} UTC"
        return f"{gone}: what happened in between nobody can tell any more."
    known = coverage.known_to
    if known and end and not coverage.faults:
        return (
            f"The last complete look was at {_clock(known, now)} UTC, before the end of the "
            f"window at {_clock(end, now)} UTC."
        )
    return _gap(coverage, now)


def _complete(coverage: Coverage, now: datetime) -> Said:
    if coverage.complete_to:
        at = coverage.complete_to
        return Said(
            text="Complete to", iso=instant(at), time=_clock(at, now), header="X-Complete-To"
        )
    return Said(text=_gap(coverage, now).rstrip("."), late=True)


def _gap(coverage: Coverage, now: datetime) -> str:
    if not coverage.monitored:
        return "No instance is monitored here."
    if coverage.never_synced:
        return (
            f"{coverage.never_synced:,} of {coverage.instances:,} instances were never looked at."
        )
    if coverage.complete_to is None:
        unlisted = any(fault.kind == "unlisted" for fault in coverage.faults)
        return "A project was never listed." if unlisted else "No instance can be looked at."
    return f"Only partly complete to {_clock(coverage.complete_to, now)} UTC: some looks failed."


def _fault(fault: SyncError, now: datetime) -> Said:
    where = fault.project
    if fault.instance_id:
        where = f"{fault.instance_name or fault.instance_id} in {where}"
    words = fault.label
    if fault.since is None:
        return Said(text=f"{where}: {words}", late=True)
    return Said(
        text=f"{where}: {words} since",
        iso=instant(fault.since),
        time=_clock(fault.since, now),
        late=True,
    )


def _clock(at: datetime, now: datetime, form: str = "%H:%M") -> str:
    """The time of day in UTC, with the day unless it is today's."""
    at, now = at.astimezone(UTC), now.astimezone(UTC)
    if at.date() == now.date():
        return f"{at:{form}}"
    return (
        f"{at.day} {at:%b} {at:{form}}"
        if at.year == now.year
        else f"{at.day} {at:%b %Y} {at:{form}}"
    )
