"""What is known, and until when: the oldest proof in a scope, and whatever spoils it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from django.db.models import Count, F, Min, Q, QuerySet

from restores.models import Instance, Project
from restores.querysets import HEALTHY_KINDS, InstanceQuerySet, ProjectQuerySet
from restores.querysets.asking import Bound, ask_anew, pose, together
from restores.sync_errors import SyncError, instance_errors, project_errors

if TYPE_CHECKING:
    from restores.querysets import Viewer

_NAMED = 3
# How the list of a project's instances stands.
LISTS = ("sync_error_kind", "account__sync_error_kind", "listed_at", "restoring_count_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How far the restores of a scope are known.

    ``complete_to`` is the oldest proof among its healthy instances and the lists of instances,
    None while one of them was never proven; the others are named by ``faults``. ``known_to`` is
    the same with nothing left out: what is held until then is all there is. ``checked_at`` is the
    oldest count of what is restoring. ``monitored`` says whether any instance is; ``projects``
    counts those that are, ``never_synced`` the healthy instances without any proof, of so many
    ``instances``, which are counted only then.
    """

    complete_to: datetime | None
    known_to: datetime | None
    checked_at: datetime | None
    monitored: bool
    projects: int
    never_synced: int
    instances: int
    faults: tuple[SyncError, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Emptiness:
    """What it means that a window is empty.

    ``none``: there was nothing, and every look came after the window. ``unknown``: not known yet,
    or never, where an instance is ``lost``: gone before a look could see its last restores.
    ``outside``: nothing there is monitored.
    """

    kind: Literal["none", "unknown", "outside"]
    lost: tuple[Instance, ...] = ()


def coverage_of(
    instances: InstanceQuerySet, projects: ProjectQuerySet | None = None, named: int = 10
) -> Coverage:
    """Sum up the monitored instances among ``instances``; at most ``named`` faults are named.

    ``projects`` are those in which instances may belong to the scope that nobody has listed yet;
    by default the projects of the instances.
    """
    if projects is None:
        projects = Project.objects.filter(pk__in=instances.order_by().values("project_id"))
    return kept_coverage(None, lambda: instances, lambda: projects, named=named)


def coverage_for(user: Viewer) -> Coverage:
    """How far all that a user may see is known; a project that was never listed counts too."""
    return coverage_of(Instance.objects.visible_to(user), Project.objects.visible_to(user))


def kept_coverage(
    key: Hashable,
    instances: Callable[[], InstanceQuerySet],
    projects: Callable[[], ProjectQuerySet],
    lists: Sequence[Any] | None = None,
    beside: Sequence[Bound] = (),
    named: int = 10,
) -> Coverage:
    """The same, of a scope that is asked for often: its ``key`` says which it is.

    ``lists`` holds ``LISTS`` of each monitored project in it, if they have been read. The questions
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
    found = _spoilt(listed, instances().monitored(), projects().monitored(), named)
    ask_anew(*beside)
    return found


def _spoilt(
    listed: dict[str, Any], instances: InstanceQuerySet, projects: ProjectQuerySet, named: int
) -> Coverage:
    """Where something is wrong every instance is read, for what is known of the others."""
    faults = project_errors(projects, named)
    faults += instance_errors(instances, named - len(faults))
    return _summed(listed, _looks(instances), faults)


def _summed(listed: dict[str, Any], looks: dict[str, Any], faults: Sequence[SyncError]) -> Coverage:
    complete = looks["healthy"] and not looks["never_synced"] and not listed["unlisted"]
    unproven = looks["unproven"] or listed["unproven"]
    return Coverage(
        complete_to=_oldest(looks["healthy_complete_to"], listed["complete_to"])
        if complete
        else None,
        known_to=None if unproven else _oldest(looks["known_to"], listed["known_to"]),
        checked_at=listed["checked"],
        monitored=looks["monitored"] > 0,
        projects=listed["monitored"],
        never_synced=looks["never_synced"],
        instances=looks["monitored"] if looks["never_synced"] else 0,
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
    gone = instances.filter(deleted_at__isnull=False, single_node=False, project__monitored=True)
    known = bool(end and coverage.known_to and coverage.known_to >= end)
    if not coverage.monitored and not gone.exists():
        listed = known or (coverage.known_to and not end) or not coverage.projects
        return Emptiness(kind="outside" if listed else "unknown")
    lost = gone.filter(Q(complete_to=None) | Q(complete_to__lt=F("deleted_at")))
    if start:
        lost = lost.filter(deleted_at__gt=start)
    if end:
        lost = lost.filter(Q(complete_to=None) | Q(complete_to__lt=end))
    named = tuple(lost.order_by("name", "pk")[:_NAMED])
    return Emptiness(kind="none" if known and not named else "unknown", lost=named)


def _looks(monitored: InstanceQuerySet) -> dict[str, Any]:
    kinds = {
        "project__sync_error_kind__in": HEALTHY_KINDS,
        "project__account__sync_error_kind__in": HEALTHY_KINDS,
    }
    fine = Q(sync_error_kind="", **kinds)
    return monitored.order_by().aggregate(
        monitored=Count("pk"),
        healthy=Count("pk", filter=fine),
        never_synced=Count("pk", filter=fine & Q(complete_to=None)),
        unproven=Count("pk", filter=Q(complete_to=None)),
        healthy_complete_to=Min("complete_to", filter=fine),
        known_to=Min("complete_to"),
    )


def _lists(projects: ProjectQuerySet) -> QuerySet[Any, Any]:
    return projects.monitored().order_by().values_list(*LISTS)


def _first_lacking(instances: InstanceQuerySet) -> QuerySet[Any, Any]:
    # In the order of the index of those that lack: SQLite would read all that are proven.
    return instances.monitored().lacking().order_by("name", "pk").values_list("pk")[:1]


def _oldest_proofs(instances: InstanceQuerySet) -> QuerySet[Any, Any]:
    return instances.monitored().order_by("complete_to").values_list("complete_to", flat=True)[:1]


def _proven_looks(oldest: Sequence[datetime]) -> dict[str, Any]:
    """The same where every look is proven and none failed: not every instance is read."""
    proof = next(iter(oldest), None)
    some = proof is not None
    proofs = {"healthy_complete_to": proof, "known_to": proof}
    return {"monitored": some, "healthy": some, "never_synced": 0, "unproven": 0, **proofs}


def _listed(rows: Sequence[Any]) -> dict[str, Any]:
    lists = [
        (kind in HEALTHY_KINDS and of_account in HEALTHY_KINDS, *dates)
        for kind, of_account, *dates in rows
    ]
    fine = [row[1:] for row in lists if row[0]]
    return {
        "monitored": len(lists),
        "troubled": any(own or of_account or not listed for own, of_account, listed, _ in rows),
        "unlisted": any(listed is None for listed, _ in fine),
        "unproven": any(listed is None for _, listed, _ in lists),
        "complete_to": _oldest(*(listed for listed, _ in fine)),
        "known_to": _oldest(*(listed for _, listed, _ in lists)),
        "checked": _oldest(*(counted for _, counted in fine)),
    }


def _oldest(*proofs: datetime | None) -> datetime | None:
    return min((proof for proof in proofs if proof), default=None)
