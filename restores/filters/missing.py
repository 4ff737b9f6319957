"""What was asked for and does not exist, or is not to be seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet

from restores.filters.asked import Asked
from restores.filters.narrowing import PrimaryKeys, placed
from restores.filters.places import LABELS, Place
from restores.models import Instance, Restore
from restores.querysets.asking import ask
from restores.querysets.slots import Slot
from restores.querysets.visible import key_of

if TYPE_CHECKING:
    from restores.querysets import Viewer


def missing(
    asked: Asked, viewer: Viewer, visible: Sequence[Place], seen: PrimaryKeys | None
) -> Iterator[tuple[str, str]]:
    """Parameters and values that nothing visible has; for ``seen`` see ``Scope``."""
    for name, column in LABELS.items():
        there = {getattr(place, column) for place in visible}
        yield from ((name, value) for value in asked.all(name) if value not in there)
    for value in asked.all("instance"):
        if not ask(("an instance", key_of(viewer)), lambda: _instance(viewer), value=value):
            yield "instance", value
    for value in asked.all("code"):
        if value != "any" and not ask(("a code", seen), lambda: _code(seen), value=value):
            yield "code", value
    if asked.ids:
        known = _known_ids(asked, viewer)
        yield from (("ids", value) for value in asked.ids if value not in known)


def _instance(viewer: Viewer) -> QuerySet[Any, Any]:
    return Instance.objects.visible_to(viewer).called([Slot("value")]).values_list("pk")[:1]


def _code(seen: PrimaryKeys | None) -> QuerySet[Any, Any]:
    rows = placed(Restore.objects.filter(error_code=Slot("value")), seen)
    return rows.values_list("pk")[:1]


def _known_ids(asked: Asked, viewer: Viewer) -> set[Any]:
    restores = Restore.objects.visible_to(viewer)
    instances = Instance.objects.visible_to(viewer)
    return {
        *restores.filter(restore_id__in=asked.ids).values_list("restore_id", flat=True),
        *restores.filter(backup_id__in=asked.ids).values_list("backup_id", flat=True),
        *instances.filter(instance_id__in=asked.ids).values_list("instance_id", flat=True),
    }
