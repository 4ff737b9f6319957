"""Counting restores by the days, hours or other parts that a time range is divided into."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db.models import Count, TextField
from django.db.models.functions import Cast, Left

from restores.querysets import RestoreQuerySet


def count_by_bucket(
    rows: RestoreQuerySet, column: str, starts: Sequence[datetime], *columns: str
) -> Iterator[tuple[Any, ...]]:
    """The number of a bucket, the values of the columns, and how many rows have them.

    Each bucket begins at one of the ``starts``, whole minutes except for the first. Rows without a
    time in ``column`` are left out.
    """
    texts = [f"{at.astimezone(UTC):%Y-%m-%d %H:%M}" for at in starts[1:]]
    # Times are cut as short as possible, to days, hours, ten minutes or minutes, so that they
    # still tell buckets apart: some zones are three quarters of an hour off.
    whole = (n for n in (10, 13, 15) if not any(text[n:].strip("0 :") for text in texts))
    length = next(whole, 16)
    edges = [text[:length] for text in texts]
    # Times are UTC in both databases; for Trunc SQLite calls Python, once per row.
    cut = Left(Cast(column, TextField()), length)
    grouped = rows.exclude(**{column: None}).order_by().annotate(cut=cut)
    for at, *values in grouped.values_list("cut", *columns).annotate(number=Count("pk")):
        yield bisect_right(edges, at), *values
