"""An index of trigrams over the searched text, where the database has one to offer."""

from django.db import DatabaseError, migrations, transaction

_SQLITE = [
    "CREATE VIRTUAL TABLE restore_text USING fts5("
    "search, content='', detail=none, columnsize=0, tokenize='trigram case_sensitive 1')",
    "CREATE TRIGGER restore_text_new AFTER INSERT ON restores_restore BEGIN "
    "INSERT INTO restore_text(rowid, search) VALUES (new.id, new.search); END",
    "CREATE TRIGGER restore_text_gone AFTER DELETE ON restores_restore BEGIN "
    "INSERT INTO restore_text(restore_text, rowid, search) VALUES ('delete', old.id, old.search);"
    " END",
    "CREATE TRIGGER restore_text_changed AFTER UPDATE OF search ON restores_restore "
    "WHEN old.search IS NOT new.search BEGIN "
    "INSERT INTO restore_text(restore_text, rowid, search) VALUES ('delete', old.id, old.search);"
    "INSERT INTO restore_text(rowid, search) VALUES (new.id, new.search); END",
    "INSERT INTO restore_text(rowid, search) SELECT id, search FROM restores_restore",
]
_POSTGRESQL = [
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE INDEX restore_text ON restores_restore USING gin (search gin_trgm_ops)",
]
_DROPPED = {
    "sqlite": [
        "DROP TRIGGER IF EXISTS restore_text_new",
        "DROP TRIGGER IF EXISTS restore_text_gone",
        "DROP TRIGGER IF EXISTS restore_text_changed",
        "DROP TABLE IF EXISTS restore_text",
    ],
    "postgresql": ["DROP INDEX IF EXISTS restore_text"],
}


def index(apps, schema_editor):
    """Build it; where it may not or cannot be built, a search walks the rows."""
    connection = schema_editor.connection
    statements = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}[connection.vendor]
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
    except DatabaseError as error:
        print(f" text search goes without an index: {error} ", end="")  # noqa: T201 - migrate talks so


def drop(apps, schema_editor):
    """Take it down again."""
    with schema_editor.connection.cursor() as cursor:
        for statement in _DROPPED[schema_editor.connection.vendor]:
            cursor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("restores", "0001_initial")]
    operations = [migrations.RunPython(index, drop)]
