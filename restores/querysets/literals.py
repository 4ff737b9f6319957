"""Conditions spelled so that the databases find the index that is meant for them."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, Subquery, Value
from django.db.models.sql.compiler import SQLCompiler

from restores.statuses import FAILED, FINAL

# Seconds; a restore that took longer is found by an index of its own.
LONG = 86_400.0


class Literal(Value):
    """A constant of ours written into the SQL: SQLite matches a partial index to nothing else."""

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        """Return the constant itself, without a parameter."""
        return (f"'{self.value}'" if isinstance(self.value, str) else str(self.value)), []


class FoundFirst(Subquery):
    """Keys that PostgreSQL finds before anything else, on the right of an ``__in``.

    It takes an array for short, where it takes the rows of a partial index for many.
    """

    template = "(SELECT unnest(ARRAY(%(subquery)s)))"


UNSETTLED = ~Q(status__in=[Literal(status) for status in FINAL])
# Those whose own length is no bound for when they may have been in progress.
OPEN = UNSETTLED | Q(duration__gt=Literal(LONG))
STILL_FAILED = Q(recovered_at=None, status=Literal(FAILED.value))
CODED = ~Q(error_code=Literal(""))
FAULTY = ~Q(sync_error_kind=Literal(""))
LACKING = FAULTY | Q(complete_to=None)
