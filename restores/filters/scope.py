"""The restores that a list's parameters ask for, among those that its viewer may see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Generic, NamedTuple, TypeVar

from django.db.models import Count, Exists, Q

from restores.asof import AsOf
from restores.filters.params import FILTERS, TIME_RANGE, ListParams
from restores.models import Backup, FormerName, FormerProject, Instance, Project, Restore
from restores.querysets import (
    CHANGED_BY_KEY,
    LONG,
    InstanceQuerySet,
    RestoreQuerySet,
    Viewer,
    VisibleQuerySet,
    select,
    unknown_and_unfinished,
)
from restores.search import SearchResult, search
from restores.spellings import all_spellings, bare, spellings
from restores.statuses import FAILED, KNOWN, OTHER
from restores.sync_status import SyncStatus, VisibleProject, sync_status_of

# The parameters that choose projects, and the columns behind them.
_PROJECT_COLUMNS = {"customer": "customer", "region": "region", "project": "name"}


Row = TypeVar("Row", "CalledInstance", VisibleProject)


class CalledInstance(NamedTuple):
    """An instance that the parameters name, by its id or its name."""

    pk: int
    project_id: int
    instance_id: str
    name: str


class Renamed(NamedTuple):
    """A former name of an instance or a project that a parameter gives, and the present one."""

    name: str
    now: str


class Left(NamedTuple):
    """The last selected project that an instance was in, and until when."""

    project: int
    until: datetime


class Moved(NamedTuple):
    """An instance that was in a selected project, and the one where it is instead."""

    name: str
    instance_id: str
    former: str
    project: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundId:
    """What an id is: of a restore, a backup, an instance, or several of them.

    ``listed`` says whether the list has that restore, ``restored`` how many restores there are of
    that backup; ``name`` is that of the instance.
    """

    id: str
    restore: bool
    listed: bool
    backup: bool
    restored: int
    instance: bool
    name: str

    @property
    def found(self) -> bool:
        """Whether it is the id of anything."""
        return self.restore or self.backup or self.instance


class Scope:
    """The restores that the parameters select, in a snapshot by their states at its time.

    Everything starts at the projects that the viewer may see, by primary key, so that the
    indexes that begin with the project can be used.
    """

    def __init__(
        self,
        params: ListParams,
        viewer: Viewer,
        asof: AsOf | None = None,
        visible: list[VisibleProject] | None = None,
    ) -> None:
        """``asof`` and ``visible`` save reading them again where the viewer's have been read."""
        self.params, self.viewer = params, viewer
        self._loaded = asof
        if visible is not None:
            self.visible = visible

    @cached_property
    def visible(self) -> list[VisibleProject]:
        """The projects that the viewer may see, by name."""
        return VisibleProject.visible_to(self.viewer)

    @cached_property
    def selected(self) -> list[VisibleProject]:
        """The visible projects that customers, regions and projects select."""
        chosen, named = dict(self._chosen), self._projects_by_name
        chosen.pop("name", None)
        keys = {project.pk for projects in named.values() for project in projects}
        return [
            project
            for project in self.visible
            if all(getattr(project, column) in values for column, values in chosen.items())
            and (project.pk in keys or not named)
        ]

    @property
    def selected_keys(self) -> list[int]:
        """The primary keys of the selected projects."""
        return [project.pk for project in self.selected]

    @property
    def places(self) -> Iterator[tuple[str, str]]:
        """The customer and the time zone of each selected project."""
        return ((project.customer, project.time_zone) for project in self.selected)

    @cached_property
    def called(self) -> list[CalledInstance]:
        """The instances of the selected projects with the ids or names that the parameters give."""
        return list({one.pk: one for found in self._by_name.values() for one in found}.values())

    @cached_property
    def renamed(self) -> list[Renamed]:
        """The former names among the parameters."""
        named: list[tuple[str, Sequence[CalledInstance | VisibleProject]]]
        named = [*self._by_name.items(), *self._projects_by_name.items()]
        return [
            Renamed(name, one.name)
            for name, found in named
            for one in found
            if bare(name) != bare(one.name) and _id_of(one).lower() not in all_spellings(name)
        ]

    @cached_property
    def moved(self) -> list[Moved]:
        """The instances that selected projects had in the time range and have no longer.

        If the parameters name instances, of those; in a snapshot, up to its time.
        """
        if not self._chosen:
            return []
        if self.params.getlist("instance"):
            keys = set(self.selected_keys)
            left = [one for one in self._called_anywhere if one.pk in self._left]
            found = [one for one in left if self._project_of(one) not in keys]
        else:
            found = self._left_in_time_range
        names = {project.pk: project.name for project in self.visible}
        return [
            Moved(one.name, one.instance_id, names[self._left[one.pk].project], names[now])
            for one in found
            if (now := self._project_of(one)) in names
        ]

    @property
    def some_moved(self) -> bool:
        """Whether an instance was in this scope in the time range, and its restores no longer are.

        It may be where the viewer can't see it.
        """
        keys = {one.pk for one in self.called}
        return any(one.pk not in keys for one in self._left_in_time_range)

    @cached_property
    def _left(self) -> dict[int, Left]:
        """The instances that have left the selected projects, in a snapshot by its time."""
        rows = FormerProject.objects.filter(project__in=self.selected_keys)
        if at := self.params.time_range.asof:
            rows = rows.filter(until__lte=at)
        # The last counts.
        return {
            instance: Left(project, until)
            for instance, project, until in rows.values_list("instance_id", "project_id", "until")
        }

    @cached_property
    def _left_in_time_range(self) -> list[CalledInstance]:
        """Those of them that left after the time range had begun, and haven't come back."""
        start, keys = self.params.time_range.start, set(self.selected_keys)
        left = [key for key, one in self._left.items() if start is None or one.until > start]
        if not left:
            return []
        rows = Instance.objects.filter(pk__in=left).order_by("name", "pk")
        found = map(CalledInstance._make, rows.values_list(*CalledInstance._fields))
        called = {one.pk for one in self._called_anywhere}
        return [
            one
            for one in found
            if self._project_of(one) not in keys
            and (one.pk in called or not self.params.getlist("instance"))
        ]

    def _project_of(self, one: CalledInstance) -> int:
        """The project of an instance, in a snapshot then."""
        return self._projects_then.get(one.pk, one.project_id)

    @cached_property
    def _called_anywhere(self) -> list[CalledInstance]:
        """All instances with the ids or the present or former names that the parameters give."""
        values = self.params.getlist("instance")
        if not values:
            return []
        names = {*values, *map(bare, values)}
        former = FormerName.objects.filter(instance__isnull=False, name__in=names)
        rows = Instance.objects.called(values)
        rows |= Instance.objects.filter(pk__in=former.values("instance_id"))
        return list(map(CalledInstance._make, rows.values_list(*CalledInstance._fields)))

    @cached_property
    def _by_name(self) -> dict[str, list[CalledInstance]]:
        """The instances of the selected projects that each value of ``instance`` means.

        An id, or a name: the one that the instance had then, the present one, or a former one.
        What has left these projects is found where it is.
        """
        values = self.params.getlist("instance")
        if not values:
            return {}
        keys = set(self.selected_keys)
        here = [one for one in self._called_anywhere if self._project_of(one) in keys]
        found = self._meant(values, here)
        if not all(found.values()):
            # But not at another customer, whose restores must be in no report for the former one.
            customers = self.params.getlist("customer")
            visible = [one for one in self.visible if not customers or one.customer in customers]
            others = {project.pk for project in visible}
            left = [one for one in self._called_anywhere if one.pk in self._left]
            there = self._meant(values, [one for one in left if self._project_of(one) in others])
            found = {value: rows or there[value] for value, rows in found.items()}
        return found

    def _meant(
        self, values: Sequence[str], rows: Sequence[CalledInstance]
    ) -> dict[str, list[CalledInstance]]:
        names = _NameHistory("instance", rows, self.params.time_range.asof)
        return {
            value: [one for one in rows if one.instance_id.lower() in all_spellings(value)]
            or names.find({value, bare(value)})
            for value in values
        }

    @cached_property
    def _projects_by_name(self) -> dict[str, list[VisibleProject]]:
        """The visible projects that each value of ``project`` means: an id or a name, as above."""
        values = self.params.getlist("project")
        if not values:
            return {}
        names = _NameHistory("project", self.visible, self.params.time_range.asof)
        return {
            value: [one for one in self.visible if one.project_id.lower() in spelled]
            or names.find({value})
            for value in values
            for spelled in [spellings(value)]
        }

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
        return AsOf.load(self.visible_restores, time, self.viewer) if time else None

    @cached_property
    def restores(self) -> RestoreQuerySet:
        """The restores that match every parameter."""
        return self.in_status(self.any_status)

    @cached_property
    def any_status(self) -> RestoreQuerySet:
        """The restores that match every parameter but ``status``, ``stuck`` and ``recovered``."""
        return self.found.rows

    @cached_property
    def found(self) -> SearchResult:
        """The result of the text search among restores in any status; without a text, all."""
        params, asof = self.params, self.asof
        rows = self._of_selected_projects()
        if params.getlist("instance"):
            # By primary key: a join would change the plan. Without the projects, too.
            keys = [instance.pk for instance in self.called]
            rows = _with_key(Restore.objects.all(), "instance", keys)
        if asof:
            rows = asof.known(rows)
        if codes := params.getlist("code"):
            rows = asof.with_code(rows, codes) if asof else rows.with_code(codes)
        if ids := params.ids:
            # Instances by primary key: each side of the "or" has an index then.
            spelled = set().union(*map(spellings, ids))
            instances = Instance.objects.filter(instance_id__lower__in=spelled)
            keys = list(instances.values_list("pk", flat=True))
            rows = rows.filter(
                Q(restore_id__lower__in=spelled)
                | Q(backup_id__lower__in=spelled)
                | Q(instance__in=keys)
            )
        rows = self._in_time_range(rows)
        newest_first = params.sort == "-created" and not params.cursor
        newest_first = newest_first and params.time_range.on != "running"
        return search(
            rows,
            params.get("q"),
            asof,
            projects=None if params.getlist("instance") else self.project_keys,
            newest_first=newest_first,
        )

    def in_status(self, rows: RestoreQuerySet) -> RestoreQuerySet:
        """Filter rows by ``status``, ``stuck`` and ``recovered``."""
        statuses, recovered = self.params.getlist("status"), self.params.get("recovered")
        asof = self.asof
        # Both filters of ``recovered`` imply the status failed.
        if statuses and not (recovered and FAILED.value in statuses):
            rows = asof.in_status(rows, statuses) if asof else rows.in_status(statuses)
        if self.params.get("stuck"):
            rows = self.stuck(rows)
        if recovered == "no":
            rows = asof.unresolved(rows) if asof else rows.unresolved()
        elif recovered:
            rows = asof.recovered(rows) if asof else rows.recovered()
        return rows

    def stuck(self, rows: RestoreQuerySet) -> RestoreQuerySet:
        """Those of the rows that are possibly stuck, in a snapshot those that were."""
        return self.asof.stuck(rows) if self.asof else rows.stuck()

    @property
    def dated(self) -> bool:
        """Whether the time range leaves out every restore without a creation time."""
        time_range = self.params.time_range
        bounded = bool(time_range.start or time_range.end)
        return time_range.on == "running" or (time_range.on == "created" and bounded)

    @property
    def found_by_key(self) -> bool:
        """Whether the time range selects restores by primary key, as ``changed_in`` does."""
        time_range = self.params.time_range
        start, end = time_range.start, time_range.end
        if time_range.on != "changed" or start is None or end is None:
            return False
        return end - start <= CHANGED_BY_KEY

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
    def instances(self) -> InstanceQuerySet:
        """The instances that could have restores of this scope.

        They must have been synced before we may say that there is none.
        """
        if self.params.getlist("instance"):
            return Instance.objects.filter(pk__in=[instance.pk for instance in self.called])
        selected = Q(project__in=[project.pk for project in self.selected])
        return Instance.objects.filter(selected | Q(pk__in=self._moved_since))

    def sync_status(self) -> SyncStatus:
        """Up to when all that can be in this scope is complete."""
        named, keys = bool(self.params.getlist("instance")), self.project_keys
        if not named and not self._moved_since:
            rows = Project.objects.all() if keys is None else Project.objects.filter(pk__in=keys)
            return sync_status_of(self.selected, rows)
        # Of the instances that can have some, and of projects that have one of them.
        having = set(self.instances.values_list("project_id", flat=True))
        if not named:
            having.update(keys or ())
        projects = [project for project in self.visible if project.pk in having]
        return sync_status_of(projects, Project.objects.filter(pk__in=having), self.instances)

    def some_not_monitored(self) -> bool:
        """Whether an instance of this scope is in a project that is no longer monitored."""
        return self.instances.filter(project__monitored=False).exists()

    @property
    def not_found(self) -> list[tuple[str, str]]:
        """Parameters and values that nothing visible has."""
        return self.unknown_filters + [("ids", one.id) for one in self.ids if not one.found]

    @cached_property
    def unknown_filters(self) -> list[tuple[str, str]]:
        """The same without ``ids``, which are listed one by one."""
        return list(self._missing())

    @cached_property
    def ids(self) -> list[FoundId]:
        """What each id of ``ids`` is, among all that the viewer may see."""
        spelled = {one: spellings(one) for one in self.params.ids}
        if not spelled:
            return []
        every = set().union(*spelled.values())
        restores = self.visible_restores
        known = _lower_ids(restores, "restore_id", every)
        restored = restores.filter(backup_id__lower__in=every).order_by()
        counts = dict(restored.values_list("backup_id__lower").annotate(Count("pk")))
        backups = Backup.objects.visible_to(self.viewer)
        existing = _lower_ids(backups, "backup_id", every) | counts.keys()
        instances = Instance.objects.visible_to(self.viewer)
        instances = instances.filter(instance_id__lower__in=every)
        names = dict(instances.values_list("instance_id__lower", "name"))
        narrowed = bool(self.params.values.keys() & {*FILTERS, *TIME_RANGE} - {"ids", "tz", "on"})
        matching = _lower_ids(self.restores, "restore_id", known) if narrowed and known else known
        return [
            FoundId(
                id=one,
                restore=bool(known & all_of),
                listed=bool(matching & all_of),
                backup=bool(existing & all_of),
                restored=sum(counts.get(each, 0) for each in all_of),
                instance=bool(names.keys() & all_of),
                name=next((names[each] for each in all_of if each in names), ""),
            )
            for one, all_of in spelled.items()
        ]

    @property
    def missing_ids(self) -> int:
        """How many ids of ``ids`` are those of nothing that the viewer may see."""
        return sum(not one.found for one in self.ids)

    @cached_property
    def project_keys(self) -> list[int] | None:
        """The primary keys of the selected projects; None if all are selected and visible."""
        if self.viewer.is_superuser and not self._chosen:
            return None
        return [project.pk for project in self.selected]

    @cached_property
    def _projects_then(self) -> dict[int, int]:
        """In a snapshot, the project of each instance that has moved to another since."""
        projects = self.asof.projects if self.asof else {}
        return {instance: project.pk for instance, project in projects.items()}

    @cached_property
    def _moved_since(self) -> list[int]:
        """In a snapshot, the instances that were in a selected project and have moved since."""
        selected = set(self.project_keys or ())
        return [instance for instance, then in self._projects_then.items() if then in selected]

    def _of_selected_projects(self) -> RestoreQuerySet:
        """The restores of the selected projects; in a snapshot, of those that were in them."""
        keys, then = self.project_keys, self._projects_then
        if keys is None or not then:
            return _of_projects(keys)
        others = Restore.objects.filter(project__in=keys).exclude(instance__in=then)
        return others | Restore.objects.filter(instance__in=self._moved_since)

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
                return asof.created_in(rows, start, end) if asof else rows.created_in(start, end)

    @cached_property
    def _long_running(self) -> tuple[datetime, list[int]] | None:
        """A time, and the restores created up to then that may still have run in the range."""
        time_range = self.params.time_range
        start = time_range.start
        if time_range.on != "running" or start is None:
            return None
        longest: float | None = LONG
        if not self.asof:
            durations = Restore.objects.order_by("-duration").values_list("duration", flat=True)
            longest = durations.filter(duration__lte=LONG).first()
        cutoff = start - timedelta(seconds=longest or 0)
        # One by one, because each has an index; and compared with the cutoff here, or SQLite would
        # use another index.
        unknown = Restore.objects.filter(unknown_and_unfinished(start), created_at__lte=cutoff)
        found = Restore.objects.in_progress().union(
            Restore.objects.filter(duration__gt=LONG), unknown, all=True
        )
        rows = found.values_list("pk", "created_at")
        keys = {pk for pk, created_at in rows if created_at and created_at <= cutoff}
        if self.asof:
            # What was in another state then may have run for longer.
            changed = self.asof.changed_since.items()
            keys |= {pk for pk, state in changed if not _is_after(state.now.created_at, cutoff)}
        return cutoff, sorted(keys)

    @cached_property
    def _chosen(self) -> dict[str, tuple[str, ...]]:
        """The values that customers, regions and projects must have, by column."""
        return {
            column: values
            for name, column in _PROJECT_COLUMNS.items()
            if (values := self.params.getlist(name))
        }

    def _missing(self) -> Iterator[tuple[str, str]]:
        for name, column in _PROJECT_COLUMNS.items():
            known = {getattr(project, column) for project in self.visible}
            if name == "project":
                known = {one for one, found in self._projects_by_name.items() if found}
            yield from ((name, one) for one in self.params.getlist(name) if one not in known)
        yield from (("instance", name) for name, found in self._by_name.items() if not found)
        rows, asof = self.visible_restores, self.asof
        with_value = {
            ("code", code): asof.with_code(rows, [code]) if asof else rows.with_code([code])
            for code in self.params.getlist("code")
            if code != "any"
        } | {
            ("status", status): asof.in_status(rows, [status]) if asof else rows.in_status([status])
            for status in self.params.getlist("status")
            if status not in KNOWN and status != OTHER
        }
        if with_value:
            exist = select(self.viewer, *map(Exists, with_value.values()))
            yield from (one for one, exists in zip(with_value, exist, strict=True) if not exists)


def _lower_ids(rows: VisibleQuerySet, column: str, ids: Collection[str]) -> set[str]:
    """Those of the ids that one of the rows has; given and returned in lower case."""
    found = rows.filter(**{f"{column}__lower__in": ids})
    return set(found.values_list(f"{column}__lower", flat=True))


def _id_of(one: CalledInstance | VisibleProject) -> str:
    return one.instance_id if isinstance(one, CalledInstance) else one.project_id


class _NameHistory(Generic[Row]):
    """Some instances or some projects, to be found by the names that they have or had.

    ``kind`` is ``instance`` or ``project``, ``asof`` the time of a snapshot.
    """

    def __init__(self, kind: str, rows: Sequence[Row], asof: datetime | None) -> None:
        self._rows: Sequence[Row] = rows
        self._former: dict[int, set[str]] = defaultdict(set)
        self._at_snapshot: dict[int, str] = {}
        former = FormerName.objects.filter(**{f"{kind}__in": [row.pk for row in rows]})
        names = former.order_by("until", "pk").values_list(f"{kind}_id", "name", "until")
        for key, name, until in names:
            self._former[key].add(name)
            if asof and until > asof:
                self._at_snapshot.setdefault(key, name)

    def find(self, names: set[str]) -> list[Row]:
        """Find by the name at the time of the snapshot, else the present, else a former one."""
        return (
            [row for row in self._rows if self._at_snapshot.get(row.pk, row.name) in names]
            or [row for row in self._rows if row.name in names]
            or [row for row in self._rows if self._former[row.pk] & names]
        )


def _is_after(at: datetime | None, cutoff: datetime) -> bool:
    return at is not None and at > cutoff


def _of_projects(keys: Sequence[int] | None) -> RestoreQuerySet:
    """The restores of these projects, None for all."""
    rows = Restore.objects.all()
    return rows if keys is None else _with_key(rows, "project", keys)


def _with_key(rows: RestoreQuerySet, column: str, keys: Sequence[int]) -> RestoreQuerySet:
    """Rows with one of these foreign keys; with a single one they come in order from its index."""
    return rows.filter(**({column: keys[0]} if len(keys) == 1 else {f"{column}__in": keys}))
