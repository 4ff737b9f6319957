"""Counts rows of the table of restores that were rewritten, by the database's own account."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from django.db import connection

from bench.collector import scene
from restores.models import Restore

_TABLE = Restore._meta.db_table


class Rewrites:
    """Counts while it is open: a trigger on SQLite, the rows' xmin on PostgreSQL."""

    def __enter__(self) -> Self:
        if scene.on_sqlite():
            _run("CREATE TEMP TABLE rewritten (row)")
            _run(
                f"CREATE TEMP TRIGGER counted AFTER UPDATE ON main.{_TABLE} "
                "BEGIN INSERT INTO rewritten VALUES (new.id); END"
            )
        else:
            self._before = self._versions()
        return self

    def count(self) -> int:
        """Return how many rows were written again since."""
        if scene.on_sqlite():
            return len(_run("SELECT row FROM rewritten"))
        return len(self._before ^ self._versions())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if scene.on_sqlite():
            _run("DROP TRIGGER counted")
            _run("DROP TABLE rewritten")

    def _versions(self) -> set[tuple]:
        return set(_run(f"SELECT id, xmin::text FROM {_TABLE}"))


def _run(statement: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []
