"""One page's rows, cut out of parts that follow each other, and the way to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from restores.filters import ListParams, Near, Scope
from restores.filters.cursors import Cursor
from restores.filters.params import SORTS
from restores.querysets import RestoreQuerySet
from restores.querysets.asking import Bound
from restores.statuses import IN_PROGRESS

Shape = Callable[[RestoreQuerySet], "QuerySet[Any, Any]"]

PINNED = 5
DEFAULT_SORT = "-created"
# Rows further on are reached by cursor, however many lie before them.
FAR = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """The rows that stand first of all; the others in order, in parts that follow each other."""

    pinned: list[Any]
    parts: Sequence[Any]

    def numbered(self, start: int, size: int) -> list[Any]:
        """Up to ``size`` rows from the ``start``-th on."""
        first = self.pinned[start : start + size]
        return first + cut(self.parts, max(0, start - len(self.pinned)), size - len(first))


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """The rows of one page, and whether others precede and follow them.

    ``first`` is the number of the first row, 0 where nobody has counted so far.
    """

    rows: list[Any]
    pinned: frozenset[int]
    first: int
    earlier: bool
    later: bool


def leaf(
    rows: RestoreQuerySet, params: ListParams, shape: Shape, whole: RestoreQuerySet | None = None
) -> Leaf:
    """Read the page asked for; ``shape`` says what is read of each row.

    Where ``rows`` are only the newest of a ``whole``, its restores in progress come first.
    """
    order = ordered(rows, params, shape, whole)
    way, cursor = params.cursor or ("", None)
    if way == "before" and cursor:
        found = cut(cursor.before(order.parts), 0, params.size + 1)
        if len(found) > params.size:
            return _leaf(found[params.size - 1 :: -1], order, earlier=True, later=True)
        # Nearer to the beginning than a page: that is the first page.
        cursor = None
    if cursor:
        found = cut(cursor.behind(order.parts), 0, params.size + 1)
        return _leaf(found[: params.size], order, earlier=True, later=len(found) > params.size)
    start = (params.page - 1) * params.size
    found = order.numbered(start, params.size + 1)
    more = len(found) > params.size
    return _leaf(found[: params.size], order, first=start + 1, earlier=start > 0, later=more)


def nearest(params: ListParams, scope: Scope, shape: Shape) -> tuple[Leaf, Scope | Near]:
    """The page, from the newest rows alone if they fill it, and the scope that it was read from."""
    if scope.near:
        read = leaf(scope.near.restores, params, shape, scope.near.whole)
        if read.later:
            return read, scope.near
    return leaf(scope.restores, params, shape), scope


def ordered(
    rows: RestoreQuerySet, params: ListParams, shape: Shape, whole: RestoreQuerySet | None = None
) -> Ordered:
    """The rows in the order asked for; by default the newest in progress come first of all.

    What comes first is left out of the rest, so that pages neither lose nor repeat a row.
    """
    pinned = _pinned(rows if whole is None else whole, params, shape)
    keys = frozenset(row.pk for row in pinned)
    if rows.plan.key:
        parts = _planned_parts(rows, params, shape)
        return Ordered(pinned=pinned, parts=[_Others(part, keys) for part in parts])
    rest = rows.exclude(pk__in=keys) if pinned else rows
    return Ordered(pinned=pinned, parts=_parts(rest, params, shape))


def posed(rows: RestoreQuerySet, params: ListParams, shape: Shape) -> Iterator[Bound]:
    """What ``leaf`` is going to ask in any case of rows with a plan."""
    yield from _first_parts(rows, params, shape)
    yield from _planned_parts(rows, params, shape)[:1]


def _planned_parts(rows: RestoreQuerySet, params: ListParams, shape: Shape) -> list[Bound]:
    # The same question whatever stands first: that is left out of the answer.
    most = params.size + 1 + PINNED
    return rows.asked("parts", lambda rows: [one[:most] for one in _parts(rows, params, shape)])


def _parts(rows: RestoreQuerySet, params: ListParams, shape: Shape) -> list[QuerySet[Any, Any]]:
    column, descending = SORTS[params.sort.removeprefix("-")], params.sort.startswith("-")
    return [shape(part) for part in rows.by(column, descending=descending)]


def cut(parts: Sequence[Any], start: int, size: int) -> list[Any]:
    """Up to ``size`` rows from the ``start``-th on, counted through all parts."""
    rows: list[Any] = []
    for part in parts:
        taken = list(_slice(part, start, size - len(rows)))
        rows += taken
        if len(rows) == size:
            break
        start = 0 if taken or not start else start - part.count()
    return rows


def next_query(params: ListParams, read: Leaf, last: Any, *, counted: bool = True) -> str:
    """The query that leads to what follows the ``last`` row; by number while that is near."""
    if not read.later:
        return ""
    if counted and read.first and read.first + 2 * params.size <= FAR + 1:
        return params.query(page=str(params.page + 1))
    return params.query(after=_place(params, last))


def previous_query(params: ListParams, read: Leaf, first: Any) -> str:
    """The query that leads to what precedes the ``first`` row."""
    if not read.earlier or first is None:
        return ""
    if read.first:
        return params.query(page=str(params.page - 1))
    return params.query(before=_place(params, first))


def _place(params: ListParams, row: Any) -> str:
    return str(Cursor.at(params.sort, SORTS[params.sort.removeprefix("-")], row))


def _leaf(rows: list[Any], order: Ordered, *, earlier: bool, later: bool, first: int = 0) -> Leaf:
    pinned = frozenset(row.pk for row in order.pinned)
    return Leaf(rows=rows, pinned=pinned, first=first, earlier=earlier, later=later)


@dataclass(frozen=True, slots=True)
class _Others:
    """A part of the first page without the rows that stand first."""

    part: Bound
    pinned: frozenset[int]

    def __getitem__(self, params: slice) -> list[Any]:
        return [row for row in self.part.rows if row.pk not in self.pinned][params]


def _slice(part: Any, start: int, size: int) -> Any:
    if not start:
        return part[:size]
    # Rows that are only counted are not read: the keys come from an index.
    keys = list(part.values_list("pk", flat=True)[start : start + size])
    return part.filter(pk__in=keys)


def _pinned(rows: RestoreQuerySet, params: ListParams, shape: Shape) -> list[Any]:
    """The restores in progress that stand above the others."""
    return cut(_first_parts(rows, params, shape), 0, PINNED)


def _first_parts(rows: RestoreQuerySet, params: ListParams, shape: Shape) -> Sequence[Any]:
    statuses = set(params.getlist("status"))
    # Among others only: alone they need not stand first, and beside a final state none is.
    alone = bool(statuses) and (statuses <= set(IN_PROGRESS) or statuses.isdisjoint(IN_PROGRESS))
    if params.sort != DEFAULT_SORT or alone or params.get("recovered"):
        return []

    def newest(rows: RestoreQuerySet) -> list[QuerySet[Any, Any]]:
        given = rows.progressing().by("created_at", descending=True)[:-1]
        return [shape(part)[:PINNED] for part in given]

    return rows.cuttable("pinned", newest)
