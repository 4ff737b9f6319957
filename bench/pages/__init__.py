"""The list's bench: our pages beside stock ones over the same rows, and how they grow."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from bench import databases
from bench.figures import machine

SMALL = 10_000


def main(arguments: list[str]) -> int:
    """Measure on SQLite and, with TEST_DATABASE_URL, on PostgreSQL; 0 when every goal holds."""
    parser = argparse.ArgumentParser(prog="bench list")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the large table")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], help="only this one")
    params = parser.parse_args(arguments)
    print(machine())
    servers = [
        server
        for server in databases.urls()
        if params.database in (None, "postgresql" if server else "sqlite")
    ]
    statuses = [_on(server, params.rows) for server in servers]
    if not any(servers):
        print("\nPostgreSQL was not measured: set TEST_DATABASE_URL to a server's URL.")
    return max(statuses, default=2)


def _on(server: str, rows: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder) / "small.json"
        figures.write_text(json.dumps({}))
        small = _measure(server, SMALL, figures) if rows > SMALL else 0
        return max(small, _measure(server, rows, figures))


def _measure(server: str, rows: int, figures: Path) -> int:
    # A process for each database, because Django is set up for one.
    settings = {"DATABASE_URL": kept(server, rows), "DCS_PROJECTS": "", "DEBUG": ""}
    environment = {"SECRET_KEY": "only-for-benches-" * 4, **os.environ, **settings}
    command = [sys.executable, "-m", "bench.pages", str(rows), str(figures)]
    return subprocess.call(command, env=environment)


def kept(server: str, rows: int) -> str:
    """Name a database that stays, made if need be: its history takes minutes to write."""
    name = f"bench_list_{rows}"
    if not server:
        return f"sqlite:///{Path(tempfile.gettempdir()) / name}.sqlite3"
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if found.fetchone() is None:
            connection.execute(f'CREATE DATABASE "{name}"')
    return urlsplit(server)._replace(path=f"/{name}").geturl()
