"""How much longer a restore will probably take, with its basis; nothing rather than nonsense."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .durations import percentile

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
