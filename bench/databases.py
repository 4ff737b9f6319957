"""Databases to measure on: SQLite and, with TEST_DATABASE_URL, PostgreSQL."""

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit


def servers(only: str | None = None) -> list[str]:
    """Return where databases can be made: "" is SQLite, else the URL of a PostgreSQL server."""
    server = os.environ.get("TEST_DATABASE_URL", "")
    found = ["", server] if server.startswith("postgres") else [""]
    if len(found) == 1:
        print("PostgreSQL is not measured: set TEST_DATABASE_URL to the URL of a server.")
    return [each for each in found if only in (None, "postgresql" if each else "sqlite")]


def kept(server: str, name: str) -> str:
    """Return the URL of a database that stays for the next run, made if it does not exist."""
    if not server:
        return f"sqlite:///{Path(tempfile.gettempdir()) / name}.sqlite3"
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if found.fetchone() is None:
            connection.execute(f'CREATE DATABASE "{name}"')
    return urlsplit(server)._replace(path=f"/{name}").geturl()


@contextmanager
def temporary(server: str) -> Iterator[str]:
    """Make an empty database, yield its URL, and remove it."""
    if not server:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            yield f"sqlite:///{Path(folder) / 'bench.sqlite3'}"
        return
    import psycopg

    name = f"bench_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            yield urlsplit(server)._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
