"""Databases of a run's own: SQLite in a temporary folder and, if one is named, PostgreSQL."""

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit


def urls() -> list[str]:
    """Name where databases can be made: "" is SQLite, else a PostgreSQL server's URL."""
    server = os.environ.get("TEST_DATABASE_URL", "")
    return ["", server] if server.startswith("postgres") else [""]


@contextmanager
def scratch(server: str) -> Iterator[str]:
    """Make an empty database, lend its URL, and remove it."""
    if server:
        with _postgresql(server) as url:
            yield url
    else:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            yield f"sqlite:///{Path(folder) / 'bench.sqlite3'}"


@contextmanager
def _postgresql(server: str) -> Iterator[str]:
    import psycopg

    name = f"bench_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            yield urlsplit(server)._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
