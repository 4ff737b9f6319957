"""Keyset queries: the first rows of an order, fast for readers of several projects too."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from operator import itemgetter
from typing import Any

from django.db.models import OuterRef, Subquery

from restores.models import Project
from restores.querysets import RestoreQuerySet

# Columns with an index that begins with the project.
_INDEXED_BY_PROJECT = ("created_at", "ended_at", "changed_at")


def first_pairs(
    rows: RestoreQuerySet,
    column: str,
    limit: int,
    projects: Sequence[int] | None,
    start: int = 0,
    also: Sequence[str] = (),
) -> list[tuple[Any, ...]]:
    """Value and primary key of rows ``start`` to ``start + limit``, in the order of both.

    They are followed by the columns ``also``. ``column`` has a value in each of the rows; a leading
    ``-`` means descending. ``projects`` are the primary keys of the rows' projects, None for all.

    For ``project IN (…) ORDER BY … LIMIT`` neither database has a good plan: SQLite sorts all rows
    of the projects, and PostgreSQL walks the index of all projects, which takes a second if these
    were silent for a year. So the range is bounded first: if one project alone has ``limit`` rows
    up to a value, no row beyond it is among the first; the same if enough projects have an equal
    share of them.
    """
    descending = column.startswith("-")
    name, sign = column.lstrip("-"), "-" if descending else ""
    order, stop = (column, f"{sign}pk"), start + limit
    if projects is None or len(projects) < 2 or name not in _INDEXED_BY_PROJECT:
        return list(rows.order_by(*order).values_list(name, "pk", *also)[start:stop])

    def nth(number: int) -> Subquery:
        own = rows.filter(project=OuterRef("pk")).order_by(*order)
        return Subquery(own.values(name)[number - 1 : number])

    share = ceil(stop / len(projects))
    nths = list(Project.objects.filter(pk__in=projects).values_list(nth(stop), nth(share)))
    bounds = [last for last, _ in nths if last is not None]
    shares = sorted((last for _, last in nths if last is not None), reverse=descending)
    bounds += shares[ceil(stop / share) - 1 :][:1]
    if bounds and descending:
        rows = rows.filter(**{f"{name}__gte": max(bounds)})
    elif bounds:
        rows = rows.filter(**{f"{name}__lte": min(bounds)})
    # Sorted here: for ORDER BY both databases prefer an index that takes longer to scan.
    found = rows.order_by().values_list(name, "pk", *also)
    return sorted(found, key=itemgetter(0, 1), reverse=descending)[start:stop]
