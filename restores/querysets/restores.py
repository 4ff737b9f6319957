"""Questions over restores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from django.apps import apps
from django.db import connections, models
from django.db.models import Exists, OuterRef, Q

from restores.querysets.changes import changed_between
from restores.querysets.fences import over
from restores.querysets.literals import CODED, LONG, OPEN, STILL_FAILED, UNSETTLED, Literal
from restores.querysets.visible import Visible
from restores.statuses import FAILED, FINAL, IN_PROGRESS, SUCCEEDED

if TYPE_CHECKING:
    from restores.querysets.visible import Viewer

UNKNOWN_RUNS = timedelta(hours=24)
_SUMS = "status, COUNT(*), SUM(CASE WHEN recovered_at IS NULL THEN 1 ELSE 0 END)"


class RestoreQuerySet(Visible):
    """Restores.

    Rows created at or before ``seam`` are few and have an index of their own; asked for apart
    from the others they are found at once.
    """

    seam: datetime | None = None
    seamed = True

    def _clone(self) -> Self:
        clone: Self = super()._clone()  # type: ignore[misc]
        clone.seam = self.seam
        return clone

    def visible_to(self, user: Viewer) -> Self:
        """Rows of the projects that the user is a member of; a superuser sees all."""
        if user.is_superuser:
            return self.all()
        memberships = apps.get_model("restores", "Membership").objects.filter(user=user.pk)
        return self.of_projects(memberships.values_list("project_id", flat=True))

    def of_projects(self, keys: Iterable[int]) -> Self:
        """Rows of these projects; of a single one they can be read off its index in order."""
        held = list(keys)
        return self.filter(project=held[0]) if len(held) == 1 else self.filter(project__in=held)

    def in_status(self, statuses: Iterable[str]) -> Self:
        """In one of these states, in the cloud's words."""
        asked = list(statuses)
        return self.filter(status__in=asked) if asked[1:] else self.filter(status=asked[0])

    def with_code(self, codes: Iterable[str]) -> Self:
        """With one of these error codes; ``any`` stands for whatever code there is."""
        asked, rows = list(codes), self.filter(CODED)
        if "any" in asked:
            return rows
        return rows.filter(error_code__in=asked) if asked[1:] else rows.filter(error_code=asked[0])

    def unsettled(self) -> Self:
        """Not in a final state."""
        return self.filter(OPEN, UNSETTLED)

    def left_open(self, until: datetime | None = None) -> Self:
        """Those in the short index of open ones, created by ``until``; all that is unsettled is.

        SQLite reads that index only if nothing else narrows the rows it is asked for first.
        """
        held = Q(created_at__lte=until) if until else Q()
        if not self._on_sqlite:
            return self.filter(OPEN, held)
        found = self._clone()
        found.query = self.model._base_manager.filter(OPEN, held).query
        return found.filter(Exists(self.filter(pk=OuterRef("pk"))))

    def progressing(self) -> Self:
        """Waiting and restoring, by the short index."""
        return self.left_open().in_progress()

    def unsettled_by_status(self, most: int) -> Counter[str]:
        """How many are in each state that is not final; no more than ``most`` rows are read."""
        rows = self.left_open().filter(UNSETTLED)
        if not self._on_sqlite:
            # PostgreSQL takes them for many, and reads all of a project's to find them.
            keys = self.model._base_manager.filter(OPEN, UNSETTLED).values_list("pk", flat=True)
            rows = self.filter(pk__in=list(keys[:most]))
        return Counter(rows.values_list("status", flat=True)[:most])

    def summed(self, most: int) -> tuple[Counter[str], int]:
        """How many are in each state, and how many still failed, of up to ``most`` rows."""
        counts: Counter[str] = Counter()
        still_failed = 0
        for piece in self.pieces():
            rows = piece.order_by().values("status", "recovered_at")[:most]
            for status, number, lasting in over(rows, _SUMS, "GROUP BY status"):
                counts[status] += number
                still_failed += lasting if status == FAILED.value else 0
        return counts, still_failed

    def in_progress(self) -> Self:
        """Waiting and restoring."""
        return self.in_status(IN_PROGRESS)

    def unfinished(self, since: datetime) -> Self:
        """Not in a final state, and created or changed since ``since``: may still change."""
        return self.unsettled().filter(Q(created_at__gte=since) | Q(changed_at__gte=since))

    def still_failed(self) -> Self:
        """Failed, and no later restore of the instance has succeeded."""
        return self.filter(STILL_FAILED)

    def recovered(self) -> Self:
        """Failed, and a later restore of the instance has succeeded."""
        return self.failed().exclude(recovered_at=None)

    def succeeded(self) -> Self:
        """Succeeded."""
        return self.in_status([SUCCEEDED.value])

    def failed(self) -> Self:
        """Failed, recovered or not."""
        return self.in_status([FAILED.value])

    def created_in(self, start: datetime | None, end: datetime | None) -> Self:
        """Created within ``start <= t < end``; an open side is None."""
        return self._within("created_at", start, end)

    def ended_in(self, start: datetime | None, end: datetime | None) -> Self:
        """Ended within the window; what has not ended never is."""
        return self._within("ended_at", start, end).exclude(ended_at=None)

    def changed_in(self, start: datetime | None, end: datetime | None) -> Self:
        """Seen to begin, move on or end within the window, whatever has become of it since."""
        if start is None or end is None:
            # It began before the window ends; its last change is not before the window begins.
            return self._within("first_seen_at", None, end)._within("changed_at", start, None)
        return self.filter(changed_between(self.model._base_manager.all(), start, end))

    def running_in(self, start: datetime | None, end: datetime | None) -> Self:
        """Waiting or restoring at some time within the window; a state we don't know, for a day."""
        rows = self.exclude(created_at=None)
        if end:
            rows = rows.filter(created_at__lt=end)
        if start:
            young = Q(created_at__gt=start - UNKNOWN_RUNS)
            open_then = Q(status__in=IN_PROGRESS) | (~Q(status__in=FINAL) & young)
            # The last term keeps restores without any length.
            rows = rows.filter(open_then | Q(ended_at__gt=start) | Q(created_at__gte=start))
            rows.seam = start - self._longest() if self.seamed else None
        return rows

    def pieces(self) -> list[Self]:
        """The rows before and behind the seam, the newer first; all of them where there is none."""
        if self.seam is None:
            return [self]
        newer = self.filter(created_at__gt=self.seam)
        return [newer, self.left_open(self.seam)]

    def by(self, column: str, *, descending: bool) -> list[Self]:
        """The rows in order, ties by id, as parts: those with a value, then those without.

        Parts, because an index gives each without sorting, on every database.
        """
        sign = "-" if descending else ""
        field = self.model._meta.get_field(column.partition("__")[0])
        absent = Q(**{column: None if field.null else ""})
        pieces = self.pieces() if column == "created_at" else [self]
        given = [piece.exclude(absent) for piece in pieces[:: 1 if descending else -1]]
        return [
            *(part.order_by(f"{sign}{column}", f"{sign}pk") for part in given),
            self.filter(absent).order_by(f"{sign}pk"),
        ]

    def newest_first(self) -> Self:
        """By creation, ties by id; those without a time come last."""
        return self.order_by(models.F("created_at").desc(nulls_last=True), "-pk")

    @property
    def _on_sqlite(self) -> bool:
        return connections[self.db].vendor == "sqlite"

    def _within(self, column: str, start: datetime | None, end: datetime | None) -> Self:
        edges = {f"{column}__gte": start, f"{column}__lt": end}
        return self.filter(**{name: edge for name, edge in edges.items() if edge})

    def _longest(self) -> timedelta:
        """The longest that a restore is known to have taken, but for the very long ones."""
        lengths = self.model._base_manager.filter(duration__lte=Literal(LONG))
        longest = lengths.order_by("-duration").values_list("duration", flat=True).first()
        return timedelta(seconds=longest or 0)
