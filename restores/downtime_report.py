"""The downtime report: how long instances were being restored within a time range."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple, Self

from restores.asof import State
from restores.explain.downtime import Downtime, clip, downtime_of, merged_length
from restores.filters import Scope
from restores.freshness import known_until
from restores.querysets import RestoreQuerySet
from restores.serializers import RELATED
from restores.statuses import FINAL, KNOWN
from restores.sync_status import SyncStatus, explain_empty

# Each restore in the range is read: more than this would take longer than a page may.
MAX_RESTORES = 50_000


class TooManyRestores(Exception):
    """The time range has more restores than a report reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """Restores that were running in the range, and how long instances were being restored.

    ``running`` of them may still be running; ``uncounted`` have a status or a time that doesn't
    determine a downtime.
    """

    restores: int
    running: int
    uncounted: int
    least: timedelta
    most: timedelta

    @property
    def minutes_min(self) -> float:
        """The minimum, in minutes."""
        return _minutes(self.least)

    @property
    def minutes_max(self) -> float:
        """The maximum, in minutes."""
        return _minutes(self.most)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceDowntime(Sum):
    """The downtime of one instance; where its restores overlap, time counts once."""

    instance_id: str
    instance_name: str
    project: str
    customer: str

    @property
    def label(self) -> str:
        """Its name, or its ID if it has none."""
        return self.instance_name or self.instance_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Total(Sum):
    """The total downtime of several instances, such as those of a project or a customer."""

    name: str
    rows: Sequence[InstanceDowntime]

    @classmethod
    def of(cls, name: str, rows: Sequence[InstanceDowntime]) -> Self:
        """Add up some instances."""
        return cls(
            name=name,
            rows=rows,
            restores=sum(row.restores for row in rows),
            running=sum(row.running for row in rows),
            uncounted=sum(row.uncounted for row in rows),
            least=sum((row.least for row in rows), timedelta()),
            most=sum((row.most for row in rows), timedelta()),
        )

    @property
    def instances(self) -> int:
        """How many instances were restored."""
        return len(self.rows)

    @property
    def customers(self) -> list[Total]:
        """The totals of each customer."""
        return self._grouped(lambda row: row.customer)

    @property
    def projects(self) -> list[Total]:
        """The totals of each project of each customer."""
        return [
            total
            for customer in self.customers
            for total in customer._grouped(lambda row: row.project)
        ]

    def _grouped(self, key: Callable[[InstanceDowntime], str]) -> list[Total]:
        return [Total.of(name, list(rows)) for name, rows in groupby(self.rows, key)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncounted:
    """A restore whose downtime can't be determined, and why."""

    restore_id: str
    instance_id: str
    instance_name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DowntimeReport:
    """The downtime in a time range of each instance that had restores then.

    ``complete``: no restore of the range can be missing; None if that isn't known, as in a
    snapshot. ``uncounted`` are the restores that may belong to the range, but can't be counted.
    """

    total: Total
    uncounted: Sequence[Uncounted]
    complete: bool | None
    sync_status: SyncStatus

    @property
    def rows(self) -> Sequence[InstanceDowntime]:
        """The instances: by customer and project, the longest downtime first."""
        return self.total.rows


class _Row(NamedTuple):
    """The columns that are read of a restore."""

    pk: int
    instance_pk: int
    project_pk: int
    restore_id: str
    instance_id: str
    instance_name: str
    deleted_at: datetime | None
    project: str
    customer: str
    status: str
    created_at: datetime | None
    ended_at: datetime | None
    restoring_after: datetime | None
    restoring_by: datetime | None


_COLUMNS = (
    *("pk", "instance_id", "project_id", "restore_id"),
    *("instance__instance_id", "instance__name", "instance__deleted_at"),
    *("project__name", "project__customer"),
    *("status", "created_at", "ended_at", "restoring_after", "restoring_by"),
)


def downtime_report(scope: Scope) -> DowntimeReport:
    """Report the downtime in the time range of a list by ``on=running``.

    A running restore counts up to now, or up to the time of a snapshot. Raises TooManyRestores.
    """
    time_range = scope.params.time_range
    end = time_range.end or time_range.now
    # Before the rows: it must not claim more than they hold.
    status = scope.sync_status()
    parts = scope.parts(scope.restores)
    if sum(part.order_by()[: MAX_RESTORES + 1].count() for part in parts) > MAX_RESTORES:
        raise TooManyRestores
    rows = _without_moved([row for part in parts for row in _read(part, scope)])
    known_to = _known_until(scope)
    uncounted = {row.pk: row for row in _undated(scope, end)}
    by_instance: dict[int, list[tuple[_Row, Downtime | None]]] = defaultdict(list)
    for row in rows:
        downtime = downtime_of(
            row.status,
            row.created_at,
            row.ended_at,
            restoring_after=row.restoring_after,
            restoring_by=row.restoring_by,
            known_until=known_to.get(row.pk, time_range.now),
            now=time_range.now,
        )
        if downtime is None:
            uncounted[row.pk] = row
        by_instance[row.instance_pk].append((row, downtime))
    instances = [_instance(found, time_range.start, end) for found in by_instance.values()]
    instances.sort(key=lambda one: (one.customer, one.project, -one.most, one.label))
    return DowntimeReport(
        total=Total.of("", instances),
        uncounted=[_uncounted(row) for row in uncounted.values()],
        complete=_is_complete(scope, status, end),
        sync_status=status,
    )


def _read(rows: RestoreQuerySet, scope: Scope) -> Iterator[_Row]:
    """Read restores, in a snapshot as they were then."""
    found = map(_Row._make, rows.order_by().values_list(*_COLUMNS))
    if scope.asof is None:
        yield from found
        return
    asof = scope.asof
    for row in found:
        state = asof.changed_since.get(row.pk)
        then = state.then if state else row
        late = row.restoring_by is not None and row.restoring_by > asof.time
        yield row._replace(
            instance_name=asof.instance_names.get(row.instance_pk, row.instance_name),
            project=asof.project_names.get(row.project_pk, row.project),
            status=then.status,
            created_at=then.created_at,
            ended_at=then.ended_at,
            restoring_by=None if late else row.restoring_by,
        )


def _without_moved(rows: Sequence[_Row]) -> list[_Row]:
    """Leave out restores of a deleted instance that also exist in the project it moved to."""
    present = {(row.instance_id, row.restore_id) for row in rows if row.deleted_at is None}
    return [
        row
        for row in rows
        if row.deleted_at is None or (row.instance_id, row.restore_id) not in present
    ]


def _known_until(scope: Scope) -> dict[int, datetime]:
    """How current the status of each restore in progress is; in a snapshot, no later than it."""
    if scope.asof:
        return {}
    now = scope.params.time_range.now
    return {
        restore.pk: min(known_until(restore, now), now)
        for part in scope.parts(scope.restores.in_progress())
        for restore in part.select_related(*RELATED).defer("raw", "search")
    }


def _undated(scope: Scope, end: datetime) -> list[_Row]:
    """The restores without the times that say whether they were running in the range."""
    time_range = replace(scope.params.time_range, start=None, end=None, on="created")
    rows = Scope(scope.params.within(time_range), scope.viewer, scope.asof).restores
    # In separate queries: with an OR, the databases would read all restores of a project.
    found = [rows.undated("created"), rows.undated("ended").filter(created_at__lt=end)]
    if asof := scope.asof:
        changed = list(asof.changed_since)
        then = asof.keys(lambda state: _is_undated(state, end))
        found = [*(one.exclude(pk__in=changed) for one in found), rows.filter(pk__in=then)]
    return [row for one in found for row in _read(one, scope)]


def _is_undated(state: State, end: datetime) -> bool:
    """The same as the conditions of ``_undated``, for one state."""
    if state.created_at is None:
        return True
    return state.status in FINAL and state.ended_at is None and state.created_at < end


def _instance(
    found: Sequence[tuple[_Row, Downtime | None]], start: datetime | None, end: datetime
) -> InstanceDowntime:
    row = found[0][0]
    known = [downtime for _, downtime in found if downtime]
    least, most = (
        merged_length(filter(None, (clip(interval, start, end) for interval in intervals)))
        for intervals in ((one.least for one in known), (one.most for one in known))
    )
    return InstanceDowntime(
        instance_id=row.instance_id,
        instance_name=row.instance_name,
        project=row.project,
        customer=row.customer,
        restores=len(found),
        running=sum(one.so_far for one in known),
        uncounted=len(found) - len(known),
        least=least,
        most=most,
    )


def _uncounted(row: _Row) -> Uncounted:
    if row.created_at is None:
        reason = "no usable creation time"
    elif row.status not in KNOWN:
        reason = "unknown status"
    elif row.ended_at is None:
        reason = "no usable end time"
    else:
        reason = "ended before it was created"
    return Uncounted(
        restore_id=row.restore_id,
        instance_id=row.instance_id,
        instance_name=row.instance_name,
        reason=reason,
    )


def _is_complete(scope: Scope, status: SyncStatus, end: datetime) -> bool | None:
    """Whether every restore of the range is known."""
    if scope.asof:
        return None
    time_range = scope.params.time_range
    if scope.not_found or scope.some_moved:
        return False
    return explain_empty(status, scope.instances, time_range.start, end).kind == "none"


def _minutes(length: timedelta) -> float:
    return round(length / timedelta(minutes=1), 4)
