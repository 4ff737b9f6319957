"""The restores that were in another state at a moment in the past: few, whatever its age."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, QuerySet, Subquery

from restores.models import Observation
from restores.querysets import RestoreQuerySet
from restores.statuses import FINAL, QUICK

Fits = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Then:
    """The state in which a restore was known, and the one it has moved to since."""

    status: str
    progress: float | None
    error_code: str
    recorded_at: datetime
    status_now: str
    error_code_now: str

    @property
    def ended(self) -> bool:
        """Whether it had come to the end that it has now."""
        return self.status in FINAL and self.status == self.status_now


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A moment, and by their keys the restores known by then whose state has moved since."""

    asof: datetime
    moved: Mapping[int, Then]

    def keys(self, fits: Fits) -> list[int]:
        """The moved ones whose status and code of then fit."""
        return [key for key, then in self.moved.items() if fits(then.status, then.error_code)]


def past_of(rows: RestoreQuerySet, asof: datetime) -> Past:
    """Find which of the rows were in another state by then; few are, whatever the age."""
    known = rows.filter(first_seen_at__lte=asof, moved_at__gt=asof)
    newest = Subquery(newest_by(asof).values("pk")[:1])
    found = [
        row
        for part in (known.filter(moved_at__lte=asof + QUICK), known.filter(slow=True))
        for row in part.annotate(seen=newest).values_list("pk", "status", "error_code", "seen")
    ]
    seen = Observation.objects.in_bulk({row[-1] for row in found if row[-1]})
    return Past(
        asof=asof,
        moved={key: _then(seen.get(pk), asof, *now) for key, *now, pk in found},
    )


def newest_by(asof: datetime) -> QuerySet[Observation]:
    """Of the restore outside, the observations known by then, the newest first."""
    known = Observation.objects.filter(restore=OuterRef("pk"), recorded_at__lte=asof)
    return known.order_by("-recorded_at", "-pk")


def _then(seen: Observation | None, asof: datetime, status: str, code: str) -> Then:
    return Then(
        status=seen.status if seen else "",
        progress=seen.progress if seen else None,
        error_code=seen.error_code if seen else "",
        recorded_at=seen.recorded_at if seen else asof,
        status_now=status,
        error_code_now=code,
    )
