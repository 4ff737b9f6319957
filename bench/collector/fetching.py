"""How near rounds of looks come to what the upstream's latency allows."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from time import perf_counter

from bench import made, upstream
from bench.collector import scene
from bench.figures import Sheet, WrongTable, require_same
from restores.models import Instance, Restore
from restores.sync import instances

INSTANCES, EACH, LATENCY = 1000, 10, 0.05
PROCESSES, SAMPLE = 2, 50
CONNECTIONS = PROCESSES * instances._THREADS


class Lookers:
    """Processes that stand ready to look."""

    def __init__(self, processes: list[subprocess.Popen[str]]) -> None:
        self._processes, self.cpu = processes, 0.0
        self._heard()

    def round(self) -> float:
        """Make every instance due, let all processes look, and return the seconds it took.

        ``cpu`` then holds the processor's seconds of them all.
        """
        scene.all_due()
        begun_at, begun = datetime.now(UTC), perf_counter()
        for process in self._processes:
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
        heard = [line.split() for line in self._heard()]
        taken = perf_counter() - begun
        self.cpu = sum(float(cpu) for _, cpu in heard)
        looks = sum(int(number) for number, _ in heard)
        proven = Instance.objects.filter(synced_at__gte=begun_at, sync_error_kind="").count()
        if looks != INSTANCES or proven != INSTANCES:
            raise WrongTable(f"{looks} looks proved {proven} of {INSTANCES} instances.")
        return taken

    def _heard(self) -> list[str]:
        return [process.stdout.readline() for process in self._processes if process.stdout]


def measure(sheet: Sheet) -> None:
    """Compare rounds of looks with the bound and with the official SDK in a loop."""
    bound = INSTANCES * LATENCY / CONNECTIONS
    sheet.note(
        f"Fetching {INSTANCES:,} instances of {EACH} restores at {LATENCY * 1000:.0f} ms, "
        f"one call each; {PROCESSES} processes x {instances._THREADS} threads = {CONNECTIONS} "
        f"connections; bound {bound:.2f} s"
    )
    scene.forget()
    scene.enrol(INSTANCES)
    with upstream.running(delay=LATENCY, instances=INSTANCES, records=EACH) as url:
        with _lookers(url) as lookers:
            filled = lookers.round()
            sheet.add("first fill, every row new", filled, "s")
            _cost(sheet, lookers)
            rounds = sorted(lookers.round() for _ in range(3))
            _cost(sheet, lookers)
        sheet.add("share of the bound, first fill (beside)", 100 * bound / filled, "%")
        sheet.add("nothing new, median of 3 rounds", rounds[1], "s")
        sheet.add("share of the bound, nothing new", 100 * bound / rounds[1], "%", least=75)
        _against_sdk(sheet, url, rounds[1])


def _cost(sheet: Sheet, lookers: Lookers) -> None:
    sheet.add("processor's time for a look", 1000 * lookers.cpu / INSTANCES, "ms")


@contextmanager
def _lookers(url: str) -> Iterator[Lookers]:
    command = [sys.executable, "-m", "bench.collector.looker", url]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with ExitStack() as stack:
        processes = [
            stack.enter_context(subprocess.Popen(command, **pipes))  # type: ignore[call-overload]
            for _ in range(PROCESSES)
        ]
        for process in processes:
            stack.callback(process.terminate)
        yield Lookers(processes)


def _against_sdk(sheet: Sheet, url: str, ours: float) -> None:
    try:
        from bench.collector import sdk
    except ImportError:
        sheet.missing("The official SDK is not installed: run ./run test once, it installs it.")
        return
    ids = made.instance_ids(SAMPLE)
    begun = perf_counter()
    listed = sdk.listed(url, ids)
    each = (perf_counter() - begun) / SAMPLE
    require_same(_stored(ids), listed, "the official SDK")
    sheet.add(f"official SDK in a loop, {SAMPLE} sampled, for {INSTANCES:,}", each * INSTANCES, "s")
    sheet.add("ours against it", each * INSTANCES / ours, "x", least=20)


def _stored(ids: list[str]) -> dict[str, set[tuple[str, ...]]]:
    names = ("restore_id", "status", "backup_id", "restore_remark")
    rows = Restore.objects.order_by()
    return {each: set(rows.filter(instance__instance_id=each).values_list(*names)) for each in ids}
