"""How long an answer takes: in all, on our CPU, and in the database."""

from __future__ import annotations

import gzip
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.test import Client

_Run = tuple[float, float, float, int]
_LEAST_RUNS, _MOST_RUNS, _ENOUGH = 5, 60, 1.5  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """Of some runs a quarter were quicker; milliseconds; the sizes in bytes."""

    wall: float
    cpu: float
    sql: float
    queries: int
    size: int
    packed: int
    body: bytes

    @property
    def words(self) -> str:
        """All of it on one line."""
        return (
            f"{self.wall:8.1f} ms · CPU {self.cpu:6.1f} · SQL {self.sql:7.1f} in {self.queries:2}"
            f" · {self.size / 1000:5.1f} kB · gzip {self.packed / 1000:4.1f}"
        )


def timed(client: Client, url: str, status: int = 200, **headers: str) -> Timed:
    """Ask for a page some times; ``AssertionError`` when it does not answer as it should."""
    return timed_in_turn(client, url, status=status, **headers)[0]


def timed_in_turn(client: Client, *urls: str, status: int = 200, **headers: str) -> list[Timed]:
    """Ask for pages in turn, some times each: what slows the machine slows them all."""
    answers = [client.get(url, headers=headers) for url in urls]
    for url, answer in zip(urls, answers, strict=True):
        assert answer.status_code == status, f"{url}: {answer.status_code}"
    runs: list[list[_Run]] = [[] for _ in urls]
    while left := [place for place, done in enumerate(runs) if _wants_more(done)]:
        for place in left:
            # At once some times, for a page that others follow finds the processor's caches cold.
            runs[place] += [
                _run(lambda: client.get(urls[place], headers=headers))  # noqa: B023
                for _ in range(_LEAST_RUNS)
            ]
    return [_summed(done, answer.content) for done, answer in zip(runs, answers, strict=True)]


def _wants_more(done: list[_Run]) -> bool:
    spent = sum(wall for wall, *_ in done) / 1000
    return len(done) < _LEAST_RUNS or (spent < _ENOUGH and len(done) < _MOST_RUNS)


def _summed(runs: list[_Run], body: bytes) -> Timed:
    # The quickest quarter: others use this machine, too.
    wall, cpu, sql, queries = (
        statistics.quantiles(column, n=4)[0] for column in zip(*runs, strict=True)
    )
    packed = len(gzip.compress(body, 6))
    return Timed(
        wall=wall, cpu=cpu, sql=sql, queries=int(queries), size=len(body), packed=packed, body=body
    )


def _run(act: Callable[[], Any]) -> _Run:
    spent: list[float] = []
    with connection.execute_wrapper(_stop_watch(spent)):
        wall, cpu = time.perf_counter(), time.process_time()
        act()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return 1000 * wall, 1000 * cpu, 1000 * sum(spent), len(spent)


def _stop_watch(spent: list[float]) -> Callable[..., Any]:
    def watch(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        begun = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            spent.append(time.perf_counter() - begun)

    return watch
