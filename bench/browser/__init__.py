"""The list in a real browser: when its largest part is painted, and how soon it answers."""

import argparse
import os
import shutil
import subprocess
import sys

from bench import databases
from bench.figures import machine
from bench.pages import kept

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main(arguments: list[str]) -> int:
    """Measure on SQLite and, with TEST_DATABASE_URL, on PostgreSQL; 0 when every goal holds."""
    parser = argparse.ArgumentParser(prog="bench browser")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the table")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], help="only this one")
    asked = parser.parse_args(arguments)
    print(machine())
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        print("Skipped: there is no Chromium on PATH (apt-get install chromium).")
        return 0
    return max(
        _measure(server, asked.rows, browser)
        for server in databases.urls()
        if asked.database in (None, "postgresql" if server else "sqlite")
    )


def _measure(server: str, rows: int, browser: str) -> int:
    # A process for each database, because Django is set up for one.
    given = {"DATABASE_URL": kept(server, rows), "DCS_PROJECTS": "", "DEBUG": ""}
    environment = {"SECRET_KEY": "only-for-benches-" * 4, **os.environ, **given}
    command = [sys.executable, "-m", "bench.browser", str(rows), browser]
    return subprocess.call(command, env=environment)
