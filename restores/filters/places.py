"""Where the restores asked for are: projects by customer, region and name, and instances."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db.models import Q, QuerySet

from restores.filters.asked import Asked
from restores.models import Instance, Project
from restores.querysets import InstanceQuerySet, ProjectQuerySet
from restores.querysets.prepared import ask
from restores.querysets.slots import Slot
from restores.querysets.visible import key_of

if TYPE_CHECKING:
    from restores.querysets import Viewer

Keys = tuple[int, ...]

LABELS = {"customer": "customer", "region": "region", "project": "name"}


def instances_of(asked: Asked, viewer: Viewer) -> InstanceQuerySet:
    """The instances whose restores could be among those asked for."""
    instances = Instance.objects.visible_to(viewer).filter(_labelled(asked, "project__"))
    names = asked.all("instance")
    return instances.called(names) if names else instances


def projects_of(asked: Asked, viewer: Viewer) -> ProjectQuerySet:
    """The projects in which they could be."""
    projects = Project.objects.visible_to(viewer).filter(_labelled(asked, ""))
    if names := asked.all("instance"):
        of_these = Instance.objects.called(names).values("project_id")
        projects = projects.filter(pk__in=of_these)
    return projects


def visible_keys(viewer: Viewer) -> Keys:
    """The keys of all projects that the viewer may see."""
    return _keys(("visible", key_of(viewer)), lambda: Project.objects.visible_to(viewer))


def project_keys(asked: Asked) -> Keys | None:
    """The keys of the projects asked for, None for all: with keys the rows' own indexes serve."""
    labels = tuple(asked.all(name) for name in LABELS)
    if not any(labels):
        return None
    return _keys(("labelled", labels), lambda: Project.objects.filter(_labelled(asked, "")))


def instance_keys(asked: Asked) -> Keys | None:
    """The same of instances."""
    names = {f"name{place}": name for place, name in enumerate(asked.all("instance"))}
    if not names:
        return None
    slots = [Slot(name) for name in names]
    return _keys(("called", len(names)), lambda: Instance.objects.called(slots), **names)


def _keys(key: tuple[Any, ...], rows: Callable[[], QuerySet[Any, Any]], **values: str) -> Keys:
    found = ask(
        ("keys", *key), lambda: rows().order_by("pk").values_list("pk", flat=True), **values
    )
    return tuple(found)


def _labelled(asked: Asked, path: str) -> Q:
    """Customers, regions and projects, as a condition on rows with a path to the project."""
    asked_for = {name: asked.all(name) for name in LABELS if asked.all(name)}
    return Q(**{f"{path}{LABELS[name]}__in": values for name, values in asked_for.items()})
