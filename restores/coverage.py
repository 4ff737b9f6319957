"""What is known, and until when: the oldest proof in a scope, and whatever spoils it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.db.models import Count, F, Min, Q, QuerySet

from restores.faults import Fault, of_instances, of_projects
from restores.models import Instance, Project
from restores.querysets import FINE, InstanceQuerySet, ProjectQuerySet
from restores.querysets.asking import Bound, ask_anew, pose, together

_NAMED = 3
# How the list of a project's instances stands.
LISTS = ("fault_kind", "account__fault_kind", "listed_at", "restoring_count_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How far the restores of a scope are known.

    ``complete_to`` is the oldest proof among its healthy instances and the lists of instances,
    None while one of them was never proven; the others are named by ``faults``. ``known_to`` is
    the same with nothing left out: what is held until then is all there is. ``checked_at`` is the
    oldest count of what is restoring. ``watched`` says whether any instance is; ``projects`` counts
    those that are, ``unlooked`` the healthy instances without any proof, of so many ``instances``,
    which are counted only then.
    """

    complete_to: datetime | None
    known_to: datetime | None
    checked_at: datetime | None
    watched: bool
    projects: int
    unlooked: int
    instances: int
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Emptiness:
    """What it means that a window is empty.

    ``none``: there was nothing, and every look came after the window. ``unknown``: not known yet,
    or never, where an instance is ``lost``: gone before a look could see its last restores.
    ``outside``: nothing there is watched.
    """

    kind: Literal["none", "unknown", "outside"]
    lost: tuple[Instance, ...] = ()


def coverage_of(
    instances: InstanceQuerySet, projects: ProjectQuerySet | None = None, named: int = 10
) -> Coverage:
    """Sum up the watched instances among ``instances``; at most ``named`` faults are named.

    ``projects`` are those in which instances may belong to the scope that nobody has listed yet;
    by default the projects of the instances.
    """
    if projects is None:
        projects = Project.objects.filter(pk__in=instances.order_by().values("project_id"))
    return kept_coverage(None, lambda: instances, lambda: projects, named=named)


def kept_coverage(
    key: Hashable,
    instances: Callable[[], InstanceQuerySet],
    projects: Callable[[], ProjectQuerySet],
    lists: Sequence[Any] | None = None,
    beside: Sequence[Bound] = (),
    named: int = 10,
) -> Coverage:
    """The same, of a scope that is asked for often: its ``key`` says which it is.

    ``lists`` holds ``LISTS`` of each watched project in it, if they have been read. The questions
    ``beside`` are asked in the same trip; their answers are never older than what is told here.
    """

    def posed(name: str, question: Callable[[], QuerySet[Any, Any]]) -> Bound:
        return pose(key and ("coverage", name, key), question)

    # A list that names a new instance must not stand for the instances that were read before it.
    first = [] if lists is not None else [posed("lists", lambda: _lists(projects()))]
    lacking = posed("lacking", lambda: _first_lacking(instances()))
    oldest = posed("oldest", lambda: _oldest_proofs(instances()))
    together(*first, lacking, oldest, *beside)
    listed = _listed(first[0].rows if first else lists or ())
    if not listed["troubled"] and not lacking.rows:
        return _summed(listed, _proven_looks(oldest.rows), ())
    found = _spoilt(listed, instances().watched(), projects().watched(), named)
    ask_anew(*beside)
    return found


def _spoilt(
    listed: dict[str, Any], instances: InstanceQuerySet, projects: ProjectQuerySet, named: int
) -> Coverage:
    """Where something is wrong every instance is read, for what is known of the others."""
    faults = of_projects(projects, named)
    faults += of_instances(instances, named - len(faults))
    return _summed(listed, _looks(instances), faults)


def _summed(listed: dict[str, Any], looks: dict[str, Any], faults: Sequence[Fault]) -> Coverage:
    complete = looks["healthy"] and not looks["unlooked"] and not listed["unlisted"]
    unproven = looks["unproven"] or listed["unproven"]
    return Coverage(
        complete_to=_oldest(looks["complete_to"], listed["complete_to"]) if complete else None,
        known_to=None if unproven else _oldest(looks["known_to"], listed["known_to"]),
        checked_at=listed["checked"],
        watched=looks["watched"] > 0,
        projects=listed["watched"],
        unlooked=looks["unlooked"],
        instances=looks["watched"] if looks["unlooked"] else 0,
        faults=tuple(faults),
    )


def answer_for(
    coverage: Coverage,
    instances: InstanceQuerySet,
    start: datetime | None,
    end: datetime | None,
) -> Emptiness:
    """Say what it means that nothing is held within ``start <= t < end`` for these instances.

    An open end is the present moment, which no look has seen.
    """
    gone = instances.filter(gone_at__isnull=False, single=False, project__configured=True)
    known = bool(end and coverage.known_to and coverage.known_to >= end)
    if not coverage.watched and not gone.exists():
        listed = known or (coverage.known_to and not end) or not coverage.projects
        return Emptiness(kind="outside" if listed else "unknown")
    lost = gone.filter(Q(proven_at=None) | Q(proven_at__lt=F("gone_at")))
    if start:
        lost = lost.filter(gone_at__gt=start)
    if end:
        lost = lost.filter(Q(proven_at=None) | Q(proven_at__lt=end))
    named = tuple(lost.order_by("name", "pk")[:_NAMED])
    return Emptiness(kind="none" if known and not named else "unknown", lost=named)


def _looks(watched: InstanceQuerySet) -> dict[str, Any]:
    kinds = {"project__fault_kind__in": FINE, "project__account__fault_kind__in": FINE}
    fine = Q(fault_kind="", **kinds)
    return watched.order_by().aggregate(
        watched=Count("pk"),
        healthy=Count("pk", filter=fine),
        unlooked=Count("pk", filter=fine & Q(proven_at=None)),
        unproven=Count("pk", filter=Q(proven_at=None)),
        complete_to=Min("proven_at", filter=fine),
        known_to=Min("proven_at"),
    )


def _lists(projects: ProjectQuerySet) -> QuerySet[Any, Any]:
    return projects.watched().order_by().values_list(*LISTS)


def _first_lacking(instances: InstanceQuerySet) -> QuerySet[Any, Any]:
    # In the order of the index of those that lack: SQLite would read all that are proven.
    return instances.watched().lacking().order_by("name", "pk").values_list("pk")[:1]


def _oldest_proofs(instances: InstanceQuerySet) -> QuerySet[Any, Any]:
    return instances.watched().order_by("proven_at").values_list("proven_at", flat=True)[:1]


def _proven_looks(oldest: Sequence[datetime]) -> dict[str, Any]:
    """The same where every look is proven and none failed: not every instance is read."""
    proof = next(iter(oldest), None)
    some = proof is not None
    proofs = {"complete_to": proof, "known_to": proof}
    return {"watched": some, "healthy": some, "unlooked": 0, "unproven": 0, **proofs}


def _listed(rows: Sequence[Any]) -> dict[str, Any]:
    lists = [(kind in FINE and of_account in FINE, *dates) for kind, of_account, *dates in rows]
    fine = [row[1:] for row in lists if row[0]]
    return {
        "watched": len(lists),
        "troubled": any(own or of_account or not listed for own, of_account, listed, _ in rows),
        "unlisted": any(listed is None for listed, _ in fine),
        "unproven": any(listed is None for _, listed, _ in lists),
        "complete_to": _oldest(*(listed for listed, _ in fine)),
        "known_to": _oldest(*(listed for _, listed, _ in lists)),
        "checked": _oldest(*(counted for _, counted in fine)),
    }


def _oldest(*proofs: datetime | None) -> datetime | None:
    return min((proof for proof in proofs if proof), default=None)
