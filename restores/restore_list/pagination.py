"""Keyset pagination for the restore list, with numbered pages while they are near.

Rows come in segments that follow each other, each in an order that an index gives: those with a
value in the sorted column, then those without. Primary keys are read first, from an index that
holds every column that is read, then the rows of the page by primary key.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Q, QuerySet

from restores.asof import then_and_now
from restores.filters import ListParams, Scope
from restores.filters.cursors import Cursor
from restores.filters.params import SORTS
from restores.keyset import first_pairs
from restores.models import Restore
from restores.querysets import RestoreQuerySet
from restores.statuses import IN_PROGRESS

# At most this many restores in progress are pinned above the others.
PINNED = 10
# Later rows are reached by cursor, however many come before them.
MAX_NUMBERED = 10_000

_NULLABLE = ("created_at", "ended_at", "duration")


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Rows in the order of one column, ties by primary key; ``pk`` for rows without a value."""

    rows: RestoreQuerySet
    column: str
    descending: bool
    # The primary keys of the rows' projects, None for all.
    projects: Sequence[int] | None

    def first(self, limit: int, start: int = 0, also: Sequence[str] = ()) -> list[tuple[Any, ...]]:
        """Value and primary key of the first rows; the value is None for rows without one.

        They are followed by the columns ``also``.
        """
        sign = "-" if self.descending else ""
        found = first_pairs(self.rows, f"{sign}{self.column}", limit, self.projects, start, also)
        return [(None, *rest) for _, *rest in found] if self.column == "pk" else found

    def after(self, cursor: Cursor) -> Segment | None:
        """The rows that follow a place, None if there can be none."""
        beyond = "lt" if self.descending else "gt"
        if self.column == "pk":
            following = Q(**{f"pk__{beyond}": cursor.pk}) if cursor.value is None else Q()
        elif cursor.value is None:
            return None
        else:
            # The first condition is the range of the index; an "or" alone would be none.
            following = Q(**{f"{self.column}__{beyond}e": cursor.value}) & (
                Q(**{f"{self.column}__{beyond}": cursor.value}) | Q(**{f"pk__{beyond}": cursor.pk})
            )
        return replace(self, rows=self.rows.filter(following))

    def before(self, cursor: Cursor) -> Segment | None:
        """The rows that precede a place, the nearest first, None if there can be none."""
        backward = replace(self, descending=not self.descending)
        if self.column == "pk":
            return backward.after(cursor) if cursor.value is None else None
        return backward if cursor.value is None else backward.after(cursor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """The rows of a list in order: those pinned on top, then segments."""

    pinned: list[tuple[Any, int]]
    segments: list[Segment]

    def after(self, cursor: Cursor) -> list[Segment]:
        """The rows that follow a place."""
        return [part for one in self.segments if (part := one.after(cursor))]

    def before(self, cursor: Cursor) -> list[Segment]:
        """The rows that precede a place except for the pinned ones, the nearest first."""
        return [part for one in reversed(self.segments) if (part := one.before(cursor))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The rows of one page, and the way to the pages around it.

    ``first`` is the number of the first row, 0 on a page by cursor. ``recent`` says that the page
    was filled from the newest rows alone, which are all that was searched and can be counted.
    """

    rows: list[Any]
    pinned: frozenset[int]
    first: int
    has_previous: bool
    has_next: bool
    recent: bool
    first_cursor: Cursor | None
    # None after a pinned row, which is not where it belongs in the order.
    last_cursor: Cursor | None


def paginate(scope: Scope, fetch: QuerySet[Any, Any]) -> Page:
    """Read the page that the parameters name; ``fetch`` says what is read of each restore.

    A text search reads the newest rows alone if they fill the page.
    """
    found = scope.found
    if found.recent is not None and found.scanned is not None:
        rows = scope.in_status(found.recent)
        order = ordered(scope, rows, scope.in_status(found.scanned))
        page = _page(scope.params, order, fetch, recent=True)
        if page.has_next:
            return page
    return _page(scope.params, ordered(scope, scope.restores), fetch)


def ordered(
    scope: Scope, rows: RestoreQuerySet, pinned_from: RestoreQuerySet | None = None
) -> Ordered:
    """The rows of a scope in the list’s sort order.

    By default the most urgent restores in progress come first of all; they are left out of the
    rest, so that pages neither lose nor repeat a row.
    """
    pinned = _pinned(scope, rows if pinned_from is None else pinned_from)
    if pinned:
        rows = rows.exclude(pk__in=[pk for _, pk in pinned])
    sort = scope.params.sort
    return Ordered(
        pinned=pinned,
        segments=_segments(scope, rows, SORTS[sort.removeprefix("-")], sort.startswith("-")),
    )


def take(segments: Sequence[Segment], limit: int, start: int = 0) -> list[tuple[Any, int]]:
    """Value and primary key of rows ``start`` to ``start + limit``, through all segments."""
    pairs: list[tuple[Any, int]] = []
    for segment in segments:
        found = segment.first(limit - len(pairs), start)
        pairs += found
        if len(pairs) == limit:
            break
        start = 0 if found or not start else start - segment.rows.count()
    return pairs


def newest(
    scope: Scope, rows: RestoreQuerySet, limit: int, columns: Sequence[str]
) -> list[tuple[Any, ...]]:
    """Primary key and columns of the newest rows, those without a creation time last."""
    found: list[tuple[Any, ...]] = []
    for segment in _segments(scope, rows, "created_at", True):
        found += segment.first(limit - len(found), also=columns)
        if len(found) == limit:
            break
    return [row[1:] for row in found]


def read_all(scope: Scope, fetch: QuerySet[Any, Any], chunk: int) -> Iterator[list[Any]]:
    """Every row of a scope in the list’s sort order, a chunk at a time."""
    order = ordered(scope, scope.restores)
    if order.pinned:
        yield _rows(fetch, order.pinned)
    pairs = take(order.segments, chunk)
    while pairs:
        yield _rows(fetch, pairs)
        pairs = take(order.after(Cursor(scope.params.sort, *pairs[-1])), chunk)


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbors:
    """The ids of the restores before and after one in a list, and what precedes it."""

    previous: str | None
    next: str | None
    pinned: int
    segments: Sequence[Segment] = ()

    def count_ahead(self) -> int:
        """Count the restores before this one, up to ``MAX_NUMBERED`` in each segment."""
        counts = (part.rows.order_by()[:MAX_NUMBERED].count() for part in self.segments)
        return self.pinned + sum(counts)


def find_neighbors(scope: Scope, restore: Restore) -> Neighbors:
    """Find what comes before and after a restore in a list, pinned ones first."""
    order = ordered(scope, scope.restores)
    pinned = [pk for _, pk in order.pinned]
    if restore.pk in pinned:
        ahead = pinned.index(restore.pk)
        keys = [None, *pinned, *(pk for _, pk in take(order.segments, 1)), None]
        previous, following, segments = keys[ahead], keys[ahead + 2], []
    else:
        then = then_and_now([restore], scope.asof)[0].then
        sort = scope.params.sort
        cursor = Cursor.at(sort, SORTS[sort.removeprefix("-")], then)
        ahead, segments = len(pinned), order.before(cursor)
        before = [pk for _, pk in take(segments, 1)] or pinned[-1:]
        previous = next(iter(before), None)
        following = next((pk for _, pk in take(order.after(cursor), 1)), None)
    around = [key for key in (previous, following) if key is not None]
    ids = dict(Restore.objects.filter(pk__in=around).values_list("pk", "restore_id"))
    return Neighbors(
        previous=ids.get(previous), next=ids.get(following), pinned=ahead, segments=segments
    )


def next_query(params: ListParams, page: Page, *, numbered: bool = True) -> str:
    """The query string of the next page; by number while that is near."""
    if not page.has_next:
        return ""
    near = page.first and page.first + 2 * params.size <= MAX_NUMBERED + 1
    if page.last_cursor is None or (numbered and near):
        return params.query(page=str(params.page + 1))
    return params.query(after=str(page.last_cursor))


def previous_query(params: ListParams, page: Page) -> str:
    """The query string of the previous page."""
    if not page.has_previous or page.first_cursor is None:
        return ""
    if page.first:
        return params.query(page=str(params.page - 1))
    return params.query(before=str(page.first_cursor))


def _page(
    params: ListParams, order: Ordered, fetch: QuerySet[Any, Any], *, recent: bool = False
) -> Page:
    size, first, more_before = params.size, 0, True
    way, cursor = params.cursor or ("", None)
    if cursor and way == "before":
        pairs = take(order.before(cursor), size + 1)[::-1]
        more_before, more_after, pairs = len(pairs) > size, True, pairs[-size:]
        if not more_before:
            # Nearer to the beginning than a page: that is the first page.
            cursor = None
    elif cursor:
        pairs = take(order.after(cursor), size + 1)
        more_after, pairs = len(pairs) > size, pairs[:size]
    if cursor is None:
        start = (params.page - 1) * size
        pairs = order.pinned[start : start + size + 1]
        pairs += take(order.segments, size + 1 - len(pairs), max(0, start - len(order.pinned)))
        first, more_before, more_after = start + 1, start > 0, len(pairs) > size
        pairs = pairs[:size]
    last = pairs[-1] if pairs else None
    return Page(
        rows=_rows(fetch, pairs),
        pinned=frozenset(pk for _, pk in order.pinned),
        first=first,
        has_previous=more_before,
        has_next=more_after,
        recent=recent,
        first_cursor=Cursor(params.sort, *pairs[0]) if pairs else None,
        last_cursor=Cursor(params.sort, *last) if last and last not in order.pinned else None,
    )


def _rows(fetch: QuerySet[Any, Any], pairs: Sequence[tuple[Any, int]]) -> list[Any]:
    keys = [pk for _, pk in pairs]
    found = {row.pk: row for row in fetch.filter(pk__in=keys)}
    return [found[key] for key in keys]


def _segments(
    scope: Scope, rows: RestoreQuerySet, column: str, descending: bool, *, absent_last: bool = True
) -> list[Segment]:
    """Rows in the order of a column; without ``absent_last`` only those that have a value."""
    asof, parts = scope.asof, [rows]
    if asof and asof.sorts_differently(column):
        rows, column, absent = asof.sort_column(rows, column)
        parts = [rows]
    else:
        absent = Q(**{column: None if column in _NULLABLE else ""})
    if column == "created_at":
        parts = scope.parts(rows)[:: 1 if descending else -1]
        absent_last = absent_last and not scope.dated

    projects = scope.keyset_projects

    def segment(rows: RestoreQuerySet, column: str) -> Segment:
        return Segment(rows=rows, column=column, descending=descending, projects=projects)

    found = [segment(part.exclude(absent), column) for part in parts]
    return [*found, segment(rows.filter(absent), "pk")] if absent_last else found


def _pinned(scope: Scope, rows: RestoreQuerySet) -> list[tuple[Any, int]]:
    """The most urgent restores in progress, if they are to be pinned above the others.

    Those that are possibly stuck come first, then the oldest.
    """
    params = scope.params
    statuses = set(params.getlist("status"))
    # Alone they need no pinning, and next to a final status there are none.
    alone = bool(statuses) and (statuses <= {*IN_PROGRESS} or statuses.isdisjoint(IN_PROGRESS))
    if params.sort != "-created" or alone or params.get("stuck") or params.get("recovered"):
        return []
    asof = scope.asof
    if asof is None:
        dated = rows.exclude(created_at=None)
        return list(dated.most_urgent(PINNED).values_list("created_at", "pk"))
    stuck = take(_oldest_first(scope, asof.stuck(rows)), PINNED)
    others = asof.in_status(rows, IN_PROGRESS).exclude(pk__in=[pk for _, pk in stuck])
    return stuck + take(_oldest_first(scope, others), PINNED - len(stuck))


def _oldest_first(scope: Scope, rows: RestoreQuerySet) -> list[Segment]:
    # So few are in progress that sorting them takes less than bounding them first.
    oldest = _segments(scope, rows, "created_at", descending=False, absent_last=False)
    return [replace(part, projects=None) for part in oldest]
