"""The restores that a list's parameters ask for, among those that its viewer may see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from django.db.models import Exists, Q

from restores.asof import AsOf
from restores.filters.params import ListParams
from restores.models import Instance, Project, Restore
from restores.querysets import (
    LONG,
    UNKNOWN_RUNS,
    InstanceQuerySet,
    ProjectQuerySet,
    RestoreQuerySet,
    Viewer,
    select,
)
from restores.search import SearchResult, search
from restores.statuses import FAILED, OTHER
from restores.sync_status import SyncStatus, sync_status_of

# The parameters that choose projects, and the columns behind them.
_PROJECT_COLUMNS = {"customer": "customer", "region": "region", "project": "name"}


class VisibleProject(NamedTuple):
    """A project that the viewer may see."""

    pk: int
    name: str
    customer: str
    region: str
    time_zone: str
    monitored: bool


class Scope:
    """The restores that the parameters select, in a snapshot by their states at its time.

    Everything starts at the projects that the viewer may see, by primary key: so the indexes that
    begin with the project serve.
    """

    def __init__(self, params: ListParams, viewer: Viewer, asof: AsOf | None = None) -> None:
        """``asof`` saves loading it again where the viewer's has been loaded."""
        self.params, self.viewer = params, viewer
        self._loaded = asof

    @cached_property
    def visible(self) -> list[VisibleProject]:
        """The projects that the viewer may see, by name."""
        rows = Project.objects.visible_to(self.viewer).order_by("name", "pk")
        return [VisibleProject(*row) for row in rows.values_list(*VisibleProject._fields)]

    @cached_property
    def visible_restores(self) -> RestoreQuerySet:
        """All restores that the viewer may see."""
        return _of_projects(self.visible_keys)

    @property
    def visible_keys(self) -> list[int] | None:
        """The primary keys of the visible projects; None for a superuser, who sees all."""
        return None if self.viewer.is_superuser else [project.pk for project in self.visible]

    @cached_property
    def asof(self) -> AsOf | None:
        """The visible restores that were in another state at the time of the snapshot."""
        time = self.params.time_range.asof
        if self._loaded and self._loaded.time == time:
            return self._loaded
        return AsOf.load(self.visible_restores, time) if time else None

    @cached_property
    def restores(self) -> RestoreQuerySet:
        """The restores that match every parameter."""
        return self.in_status(self.any_status)

    @cached_property
    def any_status(self) -> RestoreQuerySet:
        """The restores that match every parameter but ``status`` and ``recovered``."""
        return self.found.rows

    @cached_property
    def found(self) -> SearchResult:
        """The result of the text search among restores in any status; without a text, all."""
        params, asof = self.params, self.asof
        rows = _of_projects(self.project_keys)
        if asof:
            rows = asof.known(rows)
        if names := params.getlist("instance"):
            # By primary key: a join would change the plan.
            keys = list(Instance.objects.called(names).values_list("pk", flat=True))
            rows = (
                rows.filter(instance=keys[0]) if len(keys) == 1 else rows.filter(instance__in=keys)
            )
        if codes := params.getlist("code"):
            rows = asof.with_code(rows, codes) if asof else rows.with_code(codes)
        if ids := params.ids:
            # Instances by primary key: each side of the "or" has an index then.
            keys = list(Instance.objects.filter(instance_id__in=ids).values_list("pk", flat=True))
            rows = rows.filter(Q(restore_id__in=ids) | Q(backup_id__in=ids) | Q(instance__in=keys))
        rows = self._in_time_range(rows)
        newest_first = params.sort == ListParams.DECLARED["sort"].default and not params.cursor
        newest_first = newest_first and params.time_range.on != "running"
        return search(rows, params.get("q"), asof, newest_first=newest_first)

    def in_status(self, rows: RestoreQuerySet) -> RestoreQuerySet:
        """Filter rows by ``status`` and ``recovered``."""
        statuses, recovered = self.params.getlist("status"), self.params.get("recovered")
        asof = self.asof
        # Both filters of ``recovered`` imply the status failed.
        if statuses and not (recovered and FAILED.value in statuses):
            rows = asof.in_status(rows, statuses) if asof else rows.in_status(statuses)
        if recovered == "no":
            rows = asof.unresolved(rows) if asof else rows.unresolved()
        elif recovered:
            rows = asof.recovered(rows) if asof else rows.recovered()
        return rows

    @property
    def dated(self) -> bool:
        """Whether the time range leaves out every restore without a creation time."""
        time_range = self.params.time_range
        bounded = bool(time_range.start or time_range.end)
        return time_range.on == "running" or (time_range.on == "created" and bounded)

    def parts(self, rows: RestoreQuerySet) -> list[RestoreQuerySet]:
        """Rows of this scope by creation, newest first, in parts that an index gives at once.

        What was running in a time range began in it or shortly before, but for a few restores
        that took very long or never ended: those are looked up first.
        """
        if self._long_running is None:
            return [rows]
        cutoff, keys = self._long_running
        recent = rows.filter(created_at__gt=cutoff)
        return [recent, rows.filter(pk__in=keys)] if keys else [recent]

    @cached_property
    def projects(self) -> ProjectQuerySet:
        """The projects that could have restores of this scope."""
        projects = Project.objects.visible_to(self.viewer).filter(self._labelled(""))
        if names := self.params.getlist("instance"):
            of_these = Instance.objects.called(names).values("project_id")
            projects = projects.filter(pk__in=of_these)
        return projects

    @cached_property
    def instances(self) -> InstanceQuerySet:
        """The instances that could have restores of this scope.

        They must have been synced before we may say that there is none.
        """
        instances = Instance.objects.visible_to(self.viewer).filter(self._labelled("project__"))
        names = self.params.getlist("instance")
        return instances.called(names) if names else instances

    def sync_status(self) -> SyncStatus:
        """Up to when all that can be in this scope is complete."""
        return sync_status_of(self.instances, self.projects)

    def some_not_monitored(self) -> bool:
        """Whether an instance of this scope is in a project that is no longer monitored."""
        return self.instances.filter(project__monitored=False).exists()

    @cached_property
    def not_found(self) -> list[tuple[str, str]]:
        """Parameters and values that nothing visible has."""
        return list(self._missing())

    @cached_property
    def project_keys(self) -> list[int] | None:
        """The primary keys of the selected projects; None if all are selected and visible."""
        chosen = {
            column: self.params.getlist(name)
            for name, column in _PROJECT_COLUMNS.items()
            if self.params.getlist(name)
        }
        if self.viewer.is_superuser and not chosen:
            return None
        return [
            project.pk
            for project in self.visible
            if all(getattr(project, column) in values for column, values in chosen.items())
        ]

    def _in_time_range(self, rows: RestoreQuerySet) -> RestoreQuerySet:
        time_range, asof = self.params.time_range, self.asof
        start, end = time_range.start, time_range.end
        match time_range.on:
            case "ended":
                return asof.ended_in(rows, start, end) if asof else rows.ended_in(start, end)
            case "running":
                return asof.running_in(rows, start, end) if asof else rows.running_in(start, end)
            case "changed":
                return asof.changed_in(rows, start, end) if asof else rows.changed_in(start, end)
            case _:
                return rows.created_in(start, end)

    @cached_property
    def _long_running(self) -> tuple[datetime, list[int]] | None:
        """A time, and the restores created up to then that may still have run in the range."""
        time_range = self.params.time_range
        start = time_range.start
        if time_range.on != "running" or start is None or time_range.asof:
            return None
        durations = Restore.objects.order_by("-duration").values_list("duration", flat=True)
        longest = durations.filter(duration__lte=LONG).first()
        cutoff = start - timedelta(seconds=longest or 0)
        # Each has an index; compared with the cutoff here, or SQLite would use another one.
        rows = Restore.objects.filter(
            Q(status_group="in_progress")
            | Q(status_group=OTHER, created_at__gt=start - UNKNOWN_RUNS)
            | Q(duration__gt=LONG)
        )
        found = rows.values_list("pk", "created_at")
        return cutoff, [pk for pk, created_at in found if created_at and created_at <= cutoff]

    def _labelled(self, path: str) -> Q:
        """Customers, regions and projects, as a condition on rows with a path to the project."""
        return Q(
            **{
                f"{path}{column}__in": self.params.getlist(name)
                for name, column in _PROJECT_COLUMNS.items()
                if self.params.getlist(name)
            }
        )

    def _missing(self) -> Iterator[tuple[str, str]]:
        for name, column in _PROJECT_COLUMNS.items():
            known = {getattr(project, column) for project in self.visible}
            yield from ((name, one) for one in self.params.getlist(name) if one not in known)
        if names := self.params.getlist("instance"):
            instances = Instance.objects.visible_to(self.viewer).called(names)
            known = {one for row in instances.values_list("instance_id", "name") for one in row}
            yield from (("instance", name) for name in names if name not in known)
        if codes := [code for code in self.params.getlist("code") if code != "any"]:
            exists = [Exists(self.visible_restores.with_code([code])) for code in codes]
            found = zip(codes, select(self.viewer, *exists), strict=True)
            yield from (("code", code) for code, exists_there in found if not exists_there)
        if ids := self.params.ids:
            known = self._known_ids(ids)
            yield from (("ids", one) for one in ids if one not in known)

    def _known_ids(self, ids: Sequence[str]) -> set[str]:
        restores = self.visible_restores
        instances = Instance.objects.visible_to(self.viewer)
        return {
            *restores.filter(restore_id__in=ids).values_list("restore_id", flat=True),
            *restores.filter(backup_id__in=ids).values_list("backup_id", flat=True),
            *instances.filter(instance_id__in=ids).values_list("instance_id", flat=True),
        }


def _of_projects(keys: Sequence[int] | None) -> RestoreQuerySet:
    """The restores of these projects, None for all."""
    if keys is None:
        return Restore.objects.all()
    # Of a single project the rows come in order from its index.
    if len(keys) == 1:
        return Restore.objects.filter(project=keys[0])
    return Restore.objects.filter(project__in=keys)
