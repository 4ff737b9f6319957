"""The restore list against a stock django-tables2 page, and against an older checkout.

All pages are requested in turn, in one run, so that a busy machine slows all of them alike. Every
request asks for another range, instance or project, so that nothing comes from a cache.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode

from bench import databases
from bench.checkout.data import MEMBER_OF, NOW, counts, instance_id
from bench.report import Report, describe_machine

HERE = Path(__file__).resolve().parent.parent
ROWS = 1_000_000
# With fewer there is no row that only a cursor reaches: numbered pages go up to row 10,000.
LEAST_ROWS = 20_000
ROUNDS, IN_A_ROW = 15, 5
SECONDS = 20.0
# How many times as long a stock page takes at least: (PostgreSQL, SQLite).
FIRST_PAGE, NARROWED, DEEP, RARE = (4, 3), (2.5, 2.5), (8, 8), (40, 40)
UNCHANGED = 1 / 3
MOST_QUERIES = 20
# Less would be noise: the same page twice differs by as much.
NOT_SLOWER = 0.9


def main(arguments: list[str]) -> int:
    """Measure on every database; 0 if all goals are met."""
    parser = argparse.ArgumentParser(prog="./run bench list")
    parser.add_argument(
        "--rows", type=int, default=ROWS, help="restores; less than 1000000 has no goals"
    )
    parser.add_argument("--database", choices=["sqlite", "postgresql"], help="only this one")
    parser.add_argument(
        "--compare", type=Path, metavar="DIR", help="an older checkout to measure in the same run"
    )
    options = parser.parse_args(arguments)
    describe_machine()
    report = Report()
    for server in databases.servers(options.database):
        with ExitStack() as stack:
            ours = stack.enter_context(_pages(HERE, server, options.rows))
            older = None
            if options.compare:
                older = stack.enter_context(_pages(options.compare.resolve(), server, options.rows))
            Measurement(report, ours, older, options.rows, postgresql=bool(server)).run()
    return 0 if report.goals_met else 1


class Pages:
    """The pages of one checkout, requested by a process that runs its code."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.database = self._read()["database"]

    def get(self, url: str, user: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
        """Request a page and return the result; raises AssertionError for an error status."""
        result = self._ask({"url": url, "user": user, "headers": headers or {}})
        assert result["status"] in (200, 304), f"{url}: status {result['status']}"
        return result

    def cursors(self, row: int, count: int) -> list[str]:
        """Return the cursors of ``count`` pages from about this row on."""
        found: list[str] = self._ask({"row": row, "count": count, "user": "superuser"})["cursors"]
        return found

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            sys.exit("A process that requests pages has ended; its error is above.")
        result: dict[str, Any] = json.loads(line)
        return result


@contextmanager
def _pages(checkout: Path, server: str, rows: int) -> Iterator[Pages]:
    """Run a checkout's code on a database of its own, which is kept for the next run."""
    schema = hashlib.sha256()
    for path in sorted((checkout / "restores" / "migrations").glob("*.py")):
        schema.update(path.read_bytes())
    schema.update((HERE / "bench" / "checkout" / "data.py").read_bytes())
    url = databases.kept(server, f"bench_{rows}_{schema.hexdigest()[:8]}")
    python = checkout / ".venv" / "bin" / "python"
    environment = {
        "SECRET_KEY": "only-for-benchmarks-" * 4,
        **os.environ,
        "DATABASE_URL": url,
        "DCS_PROJECTS": "",
        "DEBUG": "",
        "PYTHONWARNINGS": "ignore",
        "PYTHONPATH": str(HERE / "bench"),
    }
    process = subprocess.Popen(
        [python if python.exists() else sys.executable, "-m", "checkout.pages", str(rows)],
        cwd=checkout,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Pages(process)
    finally:
        process.terminate()
        process.wait()


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One way to narrow the list: the URLs of each page, round by round, and the goal."""

    name: str
    ours: list[str]
    stock: list[str]
    older: list[str]
    goal: tuple[float, float] | None = NARROWED

    @classmethod
    def of(cls, name: str, queries: list[dict[str, str]], goal: Any = NARROWED) -> View:
        """Return a view whose query strings are the same for all pages."""
        urls = [_url("/restores/", query) for query in queries]
        stock = [_url("/stock/", query) for query in queries]
        return cls(name=name, ours=urls, stock=stock, older=urls, goal=goal)


class Measurement:
    """All numbers of one database."""

    def __init__(
        self, report: Report, ours: Pages, older: Pages | None, rows: int, *, postgresql: bool
    ) -> None:
        self._report, self._ours, self._older, self._rows = report, ours, older, rows
        self._goal = 0 if postgresql else 1
        self._judged = rows >= ROWS

    def run(self) -> None:
        """Measure every view as a superuser, the most important ones as a member too."""
        projects, instances = counts(self._rows)
        data = f"{self._rows:,} restores, {instances:,} instances, {projects} projects"
        self._report.heading(f"{self._ours.database}, {data}, superuser")
        views = _views(self._rows)
        if self._rows >= LEAST_ROWS:
            views.append(self._deep())
        for view in views:
            self._compare(view, "superuser")
        self._compare_unchanged("superuser")
        self._report.heading(f"{self._ours.database}, {data}, member of {MEMBER_OF} projects")
        for view in _views(self._rows, goals=False):
            if view.name in ("first page", "30 days"):
                self._compare(view, "member")
        self._compare_unchanged("member")

    def _deep(self) -> View:
        row = min(50_000, self._rows * 3 // 5)

        def urls(pages: Pages) -> list[str]:
            return [_url("/restores/", {"after": each}) for each in pages.cursors(row, ROUNDS)]

        return View(
            name=f"row {row:,} by cursor",
            ours=urls(self._ours),
            # The cursors are 200 rows apart.
            stock=[f"/stock/?page={row // 50 + 1 + 4 * number}" for number in range(ROUNDS)],
            older=urls(self._older) if self._older else [],
            goal=DEEP,
        )

    def _compare(self, view: View, user: str) -> None:
        """Request each page in turn, check that all show the same rows, and report the times."""
        pages = [("this", self._ours, view.ours), ("stock", self._ours, view.stock)]
        if self._older:
            pages.append(("older", self._older, view.older))
        results: dict[str, list[dict[str, Any]]] = {name: [] for name, *_ in pages}
        until = time.monotonic() + SECONDS
        for start in range(0, ROUNDS, IN_A_ROW):
            if start and time.monotonic() > until:
                break
            for name, source, urls in pages:
                # Some in a row: after another page has run, the processor's caches are cold.
                for url in urls[start : start + IN_A_ROW]:
                    results[name].append(source.get(url, user))
            # Another one first each time: the first finds less in the database's memory.
            pages.append(pages.pop(0))
        rows = {name: [each["rows"] for each in found] for name, found in results.items()}
        if any(found != rows["stock"] for found in rows.values()) or not any(rows["stock"]):
            sys.exit(f"{view.name}: the pages do not show the same rows: {view.ours[0]}")
        times = {name: [each["ms"] for each in found] for name, found in results.items()}
        queries = max(each["queries"] for each in results["this"])
        for name, title in (("this", "this checkout"), ("stock", "stock page")):
            self._report.number(f"{view.name}: {title}", median(times[name]), "ms")
        goal = view.goal[self._goal] if view.goal and self._judged else None
        ratio = _ratio(times["stock"], times["this"])
        self._report.number(f"{view.name}: stock / this", ratio, "x", at_least=goal)
        if self._older:
            self._report.number(f"{view.name}: older checkout", median(times["older"]), "ms")
            goal = NOT_SLOWER if view.goal is NARROWED and self._judged else None
            ratio = _ratio(times["older"], times["this"])
            self._report.number(f"{view.name}: older / this", ratio, "x", at_least=goal)
        self._report.number(f"{view.name}: queries", queries, at_most=MOST_QUERIES)

    def _compare_unchanged(self, user: str) -> None:
        """Compare a 304 with the whole page."""
        for name, source in (("this checkout", self._ours), ("older checkout", self._older)):
            if source is None:
                continue
            whole = [source.get("/restores/", user) for _ in range(ROUNDS)]
            known = {"If-None-Match": whole[-1]["etag"]}
            unchanged = [source.get("/restores/", user, known) for _ in range(ROUNDS)]
            assert all(each["status"] == 304 for each in unchanged), unchanged[0]
            times = [each["ms"] for each in unchanged]
            self._report.number(f"304: {name}", median(times), "ms")
            goal = UNCHANGED if source is self._ours and self._judged else None
            ratio = _ratio(times, [each["ms"] for each in whole])
            self._report.number(f"304 / first page: {name}", ratio, "x", at_most=goal)


def _views(rows: int, *, goals: bool = True) -> list[View]:
    projects, _ = counts(rows)
    failed = {"status": "failed"}
    months = [_days(40 + 30 * number) for number in range(ROUNDS)]
    some = [{"project": f"project-{number % projects}"} for number in range(ROUNDS)]
    # The busiest instances, so that a page is full even with the failed ones alone.
    one = [{"instance": instance_id(number)} for number in range(ROUNDS)]
    tickets = [{"q": f"{rows // 2 + 101 * number:08}"} for number in range(ROUNDS)]
    views = [
        View.of("first page", [{}] * ROUNDS, FIRST_PAGE),
        View.of("failed", [failed] * ROUNDS),
        View.of("project", some),
        View.of("project, failed", [each | failed for each in some]),
        View.of("instance", one),
        View.of("instance, failed", [each | failed for each in one]),
        View.of("30 days", months),
        View.of("30 days, failed", [each | failed for each in months]),
        View.of("rare text", tickets, RARE),
        View.of("common text", [{"q": "maintenance"}] * ROUNDS, None),
    ]
    return views if goals else [replace(view, goal=None) for view in views]


def _days(ago: int) -> dict[str, str]:
    """Return the 30 days that begin so many days ago."""
    begin = NOW - timedelta(days=ago)
    end = begin + timedelta(days=30)
    return {"from": f"{begin:%Y-%m-%dT%H:%M:%SZ}", "to": f"{end:%Y-%m-%dT%H:%M:%SZ}"}


def _url(path: str, query: dict[str, str]) -> str:
    # In the canonical order and spelling, or the product would redirect.
    order = ("project", "instance", "status", "q", "from", "to", "after")
    known = {name: query[name] for name in order if name in query}
    return f"{path}?{urlencode(known, safe=':/,')}" if known else path


def _ratio(a: list[float], b: list[float]) -> float:
    return median(x / y for x, y in zip(a, b, strict=True))
