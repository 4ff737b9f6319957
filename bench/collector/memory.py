"""Whether a worker's memory stays flat over many looks, and what a hostile answer costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from statistics import median

from bench import upstream
from bench.collector import scene
from bench.figures import Sheet

INSTANCES, EACH = 100, 20
_MB = 1024 * 1024


def measure(sheet: Sheet, *, looks: int) -> None:
    """Show both, each in a process of its own; without /proc there is nothing to read."""
    if not Path("/proc/self/status").exists():
        sheet.missing("Memory was not measured: this system has no /proc.")
        return
    sheet.note(f"Memory over {looks:,} looks; every tenth instance is compared row by row")
    scene.forget()
    scene.enrol(INSTANCES)
    with upstream.running(instances=INSTANCES, records=EACH) as url:
        sizes = [int(line) for line in _told("bench.collector.steady", url, str(looks))]
        bomb, *fault = _told("bench.collector.bomb", url)
    fifth = len(sizes) // 5
    grown = median(sizes[-fifth:]) - median(sizes[fifth : 2 * fifth])
    sheet.add("resident at the end", sizes[-1] / _MB, "MB")
    sheet.add("grown from the second fifth to the last", grown / _MB, "MB", most=4)
    sheet.add("grown for each 1,000 looks", grown / 1024 / (0.0008 * looks), "kB")
    sheet.add("most that a gzip answer of 1 GB costs", int(bomb) / _MB, "MB", most=50)
    sheet.note(f"It ended as: {' '.join(fault)}")


def resident() -> int:
    """Return this process's resident memory in bytes."""
    return _kilobytes("VmRSS") * 1024


def most_resident() -> int:
    """Return the most this process ever had resident, in bytes."""
    return _kilobytes("VmHWM") * 1024


def _kilobytes(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def _told(module: str, *arguments: str) -> list[str]:
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.splitlines()
