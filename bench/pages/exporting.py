"""The whole list as CSV: when its first row comes, and what it costs while it streams."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from bench.collector.memory import resident
from bench.figures import Sheet
from bench.pages import visitor

_MB = 1024 * 1024


def measure(sheet: Sheet, rows: int) -> None:
    """Read every line of the export, and watch this process's memory meanwhile."""
    reader = visitor.client()
    reader.get("/healthz")  # a client's first request makes its own server, as no reader's does
    begun = perf_counter()
    answer: Any = reader.get("/restores.csv")
    chunks = iter(answer.streaming_content)
    head, first = next(chunks), next(chunks)
    sheet.add("CSV, seconds to the first rows", perf_counter() - begun, "s", most=0.5)
    lines, before, most = head.count(b"\n") + first.count(b"\n"), resident(), 0
    for number, chunk in enumerate(chunks):
        lines += chunk.count(b"\n")
        if number % 100 == 0:
            most = max(most, resident())
    taken = perf_counter() - begun
    assert lines == rows + 1, f"{lines:,} lines for {rows:,} rows"
    sheet.add("CSV, memory grown while it streamed", (most - before) / _MB, "MB", most=10)
    sheet.add(f"CSV of {rows:,} rows", taken, "s")
