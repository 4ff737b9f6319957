"""Databases to measure on: SQLite and, with TEST_DATABASE_URL, PostgreSQL."""

import hashlib
import os
import secrets
import sqlite3
import sys
import tempfile
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent


def environment(url: str) -> dict[str, str]:
    """Return the environment for one of our processes that uses the database at this URL."""
    return {
        "SECRET_KEY": "only-for-benchmarks-" * 4,
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "bench.settings",
        "DATABASE_URL": url,
        "DCS_PROJECTS": "",
        "DEBUG": "",
        # There are no collected static files.
        "PYTHONWARNINGS": "ignore",
    }


def servers(only: str | None = None) -> list[str]:
    """Return where databases can be created: "" is SQLite, else the URL of a PostgreSQL server."""
    server = os.environ.get("TEST_DATABASE_URL", "")
    if only == "postgresql" and not server.startswith("postgres"):
        sys.exit("PostgreSQL can't be measured: set TEST_DATABASE_URL to the URL of a server.")
    found = ["", server] if server.startswith("postgres") else [""]
    if len(found) == 1:
        print("PostgreSQL is not measured: set TEST_DATABASE_URL to the URL of a server.")
    return [each for each in found if only in (None, "postgresql" if each else "sqlite")]


def add_rows_argument(parser: ArgumentParser, default: int) -> None:
    """Let the command line choose how many restores the data set has."""
    parser.add_argument(
        "--rows",
        type=row_count,
        default=default,
        metavar="N",
        help="restores; no goals apply below 1000000",
    )


def row_count(text: str) -> int:
    """Parse a world's number of restores; with too few, some pages would have no rows."""
    if not (text.isascii() and text.isdigit() and 2000 <= int(text) <= 50_000_000):
        raise ArgumentTypeError(f"{text!r} is not a number from 2,000 to 50,000,000")
    return int(text)


def world(server: str, rows: int) -> str:
    """Return the URL of a database for a world of this many restores, kept for the next run.

    Its name depends on the code that creates it: the migrations and ``seed``.
    """
    made_by = hashlib.sha256()
    migrations = sorted((ROOT / "restores" / "migrations").glob("*.py"))
    for path in (*migrations, ROOT / "restores" / "management" / "commands" / "seed.py"):
        made_by.update(path.read_bytes())
    name = f"bench_{rows}_{made_by.hexdigest()[:8]}"
    if not server:
        return f"sqlite:///{Path(tempfile.gettempdir()) / name}.sqlite3"
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if found.fetchone() is None:
            connection.execute(f'CREATE DATABASE "{name}"')
    return urlsplit(server)._replace(path=f"/{name}").geturl()


@contextmanager
def temporary(server: str, template: str | None = None) -> Iterator[str]:
    """Create a database, empty or a copy of the template; yield its URL, then remove it."""
    if not server:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            path = Path(folder) / "bench.sqlite3"
            if template:
                kept = sqlite3.connect(template.removeprefix("sqlite:///"))
                with closing(kept), closing(sqlite3.connect(path)) as copy:
                    kept.backup(copy)
            yield f"sqlite:///{path}"
        return
    import psycopg

    name = f"bench_{secrets.token_hex(6)}"
    copied = f' TEMPLATE "{urlsplit(template).path[1:]}"' if template else ""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"{copied}')
        try:
            yield urlsplit(server)._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
