"""Durations of restores: formatting, estimated time left, and which are probably stuck."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime


def seconds(created: datetime | None, ended: datetime | None) -> float | None:
    """Seconds from one instant to the other; None if one is missing or they are reversed."""
    if created is None or ended is None or ended < created:
        return None
    return (ended - created).total_seconds()


def clock(length: float) -> str:
    """Seconds for a table: ``0:48``, ``11:40``, ``1:02:03``, ``25 d 14 h``."""
    minutes, rest = divmod(max(0, int(length)), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 100:
        return f"{hours // 24} d {hours % 24} h"
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def words(length: float) -> str:
    """Seconds for a sentence, two units at most: ``48 s``, ``11 min 40 s``, ``37 h 26 min``."""
    whole = max(0, int(length))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    days, odd_hours = divmod(hours, 24)
    if days >= 3:
        parts = ((days, "d"), (odd_hours, "h"))
    elif hours:
        parts = ((hours, "h"), (minutes, "min"))
    else:
        parts = ((minutes, "min"), (rest, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"


def roughly(length: float) -> str:
    """Seconds in one unit while they still run, two above an hour: ``40 s``, ``3 min``."""
    return words(length if length < 60 else length - length % 60)


def percentile(values: Iterable[float], rank: float) -> float | None:
    """The value at a rank of 0–100, interpolated between neighbours; None without values."""
    ordered = sorted(values)
    if not ordered:
        return None
    place = (len(ordered) - 1) * min(max(rank, 0), 100) / 100
    low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
    return low + (high - low) * (place % 1)


def at_time(at: datetime) -> str:
    """An instant for a sentence: ``15:37:41 UTC on 23 Nov 2026``."""
    at = at.astimezone(UTC)
    return f"{at:%H:%M:%S} UTC on {on_day(at)}"


def on_day(at: datetime) -> str:
    """A date for a sentence: ``23 Nov 2026``."""
    return f"{at.day} {at:%b %Y}"


ENOUGH = 3
FLAT = 300  # seconds without progress after which an estimate would mislead


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Seconds left, from ``low`` to ``high``, drawn from ``count`` earlier restores."""

    low: float
    high: float
    count: int

    @property
    def left(self) -> str:
        """``4–7 min left``."""
        if self.high <= 60:
            return "less than 1 min left"
        unit, size = ("min", 60) if self.high < 7200 else ("h", 3600)
        low, high = math.floor(self.low / size), math.ceil(self.high / size)
        if low == high:
            return f"about {high} {unit} left"
        return f"{low}–{high} {unit} left" if low else f"up to {high} {unit} left"

    @property
    def text(self) -> str:
        """``4–7 min left, from 9 earlier restores``."""
        return f"{self.left}, from {self.count} earlier restores"


def estimate(
    elapsed: float | None,
    progress: float | None,
    earlier: Sequence[float],
    unchanged: float | None = None,
) -> Estimate | None:
    """Seconds left by the lengths of earlier successes, widened by the pace of progress so far.

    None with fewer than three of them, beyond the longest, with progress that stands still
    (``unchanged`` seconds), is complete or contradicts history.
    """
    if elapsed is None or elapsed < 0 or len(earlier) < ENOUGH or progress == 100:
        return None
    longer = [length - elapsed for length in earlier if length > elapsed]
    if not longer or (progress and unchanged is not None and unchanged > FLAT):
        return None
    low, high = percentile(longer, 10) or 0, percentile(longer, 90) or 0
    if progress and progress >= 10:
        by_pace = elapsed * (100 - progress) / progress
        if by_pace > 2 * high:
            return None
        low, high = min(low, by_pace), max(high, by_pace)
    return Estimate(low=low, high=high, count=len(earlier))


TIMES = 2  # how often its own 90th percentile a restore may last
FLOOR = 10 * 60
QUIET = 5 * 60
OUTER = 30 * 60


@dataclass(frozen=True, slots=True)
class Stuck:
    """Why a restore counts as stuck: ``no change for 11 min, usually done in 9–12``."""

    reason: str


def stuck(
    status: str,
    elapsed: float | None,
    unchanged: float | None,
    earlier: Sequence[float],
    *,
    steps: bool = True,
) -> Stuck | None:
    """The reason to call a restore stuck, if there is one.

    ``unchanged`` is how many seconds progress provably stood still: up to the last look, not up
    to now. ``steps`` says whether this cloud reports progress between 0 and 100 at all: where it
    doesn't, standing still proves nothing, and only a length beyond every limit does.
    """
    if elapsed is None or status not in ("waiting", "restoring"):
        return None
    if status == "waiting":
        return Stuck(f"not started after {roughly(elapsed)}") if elapsed > OUTER else None
    if elapsed <= _limit(earlier, steps):
        return None
    if not steps:
        return Stuck(f"still restoring after {roughly(elapsed)}{_usually(earlier)}")
    if unchanged is None or unchanged < QUIET:
        return None
    return Stuck(f"no change for {roughly(unchanged)}{_usually(earlier)}")


def _limit(earlier: Sequence[float], steps: bool) -> float:
    """How many seconds a restore may last, by its own history as far as there is one."""
    usual = percentile(earlier, 90) if len(earlier) >= ENOUGH else None
    if usual is None:
        return OUTER
    limit = max(TIMES * usual, FLOOR)
    return min(limit, max(OUTER, usual)) if steps else max(limit, OUTER)


def _usually(earlier: Sequence[float]) -> str:
    if len(earlier) < ENOUGH:
        return ""
    low = math.floor((percentile(earlier, 10) or 0) / 60)
    high = math.ceil((percentile(earlier, 90) or 0) / 60)
    if high <= 1:
        return ", usually done within 1 min"
    return f", usually done in {low}–{high}" if low else f", usually done within {high} min"
