"""The shift handover: what is stuck, in progress, unresolved and recovered in a list's scope."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from restores import ticket_text
from restores.asof import then_and_now
from restores.explain.codes import explain
from restores.filters import ListParams, Scope
from restores.filters.params import Value
from restores.models import Restore
from restores.querysets import RestoreQuerySet
from restores.restore_list.counts import CappedCount, capped_count, count
from restores.restore_list.time_left import time_left
from restores.serializers import RELATED
from restores.statuses import IN_PROGRESS
from restores.ticket_text import Section, timestamp
from restores.views.navigation import absolute_permalink

# A list without a start hands over what recovered within this time.
SHIFT = timedelta(hours=12)
# The restores that a section names.
MOST = 50
_EVER: dict[str, Value] = {"on": None, "from": None, "to": None}


def handover_text(scope: Scope, filters: Sequence[str]) -> str:
    """Write the handover for what the list's filters select, ignoring those by status.

    Restores in progress are listed whenever they began; unresolved ones, in the list's time range;
    recovered ones, since its start.
    """
    time_range = scope.params.time_range
    at = time_range.asof or time_range.now
    # Before the rows: it must not claim more than they hold.
    complete_to = scope.sync_status().complete_to
    certain = complete_to and not scope.some_moved
    handover = _Handover(scope, none="none" if certain else "none found so far")
    sections = [
        *handover.in_progress(),
        handover.unresolved(),
        handover.recovered(time_range.start or at - SHIFT),
    ]
    known = "Some data is missing"
    if complete_to:
        known = f"Data complete up to {handover.time(complete_to)}"
    url = settings.BASE_URL + reverse("restore-list") + scope.params.query()
    return ticket_text.handover([handover.time(at), *filters, known], sections, url)


class _Handover:
    """The sections of a handover; ``none`` is what an empty one says."""

    def __init__(self, scope: Scope, none: str) -> None:
        self.scope, self.none = scope, none

    def time(self, at: datetime | None) -> str:
        """A time in the zone of the page and in UTC."""
        return timestamp(at, timezone.get_current_timezone()) if at else "an unknown time"

    def in_progress(self) -> list[Section]:
        """The possibly stuck restores, and others in progress, the earliest first."""
        scope = self._narrowed(**_EVER, status=IN_PROGRESS, stuck=None, recovered=None)
        in_progress = scope.restores.order_by("created_at", "pk")
        stuck = scope.stuck(in_progress)
        others = in_progress.exclude(pk__in=stuck.values("pk"))
        return [self._running("Stuck", stuck), self._running("In progress", others)]

    def _running(self, title: str, found: RestoreQuerySet) -> Section:
        rows = self._rows(found)
        outlooks = time_left(rows, self.scope.asof, self.scope.params.time_range.now)

        def text(row: Restore) -> str:
            return f"{outlooks[row.pk].text}. Created {self.time(row.created_at)}."

        return self._section(title, capped_count(found), rows, text)

    def unresolved(self) -> Section:
        """The failures of the list's time range that no success has followed, newest first."""
        scope = self._narrowed(status=None, stuck=None, recovered="no")

        def text(row: Restore) -> str:
            code = f" ({row.error_code})" if row.error_code else ""
            return f"{explain(row.error_code).reason}{code}. Failed {self.time(row.ended_at)}."

        rows = self._rows(scope.restores.order_by("-created_at", "pk"))
        return self._section("Unresolved", count(scope), rows, text)

    def recovered(self, since: datetime) -> Section:
        """The failures that a success has followed since then, the last one first."""
        scope = self._narrowed(**_EVER, status=None, stuck=None, recovered="yes")
        found = scope.restores.filter(recovered_at__gte=since)

        def text(row: Restore) -> str:
            return f"recovered {self.time(row.recovered_at)}."

        rows = self._rows(found.order_by("-recovered_at", "pk"))
        return self._section(f"Recovered since {self.time(since)}", capped_count(found), rows, text)

    def _narrowed(self, **changed: Value) -> Scope:
        """The scope of the same list with other parameters, as of the same time."""
        params = self.scope.params
        query = params.query(asof=params.get("asof"), **changed).removeprefix("?")
        narrowed = ListParams.parse(QueryDict(query), params.time_range.now)
        return Scope(narrowed, self.scope.viewer, self.scope.asof)

    def _rows(self, rows: RestoreQuerySet) -> list[Restore]:
        """The first rows, as they were at the time of the list."""
        first = rows.select_related(*RELATED).defer("raw", "search")[:MOST]
        return [row.then for row in then_and_now(list(first), self.scope.asof)]

    def _section(
        self,
        title: str,
        total: CappedCount,
        rows: Sequence[Restore],
        text: Callable[[Restore], str],
    ) -> Section:
        restores = [(f"{_named(row)}: {text(row)}", self._link(row)) for row in rows]
        return Section(title=title, total=str(total), restores=restores, none=self.none)

    def _link(self, row: Restore) -> str:
        path = reverse("restore-detail", args=[row.restore_id])
        return absolute_permalink(path, self.scope.params.permalink_asof)


def _named(row: Restore) -> str:
    customer = row.project.customer
    return f"{row.instance} ({customer})" if customer else str(row.instance)
