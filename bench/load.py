"""The list under load: two web processes, a collector at work, and a stock page beside."""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench import databases, upstream
from bench.figures import Sheet, machine
from bench.pages import kept

ROWS = 100_000
SECONDS, TURNS = 10, 3
LEAST = 3
_SERVER = ("gunicorn", "bench.pages.wsgi", "--workers", "2", "--threads", "4")


def main(arguments: list[str]) -> int:
    """Measure on SQLite and, with TEST_DATABASE_URL, on PostgreSQL; 0 when the goal holds."""
    print(machine())
    sheet = Sheet()
    for server in databases.urls():
        settings = {"DATABASE_URL": kept(server, ROWS), "DCS_PROJECTS": "", "DEBUG": ""}
        environment = {"SECRET_KEY": "only-for-benches-" * 4, **os.environ, **settings}
        sheet.title(
            f"{'PostgreSQL' if server else 'SQLite'}, {ROWS:,} restores, a collector at work"
        )
        _measure(sheet, environment)
    return 0 if sheet.holds else 1


def _measure(sheet: Sheet, environment: dict[str, str]) -> None:
    filled = subprocess.run(
        [sys.executable, "-m", "bench.pages.filled", str(ROWS)],
        env=environment, check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    cookie = filled.stdout.split()[-1]
    with _serving(environment) as port, _collecting(environment):
        turns = [
            {path: _visited(port, path, cookie) for path in ("/restores/", "/stock/")}
            for _ in range(TURNS)
        ]
    for path in ("/restores/", "/stock/"):
        rate, late = (statistics.median(turn[path][part] for turn in turns) for part in (0, 1))
        sheet.note(f"{path:<12}{rate:8.1f} requests/s, 95 of 100 within {late:7.1f} ms")
    ratio = statistics.median(turn["/restores/"][0] / turn["/stock/"][0] for turn in turns)
    sheet.add("requests/s, ours against stock", ratio, "x", least=LEAST)
    late = statistics.median(turn["/stock/"][1] / turn["/restores/"][1] for turn in turns)
    sheet.add("95th of 100, stock against ours", late, "x", least=LEAST)


def _visited(port: int, path: str, cookie: str) -> tuple[float, float]:
    command = [sys.executable, "-m", "bench.pages.visits", str(port), path, cookie, str(SECONDS)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    taken = [float(each) for each in done.stdout.split()]
    return len(taken) / SECONDS, statistics.quantiles(taken, n=20)[-1]


@contextmanager
def _serving(environment: dict[str, str]) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", *_SERVER, "--bind", f"127.0.0.1:{port}", "--log-level=error"]
    with subprocess.Popen([*command, "--no-control-socket"], env=environment) as process:
        try:
            _until_open(port)
            yield port
        finally:
            process.terminate()


@contextmanager
def _collecting(environment: dict[str, str]) -> Iterator[None]:
    with upstream.running(instances=100, records=100) as url:
        command = [sys.executable, "-m", "bench.pages.collecting", url]
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                assert process.stdout and process.stdout.readline()
                yield
            finally:
                process.kill()


def _until_open(port: int) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError("The web server did not start.")
