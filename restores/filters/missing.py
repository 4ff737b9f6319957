"""What was asked for and does not exist, or is not to be seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet

from restores.filters.asked import Asked
from restores.filters.places import LABELS
from restores.models import Instance, Project, Restore
from restores.querysets.prepared import ask
from restores.querysets.slots import Slot
from restores.querysets.visible import Visible, key_of

if TYPE_CHECKING:
    from restores.querysets import Viewer

_VALUE = Slot("value")


def missing(asked: Asked, viewer: Viewer) -> Iterator[tuple[str, str]]:
    """Parameters and values that nothing visible has."""
    for name in (*LABELS, "instance", "code"):
        for value in asked.all(name):
            if (name, value) != ("code", "any") and not _known(name, value, viewer):
                yield name, value
    if asked.ids:
        known = _known_ids(asked, viewer)
        yield from (("ids", value) for value in asked.ids if value not in known)


def _known(name: str, value: str, viewer: Viewer) -> bool:
    def found() -> QuerySet[Any, Any]:
        return _with_value(name).visible_to(viewer).values_list("pk")[:1]

    return bool(ask(("known", name, key_of(viewer)), found, value=value))


def _with_value(name: str) -> Visible:
    if name == "instance":
        return Instance.objects.called([_VALUE])
    if name == "code":
        return Restore.objects.filter(error_code=_VALUE)
    return Project.objects.filter(**{LABELS[name]: _VALUE})


def _known_ids(asked: Asked, viewer: Viewer) -> set[Any]:
    restores = Restore.objects.visible_to(viewer)
    instances = Instance.objects.visible_to(viewer)
    return {
        *restores.filter(restore_id__in=asked.ids).values_list("restore_id", flat=True),
        *restores.filter(backup_id__in=asked.ids).values_list("backup_id", flat=True),
        *instances.filter(instance_id__in=asked.ids).values_list("instance_id", flat=True),
    }
