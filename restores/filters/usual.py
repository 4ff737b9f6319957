"""Views that are asked for most: the first page of what is now. Their SQL is kept."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from restores.filters.narrowing import described, in_state, placed, within
from restores.filters.params import ListParams
from restores.filters.scope import Scope
from restores.models import Restore
from restores.querysets import RestoreQuerySet
from restores.querysets.asking import Plan
from restores.querysets.prepared import kept
from restores.querysets.slots import Slot

if TYPE_CHECKING:
    from restores.querysets import Viewer

# What the rows of a page depend on beside the window, the places and the code.
_SHAPE = ("status", "recovered", "sort", "cols", "size")
# What has a question of its own each time.
_ODD = ("q", "ids", "page", "after", "before")


def _is_usual(params: ListParams) -> bool:
    """Whether the questions of a view are the same whenever it is asked for."""
    window = params.time_range
    odd = window.asof or window.on == "changed" or any(name in params.values for name in _ODD)
    return not odd


class UsualScope(Scope):
    """A scope whose rows can be asked only by their plans: instead of times there are slots."""

    @cached_property
    def any_state(self) -> RestoreQuerySet:
        """As in ``Scope``."""
        return self._planned((), self._slotted)

    @cached_property
    def restores(self) -> RestoreQuerySet:
        """As in ``Scope``."""
        shape = tuple(map(self.params.getlist, _SHAPE))
        return self._planned(shape, lambda: in_state(self._slotted(), self.params))

    near = None

    def _planned(
        self, shape: tuple[Any, ...], rows: Callable[[], RestoreQuerySet]
    ) -> RestoreQuerySet:
        key = (*self._key, *shape)
        found: RestoreQuerySet = kept(("rows", key), rows)
        return found.planned(Plan(key, self._values))

    def _slotted(self) -> RestoreQuerySet:
        window = self.params.time_range
        start, end, seam = (Slot(name) for name in ("start", "end", "seam"))
        rows = placed(Restore.objects.all(), self._projects, self._instances)
        edges: Any = (start if window.start else None, end if window.end else None, seam)
        return within(described(rows, self.params), window.on, *edges)

    @cached_property
    def _key(self) -> tuple[Any, ...]:
        window = self.params.time_range
        edges = window.on, window.start is None, window.end is None
        return (self._projects, self._instances, *edges, self.params.getlist("code"))

    @cached_property
    def _values(self) -> dict[str, Any]:
        window = self.params.time_range
        values = {"start": window.start, "end": window.end}
        if window.on == "running" and window.start:
            values["seam"] = window.start - Restore.objects.all().longest()
        return values


def page_scope(params: ListParams, viewer: Viewer) -> Scope:
    """The scope of a page, to be asked for its rows and its counts and nothing else."""
    return UsualScope(params, viewer) if _is_usual(params) else Scope(params, viewer)
