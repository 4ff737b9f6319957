"""The restores that a list's parameters ask for, among those that its viewer may see."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.db.models import Count, Exists, Q

from restores.filters.params import FILTERS, TIME_RANGE
from restores.filters.selection import Selection, of_projects, with_key
from restores.models import Backup, Instance, Project, Restore
from restores.querysets import (
    CHANGED_BY_KEY,
    LONG,
    InstanceQuerySet,
    RestoreQuerySet,
    VisibleQuerySet,
    select,
    unknown_and_unfinished,
)
from restores.search import SearchResult, search
from restores.spellings import spellings
from restores.statuses import FAILED, KNOWN, OTHER
from restores.sync_status import SyncStatus, sync_status_of


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundId:
    """What an id belongs to: a restore, a backup, an instance, or several of them.

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


class Scope(Selection):
    """The restores that the parameters select, in a snapshot by their states at its time.

    Everything starts at the projects that the viewer may see, by primary key, so that the
    indexes that begin with the project can be used.
    """

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
        """The result of the text search among restores in any status; without search text, all."""
        params, asof = self.params, self.asof
        rows = self._of_selected_projects()
        if params.getlist("instance"):
            # By primary key: a join would change the plan. Without the projects, too.
            keys = [instance.pk for instance in self.named_instances]
            rows = with_key(Restore.objects.all(), "instance", keys)
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
    def keyset_projects(self) -> list[int] | None:
        """The projects for ``first_pairs``; None if an index leads to the rows without them.

        These are rows of named instances, and what ``changed_in`` has found by primary key.
        """
        time_range = self.params.time_range
        start, end = time_range.start, time_range.end
        by_key = time_range.on == "changed" and start and end and end - start <= CHANGED_BY_KEY
        return None if by_key or self.params.getlist("instance") else self.project_keys

    def parts(self, rows: RestoreQuerySet) -> list[RestoreQuerySet]:
        """Rows of this scope by creation, newest first, in parts that an index gives directly.

        What was running in a time range began in it or shortly before, except for a few restores
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
            return Instance.objects.filter(
                pk__in=[instance.pk for instance in self.named_instances]
            )
        selected = Q(project__in=[project.pk for project in self.selected])
        return Instance.objects.filter(selected | Q(pk__in=self._moved_since))

    def sync_status(self) -> SyncStatus:
        """The time up to which everything in this scope is complete."""
        named, keys = bool(self.params.getlist("instance")), self.project_keys
        if not named and not self._moved_since:
            rows = Project.objects.all() if keys is None else Project.objects.filter(pk__in=keys)
            return sync_status_of(self.selected, rows)
        # Only instances that can have some, and projects that have one of them.
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
        """Parameters and values that match nothing visible."""
        return self.unknown_filters + [("ids", one.id) for one in self.ids if not one.found]

    @cached_property
    def unknown_filters(self) -> list[tuple[str, str]]:
        """The same without ``ids``, which are listed one by one."""
        return list(self._missing())

    @cached_property
    def ids(self) -> list[FoundId]:
        """What each id in ``ids`` belongs to, among all that the viewer may see."""
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
        """How many ids in ``ids`` belong to nothing that the viewer may see."""
        return sum(not one.found for one in self.ids)

    def _of_selected_projects(self) -> RestoreQuerySet:
        """The restores in the selected projects; in a snapshot, those in them at that time."""
        keys, then = self.project_keys, self._projects_then
        if keys is None or not then:
            return of_projects(keys)
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
        # In separate queries, because each has an index; and compared with the cutoff here, or
        # SQLite would use another index.
        unknown = Restore.objects.filter(unknown_and_unfinished(start), created_at__lte=cutoff)
        found = Restore.objects.in_progress().union(
            Restore.objects.filter(duration__gt=LONG), unknown, all=True
        )
        rows = found.values_list("pk", "created_at")
        keys = {pk for pk, created_at in rows if created_at and created_at <= cutoff}
        if self.asof:
            # A restore that was in another state then may have run for longer.
            changed = self.asof.changed_since.items()
            keys |= {pk for pk, state in changed if not _is_after(state.now.created_at, cutoff)}
        return cutoff, sorted(keys)

    def _missing(self) -> Iterator[tuple[str, str]]:
        yield from self._missing_places()
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


def _is_after(at: datetime | None, cutoff: datetime) -> bool:
    return at is not None and at > cutoff
