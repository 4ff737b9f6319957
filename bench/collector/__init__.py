"""The collector's bench: writing, fetching, keeping the promise of 15 s, and memory."""

import argparse
import os
import subprocess
import sys

from bench import databases
from bench.figures import busy, machine


def main(arguments: list[str]) -> int:
    """Measure on SQLite and, with TEST_DATABASE_URL, on PostgreSQL; 0 when every goal holds."""
    parser = argparse.ArgumentParser(prog="bench collector")
    parser.add_argument(
        "--long", action="store_true", help="100,000 looks, and real workers for 100 s"
    )
    asked = parser.parse_args(arguments)
    print(machine())
    if warning := busy():
        print(warning)
    statuses = [_on(server, asked.long) for server in databases.urls()]
    if len(statuses) == 1:
        print("\nPostgreSQL was not measured: set TEST_DATABASE_URL to a server's URL.")
    return max(statuses)


def _on(server: str, long: bool) -> int:
    # A process for each database, because Django is set up for one.
    with databases.scratch(server) as url:
        settings = {"DATABASE_URL": url, "DCS_PROJECTS": "", "DEBUG": ""}
        environment = {"SECRET_KEY": "only-for-benches-" * 4, **os.environ, **settings}
        command = [sys.executable, "-m", "bench.collector", *(["--long"] if long else [])]
        return subprocess.call(command, env=environment)
