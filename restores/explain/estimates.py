"""Durations of restores: formatting, estimated time left, and when one is possibly stuck."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

MIN_HISTORY = 3  # earlier successes below which nothing is derived from them
STALLED_AFTER = 5 * 60  # seconds without progress that make an estimate misleading

# A restore is possibly stuck when it has run for longer than STUCK_FACTOR times the 90th
# percentile of its instance's earlier restores and its progress has stood still. The limits are
# starting values, to be tuned on data.
STUCK_FACTOR = 2
STUCK_MIN = 10 * 60  # no restore counts as stuck earlier than this, however quick the instance
STUCK_MAX = 30 * 60  # the limit without history, and of slow instances beyond their usual time


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


def format_timestamp(at: datetime) -> str:
    """Format a time for a sentence: ``23 Nov 2026 at 15:37:41 UTC``."""
    at = at.astimezone(UTC)
    return f"{format_date(at)} at {at:%H:%M:%S} UTC"


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
    earlier: Sequence[float],
    unchanged_for: float | None = None,
) -> Estimate | None:
    """Estimate the seconds left from the durations of earlier successes.

    The range is widened by the pace of the progress so far. There is no estimate with too little
    history, beyond the longest earlier restore, or with progress that is complete, has stood
    still (for ``unchanged_for`` seconds) or contradicts the history.
    """
    if elapsed is None or elapsed < 0 or len(earlier) < MIN_HISTORY or progress == 100:
        return None
    left = [duration - elapsed for duration in earlier if duration > elapsed]
    if not left or (progress and unchanged_for is not None and unchanged_for > STALLED_AFTER):
        return None
    low, high = percentile(left, 10) or 0, percentile(left, 90) or 0
    if progress and progress >= 10:
        by_pace = elapsed * (100 - progress) / progress
        if by_pace > 2 * high:
            return None
        low, high = min(low, by_pace), max(high, by_pace)
    return Estimate(low=low, high=high, count=len(earlier))


def is_stuck(
    status: str,
    elapsed: float | None,
    unchanged_for: float | None,
    earlier: Sequence[float],
    *,
    reports_progress: bool = True,
) -> bool:
    """Tell whether a waiting or running restore is possibly stuck.

    ``unchanged_for``: the seconds for which progress provably stood still, which end at the last
    sync and not now. ``reports_progress``: whether this cloud reports progress between 0 and 100
    at all. Where it doesn't, standing still proves nothing, and only the duration counts.
    """
    if elapsed is None or status not in ("waiting", "restoring"):
        return False
    if status == "waiting":
        return elapsed > STUCK_MAX
    if elapsed <= _stuck_limit(earlier, reports_progress):
        return False
    stalled = unchanged_for is not None and unchanged_for >= STALLED_AFTER
    return stalled or not reports_progress


def usual_duration(earlier: Sequence[float]) -> str:
    """Say how long restores of an instance usually take: ``usually takes 9–12 min``."""
    if len(earlier) < MIN_HISTORY:
        return ""
    low = math.floor((percentile(earlier, 10) or 0) / 60)
    high = max(1, math.ceil((percentile(earlier, 90) or 0) / 60))
    if low == high:
        return f"usually takes {high} min"
    return f"usually takes {low}–{high} min" if low else f"usually takes less than {high} min"


def _stuck_limit(earlier: Sequence[float], reports_progress: bool) -> float:
    """Return the seconds a restore may take before it can count as stuck."""
    usual = percentile(earlier, 90) if len(earlier) >= MIN_HISTORY else None
    if usual is None:
        return STUCK_MAX
    limit = max(STUCK_FACTOR * usual, STUCK_MIN)
    return min(limit, max(STUCK_MAX, usual)) if reports_progress else max(limit, STUCK_MAX)
