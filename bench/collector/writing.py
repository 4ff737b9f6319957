"""Rows a second from parsed records into the table: unchanged, and for the first time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from statistics import median
from time import perf_counter

from bench import made
from bench.collector import rivals, scene
from bench.collector.rewrites import Rewrites
from bench.figures import Sheet, require_same
from restores.dcs.client import Client
from restores.dcs.records import RESTORES, Page, RestoreRecord
from restores.models import Project
from restores.sync.accounts import AccountClient

INSTANCES, EACH = 50, 100
ROWS = INSTANCES * EACH
# Rivals write the rows of so many of the instances: they take long.
SAMPLE = 5 * EACH
TURNS = 3


# An answer as it came, and as it was read.
Told = tuple[bytes, Page[RestoreRecord]]


class _Told(Client):
    """A client that has its answers read already, so that only what follows is timed."""

    def __init__(self, told: dict[str, Told]) -> None:
        self._told = told

    def restores(
        self, instance_id: str, *, known_digest: str = "", **_window: object
    ) -> Page[RestoreRecord]:
        body, page = self._told[instance_id]
        digest = hashlib.sha256(body).hexdigest()
        return replace(page, rows=() if digest == known_digest else page.rows, digest=digest,
                       unchanged=digest == known_digest)  # fmt: skip


class _ToldCloud(AccountClient):
    def __init__(self, told: dict[str, Told]) -> None:
        super().__init__(scene.cloud("http://127.0.0.1").config)
        self._told = told

    def client(self, project: Project, expected_calls: int = 0) -> Client:
        super().client(project, expected_calls)  # reserves the slots, as for every batch
        return _Told(self._told)


def measure(sheet: Sheet) -> None:
    """Compare our looks with update_or_create per record, and with the quickest bulk load."""
    sheet.note(
        f"Writing {ROWS:,} rows: {INSTANCES} instances of {EACH} restores; middle of {TURNS}. "
        f"Rivals write {SAMPLE} of them, no observations, and get derived values for nothing"
    )
    cloud = _ToldCloud(_told())
    turns = [_turn(cloud) for _ in range(TURNS)]
    rewritten = sum(int(turn["rewritten"]) for turn in turns)
    sheet.add("unchanged, restore rows rewritten", rewritten, "rows", most=0)
    _show(sheet, turns, "unchanged", least=120)
    _show(sheet, turns, "first fill", least=15)
    bulk = median(turn["bulk"] for turn in turns)
    sheet.add(f"first fill, {rivals.bulk_name()} of prepared rows (beside)", bulk, "rows/s")


def _turn(cloud: AccountClient) -> dict[str, float]:
    """Time each way once, in rows a second, side by side: a busy machine slows all of them."""
    scene.forget()
    scene.enrol(INSTANCES)
    speeds = {"first fill, ours": ROWS / _seconds(lambda: scene.look_until_done(cloud))}
    ours = scene.restores()
    scene.all_due()
    with Rewrites() as rewrites:
        speeds["unchanged, ours"] = ROWS / _seconds(lambda: scene.look_until_done(cloud))
        speeds["rewritten"] = rewrites.count()
    require_same(ours, scene.restores(), "unchanged instances")
    bulk = rivals.Bulk(ours)
    for name, load in {"rival": rivals.one_by_one, "strict": rivals.together}.items():
        speeds[f"unchanged, {name}"] = _speed(load, ours[:SAMPLE], ours)
        rivals.remove(ours[:SAMPLE])
        speeds[f"first fill, {name}"] = _speed(load, ours[:SAMPLE], ours)
    rivals.remove(ours)
    speeds["bulk"] = _speed(lambda _: bulk.load(), ours, ours)
    return speeds


def _show(sheet: Sheet, turns: list[dict[str, float]], what: str, *, least: float) -> None:
    ours, rival = f"{what}, ours", f"{what}, rival"
    sheet.add(ours, median(turn[ours] for turn in turns), "rows/s")
    sheet.add(f"{what}, update_or_create", median(turn[rival] for turn in turns), "rows/s")
    ratio = median(turn[ours] / turn[rival] for turn in turns)
    sheet.add(f"{what}, ours against update_or_create", ratio, "x", least=least)
    strict = median(turn[ours] / turn[f"{what}, strict"] for turn in turns)
    sheet.add(f"{what}, against it in a transaction per instance (beside)", strict, "x")


def _speed(
    load: Callable[[list[rivals.Values]], None],
    rows: list[rivals.Values],
    expected: list[rivals.Values],
) -> float:
    taken = _seconds(lambda: load(rows))
    require_same(expected, scene.restores(), "a rival of the looks")
    return len(rows) / taken


def _told() -> dict[str, Told]:
    at = datetime.now(UTC).replace(microsecond=0)
    told = {}
    for each in made.instance_ids(INSTANCES):
        body = made.listing(made.restores(each, EACH))
        page = RESTORES.parse_page(json.loads(body), at)
        assert page and page.complete
        told[each] = body, page
    return told


def _seconds(work: Callable[[], object]) -> float:
    begun = perf_counter()
    work()
    return perf_counter() - begun
