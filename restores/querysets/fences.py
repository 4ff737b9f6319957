"""Sums over rows that are found first: no grouping or counting may choose how they are found."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import QuerySet


def compiled(rows: QuerySet[Any, Any]) -> tuple[str, tuple[Any, ...]] | None:
    """The SQL of some rows and its values; None where the ORM knows that there are none."""
    try:
        return rows.query.sql_with_params()
    except EmptyResultSet:
        return None


def over(rows: QuerySet[Any, Any], select: str, end: str = "") -> list[tuple[Any, ...]]:
    """Ask ``select`` of the sliced rows; ``end`` may group them."""
    found = compiled(rows)
    if found is None:
        return []
    sql, values = found
    with connections[rows.db].cursor() as cursor:
        cursor.execute(f"SELECT {select} FROM ({sql}) AS found {end}", values)  # noqa: S608 - ours
        return cursor.fetchall()
