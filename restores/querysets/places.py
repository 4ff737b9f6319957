"""Questions over projects and instances."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from django.db import models
from django.db.models import Count, Min, Q

from restores.querysets.literals import FAULTY, LACKING
from restores.querysets.slots import Slot
from restores.querysets.visible import Visible

# Faults that are worth a line, though the looks go on and prove what they prove.
NOTES = ("clock", "discovery")
FINE = ("", *NOTES)
_HEALTHY = {
    "fault_kind": "",
    "project__fault_kind__in": FINE,
    "project__account__fault_kind__in": FINE,
}


class ProjectQuerySet(Visible):
    """Projects."""

    memberships = "memberships"

    def watched(self) -> Self:
        """Projects that the projects file names."""
        return self.filter(configured=True)

    def named(self, names: Iterable[str]) -> Self:
        """Projects with these names."""
        return self.filter(name__in=list(names))

    def names(self) -> list[str]:
        """The projects' names in order, each once."""
        return list(self.order_by("name").values_list("name", flat=True).distinct())

    def with_proofs(self) -> Self:
        """Add each project's oldest proof among healthy instances, and counts of instances."""
        watched = Q(instances__single=False, instances__gone_at=None)
        healthy = watched & Q(instances__fault_kind="")
        return self.annotate(
            oldest_proof=Min("instances__proven_at", filter=healthy),
            unlooked=Count("instances", filter=healthy & Q(instances__proven_at=None)),
            watched_count=Count("instances", filter=watched),
            faulty_count=Count("instances", filter=watched & ~Q(instances__fault_kind="")),
            single_count=Count(
                "instances", filter=Q(instances__single=True, instances__gone_at=None)
            ),
        )


class InstanceQuerySet(Visible):
    """Instances."""

    def watched(self) -> Self:
        """Instances whose restores we look at: present, restorable, in a watched project."""
        return self.filter(single=False, gone_at=None, project__configured=True)

    def healthy(self) -> Self:
        """Instances whose last look succeeded, in projects whose last look did."""
        return self.filter(**_HEALTHY)

    def faulty(self) -> Self:
        """Instances whose own last look failed."""
        return self.filter(FAULTY)

    def lacking(self) -> Self:
        """Instances whose own last look failed, or that were never proven."""
        return self.filter(LACKING)

    def in_trouble(self) -> Self:
        """Watched instances whose last look failed, or their project's or account's."""
        return self.watched().exclude(**_HEALTHY)

    def in_projects(self, names: Iterable[str]) -> Self:
        """Instances of the projects with these names."""
        return self.filter(project__name__in=list(names))

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
        own = models.Case(models.When(fault_kind="", then=1), default=0)
        off = models.Case(
            models.When(single=False, gone_at=None, project__configured=True, then=0), default=1
        )
        return self.order_by(off, own, models.F("proven_at").asc(nulls_first=True), "name", "pk")
