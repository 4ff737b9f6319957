"""Where the restores asked for are: projects by customer, region and name, and instances."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import Q, QuerySet

from restores.filters.params import ListParams
from restores.models import Instance, Project
from restores.querysets import InstanceQuerySet, ProjectQuerySet
from restores.querysets.asking import Bound, ask, pose
from restores.querysets.slots import Slot
from restores.querysets.visible import key_of
from restores.sync_status import LISTS

if TYPE_CHECKING:
    from restores.querysets import Viewer

LABELS = {"customer": "customer", "region": "region", "project": "name"}


def instances_of(params: ListParams, viewer: Viewer) -> InstanceQuerySet:
    """The instances whose restores could be among those asked for."""
    instances = Instance.objects.visible_to(viewer).filter(_labelled(params, "project__"))
    names = params.getlist("instance")
    return instances.called(names) if names else instances


def projects_of(params: ListParams, viewer: Viewer) -> ProjectQuerySet:
    """The projects in which they could be."""
    projects = Project.objects.visible_to(viewer).filter(_labelled(params, ""))
    if names := params.getlist("instance"):
        of_these = Instance.objects.called(names).values("project_id")
        projects = projects.filter(pk__in=of_these)
    return projects


class Place(NamedTuple):
    """A project that somebody may see; ``lists`` holds ``LISTS`` of it."""

    pk: int
    name: str
    customer: str
    region: str
    time_zone: str
    monitored: bool
    lists: tuple[Any, ...]


def visible_places(viewer: Viewer) -> list[Place]:
    """All projects that the viewer may see, by name."""
    own = Place._fields[:-1]

    def rows() -> QuerySet[Any, Any]:
        named = Project.objects.visible_to(viewer).order_by("name", "pk")
        return named.values_list(*own, *LISTS)

    found = ask(("places", key_of(viewer)), rows)
    return [Place._make((*row[: len(own)], row[len(own) :])) for row in found]


def among(places: Iterable[Place], params: ListParams) -> list[Place]:
    """Those of the projects that are asked for by customer, region or name."""
    wanted = {LABELS[name]: params.getlist(name) for name in LABELS if params.getlist(name)}
    return [
        place
        for place in places
        if all(getattr(place, column) in values for column, values in wanted.items())
    ]


def instance_keys(params: ListParams) -> Bound | None:
    """Ask for the keys of the instances that are asked for; None where all are.

    By keys the rows' own indexes serve them.
    """
    names = {f"name{place}": name for place, name in enumerate(params.getlist("instance"))}
    if not names:
        return None

    def rows() -> QuerySet[Any, Any]:
        found = Instance.objects.called([Slot(name) for name in names])
        return found.order_by("pk").values_list("pk", flat=True)

    return pose(("called", len(names)), rows, **names)


def _labelled(params: ListParams, path: str) -> Q:
    """Customers, regions and projects, as a condition on rows with a path to the project."""
    asked_for = {name: params.getlist(name) for name in LABELS if params.getlist(name)}
    return Q(**{f"{path}{LABELS[name]}__in": values for name, values in asked_for.items()})
