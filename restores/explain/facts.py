"""What is known of one restore and its instance's past, and what follows while it runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from .durations import seconds
from .estimate import Estimate, estimate
from .stuck import Stuck, stuck

# What is foretold rests on so many of the newest: an instance grows, and a list reads no more.
RECENT = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One restore as known at ``now``.

    ``earlier`` holds the seconds that earlier successful restores of the instance took, ``past``
    the statuses of its earlier ended restores, oldest first.
    """

    status: str
    now: datetime
    created: datetime | None = None
    ended: datetime | None = None
    progress: float | None = None
    code: str = ""
    recovered: datetime | None = None
    unchanged: float | None = None  # seconds progress provably stood still, up to the last look
    steps: bool = True  # the cloud reports progress between 0 and 100
    earlier: Sequence[float] = ()
    past: Sequence[str] = ()
    records_begin: datetime | None = None

    @property
    def took(self) -> float | None:
        """Seconds from created to ended."""
        return seconds(self.created, self.ended)

    @property
    def elapsed(self) -> float | None:
        """Seconds from created to now."""
        return seconds(self.created, self.now)

    @property
    def stuck(self) -> Stuck | None:
        """Why the restore is probably stuck, if it is."""
        return stuck(self.status, self.elapsed, self.unchanged, self._recent, steps=self.steps)

    @property
    def estimate(self) -> Estimate | None:
        """How long it will probably still take."""
        if self.status != "restoring" or self.stuck:
            return None
        unchanged = self.unchanged if self.steps else None
        return estimate(self.elapsed, self.progress, self._recent, unchanged)

    @property
    def _recent(self) -> Sequence[float]:
        return self.earlier[-RECENT:]
