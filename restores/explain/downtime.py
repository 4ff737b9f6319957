"""Estimated downtime: how long a restore kept its instance from serving clients.

An instance serves no clients while it is being restored. We only see statuses from one sync to the
next, so there are two figures: the time that it was certainly being restored, and the longest time
that it may have been.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from .estimates import format_clock

Interval = tuple[datetime, datetime]

_FINAL = ("succeed", "failed")


@dataclass(frozen=True, slots=True)
class Downtime:
    """The certain and the longest possible downtime of one restore; None is no time at all.

    The former lies within the latter. ``so_far``: the restore may still be running.
    """

    least: Interval | None
    most: Interval | None
    so_far: bool = False

    @property
    def seconds(self) -> tuple[float, float]:
        """The minimum and the maximum, in seconds."""
        return _length(self.least), _length(self.most)

    @property
    def text(self) -> str:
        """The range for a table: ``5:31–5:41``, ``up to 5:41``, ``0:00``."""
        return format_range(*self.seconds)


def downtime_of(
    status: str,
    created_at: datetime | None,
    ended_at: datetime | None,
    *,
    restoring_after: datetime | None,
    restoring_by: datetime | None,
    known_until: datetime,
    now: datetime,
) -> Downtime | None:
    """Estimate the downtime of a restore; None if its status or times don't say.

    It began to restore after ``restoring_after`` and by ``restoring_by``, and its status is known
    up to ``known_until``: since then it may have begun, but nobody has seen it running.
    """
    if created_at is None:
        return None
    if status == "waiting":
        return Downtime(None, _interval(known_until, now), so_far=True)
    if status == "restoring":
        certain, possible = known_until, now
    elif status in _FINAL and ended_at and ended_at >= created_at:
        certain = possible = ended_at
    else:
        return None
    # In a snapshot, a later one may be known.
    begin = restoring_after if restoring_after and restoring_after <= now else created_at
    if restoring_by:
        begin = min(begin, restoring_by)
    return Downtime(
        _interval(restoring_by, certain) if restoring_by else None,
        _interval(begin, possible),
        so_far=status not in _FINAL,
    )


def clip(interval: Interval | None, start: datetime | None, end: datetime) -> Interval | None:
    """The part of an interval within ``start <= t < end``, None if there is none."""
    if interval is None:
        return None
    return _interval(max(interval[0], start) if start else interval[0], min(interval[1], end))


def merged_length(intervals: Iterable[Interval]) -> timedelta:
    """How long at least one of the intervals lasts: where they overlap, time counts once."""
    total, covered_to = timedelta(), None
    for begin, end in sorted(intervals):
        if covered_to is None or begin > covered_to:
            covered_to = begin
        if end > covered_to:
            total += end - covered_to
            covered_to = end
    return total


def format_range(least: float, most: float) -> str:
    """Format seconds from the least to the most, as durations in a table."""
    shortest, longest = format_clock(least), format_clock(most)
    if shortest == longest:
        return longest
    return f"{shortest}–{longest}" if least else f"up to {longest}"


def _interval(begin: datetime, end: datetime) -> Interval | None:
    return (begin, end) if begin < end else None


def _length(interval: Interval | None) -> float:
    return (interval[1] - interval[0]).total_seconds() if interval else 0.0


def customer_notes(
    *,
    rows: bool,
    running: int,
    uncounted: int,
    complete: bool | None,
    known: bool,
    known_at: str,
) -> list[str]:
    """Say to a customer what the figures of their report mean, and what is not among them.

    ``rows``: there are figures; ``known``: every instance asked for was found. ``known_at`` is the
    time of the report's data, in words. ``complete`` is None where we can't tell.
    """
    if not known:
        return ["We couldn’t find some of the instances that this report should cover."]
    notes = []
    if rows:
        notes.append(
            "An instance is unavailable while it is being restored. We check at intervals, so "
            "each time is given as a range. Where restores overlap, time is counted once."
        )
    elif complete and not uncounted:
        notes.append("None of your instances was being restored in this period.")
    else:
        notes.append("We haven’t found any restores in this period so far.")
    if running == 1:
        notes.append(f"One restore hadn’t finished by {known_at}; it’s counted up to then.")
    elif running:
        text = f"{running:,} restores hadn’t finished by {known_at}; they’re counted up to then."
        notes.append(text)
    if uncounted == 1:
        notes.append("One restore isn’t included because we don’t know when it began or ended.")
    elif uncounted:
        text = f"{uncounted:,} restores aren’t included because we don’t know when they began or"
        notes.append(f"{text} ended.")
    if not complete:
        notes.append(f"This is what was known at {known_at}. More restores may be added.")
    elif rows and not uncounted:
        notes.append("All restores in this period are included.")
    return notes
