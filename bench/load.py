"""Many concurrent readers: our list against a stock one, on a real server while a worker syncs."""

from __future__ import annotations

import argparse
import http.client
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import cycle
from pathlib import Path
from random import Random
from statistics import quantiles
from typing import Any

import django

from bench import databases, sync
from bench.client import client, describe_world, signed_in
from bench.pages import ROWS, days, urls
from bench.report import Report, describe_machine
from deploy.launcher.stack import LOOPBACK, accepts_connections, free_port, web_command
from deploy.launcher.supervisor import Child, Supervisor
from simulator.server import Simulator

READERS, THINK, SECONDS = 32, 5.0, 40
INTERVAL = 60
USERS = ("superuser", "four")
# With think time: the slowest page, in seconds. Without: pages and p95, relative to stock pages.
SLOWEST, MORE_PAGES, P95 = 1.0, 2.5, 0.5
# With exports: the p95 of the pages in seconds, and how much memory may grow, in MB.
READERS_WITH_EXPORTS, P95_SECONDS, MORE_MEMORY = 50, 0.5, 50
EXPORTS = ("/restores.csv", "/restores.xlsx", "/instances.csv")


def main(arguments: list[str]) -> int:
    """Measure in a separate process, on a copy of the world; 0 if all goals are met."""
    parser = argparse.ArgumentParser(prog="./run bench load")
    databases.add_rows_argument(parser, ROWS)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="postgresql")
    parser.add_argument(
        "--seconds", type=int, default=SECONDS, help=f"per measurement (default: {SECONDS})"
    )
    parser.add_argument(
        "--part",
        choices=["stock", "exports"],
        default="stock",
        help="compare with stock pages (default), or read while files are exported",
    )
    options = parser.parse_args(arguments)
    describe_machine()
    statuses = []
    for server in databases.servers(options.database):
        world = databases.world(server, options.rows)
        with client(world, options.rows):
            pass
        with databases.temporary(server, world) as url:
            numbers = str(options.rows), str(options.seconds)
            command = [sys.executable, "-m", "bench.load", options.part, *numbers]
            environment = databases.environment(url)
            statuses.append(subprocess.call(command, env=environment, cwd=databases.ROOT))
    return max(statuses)


def measure_with_exports(rows: int, seconds: int) -> int:
    """Let users read every page while sync and exports run, on the world at DATABASE_URL."""
    django.setup()
    world, report = describe_world(), Report(judged=rows >= ROWS)
    pages = {user: _lists(world, user, "/restores/") + _other_pages(world, user) for user in USERS}
    epoch = datetime.fromisoformat(world["epoch"])
    files = [url for path in EXPORTS for url in urls(path, [days(epoch, 40)])]
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        Simulator() as simulator,
        sync.worker(Path(folder), simulator, INTERVAL) as supervisor,
    ):
        server = Server(supervisor, READERS_WITH_EXPORTS)
        server.start()
        report.heading(
            f"{world['database']}, {world['size']}, {READERS_WITH_EXPORTS} readers, {THINK:g} s to "
            "think, 2 web processes, with sync and exports running"
        )
        server.read(pages, THINK, 0)
        before = server.memory()
        with server.exporting(files) as exported:
            read = server.read(pages, seconds, THINK)
        report.number("every page", read.per_second, "/s")
        report.number("every page, 95% within", read.p95, "s", at_most=P95_SECONDS)
        report.number("every page, slowest", read.slowest, "s")
        print(f"    {read.slowest_url}", flush=True)
        report.number("files exported", len(exported), at_least=1)
        report.number("memory of the web processes before", before, "MB")
        growth = server.memory() - before
        report.number("memory of the web processes, growth", growth, "MB", at_most=MORE_MEMORY)
    report.summary()
    return 0 if report.goals_met else 1


def measure(rows: int, seconds: int) -> int:
    """Measure on the world that DATABASE_URL names."""
    django.setup()
    world, report = describe_world(), Report(judged=rows >= ROWS)
    ours = {user: _lists(world, user, "/restores/") for user in USERS}
    stock = {user: _lists(world, user, "/stock/restores/") for user in USERS}
    everything = {user: [*ours[user], *_other_pages(world, user)] for user in USERS}
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        Simulator() as simulator,
        sync.worker(Path(folder), simulator, INTERVAL) as supervisor,
    ):
        server = Server(supervisor)
        server.start()
        report.heading(
            f"{world['database']}, {world['size']}, {READERS} readers, 2 web processes, "
            "with sync running"
        )
        for name, pages in (("every page", everything), ("list", ours), ("list, stock", stock)):
            read = server.read(pages, seconds, THINK)
            goal = None if pages is stock else SLOWEST
            report.number(f"{THINK:g} s to think: {name}", read.per_second, "/s")
            report.number(f"{THINK:g} s to think: {name}, 95% within", read.p95, "s")
            slowest = f"{THINK:g} s to think: {name}, slowest"
            report.number(slowest, read.slowest, "s", at_most=goal)
            print(f"    {read.slowest_url}", flush=True)
        fast, slow = (server.read(pages, seconds, 0) for pages in (ours, stock))
        for name, read in (("list", fast), ("list, stock", slow)):
            report.number(f"back to back: {name}", read.per_second, "/s")
            report.number(f"back to back: {name}, 95% within", read.p95, "s")
        ratio = fast.per_second / slow.per_second
        report.number("back to back: pages, this / stock", ratio, "x", at_least=MORE_PAGES)
        ratio = fast.p95 / slow.p95
        report.number("back to back: 95% within, this / stock", ratio, "x", at_most=P95)
    report.summary()
    return 0 if report.goals_met else 1


@dataclass(frozen=True, slots=True)
class Readings:
    """What all readers measured: how long each page took, its URL, and the total time."""

    pages: list[tuple[float, str]]
    seconds: float

    @property
    def per_second(self) -> float:
        """Pages per second."""
        return len(self.pages) / self.seconds

    @property
    def p95(self) -> float:
        """The 95th percentile of the page times, in seconds."""
        return quantiles([took for took, _ in self.pages], n=20)[-1]

    @property
    def slowest(self) -> float:
        """How long the slowest page took, in seconds."""
        return max(self.pages)[0]

    @property
    def slowest_url(self) -> str:
        """Which page that was."""
        return max(self.pages)[1]


class Server:
    """The web processes, and readers who request pages from them."""

    def __init__(self, supervisor: Supervisor, readers: int = READERS) -> None:
        self._supervisor, self._readers = supervisor, readers
        self._address = (LOOPBACK, free_port())
        cookies = {user: signed_in(user).cookies for user in USERS}
        self._cookies = {user: found.output([], "", ";").strip() for user, found in cookies.items()}

    def start(self) -> None:
        """Start the web processes; wait until they respond and the simulated cloud is synced."""
        from restores.models import Instance, Project

        # As in deploy/: gunicorn.conf.py has more threads than PostgreSQL accepts connections.
        address = "{}:{}".format(*self._address)
        command = (*web_command(Path(sys.executable), address), "--threads", "16")
        environment = os.environ | {"MALLOC_ARENA_MAX": "2"}
        self._supervisor.start(Child(name="web", command=command, environment=environment))
        synced = Project.objects.exclude(project_id__startswith="seed-")
        unknown = Instance.objects.monitored().filter(project__in=synced, synced_at=None)
        deadline = time.monotonic() + 300
        while (
            not accepts_connections(self._address)
            or synced.exclude(listed_at=None).count() < 3
            or unknown.exists()
        ):
            assert time.monotonic() < deadline, self._supervisor.log_tail("worker")
            self._supervisor.tick(0.5)

    def read(self, urls: dict[str, list[str]], seconds: float, think: float) -> Readings:
        """Let all readers request these pages, some at random, for this many seconds."""
        from restores.models import Project

        # The worker has retired the projects that its projects file lacks.
        Project.objects.update(monitored=True)
        self._read(urls, 3, 0)
        return self._read(urls, seconds, think)

    @contextmanager
    def exporting(self, urls: list[str]) -> Iterator[list[str]]:
        """Meanwhile, let each user export one file after another; yield those that are done."""
        done: list[str] = []
        failures: list[Exception] = []
        ended = threading.Event()

        def exporter(user: str) -> None:
            try:
                for url in cycle(urls):
                    if ended.wait(THINK):
                        return
                    self._get(url, user)
                    done.append(url)
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=exporter, args=[user]) for user in USERS]
        for thread in threads:
            thread.start()
        try:
            yield done
        finally:
            ended.set()
            for thread in threads:
                thread.join()
        if failures:
            raise failures[0]

    def memory(self) -> float:
        """The memory of the web processes in MB."""
        command = ["pgrep", "-f", "gunicorn.*{}:{}".format(*self._address)]
        found = subprocess.run(command, capture_output=True, text=True, check=True)
        sizes = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in found.stdout.split()]
        return sum(int(re.search(r"^Pss: +(\d+)", size, re.M)[1]) for size in sizes) / 1000  # type: ignore[index]

    def _read(self, urls: dict[str, list[str]], seconds: float, think: float) -> Readings:
        begin = finished = time.monotonic()
        pages: list[tuple[float, str]] = []
        failures: list[Exception] = []

        def reader(number: int) -> None:
            nonlocal finished
            rng, user = Random(number), USERS[number % len(USERS)]
            time.sleep(rng.uniform(0, think))
            try:
                while time.monotonic() < begin + seconds:
                    url = rng.choice(urls[user])
                    pages.append((self._get(url, user), url))
                    finished = time.monotonic()
                    time.sleep(think)
            except Exception as error:
                failures.append(error)

        threads = [
            threading.Thread(target=reader, args=[number]) for number in range(self._readers)
        ]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            self._supervisor.tick(0.2)
        if failures:
            raise failures[0]
        return Readings(pages, finished - begin)

    def _get(self, url: str, user: str) -> float:
        """Request a page as a browser does; return how many seconds it took."""
        begin = time.perf_counter()
        connection = http.client.HTTPConnection(*self._address, timeout=120)
        headers = {"Cookie": self._cookies[user], "Accept-Encoding": "gzip"}
        connection.request("GET", url, headers=headers)
        response = connection.getresponse()
        response.read()
        connection.close()
        assert response.status == 200, f"{url} as {user}: status {response.status}"
        return time.perf_counter() - begin


def _lists(world: dict[str, Any], user: str, path: str) -> list[str]:
    """The list as it opens, and filtered."""
    epoch, own = datetime.fromisoformat(world["epoch"]), world[user]
    return urls(path, [{}, {"status": "failed"}]) + [
        url
        for number in range(5)
        for url in urls(
            path,
            [
                days(epoch, 40 + 30 * number),
                {"project": own["projects"][number % len(own["projects"])]},
                {"instance": own["instances"][number]},
            ],
        )
    ]


def _other_pages(world: dict[str, Any], user: str) -> list[str]:
    return [
        *("/", "/instances/", "/sync-status/", "/facets/"),
        *(f"/restores/{each}/" for each in world[user]["restores"][:5]),
        *(f"/instances/{each}/" for each in world[user]["instances"][:5]),
        f"/instances/{world['biggest']}/",
    ]


if __name__ == "__main__":
    part = {"stock": measure, "exports": measure_with_exports}[sys.argv[1]]
    sys.exit(part(int(sys.argv[2]), int(sys.argv[3])))
