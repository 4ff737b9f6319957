"""Sync status: how current the restores of a scope are, and what an empty result means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Literal, NamedTuple, Self

from django.db.models import F, Min, Q

from restores.models import Heartbeat, Instance, Project
from restores.querysets import HEALTHY_KINDS, InstanceQuerySet, ProjectQuerySet, Viewer
from restores.sync_errors import SyncError, instance_errors, project_errors

# Twelve ticks without a finished one.
_STALLED_AFTER = timedelta(seconds=60)
_MAX_LOST = 3
_MAX_ERRORS = 10
# The counts of ``ProjectState`` that matter here.
_COUNTS = (
    "instance_count",
    "sync_error_count",
    "never_synced_count",
    "healthy_never_synced_count",
)
# Where a field of ``VisibleProject`` comes from if it isn't a column of projects.
_COLUMNS: dict[str, Any] = {
    "unlisted": Q(listed_at=None),
    "account_sync_error_kind": "account__sync_error_kind",
    **{name: f"state__{name}" for name in ("change_number", *_COUNTS)},
}


class VisibleProject(NamedTuple):
    """A project that a reader may see, with the counts of its ``ProjectState``.

    It leaves out the times: reading them for hundreds of projects would be most of the cost.
    """

    pk: int
    name: str
    project_id: str
    customer: str
    region: str
    time_zone: str
    monitored: bool
    unlisted: bool
    sync_error_kind: str
    account_sync_error_kind: str
    change_number: int
    instance_count: int
    sync_error_count: int
    never_synced_count: int
    healthy_never_synced_count: int

    @classmethod
    def visible_to(cls, user: Viewer) -> list[Self]:
        """The projects that a user may see, by name."""
        rows = Project.objects.visible_to(user).filter(state__isnull=False)
        columns = [_COLUMNS.get(name, name) for name in cls._fields]
        return [cls._make(row) for row in rows.order_by("name", "pk").values_list(*columns)]

    @classmethod
    def of(cls, project: Project) -> Self:
        """The same for a project that was read with its account and its state."""
        state = project.state
        return cls(
            pk=project.pk,
            name=project.name,
            project_id=project.project_id,
            customer=project.customer,
            region=project.region,
            time_zone=project.time_zone,
            monitored=project.monitored,
            unlisted=project.listed_at is None,
            sync_error_kind=project.sync_error_kind,
            account_sync_error_kind=project.account.sync_error_kind,
            change_number=state.change_number,
            **{name: getattr(state, name) for name in _COUNTS},
        )

    @property
    def healthy(self) -> bool:
        """Whether neither its own sync nor its account’s fails."""
        kinds = self.sync_error_kind, self.account_sync_error_kind
        return all(kind in HEALTHY_KINDS for kind in kinds)

    @property
    def has_error(self) -> bool:
        """Whether there is something to say about it, serious or not."""
        return bool(self.sync_error_kind or self.account_sync_error_kind or self.unlisted)


@dataclass(frozen=True, kw_only=True)
class SyncStatus:
    """The time up to which the restores of a scope are complete.

    ``complete_to`` leaves out what cannot be synced at present, which ``errors`` name; it is None
    while a healthy instance or project was never synced. ``fully_complete_to`` leaves nothing out:
    what is stored up to then is all there is. ``running_synced_at`` is the oldest time at which
    the running restores of a project were last counted, ``next_sync_at`` when the next project is
    due. ``projects`` and ``instances`` are how many are monitored; ``never_synced`` counts the
    healthy ones among them that were never synced.
    """

    complete_to: datetime | None
    fully_complete_to: datetime | None
    running_synced_at: datetime | None
    next_sync_at: datetime | None
    projects: int
    instances: int
    never_synced: int
    _projects: Sequence[VisibleProject]
    _instances: InstanceQuerySet | None

    @property
    def monitored(self) -> bool:
        """Whether any instance is monitored."""
        return self.instances > 0

    @cached_property
    def errors(self) -> tuple[SyncError, ...]:
        """The first errors of projects, then of instances; nothing is read if there are none."""
        wrong = [project.pk for project in self._projects if project.has_error]
        found = project_errors(wrong)[:_MAX_ERRORS] if wrong else []
        wrong = [project.pk for project in self._projects if project.sync_error_count]
        if wrong and len(found) < _MAX_ERRORS:
            rows = Instance.objects.all() if self._instances is None else self._instances
            rows = rows.filter(project__in=wrong, single_node=False, deleted_at=None)
            found += instance_errors(rows, _MAX_ERRORS - len(found))
        return tuple(found)

    @property
    def error_counts(self) -> list[tuple[int, str, str, int]]:
        """What changes with the errors, without reading them."""
        return [
            (one.pk, one.sync_error_kind, one.account_sync_error_kind, one.sync_error_count)
            for one in self._projects
            if one.has_error or one.sync_error_count
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyResult:
    """The meaning of finding no restore within a time range.

    ``none``: there were none, and every sync came after the range. ``unknown``: not known yet, or
    never, if an instance is ``lost``: deleted before its last restores could be synced.
    ``not_monitored``: no instance is monitored there.
    """

    kind: Literal["none", "unknown", "not_monitored"]
    lost: tuple[Instance, ...] = ()


def sync_status_of(
    projects: Iterable[VisibleProject],
    rows: ProjectQuerySet,
    instances: InstanceQuerySet | None = None,
) -> SyncStatus:
    """Sum up the monitored ones of these projects.

    ``rows`` are the same projects as a queryset: listing hundreds of keys would take longer than
    the query. If ``instances`` are given, only they count.
    """
    monitored = [project for project in projects if project.monitored]
    healthy = [project for project in monitored if project.healthy]
    times = healthy_times = rows.monitored().aggregate(**_TIMES)
    if len(healthy) < len(monitored):
        healthy_times = rows.monitored().filter(_HEALTHY).aggregate(**_TIMES)
    if instances is not None:
        monitored, oldest = _counting_only(instances, monitored)
        times, healthy_times = times | oldest, healthy_times | oldest
        healthy = [project for project in monitored if project.healthy]
    never_synced = sum(project.healthy_never_synced_count for project in healthy)
    complete = times["healthy_complete"] is not None and not never_synced
    complete = complete and not any(one.unlisted for one in healthy)
    fully = not any(one.never_synced_count or one.unlisted for one in monitored)
    return SyncStatus(
        complete_to=_oldest(healthy_times, "listed", "healthy_complete") if complete else None,
        fully_complete_to=_oldest(times, "listed", "complete") if fully else None,
        running_synced_at=healthy_times["running"],
        next_sync_at=healthy_times["next"],
        projects=len(monitored),
        instances=sum(project.instance_count for project in monitored),
        never_synced=never_synced,
        _projects=monitored,
        _instances=instances,
    )


def visible_sync_status(
    user: Viewer, projects: Sequence[VisibleProject] | None = None
) -> SyncStatus:
    """How current all that a user may see is; ``projects`` are theirs if already read."""
    if projects is None:
        projects = VisibleProject.visible_to(user)
    return sync_status_of(projects, Project.objects.visible_to(user))


def explain_empty(
    status: SyncStatus,
    instances: InstanceQuerySet,
    start: datetime | None,
    end: datetime | None,
) -> EmptyResult:
    """Say what it means that nothing is stored within ``start <= t < end`` for these instances.

    An open end is the present, which no sync has seen.
    """
    deleted = instances.filter(deleted_at__isnull=False, single_node=False, project__monitored=True)
    complete_to = status.fully_complete_to
    complete = bool(end and complete_to and complete_to >= end)
    if not status.monitored and not deleted.exists():
        listed = complete or (complete_to and not end) or not status.projects
        return EmptyResult(kind="not_monitored" if listed else "unknown")
    lost = deleted.filter(Q(complete_to=None) | Q(complete_to__lt=F("deleted_at")))
    if start:
        lost = lost.filter(deleted_at__gt=start)
    if end:
        lost = lost.filter(Q(complete_to=None) | Q(complete_to__lt=end))
    named = tuple(lost.order_by("name", "pk")[:_MAX_LOST])
    return EmptyResult(kind="none" if complete and not named else "unknown", lost=named)


@dataclass(frozen=True, slots=True, kw_only=True)
class StalledSync:
    """A sync that has stopped, or that is late because most ticks are lost, and since when."""

    since: datetime
    stopped: bool
    ticks_lost: bool


def stalled_sync(now: datetime) -> StalledSync | None:
    """Return since when no worker has finished a tick or most are lost, or None if all is well.

    Also None before the first tick of a new installation: nothing has stopped there.
    """
    rows = dict(Heartbeat.objects.values_list("pk", "at"))
    finished_at, lost_since = rows.get(Heartbeat.TICK_FINISHED), rows.get(Heartbeat.TICKS_LOST)
    stopped = bool(finished_at and now - finished_at > _STALLED_AFTER)
    since = finished_at if stopped else lost_since
    if since is None:
        return None
    return StalledSync(since=since, stopped=stopped, ticks_lost=lost_since is not None)


def sync_stalled_since(now: datetime) -> datetime | None:
    """Since when the sync is stalled, or None while it is not."""
    stalled = stalled_sync(now)
    return stalled.since if stalled else None


_HEALTHY = Q(sync_error_kind__in=HEALTHY_KINDS, account__sync_error_kind__in=HEALTHY_KINDS)
# The oldest times of projects; ``healthy`` here leaves out the instances with a sync error.
_TIMES = {
    "listed": Min("listed_at"),
    "complete": Min("state__oldest_complete_to"),
    "healthy_complete": Min("state__healthy_oldest_complete_to"),
    "running": Min("restoring_count_at"),
    "next": Min("next_sync_at"),
}


def _counting_only(
    instances: InstanceQuerySet, projects: Sequence[VisibleProject]
) -> tuple[list[VisibleProject], dict[str, datetime | None]]:
    """The projects with the counts of these instances only, and the oldest times of these."""
    counts = instances.sync_counts_by_project()
    none = dict.fromkeys(_COUNTS, 0)
    counted = [
        project._replace(**{name: counts.get(project.pk, none)[name] for name in _COUNTS})
        for project in projects
    ]
    rows = [counts[project.pk] for project in projects if project.pk in counts]
    healthy = [counts[one.pk] for one in projects if one.pk in counts and one.healthy]
    return counted, {
        "complete": _min(row["oldest_complete_to"] for row in rows),
        "healthy_complete": _min(row["healthy_oldest_complete_to"] for row in healthy),
    }


def _oldest(times: Mapping[str, datetime | None], *names: str) -> datetime | None:
    return _min(times[name] for name in names)


def _min(times: Iterable[datetime | None]) -> datetime | None:
    return min((time for time in times if time), default=None)
