"""The other ways to bring records into the table, given every derived value for nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from django.db import connection, transaction

from bench.collector import scene
from restores.models import Observation, Restore

Values = dict[str, Any]


def one_by_one(rows: list[Values]) -> None:
    """Write record by record, each its own transaction, as such loops are written."""
    for row in rows:
        _written(row)


def together(rows: list[Values]) -> None:
    """Write record by record in one transaction for each instance, as ours are."""
    for _, group in groupby(rows, key=lambda row: row["instance_id"]):
        with transaction.atomic():
            one_by_one(list(group))


def remove(rows: list[Values]) -> None:
    """Take rows out of the table, with their observations."""
    taken = Restore.objects.filter(instance_id__in={row["instance_id"] for row in rows})
    Observation.objects.filter(restore__in=taken).delete()
    taken.delete()


def bulk_name() -> str:
    """Say what ``Bulk`` is on this database."""
    return "executemany" if scene.on_sqlite() else "COPY"


class Bulk:
    """All rows at once: COPY on PostgreSQL, executemany on SQLite.

    Values are brought into the database's form beforehand, so that this is the floor.
    """

    def __init__(self, rows: list[Values]) -> None:
        self._fields = [f for f in Restore._meta.concrete_fields if f.attname != "id"]
        self._columns = ", ".join(str(field.column) for field in self._fields)
        self._lines = [self._line(row) for row in rows]

    def load(self) -> None:
        """Bring the rows into the table."""
        table = f"{Restore._meta.db_table} ({self._columns})"
        with transaction.atomic(), connection.cursor() as cursor:
            if scene.on_sqlite():
                marks = ", ".join(["%s"] * len(self._fields))
                cursor.executemany(f"INSERT INTO {table} VALUES ({marks})", self._lines)
                return
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                for line in self._lines:
                    copy.write_row(line)

    def _line(self, row: Values) -> list[Any]:
        now = datetime.now(UTC)
        whole = row | {"first_seen_at": now, "changed_at": now}
        return [field.get_db_prep_save(whole[field.attname], connection) for field in self._fields]


def _written(row: Values) -> None:
    now = datetime.now(UTC)
    Restore.objects.update_or_create(
        instance_id=row["instance_id"],
        restore_id=row["restore_id"],
        defaults=row,
        create_defaults=row | {"first_seen_at": now, "changed_at": now},
    )
