"""Questions over projects and instances."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Self

from django.db import models
from django.db.models import Count, Min, Q

from restores.querysets.literals import FAULTY, LACKING
from restores.querysets.slots import Slot
from restores.querysets.visible import Visible

# Faults that are worth a line, though the looks go on and prove what they prove.
NON_BLOCKING_KINDS = ("clock", "discovery")
HEALTHY_KINDS = ("", *NON_BLOCKING_KINDS)
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


class ProjectQuerySet(Visible):
    """Projects."""

    memberships = "memberships"

    def monitored(self) -> Self:
        """Projects that the projects file names."""
        return self.filter(monitored=True)

    def with_proofs(self) -> Self:
        """Add each project's oldest proof among healthy instances, and counts of instances."""
        monitored = Q(instances__single_node=False, instances__deleted_at=None)
        healthy = monitored & Q(instances__sync_error_kind="")
        return self.annotate(
            oldest_proof=Min("instances__complete_to", filter=healthy),
            never_synced=Count("instances", filter=healthy & Q(instances__complete_to=None)),
            watched_count=Count("instances", filter=monitored),
            faulty_count=Count("instances", filter=monitored & ~Q(instances__sync_error_kind="")),
            single_count=Count(
                "instances", filter=Q(instances__single_node=True, instances__deleted_at=None)
            ),
        )


class InstanceQuerySet(Visible):
    """Instances."""

    def monitored(self) -> Self:
        """Instances whose restores we look at: present, restorable, in a monitored project."""
        return self.filter(_MONITORED)

    def healthy(self) -> Self:
        """Instances whose last look succeeded, in projects whose last look did."""
        return self.filter(_HEALTHY)

    def with_sync_errors(self) -> Self:
        """Instances whose own last look failed."""
        return self.filter(FAULTY)

    def lacking(self) -> Self:
        """Instances whose own last look failed, or that were never proven."""
        return self.filter(LACKING)

    def in_projects(self, names: Iterable[str]) -> Self:
        """Instances of the projects with these names."""
        return self.filter(project__name__in=list(names))

    def of_customers(self, customers: Iterable[str]) -> Self:
        """Instances of these customers."""
        return self.filter(project__customer__in=list(customers))

    def in_states(self, states: Iterable[str]) -> Self:
        """Instances in one of these ``INSTANCE_STATES``."""
        return self.filter(reduce(or_, (INSTANCE_STATES[state] for state in states)))

    def called(self, names: Iterable[str | Slot]) -> Self:
        """Instances with one of these ids, or one of these names."""
        asked = list(names)
        return self.filter(Q(instance_id__in=asked) | Q(name__in=asked))

    def matching(self, text: str) -> Self:
        """Instances in whose name, id, ip, domain or customer every word occurs."""
        rows = self
        for word in text.casefold().split():
            rows = rows.filter(search__contains=word)
        return rows

    def sorted_by(self, name: str) -> Self:
        """By one column, ``-`` for descending; NULLs last both ways, ties by id."""
        column = models.F(name.removeprefix("-"))
        if name.startswith("-"):
            return self.order_by(column.desc(nulls_last=True), "-pk")
        return self.order_by(column.asc(nulls_last=True), "pk")

    def trouble_first(self) -> Self:
        """Those with a fault, then those never proven, then by the oldest proof."""
        own = models.Case(models.When(sync_error_kind="", then=1), default=0)
        off = models.Case(
            models.When(single_node=False, deleted_at=None, project__monitored=True, then=0),
            default=1,
        )
        return self.order_by(off, own, models.F("complete_to").asc(nulls_first=True), "name", "pk")
