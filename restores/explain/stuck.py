"""Whether a restore in progress is probably stuck; never from one condition alone.

It must have run far longer than its instance's own history and have shown no progress for a
while. Figures to start with, to be tuned on data.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .durations import percentile, roughly
from .estimate import ENOUGH

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
