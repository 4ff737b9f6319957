"""The rows that a list's URL asks for, among those its reader may see."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from restores.filters import places
from restores.filters.missing import Named, missing, posed
from restores.filters.narrowing import PrimaryKeys, described, in_state, placed, within
from restores.filters.params import PLACES, ListParams
from restores.filters.text import sought
from restores.models import Restore
from restores.past import Past, past_of
from restores.querysets import InstanceQuerySet, ProjectQuerySet, RestoreQuerySet
from restores.querysets.asking import Bound
from restores.querysets.visible import key_of
from restores.snapshots import as_of
from restores.sync_status import Coverage, kept_coverage

if TYPE_CHECKING:
    from restores.querysets import Viewer


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """What was asked for among the newest rows only; ``any_state`` as in ``Scope``.

    ``whole`` are all rows again, to be read one by one where something else makes them few.
    """

    restores: RestoreQuerySet
    any_state: RestoreQuerySet
    whole: RestoreQuerySet


class Scope:
    """Everything the viewer may see, narrowed to what was asked for.

    With an ``asof`` the rows are those known by then, in their states of then: ``past``.
    With a text ``near`` is the same among the newest rows only: where these fill a page, the
    older ones need not be read.
    """

    def __init__(self, params: ListParams, viewer: Viewer) -> None:
        self.params, self.viewer = params, viewer

    @cached_property
    def restores(self) -> RestoreQuerySet:
        """What was asked for."""
        return in_state(self.any_state, self.params)

    @cached_property
    def any_state(self) -> RestoreQuerySet:
        """The same without status and recovered."""
        return self._sought[0]

    @cached_property
    def near(self) -> Near | None:
        """The newest of them, where there is use for that."""
        if self._sought[1] is None:
            return None
        newest, walked = self._sought[1]
        narrowed = in_state(newest, self.params)
        return Near(restores=narrowed, any_state=newest, whole=in_state(walked, self.params))

    @cached_property
    def past(self) -> Past | None:
        """Which of the visible restores were in another state by ``asof``."""
        asof = self.params.time_range.asof
        return past_of(placed(Restore.objects.all(), self.seen), asof) if asof else None

    @cached_property
    def instances(self) -> InstanceQuerySet:
        """Those whose restores could be among them.

        They must have been looked at before we may say that there is none.
        """
        return places.instances_of(self.params, self.viewer)

    @cached_property
    def projects(self) -> ProjectQuerySet:
        """Those in which more of them may be, not listed yet."""
        return places.projects_of(self.params, self.viewer)

    @cached_property
    def not_found(self) -> list[Named]:
        """Parameters and values that nothing visible has."""
        return list(missing(self.params, self.viewer, self.visible, self.names))

    @cached_property
    def names(self) -> dict[Named, Bound]:
        """Instances and codes asked for, each with the question whether there is one."""
        return posed(self.params, self.viewer, self.seen)

    def unwatched(self) -> bool:
        """Whether an instance among them is in a project that nobody watches any more."""
        return self.instances.filter(project__monitored=False).exists()

    @cached_property
    def visible(self) -> list[places.Place]:
        """The projects that the viewer may see."""
        return places.visible_places(self.viewer)

    @cached_property
    def seen(self) -> PrimaryKeys | None:
        """The keys of these projects; None for a superuser, who sees all."""
        everything = self.viewer.is_superuser
        return None if everything else tuple(sorted(place.pk for place in self.visible))

    def coverage(self, *beside: Bound) -> Coverage:
        """How far all that can be among them is known; other questions are asked with it."""
        lists = [place.lists for place in self._placed if place.monitored]
        known = None if self.params.getlist("instance") else lists
        key = key_of(self.viewer), *map(self.params.getlist, PLACES)
        beside = (*filter(None, [self._called]), *beside)
        return kept_coverage(key, lambda: self.instances, lambda: self.projects, known, beside)

    @cached_property
    def _placed(self) -> list[places.Place]:
        return places.among(self.visible, self.params)

    @cached_property
    def _projects(self) -> PrimaryKeys | None:
        """The keys of the projects that rows may be of; None where all are asked for and seen."""
        every = self.viewer.is_superuser and not any(map(self.params.getlist, places.LABELS))
        return None if every else tuple(sorted(one.pk for one in self._placed))

    @cached_property
    def _instances(self) -> PrimaryKeys | None:
        return tuple(self._called.rows) if self._called else None

    @cached_property
    def _called(self) -> Bound | None:
        return places.instance_keys(self.params)

    @cached_property
    def _sought(self) -> tuple[RestoreQuerySet, tuple[RestoreQuerySet, RestoreQuerySet] | None]:
        params, window = self.params, self.params.time_range
        rows = placed(Restore.objects.all(), self._projects)
        rows = placed(as_of(rows, self.past) if self.past else rows, None, self._instances)
        return sought(within(described(rows, params), window.on, window.start, window.end), params)


def scope_of(params: ListParams, viewer: Viewer) -> Scope:
    """Narrow everything the viewer may see to what was asked for."""
    return Scope(params, viewer)
