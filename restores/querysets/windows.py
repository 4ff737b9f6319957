"""Restores by the time of their creation, end, change or run, and in order."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.db import connections
from django.db.models import Exists, OuterRef, Q

from restores.querysets.asking import ask
from restores.querysets.changes import changed_between
from restores.querysets.literals import LONG, OPEN, Literal
from restores.querysets.planned import Planned
from restores.statuses import FINAL, IN_PROGRESS

UNKNOWN_RUNS = timedelta(hours=24)


class Windowed(Planned):
    """Restores within a window.

    Rows created at or before ``seam`` are few and have an index of their own; asked for apart
    from the others they are found at once.
    """

    seam: datetime | None = None
    seamed = True

    def _clone(self) -> Self:
        clone: Self = super()._clone()  # type: ignore[misc]
        clone.seam = self.seam
        return clone

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

    def running_in(
        self, start: datetime | None, end: datetime | None, seam: datetime | None = None
    ) -> Self:
        """Waiting or restoring at some time within the window; a state we don't know, for a day.

        ``seam`` lies before the window by what a restore may take; it is looked up unless given.
        """
        rows = self.exclude(created_at=None)
        if end:
            rows = rows.filter(created_at__lt=end)
        if start:
            young = Q(created_at__gt=start - UNKNOWN_RUNS)
            open_then = Q(status__in=IN_PROGRESS) | (~Q(status__in=FINAL) & young)
            # The last term keeps restores without any length.
            rows = rows.filter(open_then | Q(ended_at__gt=start) | Q(created_at__gte=start))
            rows.seam = (seam or start - self.longest()) if self.seamed else None
        return rows

    def longest(self) -> timedelta:
        """The longest that a restore is known to have taken, but for the very long ones."""
        lengths = self.model._base_manager.filter(duration__lte=Literal(LONG))
        newest = lengths.order_by("-duration").values_list("duration", flat=True)
        return timedelta(seconds=next(iter(ask("longest", lambda: newest[:1])), None) or 0)

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

    @property
    def _on_sqlite(self) -> bool:
        return connections[self.db].vendor == "sqlite"

    def _within(self, column: str, start: datetime | None, end: datetime | None) -> Self:
        edges = {f"{column}__gte": start, f"{column}__lt": end}
        return self.filter(**{name: edge for name, edge in edges.items() if edge})
