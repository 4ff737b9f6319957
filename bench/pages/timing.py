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
    answer = client.get(url, headers=headers)
    assert answer.status_code == status, f"{url}: {answer.status_code}"
    runs: list[tuple[float, float, float, int]] = []
    until = time.monotonic() + _ENOUGH
    while len(runs) < _LEAST_RUNS or (time.monotonic() < until and len(runs) < _MOST_RUNS):
        runs.append(_run(lambda: client.get(url, headers=headers)))
    # The quickest quarter: others use this machine, too.
    wall, cpu, sql, queries = (
        statistics.quantiles(column, n=4)[0] for column in zip(*runs, strict=True)
    )
    packed = len(gzip.compress(answer.content, 6))
    return Timed(
        wall=wall, cpu=cpu, sql=sql, queries=int(queries),
        size=len(answer.content), packed=packed, body=answer.content,
    )  # fmt: skip


def _run(act: Callable[[], Any]) -> tuple[float, float, float, int]:
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
