"""The promise at full size: a counted restore within 15 s, and never more calls than allowed."""

from __future__ import annotations

import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from statistics import median

from bench.collector import scene
from bench.collector.stack import Stack, until
from bench.figures import Sheet
from restores.models import Instance, Project, Restore
from restores.sync import scheduling

# Seven in ten instances are in the three projects that are monitored: about 3,000.
INSTANCES = 4_286
INTERVAL, RATE = 15 * 60, 10
BEGUN, EVERY = 15, 4.0
# For every restore that is begun some calls are answered 503, and so tried again.
_TROUBLE = {"kind": "status", "status": 503, "match": "/restores", "method": "GET", "times": 5}


def measure(sheet: Sheet) -> None:
    """Begin restores while real workers collect: at an even pace, then with everything due."""
    scene.forget()
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        Stack(Path(folder), instances=INSTANCES, rate=RATE, interval=INTERVAL) as stack,
    ):
        until(lambda: Project.objects.exclude(listed_at=None).count() == 3)
        sheet.note(
            f"{Instance.objects.count():,} instances in 3 projects of one account, interval "
            f"{INTERVAL // 60} min, {RATE} calls/s; real worker (2 processes), beat and broker"
        )
        _spread()
        _show(sheet, "at an even pace", _waits(stack), BEGUN)
        scene.all_due()
        _show(sheet, "everything due at once", _waits(stack), BEGUN)
        log = stack.asked("/_log?n=0")
    sheet.note(f"{log['total']:,} calls, lists in pages and tries again included; by status:")
    sheet.note(" ".join(f"{status}: {count}" for status, count in log["by_status"].items()))
    sheet.add("most calls within any one second", log["busiest_second"], "calls", most=RATE)


def _spread() -> None:
    """Bring the ledger where the first 15 minutes lead: looks spread over the interval."""
    now = datetime.now(UTC)
    rows = list(Instance.objects.all())
    for row in rows:
        row.next_sync_at = row.backups_due_at = scheduling.next_regular_sync(row, INTERVAL, now)
    Instance.objects.bulk_update(rows, ["next_sync_at", "backups_due_at"], batch_size=500)


def _show(sheet: Sheet, when: str, waits: list[float], begun: int) -> None:
    sheet.add(f"{when}: restores begun and never found", begun - len(waits), "", most=0)
    if waits:
        sheet.add(f"{when}: middle of those found", median(waits), "s")
        sheet.add(f"{when}: slowest of those found", max(waits), "s", most=15)


def _waits(stack: Stack) -> list[float]:
    """Begin a restore every few seconds and return how long each that was found took."""
    dice, waits = Random(7), list[float]()
    begun: dict[str, float] = {}
    able = Instance.objects.filter(single_node=False, status="RUNNING")
    ids = list(able.values_list("instance_id", flat=True))
    begins = [time.monotonic() + EVERY * number for number in range(BEGUN)]
    latest = begins[-1] + 2 * EVERY + 15
    while (begins or begun) and (now := time.monotonic()) < latest:
        if begins and now >= begins[0]:
            stack.asked("/_faults", _TROUBLE)
            order = {"instance": dice.choice(ids), "waiting": 0, "seconds": 30}
            begun[stack.asked("/_begin", order)["restore_id"]] = begins.pop(0)
        found = Restore.objects.filter(restore_id__in=list(begun))
        for each in found.values_list("restore_id", flat=True):
            waits.append(time.monotonic() - begun.pop(each))
        time.sleep(0.2)
    return waits
