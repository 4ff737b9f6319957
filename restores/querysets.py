"""QuerySets of projects, instances and restores: who may see them, filters and orders."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any, Self

from django.contrib.auth.models import AnonymousUser, User
from django.db import models
from django.db.models import Count, Exists, F, Min, OuterRef, Q

from restores.statuses import FAILED, GROUPS, IN_PROGRESS, OTHER, SUCCEEDED, group_of

Viewer = User | AnonymousUser

# Sync errors that are only worth a note: syncs go on, and what is complete stays complete.
NON_BLOCKING_KINDS = ("clock", "discovery")
HEALTHY_KINDS = ("", *NON_BLOCKING_KINDS)
# An unknown status counts as running for so long after the restore was created.
UNKNOWN_RUNS = timedelta(hours=24)
# Seconds; the few restores that took longer are looked up by themselves.
LONG = 86_400.0

_MONITORED = Q(single_node=False, deleted_at=None, project__monitored=True)
_HEALTHY = Q(
    sync_error_kind="",
    project__sync_error_kind__in=HEALTHY_KINDS,
    project__account__sync_error_kind__in=HEALTHY_KINDS,
)
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
        """Rows of the projects that the user is a member of; a superuser sees all."""
        if user.is_superuser:
            return self.all()
        return self.filter(**{f"{self.project_path}memberships__user_id": user.pk})


class ProjectQuerySet(VisibleQuerySet):
    """Projects: which are monitored, and how far their instances are complete."""

    project_path = ""

    def monitored(self) -> Self:
        """Projects that the projects file names."""
        return self.filter(monitored=True)

    def with_instance_counts(self) -> Self:
        """Add the oldest ``complete_to`` of each project's healthy instances, and counts."""
        monitored = Q(instances__single_node=False, instances__deleted_at=None)
        healthy = monitored & Q(instances__sync_error_kind="")
        return self.annotate(
            oldest_complete_to=Min("instances__complete_to", filter=healthy),
            never_synced=Count("instances", filter=healthy & Q(instances__complete_to=None)),
            monitored_count=Count("instances", filter=monitored),
            sync_error_count=Count(
                "instances", filter=monitored & ~Q(instances__sync_error_kind="")
            ),
            single_node_count=Count(
                "instances", filter=Q(instances__single_node=True, instances__deleted_at=None)
            ),
        )


class InstanceQuerySet(VisibleQuerySet):
    """Instances: by what is known of them, by names and by text, and their orders."""

    def monitored(self) -> Self:
        """Instances that we sync: present, restorable, in a monitored project."""
        return self.filter(_MONITORED)

    def incomplete(self) -> Self:
        """Instances whose own last sync failed, or that were never synced."""
        return self.filter(~Q(sync_error_kind="") | Q(complete_to=None))

    def with_sync_errors(self) -> Self:
        """Instances whose own last sync failed."""
        return self.exclude(sync_error_kind="")

    def in_projects(self, names: Iterable[str]) -> Self:
        """Instances of the projects with these names."""
        return self.filter(project__name__in=list(names))

    def of_customers(self, customers: Iterable[str]) -> Self:
        """Instances of these customers."""
        return self.filter(project__customer__in=list(customers))

    def in_states(self, states: Iterable[str]) -> Self:
        """Instances in one of these ``INSTANCE_STATES``."""
        return self.filter(reduce(or_, (INSTANCE_STATES[state] for state in states)))

    def called(self, names: Iterable[str]) -> Self:
        """Instances with one of these ids, or one of these names."""
        names = list(names)
        return self.filter(Q(instance_id__in=names) | Q(name__in=names))

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


class RestoreQuerySet(VisibleQuerySet):
    """Restores: by status, error code and time."""

    def in_status(self, statuses: Iterable[str]) -> Self:
        """With one of these statuses, spelled as the cloud does."""
        return self.filter(status_is(statuses))

    def in_progress(self) -> Self:
        """Waiting and restoring."""
        return self.in_status(IN_PROGRESS)

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

    def unfinished(self, since: datetime) -> Self:
        """Not in a final status, and created or changed since ``since``: may still change."""
        return self.filter(
            Q(created_at__gte=since) | Q(changed_at__gte=since),
            status_group__in=["in_progress", OTHER],
        )

    def created_in(self, start: datetime | None, end: datetime | None) -> Self:
        """Created within ``start <= t < end``; an open side is None."""
        return self._in_range("created_at", start, end)

    def ended_in(self, start: datetime | None, end: datetime | None) -> Self:
        """Ended within the range."""
        return self._in_range("ended_at", start, end).exclude(ended_at=None)

    def changed_in(self, start: datetime | None, end: datetime | None) -> Self:
        """Seen to begin, change or end within the range, whatever has changed since.

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
        if end - start > timedelta(days=31):
            # So many restores fit that walking the newest finds a page of them at once.
            observed = observed.filter(pk=OuterRef("pk"))
            return self.filter(
                Q(changed_at__lt=end) | Exists(observed),
                first_seen_at__lt=end,
                changed_at__gte=start,
            )
        last = everything.filter(changed_at__gte=start, changed_at__lt=end)
        return self.filter(pk__in=last.values("pk").union(observed.values("pk")))

    def running_in(self, start: datetime | None, end: datetime | None) -> Self:
        """Waiting or restoring at some time within the range; an unknown status runs for a day."""
        rows = self.exclude(created_at=None)
        if end:
            rows = rows.filter(created_at__lt=end)
        if start:
            young = Q(created_at__gt=start - UNKNOWN_RUNS)
            still_running = Q(status_group="in_progress") | (Q(status_group=OTHER) & young)
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

    def _in_range(self, column: str, start: datetime | None, end: datetime | None) -> Self:
        edges = {f"{column}__gte": start, f"{column}__lt": end}
        return self.filter(**{name: edge for name, edge in edges.items() if edge})


def select(viewer: Viewer, *expressions: Any) -> tuple[Any, ...]:
    """Evaluate sub-selects in one query: on the viewer's own row, which is always there."""
    return User.objects.filter(pk=viewer.pk or 0).values_list(*expressions).get()


def status_is(statuses: Iterable[str]) -> Q:
    """The condition that a restore has one of these statuses.

    A whole status group is filtered by that column alone, which leads the indexes.
    """
    wanted = set(statuses)
    groups = {group_of(status) for status in wanted}
    if len(groups) > 1:
        return Q(status__in=sorted(wanted))
    (group,) = groups
    if set(GROUPS.get(group, ())) == wanted:
        return Q(status_group=group)
    return Q(status_group=group, status__in=sorted(wanted))


def code_is(codes: Iterable[str]) -> Q:
    """The condition that a restore has one of these error codes, or any.

    That there is a code is repeated: the databases match a partial index to the same words only.
    """
    wanted = list(codes)
    some = ~Q(error_code="")
    return some if "any" in wanted else Q(error_code__in=wanted) & some
