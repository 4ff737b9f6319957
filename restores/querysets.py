"""QuerySets of projects, instances and restores: who may see them, filters and orders."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any, Self

from django.contrib.auth.models import AnonymousUser, User
from django.db import models
from django.db.models import Count, Exists, F, Min, OuterRef, Q, Subquery, Value
from django.db.models.functions import Lower

from restores.spellings import all_spellings, bare, spellings
from restores.statuses import (
    FAILED,
    FINAL,
    GROUPS,
    IN_PROGRESS,
    KNOWN,
    OTHER,
    SUCCEEDED,
    group_of,
)

# IDs are found regardless of case: "instance_id__lower__in".
models.CharField.register_lookup(Lower)

Viewer = User | AnonymousUser

# Sync errors that are only worth a note: syncs go on, and what is complete stays complete.
NON_BLOCKING_KINDS = ("clock", "discovery")
HEALTHY_KINDS = ("", *NON_BLOCKING_KINDS)
# A restore unchanged for this long won't change, nor will one this old of unknown status.
UNFINISHED_FOR, _UNKNOWN_MAX_AGE = timedelta(hours=24), timedelta(days=7)
_ENDED = tuple(group for group, statuses in GROUPS.items() if {*statuses} <= {*FINAL})
# Changes in a range no longer than this are looked up first.
CHANGED_BY_KEY = timedelta(days=31)
# How many events are deleted per statement.
_PRUNE_BATCH = 5000
# Seconds; the few restores that took longer are looked up by themselves.
LONG = 86_400.0

_MONITORED = Q(single_node=False, deleted_at=None, project__monitored=True)
_HEALTHY = Q(
    sync_error_kind="",
    project__sync_error_kind__in=HEALTHY_KINDS,
    project__account__sync_error_kind__in=HEALTHY_KINDS,
)
_SYNCED = Q(single_node=False)
_OWN_HEALTHY = Q(sync_error_kind__in=HEALTHY_KINDS)
_SYNC_COUNTS = {
    "instance_count": Count("pk", filter=_SYNCED),
    "single_node_count": Count("pk", filter=~_SYNCED),
    "sync_error_count": Count("pk", filter=_SYNCED & ~Q(sync_error_kind="")),
    "never_synced_count": Count("pk", filter=_SYNCED & Q(complete_to=None)),
    "healthy_never_synced_count": Count("pk", filter=_SYNCED & _OWN_HEALTHY & Q(complete_to=None)),
    "oldest_complete_to": Min("complete_to", filter=_SYNCED),
    "healthy_oldest_complete_to": Min("complete_to", filter=_SYNCED & _OWN_HEALTHY),
}
# The values of the filter "state".
INSTANCE_STATES = {
    "problem": _MONITORED & ~_HEALTHY,
    "never_synced": _MONITORED & _HEALTHY & Q(complete_to=None),
    "complete": _MONITORED & _HEALTHY & Q(complete_to__isnull=False),
}


class VisibleQuerySet(models.QuerySet[Any]):
    """Rows of a project, directly or by a path."""

    project_path = "project__"

    def visible_to(self, user: Viewer) -> Self:
        """Rows of the projects that the user is a member of; a superuser sees all.

        With an API token for some projects, those of them that its user sees (``api_tokens``).
        """
        only: list[int] | None = getattr(user, "only_projects", None)
        if only is not None:
            return self.filter(**{f"{self.project_path}pk__in": only})
        if user.is_superuser:
            return self.all()
        return self.filter(**{f"{self.project_path}memberships__user_id": user.pk})


class ProjectQuerySet(VisibleQuerySet):
    """Projects: which are monitored, and how current their instances are."""

    project_path = ""

    def monitored(self) -> Self:
        """Projects that the projects file names."""
        return self.filter(monitored=True)

    def named(self, name: str) -> Self:
        """Projects with this name, or with this id in any spelling of a ticket."""
        return self.filter(Q(name=name) | Q(project_id__lower__in=spellings(name)))


class InstanceQuerySet(VisibleQuerySet):
    """Instances: by what is known about them, by names and by text, and their orders."""

    def monitored(self) -> Self:
        """Instances that we sync: present, restorable, in a monitored project."""
        return self.filter(_MONITORED)

    def sync_counts(self) -> dict[str, Any]:
        """How current the instances are, as ``ProjectState`` stores it.

        Whether their project is monitored is ignored.
        """
        return self.filter(deleted_at=None).aggregate(**_SYNC_COUNTS)

    def sync_counts_by_project(self) -> dict[int, dict[str, Any]]:
        """The same for each project, by its primary key."""
        rows = self.filter(deleted_at=None).order_by().values("project_id")
        return {row.pop("project_id"): row for row in rows.annotate(**_SYNC_COUNTS)}

    def in_projects(self, names: Iterable[str]) -> Self:
        """Instances of the projects with these names or ids."""
        given = list(names)
        ids = set().union(*map(spellings, given))
        return self.filter(Q(project__name__in=given) | Q(project__project_id__lower__in=ids))

    def of_customers(self, customers: Iterable[str]) -> Self:
        """Instances of these customers."""
        return self.filter(project__customer__in=list(customers))

    def in_states(self, states: Iterable[str]) -> Self:
        """Instances in one of these ``INSTANCE_STATES``."""
        return self.filter(reduce(or_, (INSTANCE_STATES[state] for state in states)))

    def named(self, names: Iterable[str]) -> Self:
        """Instances with one of these ids, in any spelling of a ticket, or one of these names."""
        given = list(names)
        spelled = set().union(*map(all_spellings, given))
        return self.filter(
            Q(instance_id__lower__in=spelled) | Q(name__in={*given, *map(bare, given)})
        )

    def matching(self, text: str) -> Self:
        """Instances in whose name, id, ip, domain or customer every word occurs."""
        rows = self
        for word in text.casefold().split():
            rows = rows.filter(search__contains=word)
        return rows

    def sorted_by(self, name: str) -> Self:
        """By one column, ``-`` for descending; NULLs last both ways, ties by id."""
        column = F(name.removeprefix("-"))
        if name.startswith("-"):
            return self.order_by(column.desc(nulls_last=True), "-pk")
        return self.order_by(column.asc(nulls_last=True), "pk")

    def problems_first(self) -> Self:
        """Those with a sync error, then those never synced, then by the oldest ``complete_to``.

        Instances that are not monitored come last.
        """
        own = models.Case(models.When(sync_error_kind="", then=1), default=0)
        unmonitored = models.Case(models.When(_MONITORED, then=0), default=1)
        return self.order_by(unmonitored, own, F("complete_to").asc(nulls_first=True), "name", "pk")


class BackupQuerySet(VisibleQuerySet):
    """Backups."""

    project_path = "instance__project__"


class RestoreQuerySet(VisibleQuerySet):
    """Restores: by status, error code and time."""

    def in_status(self, statuses: Iterable[str]) -> Self:
        """With one of these statuses, spelled as the cloud does, or ``other``."""
        return self.filter(status_is(statuses))

    def in_progress(self) -> Self:
        """Waiting and restoring."""
        return self.in_status(IN_PROGRESS)

    def stuck(self) -> Self:
        """In progress and possibly stuck, as far as syncs have proven."""
        return self.in_progress().filter(stuck_at__lte=self._complete_to())

    def most_urgent(self, limit: int) -> Self:
        """The first in progress: those possibly stuck, then by creation, the oldest first."""
        stuck = models.When(stuck_at__lte=self._complete_to(), then=0)
        later = models.Case(stuck, default=1)
        oldest = F("created_at").asc(nulls_last=True)
        return self.in_progress().order_by(later, oldest, "pk")[:limit]

    def succeeded(self) -> Self:
        """Succeeded."""
        return self.in_status([SUCCEEDED.value])

    def failed(self) -> Self:
        """Failed, recovered or not."""
        return self.in_status([FAILED.value])

    def unresolved(self) -> Self:
        """Failed, and no later restore of the instance has succeeded."""
        return self.failed().filter(recovered_at=None)

    def recovered(self) -> Self:
        """Failed, and a later restore of the instance has succeeded."""
        return self.failed().exclude(recovered_at=None)

    def with_code(self, codes: Iterable[str]) -> Self:
        """With one of these error codes; ``any`` stands for any code."""
        return self.filter(code_is(codes))

    def with_code_spelled(self, spellings: Iterable[str]) -> Self:
        """With an error code that is spelled exactly like this, even if it is ``any``."""
        return self.filter(_coded(spellings))

    def with_code_like(self, code: str) -> Self:
        """With this error code in capitals, small letters or both."""
        rows = self.alias(folded=Lower("error_code")).exclude(error_code="")
        return rows.filter(folded=Lower(Value(code)))

    def unfinished(self, now: datetime) -> Self:
        """Not in a final status, and not for too long: may still change."""
        since = now - UNFINISHED_FOR
        recent = Q(created_at__gte=since) | Q(changed_at__gte=since)
        return self.filter(unknown_and_unfinished(now) | (Q(status_group="in_progress") & recent))

    def created_in(self, start: datetime | None, end: datetime | None) -> Self:
        """Created within ``start <= t < end``; an open side is None."""
        return self._in_range("created_at", start, end)

    def undated(self, on: str) -> Self:
        """Restores whose creation or end has no usable time: no time range can rule them out."""
        created, ended = Q(created_at=None), Q(status_group__in=_ENDED, ended_at=None)
        conditions = {"created": created, "ended": ended, "running": created | ended}
        return self.filter(conditions[on]) if on in conditions else self.none()

    def ended_in(self, start: datetime | None, end: datetime | None) -> Self:
        """Finished within the range."""
        return self._in_range("ended_at", start, end).exclude(ended_at=None)

    def changed_in(self, start: datetime | None, end: datetime | None) -> Self:
        """Seen to begin, change or end within the range, regardless of later changes.

        Each change of status, progress or error code is an observation; of other changes, such as
        a remark's, only the last is known.
        """
        if start is None or end is None:
            # It began before the range ends; its last change is not before the range begins.
            return self._in_range("first_seen_at", None, end)._in_range("changed_at", start, None)
        everything = type(self)(self.model, using=self.db)
        observed = everything.filter(
            observations__recorded_at__gte=start, observations__recorded_at__lt=end
        )
        if end - start > CHANGED_BY_KEY:
            # So many restores match that scanning the newest quickly finds a page.
            observed = observed.filter(pk=OuterRef("pk"))
            return self.filter(
                Q(changed_at__lt=end) | Exists(observed),
                first_seen_at__lt=end,
                changed_at__gte=start,
            )
        last = everything.filter(changed_at__gte=start, changed_at__lt=end)
        return self.filter(pk__in=last.values("pk").union(observed.values("pk")))

    def running_in(self, start: datetime | None, end: datetime | None) -> Self:
        """Waiting, restoring or of unknown status and unfinished at some time within the range."""
        rows = self.exclude(created_at=None)
        if end:
            rows = rows.filter(created_at__lt=end)
        if start:
            still_running = Q(status_group="in_progress") | unknown_and_unfinished(start)
            # The last term keeps restores without a duration.
            rows = rows.filter(still_running | Q(ended_at__gt=start) | Q(created_at__gte=start))
        return rows

    def newest(self, limit: int) -> list[Any]:
        """The newest rows; those without a creation time come last.

        Two queries, because PostgreSQL would sort all rows for NULLS LAST.
        """
        rows = list(self.exclude(created_at=None).order_by("-created_at", "-pk")[:limit])
        if len(rows) < limit:
            rows += self.filter(created_at=None).order_by("-pk")[: limit - len(rows)]
        return rows

    def _complete_to(self) -> Subquery:
        """The time up to which a restore's instance is complete.

        Not by a join: SQLite would begin it with all instances (25 ms for 10,000).
        """
        instances = self.model._meta.get_field("instance").related_model._default_manager
        return Subquery(instances.filter(pk=OuterRef("instance")).values("complete_to"))

    def _in_range(self, column: str, start: datetime | None, end: datetime | None) -> Self:
        edges = {f"{column}__gte": start, f"{column}__lt": end}
        return self.filter(**{name: edge for name, edge in edges.items() if edge})


class AppendOnlyError(Exception):
    """Raised by an attempt to change the audit log."""

    def __init__(self) -> None:
        super().__init__(
            "The audit log can’t be changed; only “manage.py prune” deletes old events"
        )


class AppendOnlyQuerySet(models.QuerySet[Any]):
    """Rows that are written once: they can be added and read."""

    def update(self, **kwargs: Any) -> int:
        """Refuse."""
        raise AppendOnlyError

    def delete(self) -> tuple[int, dict[str, int]]:
        """Refuse."""
        raise AppendOnlyError


class EventQuerySet(AppendOnlyQuerySet):
    """Events of the audit log."""

    def about(self, projects: ProjectQuerySet) -> Self:
        """Events about any of these projects."""
        links = self.model.projects.through.objects.filter(event=OuterRef("pk"))
        # Their keys are read first: databases would look for the projects once per event.
        keys = list(projects.values_list("pk", flat=True))
        return self.filter(Exists(links.filter(project__in=keys)))

    def prune(self, before: datetime) -> int:
        """Delete those older than a time, a batch at a time, and return how many there were."""
        old, count = self.filter(at__lt=before).order_by("pk"), 0
        while keys := list(old.values_list("pk", flat=True)[:_PRUNE_BATCH]):
            # Django's own delete(), which also deletes the events' projects.
            super(AppendOnlyQuerySet, self.filter(pk__in=keys)).delete()
            count += len(keys)
        return count


def select(viewer: Viewer, *expressions: Any) -> tuple[Any, ...]:
    """Evaluate sub-selects in one query: on the viewer's own row, which is always there."""
    return User.objects.filter(pk=viewer.pk or 0).values_list(*expressions).get()


def unknown_and_unfinished(at: datetime) -> Q:
    """The condition that a restore has a status that we don't know and may still change.

    It may for a day after its last change, and for a week after its creation.
    """
    changed_since, created_since = at - UNFINISHED_FOR, at - _UNKNOWN_MAX_AGE
    young = Q(created_at__gte=created_since) | Q(created_at=None, first_seen_at__gte=created_since)
    return young & Q(status_group=OTHER, changed_at__gte=changed_since)


def unknown_is_unfinished(created_at: datetime, changed_at: datetime, at: datetime) -> bool:
    """The same for one restore of unknown status."""
    return changed_at >= at - UNFINISHED_FOR and created_at >= at - _UNKNOWN_MAX_AGE


def status_is(statuses: Iterable[str]) -> Q:
    """The condition that a restore has one of these statuses; ``other``: one we don't know.

    A whole status group is filtered by that column alone, which leads the indexes.
    """
    wanted = set(statuses)
    if OTHER in wanted:
        known = wanted & KNOWN.keys()
        return Q(status_group=OTHER) | status_is(known) if known else Q(status_group=OTHER)
    groups = {group_of(status) for status in wanted}
    if len(groups) > 1:
        return Q(status__in=sorted(wanted))
    (group,) = groups
    if set(GROUPS.get(group, ())) == wanted:
        return Q(status_group=group)
    return Q(status_group=group, status__in=sorted(wanted))


def code_is(codes: Iterable[str]) -> Q:
    """The condition that a restore has one of these error codes, or any."""
    wanted = list(codes)
    return ~Q(error_code="") if "any" in wanted else _coded(wanted)


def _coded(codes: Iterable[str]) -> Q:
    # The databases match a partial index only to the same words, so they are repeated.
    return Q(error_code__in=list(codes)) & ~Q(error_code="")
