"""Every page against a stock django-tables2 page and against a JSON floor.

The sides of a comparison are requested in turn, in one run, so that a busy machine slows all of
them alike. Each request is for a different range, instance or project, and caches are cleared in
between; only ``repeated`` requests find what the previous one left.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import Any
from urllib.parse import urlencode

from bench import databases
from bench.client import Client, client
from bench.report import Report, describe_machine

ROWS, FEW_ROWS = 1_000_000, 10_000
ROUNDS, IN_A_ROW = 12, 4
SECONDS = 4.0
SYNC_ERRORS = 3
# A stock page takes at least this many times as long: (PostgreSQL, SQLite).
FIRST_PAGE, NARROWED, NOT_SLOWER = (4, 3), (2.5, 2.5), (1, 1)
# How many times as long something may take: as the floor, as the whole page, as without sync
# errors, as with few restores.
FLOOR, UNCHANGED, WITH_ERRORS, GROWTH = 30, 1 / 4, 1.3, 1.5
# The downtime report of a customer's month may take this many times as long as the list.
REPORT = 10
# The same for a list without rows, which names the closest restores.
EMPTY = 2
# Pages that count, and how many times as long as the list they may take.
COUNTING = {
    "overview, 7 days": ("/", 2),
    "overview, 30 days": ("/?from=now-30d", 6),
    "histogram, 7 days": ("/restores/histogram/?from=now-7d", 2),
}
# How many ids are looked up, and how many times as long as the list that may take.
LOOKED_UP, LOOKUP = 50, 4
MOST_QUERIES = 20
MEMBERS = {
    "superuser": "superuser",
    "one": "member of 1 project",
    "four": "member of 4 projects",
    "fifty": "member of 50 projects",
    "quiet": "member of 2 quiet projects",
}
# The order in which the product writes the parameters of its list.
ORDER = (
    *("customer", "project", "instance", "status", "q"),
    *("on", "from", "to", "asof", "sort", "after"),
)
# Pairs of letters that occur nowhere in the world's text.
NOWHERE = ("zq", "qz", "xj", "jx", "qj", "jq", "vq", "qv", "wq", "qx", "zx", "xz")
Query = dict[str, str]


def main(arguments: list[str]) -> int:
    """Measure on every database; 0 if all goals are met."""
    parser = argparse.ArgumentParser(prog="./run bench pages")
    databases.add_rows_argument(parser, ROWS)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], help="only this one")
    parser.add_argument(
        "--growth", action="store_true", help="compare each page with that of 10,000 restores"
    )
    parser.add_argument(
        "--rounds",
        type=int,
        default=ROUNDS,
        choices=range(1, ROUNDS + 1),
        metavar=f"1-{ROUNDS}",
        help=f"request each page at most this often (default: {ROUNDS})",
    )
    options = parser.parse_args(arguments)
    describe_machine()
    report = Report(judged=options.rows >= ROWS)
    for server in databases.servers(options.database):
        with ExitStack() as stack:
            worlds = [
                stack.enter_context(client(databases.world(server, rows), rows))
                for rows in (options.rows, *([FEW_ROWS] if options.growth else []))
            ]
            Measurement(report, *worlds, rounds=options.rounds, postgresql=bool(server)).run()
    report.summary()
    return 0 if report.goals_met else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One of our pages and what it is compared with: URLs, one per round, or none.

    ``rows``: "restore" or "instance", whose ids all of them must show, in the same order if
    ``ordered``. ``lines`` limits how much of a stream is read.
    """

    name: str
    ours: list[str]
    stock: list[str] = field(default_factory=list)
    floor: list[str] = field(default_factory=list)
    rows: str = "restore"
    ordered: bool = True
    empty: bool = False
    lines: int = 0
    goal: tuple[float, float] = NOT_SLOWER


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """Requests to time: where, for what and how."""

    client: Client
    urls: list[str]
    options: dict[str, Any] = field(default_factory=dict)


class Measurement:
    """All numbers for one database; ``small``: a world with few restores, to measure growth."""

    def __init__(
        self,
        report: Report,
        world: Client,
        small: Client | None = None,
        *,
        rounds: int,
        postgresql: bool,
    ) -> None:
        self._report, self._world, self._small = report, world, small
        self._rounds = rounds
        self._goal = 0 if postgresql else 1

    def run(self) -> None:
        """Measure the list for every kind of user, everything else for two of them."""
        for user, described in MEMBERS.items():
            self._report.heading(
                f"{self._world.world['database']}, {self._world.world['size']}, {described}"
            )
            self._measure_list(user)
            if user in ("superuser", "four"):
                pages = list(_pages(self._world, user))
                small = list(_pages(self._small, user)) if self._small else pages
                for page, same in zip(pages, small, strict=True):
                    self._measure(page, user, same.ours)

    def _measure_list(self, user: str) -> None:
        """Measure the list without any filter: fresh, repeated, unchanged, with sync errors."""
        page = _listed("list", [{}] * ROUNDS, goal=FIRST_PAGE)
        errors = {"sync_errors": SYNC_ERRORS}
        kinds = {
            "304": {"unchanged": True},
            "304, repeated": {"unchanged": True, "repeated": True},
        }
        if user in ("superuser", "four", "fifty"):
            # They see the instances that have errors.
            kinds |= {"with sync errors": errors, "304, with sync errors": kinds["304"] | errors}
        more = {
            name: Side(client=self._world, urls=page.ours, options=options)
            for name, options in kinds.items()
        }
        epoch = datetime.fromisoformat(self._world.world["epoch"])
        if user == "quiet":
            # Nothing for a year: the page names the closest restore.
            months = [days(epoch, 40 + number) for number in range(ROUNDS)]
            more["empty"] = Side(client=self._world, urls=urls("/restores/", months))
        if customers := self._world.world[user]["customers"]:
            month = days(epoch, 40)
            reports = [{"customer": each} | month for each in _cycle(customers)]
            more["report"] = Side(client=self._world, urls=urls("/reports/downtime/", reports))
        more["lookup"] = Side(client=self._world, urls=[_lookup(self._world, user)] * ROUNDS)
        for name, (url, _) in COUNTING.items():
            more[name] = Side(client=self._world, urls=[url] * ROUNDS)
        times = self._measure(page, user, page.ours, more)
        number = self._report.number
        for name, (_, most) in COUNTING.items():
            number(name, median(times[name]), "ms")
            number(f"{name} / list", _ratio(times[name], times["this"]), "x", at_most=most)
        name = f"lookup of {LOOKED_UP} ids"
        number(name, median(times["lookup"]), "ms")
        ratio = _ratio(times["lookup"], times["this"])
        number(f"{name} / list", ratio, "x", at_most=LOOKUP)
        for name in kinds:
            self._report.number(f"list, {name}", median(times[name]), "ms")
        if "empty" in times:
            self._report.number("list, 30 days without restores", median(times["empty"]), "ms")
            ratio = _ratio(times["empty"], times["this"])
            name = "list, 30 days without restores / list"
            self._report.number(name, ratio, "x", at_most=EMPTY)
        if "report" in times:
            name = "downtime of a customer, 30 days"
            self._report.number(name, median(times["report"]), "ms")
            ratio = _ratio(times["report"], times["this"])
            self._report.number(f"{name} / list", ratio, "x", at_most=REPORT)
        for part, whole, most in (
            ("304", "this", UNCHANGED),
            ("304, repeated", "repeated", UNCHANGED),
            ("with sync errors", "this", WITH_ERRORS),
            ("304, with sync errors", "304", WITH_ERRORS),
        ):
            if part in times:
                name = f"list, {part} / {'list' if whole == 'this' else whole}"
                ratio = _ratio(times[part], times[whole])
                self._report.number(name, ratio, "x", at_most=most)
        facets = Page(
            name="facets", ours=["/facets/"] * ROUNDS, floor=["/floor/restores/"] * ROUNDS, rows=""
        )
        self._measure(facets, user, facets.ours)

    def _measure(
        self, page: Page, user: str, small: list[str], more: Mapping[str, Side] | None = None
    ) -> dict[str, list[float]]:
        """Time a page and what it is compared with, report the ratios, and return all times."""
        options = {"rows": page.rows, "lines": page.lines}
        compared = {"this": page.ours, "stock": page.stock, "floor": page.floor}
        sides = {
            name: Side(client=self._world, urls=urls, options=options)
            for name, urls in compared.items()
            if urls
        }
        sides["repeated"] = Side(
            client=self._world, urls=page.ours[:1] * ROUNDS, options={**options, "repeated": True}
        )
        if self._small:
            sides["few"] = Side(client=self._small, urls=small, options=options)
        results = _request_in_turn(sides | dict(more or {}), user, self._rounds)
        _require_same_rows(page, {name: results[name] for name in compared if name in results})
        times = {name: [each["ms"] for each in found] for name, found in results.items()}
        number = self._report.number
        number(page.name, median(times["this"]), "ms")
        number(f"{page.name}, repeated", median(times["repeated"]), "ms")
        if page.stock:
            number(f"{page.name}, stock", median(times["stock"]), "ms")
            ratio = _ratio(times["stock"], times["this"])
            number(f"{page.name}, stock / this", ratio, "x", at_least=page.goal[self._goal])
        if page.floor:
            ratio = _ratio(times["this"], times["floor"])
            number(f"{page.name} / floor", ratio, "x", at_most=FLOOR)
        if self._small:
            ratio = _ratio(times["this"], times["few"])
            number(f"{page.name} / with {FEW_ROWS:,} restores", ratio, "x", at_most=GROWTH)
        queries = max(each["queries"] for each in results["this"])
        number(f"{page.name}, queries", queries, at_most=MOST_QUERIES)
        number(f"{page.name}, bytes", median(each["bytes"] for each in results["this"]))
        return times


def _request_in_turn(
    sides: Mapping[str, Side], user: str, rounds: int
) -> dict[str, list[dict[str, Any]]]:
    """Request every side equally often, up to ``rounds`` times or until the time is up."""
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in sides}
    turns, until = list(sides.items()), time.monotonic() + SECONDS
    for start in range(0, rounds, IN_A_ROW):
        if start and time.monotonic() > until:
            break
        for name, side in turns:
            # Several in a row: after another page has run, the processor's caches are cold.
            for url in side.urls[start : min(start + IN_A_ROW, rounds)]:
                results[name].append(side.client.get(url, user, **side.options))
        # A different side goes first each time: the first finds less in the database's memory.
        turns.append(turns.pop(0))
    return results


def _require_same_rows(page: Page, results: Mapping[str, list[dict[str, Any]]]) -> None:
    if not page.rows:
        return
    shown = {
        name: [each["rows"] if page.ordered else sorted(each["rows"]) for each in found]
        for name, found in results.items()
    }
    for name, rows in shown.items():
        if rows != shown["this"]:
            raise SystemExit(f"{page.name}: {name} does not show the same rows: {page.ours[0]}")
    if any(shown["this"]) == page.empty:
        raise SystemExit(f"{page.name}: there are {'' if page.empty else 'no '}rows")


def _pages(source: Client, user: str) -> Iterator[Page]:
    """The pages that are measured for one user, besides the list as it opens."""
    world, own = source.world, source.world[user]
    epoch = datetime.fromisoformat(world["epoch"])
    months = [days(epoch, 40 + 30 * number) for number in range(ROUNDS)]
    projects = [{"project": each} for each in _cycle(own["projects"])]
    instances = [{"instance": each} for each in _cycle(own["instances"])]
    biggest = [{"instance": world["biggest"]}] * ROUNDS
    yield from _narrowed_lists(world, epoch, months, projects, instances, biggest)
    start = min(50_000, own["count"] // 2) // 50 * 50
    cursors = [{"after": source.cursor(user, start + 50 * number)} for number in range(ROUNDS)]
    yield Page(
        name=f"list, row {start:,} by cursor",
        ours=urls("/restores/", cursors),
        stock=[f"/stock/restores/?page={start // 50 + 1 + number}" for number in range(ROUNDS)],
        floor=urls("/floor/restores/", cursors),
        goal=NARROWED,
    )
    for path, name in (("/", "overview"), ("/overview.json", "overview.json")):
        yield Page(name=name, ours=[path] * ROUNDS, floor=["/floor/restores/"] * ROUNDS, rows="")
    for suffix, name in (("/", ""), (".json", ".json")):
        restores = _cycle(own["restores"])
        yield Page(
            name=f"restore{name}",
            ours=[f"/restores/{each}{suffix}" for each in restores],
            floor=[f"/floor/restores/{each}/" for each in restores],
            rows="",
        )
        for kind, queries in (("instance", instances), ("biggest instance", biggest)):
            yield Page(
                name=f"{kind}{name}",
                ours=[f"/instances/{each['instance']}{suffix}" for each in queries],
                stock=urls("/stock/restores/", queries),
                floor=urls("/floor/restores/", queries),
                ordered=False,
            )
        for path, kind in (("instances", "instances"), ("sync-status", "sync status")):
            for narrowed, queries in (("", [{}] * ROUNDS), (" of a project", projects)):
                yield Page(
                    name=f"{kind}{narrowed}{name}",
                    ours=urls(f"/{path}{suffix}", queries),
                    stock=urls(f"/stock/{path}/", queries),
                    floor=urls(f"/floor/{path}/", queries),
                    rows="instance",
                )
    yield Page(
        name="list of 30 days.json",
        ours=urls("/restores.json", months),
        stock=urls("/stock/restores/", months),
        floor=urls("/floor/restores/", months),
    )
    for suffix in (".csv", ".md"):
        yield Page(
            name=f"list of 30 days{suffix}, first rows",
            ours=urls(f"/restores{suffix}", months),
            floor=urls("/floor/restores/", months),
            rows="",
            lines=50,
        )


def _lookup(source: Client, user: str) -> str:
    """Look up ids of restores and instances, and as many that don't exist."""
    own = source.world[user]
    ids = [*own["restores"], *own["instances"]]
    ids += [f"{number:08x}-0000-4000-8000-000000000000" for number in range(LOOKED_UP)]
    return f"/lookup/?q={','.join(ids[:LOOKED_UP])}"


def _narrowed_lists(
    world: Mapping[str, Any],
    epoch: datetime,
    months: list[Query],
    projects: list[Query],
    instances: list[Query],
    biggest: list[Query],
) -> Iterator[Page]:
    failed = {"status": "failed"}
    last_year = [400 + 20 * number for number in range(ROUNDS)]
    earlier = [days(epoch, ago) for ago in last_year]
    middle = world["count"] // 40 * 20
    yield _listed(
        "1000 days",
        [_range(epoch - timedelta(days=1000 + number), epoch) for number in range(ROUNDS)],
    )
    yield _listed("failed", [failed] * ROUNDS)
    yield _listed("project", projects)
    yield _listed("project, failed", [each | failed for each in projects])
    yield _listed("instance", instances)
    yield _listed("biggest instance, failed", [each | failed for each in biggest])
    yield _listed("30 days", months)
    yield _listed("30 days, failed", [each | failed for each in months])
    yield _listed("project, 30 days", [a | b for a, b in zip(projects, months, strict=True)])
    yield _listed("ended in a month last year", [each | {"on": "ended"} for each in earlier])
    yield _listed("changed in a month last year", [each | {"on": "changed"} for each in earlier])
    yield _listed("sorted by instance", [{"sort": "instance"}] * ROUNDS)
    # A text search has no floor: plain JSON takes as long as the stock page.
    nowhere = [{"q": each} for each in NOWHERE]
    yield _listed("two letters found nowhere", nowhere, floor=[], empty=True)
    # The tickets of the biggest instance: every member's projects have some.
    tickets = [{"q": f"{middle + 20 * number:08}"} for number in range(ROUNDS)]
    yield _listed("rare text", tickets, floor=[])
    yield _listed(
        "as of last year",
        [{"asof": _time(epoch - timedelta(days=ago))} for ago in last_year],
    )


def _listed(name: str, queries: list[Query], **options: Any) -> Page:
    """The restore list; everything it is compared with has the same query string.

    The rows are the same but in another order: ours begins with those in progress.
    """
    given = {"floor": urls("/floor/restores/", queries), "goal": NARROWED, "ordered": False}
    given |= options
    return Page(
        name=name if name == "list" else f"list, {name}",
        ours=urls("/restores/", queries),
        stock=urls("/stock/restores/", queries),
        **given,
    )


def _cycle(values: list[str]) -> list[str]:
    return [values[number % len(values)] for number in range(ROUNDS)]


def days(epoch: datetime, ago: int) -> Query:
    """Return the 30 days that begin this many days ago."""
    begin = epoch - timedelta(days=ago)
    return _range(begin, begin + timedelta(days=30))


def _range(begin: datetime, end: datetime) -> Query:
    return {"from": _time(begin), "to": _time(end)}


def _time(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


def urls(path: str, queries: list[Query]) -> list[str]:
    """Return a path with each of the query strings, as the product writes them."""
    # Any other order or spelling would be redirected.
    ordered = [[(name, query[name]) for name in ORDER if name in query] for query in queries]
    return [f"{path}?{urlencode(pairs, safe=':/,')}" if pairs else path for pairs in ordered]


def _ratio(a: list[float], b: list[float]) -> float:
    return median(x / y for x, y in zip(a, b, strict=True))
