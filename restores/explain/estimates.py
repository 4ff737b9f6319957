"""Durations of restores: formatting, estimated time left, and when one is possibly stuck."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

# What is usual for an instance is based on this many of its newest successes: an instance grows
# over time. Fewer than ``MIN_HISTORY`` are too few.
RECENT, MIN_HISTORY = 30, 3
# A restore that took this many times longer than nine out of ten is marked as slow.
SLOW_FACTOR = 2
# Standing still for this long makes an estimate misleading, and a long restore possibly stuck.
_STALLED_AFTER = timedelta(minutes=5)
# Beyond this percentage, an estimate is at most this many times what the pace so far suggests.
_NEAR_THE_END, _MAX_PACES = 80, 3
# An estimate whose longest total is this many times its shortest says nothing.
_MAX_SPREAD = 3
# ``./run bench stuck`` shows how well these limits work.
_STUCK_FACTOR, _STUCK_MIN = 2, timedelta(minutes=10)
_STALLED_WITHOUT_HISTORY, _STUCK_WITHOUT_HISTORY = timedelta(minutes=10), timedelta(minutes=30)


def seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    """Return the seconds from start to end; None if one is missing or they are reversed."""
    if start is None or end is None or end < start:
        return None
    return (end - start).total_seconds()


def percentile(values: Iterable[float], rank: float) -> float | None:
    """Return the value at a rank of 0–100, interpolated between neighbors; None without values."""
    ordered = sorted(values)
    if not ordered:
        return None
    position = (len(ordered) - 1) * min(max(rank, 0), 100) / 100
    low, high = ordered[math.floor(position)], ordered[math.ceil(position)]
    return low + (high - low) * (position % 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """How long restores of an instance usually take, in seconds.

    The 10th and the 90th percentile of ``count`` successes, so that one among twenty that took
    hours changes nothing.
    """

    p10: int
    p90: int
    count: int

    def __str__(self) -> str:
        low, high = math.floor(self.p10 / 60), max(1, math.ceil(self.p90 / 60))
        if low == high:
            return f"usually takes {high} min"
        return f"usually takes {low}–{high} min" if low else f"usually takes less than {high} min"


def usual_of(durations: Sequence[float]) -> Usual | None:
    """Derive what is usual from the durations of successes, oldest first; None if too few."""
    newest = durations[-RECENT:]
    p10, p90 = percentile(newest, 10), percentile(newest, 90)
    if p10 is None or p90 is None or len(newest) < MIN_HISTORY:
        return None
    return Usual(p10=round(p10), p90=round(p90), count=len(newest))


def format_clock(seconds: float) -> str:
    """Format a duration for a table: ``0:48``, ``11:40``, ``1:02:03``, ``25 d 14 h``."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 100:
        return f"{hours // 24} d {hours % 24} h"
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def format_duration(seconds: float) -> str:
    """Format a duration for a sentence, in at most two units: ``11 min 40 s``, ``37 h 26 min``."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    days, odd_hours = divmod(hours, 24)
    if days >= 3:
        parts = ((days, "d"), (odd_hours, "h"))
    elif hours:
        parts = ((hours, "h"), (minutes, "min"))
    else:
        parts = ((minutes, "min"), (rest, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"


def format_rough_duration(seconds: float) -> str:
    """Format a duration that is still growing, without seconds from a minute on: ``3 min``."""
    return format_duration(seconds if seconds < 60 else seconds - seconds % 60)


def format_timestamp(at: datetime, zone: tzinfo = UTC) -> str:
    """Format a time for a sentence: ``23 Nov 2026 at 15:37:41 UTC``."""
    at = at.astimezone(zone)
    return f"{format_date(at)} at {at:%H:%M:%S} {city_of(zone)}"


def city_of(zone: tzinfo) -> str:
    """Name a time zone by its city: ``New York`` for ``America/New_York``."""
    return str(zone).rpartition("/")[2].replace("_", " ")


def format_date(at: datetime) -> str:
    """Format a date for a sentence: ``23 Nov 2026``."""
    return f"{at.day} {at:%b %Y}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Seconds left, from ``low`` to ``high``, based on ``count`` earlier restores."""

    low: float
    high: float
    count: int

    @property
    def left(self) -> str:
        """The range in words: ``4–7 min left``."""
        unit, size = ("min", 60) if self.high < 7200 else ("h", 3600)
        low, high = math.floor(self.low / size), max(1, math.ceil(self.high / size))
        if low == high:
            return f"about {high} {unit} left"
        return f"{low}–{high} {unit} left" if low else f"less than {high} {unit} left"

    @property
    def basis(self) -> str:
        """Where the range comes from: ``based on 9 earlier restores``."""
        return f"based on {self.count} earlier restores"


def estimate(
    elapsed: float | None,
    progress: float | None,
    usual: Usual | None,
    unchanged_for: float | None = None,
) -> Estimate | None:
    """Estimate the seconds left from what is usual for the instance.

    The range is widened by the pace of the progress so far, and bounded by it near the end. There
    is no estimate with too little history, beyond the usual time, with progress that is complete,
    has stood still (for ``unchanged_for`` seconds) or contradicts the history, or where the
    longest total would be several times the shortest.
    """
    if elapsed is None or elapsed < 0 or usual is None or elapsed >= usual.p90 or progress == 100:
        return None
    if progress and unchanged_for is not None and unchanged_for > _STALLED_AFTER.total_seconds():
        return None
    low, high = max(0.0, usual.p10 - elapsed), usual.p90 - elapsed
    if progress and progress >= 10:
        by_pace = elapsed * (100 - progress) / progress
        if by_pace > 2 * high:
            return None
        low, high = min(low, by_pace), max(high, by_pace)
        if progress > _NEAR_THE_END:
            high = min(high, _MAX_PACES * by_pace)
    if elapsed + high > _MAX_SPREAD * (elapsed + low):
        return None
    return Estimate(low=low, high=high, count=usual.count)


def find_stuck_at(
    status: str,
    created_at: datetime | None,
    unchanged_since: datetime,
    usual: Usual | None,
    *,
    reports_progress: bool,
) -> datetime | None:
    """The time from which a restore is possibly stuck if nothing changes anymore.

    It is if it takes more than twice the usual time, and at least ten minutes, and its status and
    progress have stood still for as long as a whole restore usually takes, and at least five
    minutes. Without history they must stand still for ten minutes; where that means nothing, in the
    queue and in a cloud that reports no progress, it is half an hour after creation.
    """
    if created_at is None or status not in ("waiting", "restoring"):
        return None
    try:
        if usual:
            longest = timedelta(seconds=usual.p90)
            long, still = max(_STUCK_FACTOR * longest, _STUCK_MIN), max(longest, _STALLED_AFTER)
            return max(created_at + long, unchanged_since + still)
        if status == "restoring" and reports_progress:
            return unchanged_since + _STALLED_WITHOUT_HISTORY
        return created_at + _STUCK_WITHOUT_HISTORY
    except OverflowError:  # later than the last date
        return None
