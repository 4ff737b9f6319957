"""Whether the database was migrated by a newer version than this code."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from django.core.checks import CheckMessage, Error
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder


def unknown_migrations() -> list[str]:
    """The applied migrations that this code doesn't have: ``restores.0007_name``.

    Those of apps that are no longer installed don't count.
    """
    return _unknown(MigrationRecorder.Migration.objects.values_list("app", "name"))


def check_migrations(*, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """System check that ``migrate``, and so ``./run``, runs."""
    return [
        Error(
            f"The database is newer than this code, which doesn't know {', '.join(unknown)}.",
            hint="Start the newer version again, or restore a backup from before its upgrade.",
            id="restores.E001",
        )
        for database in databases or ()
        # It looks for the table first: a new database has none.
        if (unknown := _unknown(MigrationRecorder(connections[database]).applied_migrations()))
    ]


def _unknown(applied: Iterable[tuple[str, str]]) -> list[str]:
    known = _known()
    apps = {app for app, _ in known}
    return sorted(f"{app}.{name}" for app, name in {*applied} - known if app in apps)


@cache
def _known() -> set[tuple[str, str]]:
    found = MigrationLoader(None).disk_migrations or {}
    replaced = {key for migration in found.values() for key in migration.replaces}
    return found.keys() | replaced
