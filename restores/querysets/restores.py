"""Questions over restores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from django.apps import apps
from django.db import models
from django.db.models import Q

from restores.querysets.asking import Bound
from restores.querysets.literals import CODED, OPEN, STILL_FAILED, UNSETTLED, FoundFirst
from restores.querysets.windows import Windowed
from restores.statuses import FAILED, IN_PROGRESS, SUCCEEDED

if TYPE_CHECKING:
    from restores.querysets.visible import Viewer

_SUMS = "status, COUNT(*), SUM(CASE WHEN recovered_at IS NULL THEN 1 ELSE 0 END)"


class RestoreQuerySet(Windowed):
    """Restores."""

    def visible_to(self, user: Viewer) -> Self:
        """Rows of the projects that the user is a member of; a superuser sees all.

        The memberships are read at once: a question that is kept names the projects instead.
        """
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

    def progressing(self) -> Self:
        """Waiting and restoring, by the short index."""
        return self.left_open().in_progress()

    def unsettled_by_status(self, most: int) -> Counter[str]:
        """How many are in each state that is not final; no more than ``most`` rows are read."""
        return Counter(status for one in self.open_states(most) for status in one.rows)

    def open_states(self, most: int) -> list[Bound]:
        """Ask in which state each of up to ``most`` is that has no final one."""
        return self.asked(("open", most), lambda rows: [rows._open_states(most)])

    def sums(
        self, most: int, which: str, *columns: str, select: str = "COUNT(*)", end: str = ""
    ) -> list[Bound]:
        """Ask ``select`` of up to ``most`` rows of each piece; ``which`` is a method for some."""

        def pieces(rows: Self) -> Iterable[models.QuerySet[Any]]:
            for piece in getattr(rows, which)().pieces():
                yield piece.order_by().values_list(*columns)[:most]

        return self.asked((which, columns, most), pieces, select, end)

    def state_sums(self, most: int) -> list[Bound]:
        """Ask of up to ``most`` rows how many are in each state, and for how many that lasts."""
        columns = ("status", "recovered_at")
        return self.sums(most, "all", *columns, select=_SUMS, end="GROUP BY status")

    def summed(self, most: int) -> tuple[Counter[str], int]:
        """How many are in each state, and how many still failed, of up to ``most`` rows."""
        counts: Counter[str] = Counter()
        still_failed = 0
        for piece in self.state_sums(most):
            for status, number, lasting in piece.rows:
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

    def newest_first(self) -> Self:
        """By creation, ties by id; those without a time come last."""
        return self.order_by(models.F("created_at").desc(nulls_last=True), "-pk")

    def _open_states(self, most: int) -> models.QuerySet[Any]:
        if self._on_sqlite or not self.query.where:
            found = self.left_open().filter(UNSETTLED)
        else:
            # PostgreSQL takes them for many, and reads all of a project's to find them.
            every = self.model._base_manager.filter(OPEN, UNSETTLED)
            found = self.filter(pk__in=FoundFirst(every.values("pk")[:most]))
        return found.values_list("status", flat=True)[:most]
