"""What was asked for and does not exist, or is not to be seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet

from restores.filters.narrowing import PrimaryKeys, placed
from restores.filters.params import ListParams
from restores.filters.places import LABELS, Place
from restores.models import Instance, Restore
from restores.querysets.asking import Bound, pose, together
from restores.querysets.slots import Slot
from restores.querysets.visible import key_of

if TYPE_CHECKING:
    from restores.querysets import Viewer

# A parameter and its value.
Named = tuple[str, str]


def posed(params: ListParams, viewer: Viewer, seen: PrimaryKeys | None) -> dict[Named, Bound]:
    """Ask for a row of each instance and code that is asked for; for ``seen`` see ``Scope``."""
    codes = [value for value in params.getlist("code") if value != "any"]
    return {
        **{("instance", one): _instance(viewer, one) for one in params.getlist("instance")},
        **{("code", one): _code(seen, one) for one in codes},
    }


def missing(
    params: ListParams, viewer: Viewer, visible: Sequence[Place], names: Mapping[Named, Bound]
) -> Iterator[Named]:
    """Parameters and values that nothing visible has."""
    for name, column in LABELS.items():
        there = {getattr(place, column) for place in visible}
        yield from ((name, value) for value in params.getlist(name) if value not in there)
    together(*names.values())
    yield from (named for named, found in names.items() if not found.rows)
    if params.ids:
        known = _known_ids(params, viewer)
        yield from (("ids", value) for value in params.ids if value not in known)


def _instance(viewer: Viewer, name: str) -> Bound:
    def rows() -> QuerySet[Any, Any]:
        return Instance.objects.visible_to(viewer).called([Slot("value")]).values_list("pk")[:1]

    return pose(("an instance", key_of(viewer)), rows, value=name)


def _code(seen: PrimaryKeys | None, code: str) -> Bound:
    def rows() -> QuerySet[Any, Any]:
        coded = placed(Restore.objects.filter(error_code=Slot("value")), seen)
        return coded.values_list("pk")[:1]

    return pose(("a code", seen), rows, value=code)


def _known_ids(params: ListParams, viewer: Viewer) -> set[Any]:
    restores = Restore.objects.visible_to(viewer)
    instances = Instance.objects.visible_to(viewer)
    return {
        *restores.filter(restore_id__in=params.ids).values_list("restore_id", flat=True),
        *restores.filter(backup_id__in=params.ids).values_list("backup_id", flat=True),
        *instances.filter(instance_id__in=params.ids).values_list("instance_id", flat=True),
    }
