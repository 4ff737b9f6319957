"""How new restores reach the database in one go, with what each was first seen as."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from django.db import connection

from restores.models import Instance, Observation, Restore

_FIELDS = [field for field in Restore._meta.concrete_fields if not field.primary_key]
_VALUES = attrgetter(*(field.attname for field in _FIELDS))
_TABLE, _SEEN = Restore._meta.db_table, Observation._meta.db_table
_INTO = f"{_TABLE} ({', '.join(str(field.column) for field in _FIELDS)})"
_INSERT = f"INSERT INTO {_INTO} VALUES ({', '.join(['%s'] * len(_FIELDS))})"  # noqa: S608 - as below
_FIRST = f"""
    INSERT INTO {_SEEN}
        (restore_id, seen_after, seen_at, recorded_at, status, progress, error_code)
    SELECT id, %s, %s, %s, status, progress, error_code FROM {_TABLE} fresh
    WHERE instance_id = %s AND first_seen_at = %s
        AND NOT EXISTS (SELECT 1 FROM {_SEEN} seen WHERE seen.restore_id = fresh.id)
"""  # noqa: S608 - names of our own tables


def insert(fresh: Sequence[Restore], instance: Instance, seen_at: datetime, now: datetime) -> None:
    """Write new rows of one instance and their first observations.

    The rows get no primary key. Not by ``bulk_create``: that costs more than the database does.
    """
    if not fresh:
        return
    lines = [adapted(_VALUES(row)) for row in fresh]
    facts = adapted((instance.complete_to, seen_at, now, instance.pk, now))
    with connection.wrap_database_errors, connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {_INTO} FROM STDIN") as copy:
                for line in lines:
                    copy.write_row(line)
        else:
            cursor.executemany(_INSERT, lines)
        cursor.execute(_FIRST, facts)


def adapted(values: Iterable[Any]) -> list[Any]:
    """Write times as the database keeps them, for statements that Django does not put together."""
    kept = connection.ops.adapt_datetimefield_value
    return [kept(value) if isinstance(value, datetime) else value for value in values]
