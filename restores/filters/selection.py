"""The projects and instances that a list's parameters choose: by id, present or former name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cached_property
from itertools import chain
from typing import Generic, NamedTuple, TypeVar

from restores.asof import AsOf
from restores.filters.params import ListParams
from restores.models import FormerName, FormerProject, Instance, Restore
from restores.querysets import RestoreQuerySet, Viewer
from restores.spellings import all_spellings, bare, spellings
from restores.sync_status import VisibleProject

# The parameters that choose projects, and the columns behind them.
_PROJECT_COLUMNS = {"customer": "customer", "region": "region", "project": "name"}

Row = TypeVar("Row", "NamedInstance", VisibleProject)


class NamedInstance(NamedTuple):
    """An instance that the parameters name, by its id or its name."""

    pk: int
    project_id: int
    instance_id: str
    name: str


class Renamed(NamedTuple):
    """A former name of an instance or a project that a parameter gives, and the present one."""

    name: str
    now: str


class FormerPlace(NamedTuple):
    """The last selected project that an instance was in, and until when."""

    project: int
    until: datetime


class Moved(NamedTuple):
    """An instance that was in a selected project, and the project where it is now."""

    name: str
    instance_id: str
    former: str
    project: str


class Selection:
    """The projects and instances that the parameters select, in a snapshot as they were then."""

    def __init__(
        self,
        params: ListParams,
        viewer: Viewer,
        asof: AsOf | None = None,
        visible: list[VisibleProject] | None = None,
    ) -> None:
        """Pass ``asof`` and ``visible`` if the viewer's have been read already."""
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

    @cached_property
    def project_keys(self) -> list[int] | None:
        """The primary keys of the selected projects; None if all are selected and visible."""
        if self.viewer.is_superuser and not self._chosen:
            return None
        return [project.pk for project in self.selected]

    @property
    def customer_zones(self) -> Iterator[tuple[str, str]]:
        """The customer and the time zone of each selected project."""
        return ((project.customer, project.time_zone) for project in self.selected)

    @cached_property
    def named_instances(self) -> list[NamedInstance]:
        """The instances of the selected projects with the ids or names that the parameters give."""
        found = chain.from_iterable(self._instances_by_name.values())
        return list({one.pk: one for one in found}.values())

    @cached_property
    def renamed(self) -> list[Renamed]:
        """The former names among the parameters."""
        named: list[tuple[str, Sequence[NamedInstance | VisibleProject]]]
        named = [*self._instances_by_name.items(), *self._projects_by_name.items()]
        return [
            Renamed(name, one.name)
            for name, found in named
            for one in found
            if bare(name) != bare(one.name) and _id_of(one).lower() not in all_spellings(name)
        ]

    @cached_property
    def moved(self) -> list[Moved]:
        """The instances that selected projects had in the time range and have no longer.

        Only those that the parameters name, if any; in a snapshot, up to its time.
        """
        if not self._chosen:
            return []
        if self.params.getlist("instance"):
            keys = set(self.selected_keys)
            left = [one for one in self._named_anywhere if one.pk in self._left]
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

        It may be in a project that the viewer can't see.
        """
        keys = {one.pk for one in self.named_instances}
        return any(one.pk not in keys for one in self._left_in_time_range)

    @property
    def visible_keys(self) -> list[int] | None:
        """The primary keys of the visible projects; None for a superuser, who sees all."""
        return None if self.viewer.is_superuser else [project.pk for project in self.visible]

    @cached_property
    def visible_restores(self) -> RestoreQuerySet:
        """All restores that the viewer may see."""
        return of_projects(self.visible_keys)

    @cached_property
    def asof(self) -> AsOf | None:
        """The visible restores that were in another state at the time of the snapshot."""
        time = self.params.time_range.asof
        if self._loaded and self._loaded.time == time:
            return self._loaded
        return AsOf.load(self.visible_restores, time, self.viewer) if time else None

    @cached_property
    def _chosen(self) -> dict[str, tuple[str, ...]]:
        """The values that customers, regions and projects must have, by column."""
        return {
            column: values
            for name, column in _PROJECT_COLUMNS.items()
            if (values := self.params.getlist(name))
        }

    def _missing_places(self) -> Iterator[tuple[str, str]]:
        """The customers, regions, projects and instances that don't exist for this viewer."""
        for name, column in _PROJECT_COLUMNS.items():
            known = {getattr(project, column) for project in self.visible}
            if name == "project":
                known = {one for one, found in self._projects_by_name.items() if found}
            yield from ((name, one) for one in self.params.getlist(name) if one not in known)
        found = self._instances_by_name
        yield from (("instance", name) for name, instances in found.items() if not instances)

    @cached_property
    def _projects_by_name(self) -> dict[str, list[VisibleProject]]:
        """The visible projects that each value of ``project`` names: by id or name, as below."""
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
    def _instances_by_name(self) -> dict[str, list[NamedInstance]]:
        """The instances of the selected projects that each value of ``instance`` names.

        By id, or by name: the one that the instance had then, the present one, or a former one.
        An instance that has left these projects is found where it is now.
        """
        values = self.params.getlist("instance")
        if not values:
            return {}
        keys = set(self.selected_keys)
        here = [one for one in self._named_anywhere if self._project_of(one) in keys]
        found = self._find_named(values, here)
        if not all(found.values()):
            # But not at another customer, whose restores must be in no report for the previous one.
            customers = self.params.getlist("customer")
            visible = [one for one in self.visible if not customers or one.customer in customers]
            others = {project.pk for project in visible}
            left = [one for one in self._named_anywhere if one.pk in self._left]
            there = self._find_named(
                values, [one for one in left if self._project_of(one) in others]
            )
            found = {value: rows or there[value] for value, rows in found.items()}
        return found

    def _find_named(
        self, values: Sequence[str], rows: Sequence[NamedInstance]
    ) -> dict[str, list[NamedInstance]]:
        names = _NameHistory("instance", rows, self.params.time_range.asof)
        return {
            value: [one for one in rows if one.instance_id.lower() in all_spellings(value)]
            or names.find({value, bare(value)})
            for value in values
        }

    @cached_property
    def _named_anywhere(self) -> list[NamedInstance]:
        """All instances with the ids or the present or former names that the parameters give."""
        values = self.params.getlist("instance")
        if not values:
            return []
        names = {*values, *map(bare, values)}
        former = FormerName.objects.filter(instance__isnull=False, name__in=names)
        rows = Instance.objects.named(values)
        rows |= Instance.objects.filter(pk__in=former.values("instance_id"))
        return list(map(NamedInstance._make, rows.values_list(*NamedInstance._fields)))

    def _project_of(self, one: NamedInstance) -> int:
        """The project of an instance, in a snapshot then."""
        return self._projects_then.get(one.pk, one.project_id)

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

    @cached_property
    def _left(self) -> dict[int, FormerPlace]:
        """The instances that have left the selected projects, in a snapshot by its time."""
        rows = FormerProject.objects.filter(project__in=self.selected_keys)
        if at := self.params.time_range.asof:
            rows = rows.filter(until__lte=at)
        # The last one counts.
        return {
            instance: FormerPlace(project, until)
            for instance, project, until in rows.values_list("instance_id", "project_id", "until")
        }

    @cached_property
    def _left_in_time_range(self) -> list[NamedInstance]:
        """The instances that left after the time range began, and haven't come back."""
        start, keys = self.params.time_range.start, set(self.selected_keys)
        left = [key for key, one in self._left.items() if start is None or one.until > start]
        if not left:
            return []
        rows = Instance.objects.filter(pk__in=left).order_by("name", "pk")
        found = map(NamedInstance._make, rows.values_list(*NamedInstance._fields))
        named = {one.pk for one in self._named_anywhere}
        return [
            one
            for one in found
            if self._project_of(one) not in keys
            and (one.pk in named or not self.params.getlist("instance"))
        ]


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


def _id_of(one: NamedInstance | VisibleProject) -> str:
    return one.instance_id if isinstance(one, NamedInstance) else one.project_id


def of_projects(keys: Sequence[int] | None) -> RestoreQuerySet:
    """The restores of these projects, None for all."""
    rows = Restore.objects.all()
    return rows if keys is None else with_key(rows, "project", keys)


def with_key(rows: RestoreQuerySet, column: str, keys: Sequence[int]) -> RestoreQuerySet:
    """Rows with one of these foreign keys; with a single one they come in order from its index."""
    return rows.filter(**({column: keys[0]} if len(keys) == 1 else {f"{column}__in": keys}))
