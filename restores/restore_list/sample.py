"""The newest rows of a view, of which its facets are counted: a bounded number of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from restores.filters import ListParams, scope_of
from restores.past import Past
from restores.querysets import RestoreQuerySet
from restores.restore_list.counts import CAP, Tally
from restores.restore_list.leaf import cut

if TYPE_CHECKING:
    from restores.querysets import Viewer

_READ = ("pk", "project_id", "instance_id", "error_code")
_IN_THE_LIST = ("sort", "page", "after", "before")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """How many of the rows each project, instance and code has; ``partial`` when older exist."""

    projects: Counter[int]
    instances: Counter[int]
    codes: Counter[str]
    partial: bool

    def tally(self, number: int) -> Tally:
        """A number of rows, or of at least so many."""
        return Tally(number, more=self.partial)


def sample(params: ListParams, viewer: Viewer, without: str) -> Sample:
    """Read the newest rows of a view, one of its filters left aside."""
    scope = scope_of(params.without(without, *_IN_THE_LIST), viewer)
    # Of a common word the list, too, reads the newest rows alone.
    near = list(_rows(scope.near.restores, scope.past)) if scope.near else []
    common = len(near) > params.size
    rows = near if common else list(_rows(scope.restores, scope.past))
    counted = list(zip(*rows[:CAP], strict=True)) or [(), (), ()]
    projects, instances, codes = counted
    return Sample(
        projects=Counter(projects),
        instances=Counter(instances),
        codes=Counter(filter(None, codes)),
        partial=common or len(rows) > CAP,
    )


def _rows(rows: RestoreQuerySet, past: Past | None) -> Iterator[tuple[int, int, str]]:
    """Project, instance and code of then; one row more than are counted."""
    parts = rows.by("created_at", descending=True)
    moved = past.moved if past else {}
    for pk, project, instance, code in cut([p.values_list(*_READ) for p in parts], 0, CAP + 1):
        yield project, instance, moved[pk].error_code if pk in moved else code
