"""Shared code of the commands that need the database."""

from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from dashboard.errors import is_damaged


def require_database() -> None:
    """Migrate a new database; exit if it can't be used or lacks migrations."""
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
        new = not connection.introspection.table_names()
    except DatabaseError as error:
        if is_damaged(error):
            raise
        name, reason = connection.settings_dict["NAME"], " ".join(str(error).split())
        raise CommandError(f"The database {name} can’t be used: {reason}") from error
    if pending and not new:
        raise CommandError(
            f"The database lacks {len(pending)} migration(s); run the migrate command first"
        )
    if pending:
        call_command("migrate", interactive=False, verbosity=0)
