"""Report of one number per line with its goal, and the machine that it was measured on."""

import os
import platform
from pathlib import Path


def describe_machine() -> None:
    """Print the processor, cores and Python version, and a warning if the machine is busy."""
    cpu = Path("/proc/cpuinfo")
    lines = cpu.read_text().splitlines() if cpu.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    name = names[0] if names else platform.machine()
    print(f"{name}, {os.cpu_count()} cores · Python {platform.python_version()}", flush=True)
    if (load := os.getloadavg()[0]) > 0.5:
        print(f"The load is {load:.1f} at the start: trust ratios, not milliseconds.", flush=True)


class Report:
    """Prints numbers as they arrive and remembers which miss their goals.

    Without ``judged`` no number has a goal: the data set is too small for them.
    """

    def __init__(self, *, judged: bool = True) -> None:
        self._judged, self._heading = judged, ""
        self._missed: dict[str, list[str]] = {}

    @property
    def goals_met(self) -> bool:
        """Whether every number so far meets its goal."""
        return not self._missed

    def heading(self, text: str) -> None:
        """Start a group of numbers: the database, its data and the user."""
        self._heading = text
        print(f"\n{text}", flush=True)

    def number(
        self,
        name: str,
        value: float,
        unit: str = "",
        *,
        at_least: float | None = None,
        at_most: float | None = None,
    ) -> None:
        """Print one number, and whether it meets its goal."""
        met, goal = True, ""
        if self._judged and at_least is not None:
            met, goal = value >= at_least, f"at least {at_least:g}"
        if self._judged and at_most is not None:
            met, goal = value <= at_most, f"at most {at_most:g}"
        shown = f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.2f}"
        judgment = f"{'ok' if met else 'MISSED'} (goal: {goal})" if goal else ""
        line = f"  {name:<58} {shown:>9} {unit:<6} {judgment}".rstrip()
        print(line, flush=True)
        if not met:
            self._missed.setdefault(self._heading, []).append(line)

    def summary(self) -> None:
        """Print the numbers that missed their goals once more."""
        for heading, lines in self._missed.items():
            print("\n".join([f"\nMissed: {heading}", *lines]))
