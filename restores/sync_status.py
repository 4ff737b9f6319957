"""Sync status: up to when the restores of a scope are complete, and what an empty result means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from django.db.models import Count, F, Min, Q

from restores.models import Heartbeat, Instance, Project
from restores.querysets import HEALTHY_KINDS, InstanceQuerySet, ProjectQuerySet, Viewer
from restores.sync_errors import PROJECT_FIELDS, SyncError, instance_errors, project_error

# Twelve ticks without a finished one.
_STALLED_AFTER = timedelta(seconds=60)
_MAX_LOST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncStatus:
    """Up to when the restores of a scope are complete.

    ``complete_to`` leaves out what cannot be synced at present, which ``errors`` name; it is None
    while a healthy instance or project was never synced. ``fully_complete_to`` leaves nothing out:
    what is stored up to then is all there is. ``running_synced_at`` is the oldest time at which
    the running restores of a project were last counted. ``monitored`` says whether any instance
    is, in as many ``projects``. ``never_synced`` counts the healthy instances that were never
    synced, out of as many ``instances``, which are counted only if something is incomplete.
    """

    complete_to: datetime | None
    fully_complete_to: datetime | None
    running_synced_at: datetime | None
    monitored: bool
    projects: int
    instances: int = 0
    never_synced: int = 0
    errors: tuple[SyncError, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyResult:
    """What it means that there is no restore within a time range.

    ``none``: there were none, and every sync came after the range. ``unknown``: not known yet, or
    never, where an instance is ``lost``: deleted before its last restores could be synced.
    ``not_monitored``: no instance is monitored there.
    """

    kind: Literal["none", "unknown", "not_monitored"]
    lost: tuple[Instance, ...] = ()


def sync_status_of(
    instances: InstanceQuerySet, projects: ProjectQuerySet | None = None, limit: int = 10
) -> SyncStatus:
    """Sum up the monitored instances among ``instances``; at most ``limit`` errors are named.

    ``projects`` are those of the instances, and those that may have instances of this scope which
    have not been listed yet; by default only the former.
    """
    if projects is None:
        projects = Project.objects.filter(pk__in=instances.order_by().values("project_id"))
    rows = projects.monitored().order_by("name", "pk")
    # Projects first: read later, a ``listed_at`` could cover an instance that was not read.
    listed = list(rows.values("pk", "restoring_count_at", *PROJECT_FIELDS))
    errors = [error for project in listed if (error := project_error(project))][:limit]
    if all(map(_is_healthy, listed)) and not _some_incomplete(instances):
        # The usual case, on every page: read one index, don't count every instance.
        return _complete_status(listed, errors, _oldest_complete_to(instances))
    counts = _count_instances(instances, {project["pk"] for project in listed})
    healthy = [project for project in listed if _is_healthy(project)]
    healthy_counts = [counts[project["pk"]] for project in healthy if project["pk"] in counts]
    never_synced = sum(count["healthy_never_synced"] for count in healthy_counts)
    if any(count["errors"] for count in counts.values()):
        errors += instance_errors(instances.monitored(), limit - len(errors))
    return SyncStatus(
        complete_to=_oldest(
            any(count["healthy"] for count in healthy_counts) and not never_synced,
            [project["listed_at"] for project in healthy],
            [count["healthy_complete_to"] for count in healthy_counts],
        ),
        fully_complete_to=_oldest(
            not any(count["never_synced"] for count in counts.values()),
            [project["listed_at"] for project in listed],
            [count["oldest"] for count in counts.values()],
        ),
        running_synced_at=_running_synced_at(healthy),
        monitored=bool(counts),
        projects=len(listed),
        instances=sum(count["monitored"] for count in counts.values()),
        never_synced=never_synced,
        errors=tuple(errors),
    )


def visible_sync_status(user: Viewer) -> SyncStatus:
    """Up to when all that a user may see is complete."""
    return sync_status_of(Instance.objects.visible_to(user), Project.objects.visible_to(user))


def explain_empty(
    status: SyncStatus,
    instances: InstanceQuerySet,
    start: datetime | None,
    end: datetime | None,
) -> EmptyResult:
    """What it means that nothing is stored within ``start <= t < end`` for these instances.

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


def sync_stalled_since(now: datetime) -> datetime | None:
    """Since when no worker has finished a tick, or None while one does.

    None too before the first tick of a new installation: nothing has stopped there.
    """
    beat = Heartbeat.objects.values_list("at", flat=True).first()
    return beat if beat and now - beat > _STALLED_AFTER else None


def _is_healthy(project: Mapping[str, Any]) -> bool:
    kinds = project["sync_error_kind"], project["account__sync_error_kind"]
    return all(kind in HEALTHY_KINDS for kind in kinds)


def _some_incomplete(instances: InstanceQuerySet) -> bool:
    """Whether the last sync of a monitored instance failed, or there was none."""
    # In the order of the index of such instances: otherwise SQLite reads all the others.
    found = instances.monitored().incomplete().order_by("name", "pk").values_list("pk")
    return bool(found[:1])


def _oldest_complete_to(instances: InstanceQuerySet) -> datetime | None:
    oldest = instances.monitored().order_by("complete_to").values_list("complete_to", flat=True)
    return next(iter(oldest[:1]), None)


def _complete_status(
    projects: Sequence[Mapping[str, Any]], errors: Sequence[SyncError], oldest: datetime | None
) -> SyncStatus:
    """The status of healthy projects, all of whose instances are synced, if there is any."""
    listed = [project["listed_at"] for project in projects]
    fully_complete_to = _oldest(True, listed, [oldest])
    return SyncStatus(
        complete_to=fully_complete_to if oldest else None,
        fully_complete_to=fully_complete_to,
        running_synced_at=_running_synced_at(projects),
        monitored=oldest is not None,
        projects=len(projects),
        errors=tuple(errors),
    )


def _running_synced_at(projects: Sequence[Mapping[str, Any]]) -> datetime | None:
    times = (project["restoring_count_at"] for project in projects)
    return min((time for time in times if time), default=None)


def _count_instances(instances: InstanceQuerySet, projects: set[int]) -> dict[int, dict[str, Any]]:
    """Counts and oldest ``complete_to`` of the monitored instances of each project, by its key."""
    healthy = Q(sync_error_kind="")
    rows = (
        instances.filter(single_node=False, deleted_at=None)
        .order_by()
        .values("project_id")
        .annotate(
            monitored=Count("pk"),
            healthy=Count("pk", filter=healthy),
            errors=Count("pk", filter=~healthy),
            never_synced=Count("pk", filter=Q(complete_to=None)),
            healthy_never_synced=Count("pk", filter=healthy & Q(complete_to=None)),
            oldest=Min("complete_to"),
            healthy_complete_to=Min("complete_to", filter=healthy),
        )
    )
    return {row["project_id"]: row for row in rows if row["project_id"] in projects}


def _oldest(
    known: bool, listed: Sequence[datetime | None], synced: Sequence[datetime | None]
) -> datetime | None:
    """The oldest of the times up to which projects were listed and their instances synced."""
    if not known or None in listed:
        return None
    return min((time for time in (*listed, *synced) if time), default=None)
