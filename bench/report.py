"""One number per line with its goal, and the machine that it was measured on."""

import os
import platform
from pathlib import Path


def describe_machine() -> None:
    """Print processor, cores and Python, and a warning if others use them."""
    cpu = Path("/proc/cpuinfo")
    lines = cpu.read_text().splitlines() if cpu.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    name = names[0] if names else platform.machine()
    print(f"{name}, {os.cpu_count()} cores · Python {platform.python_version()}", flush=True)
    if (load := os.getloadavg()[0]) > 0.5:
        print(f"The load is {load:.1f} at the start: trust ratios, not milliseconds.", flush=True)


class Report:
    """Prints numbers as they come and remembers whether every goal is met."""

    goals_met = True

    def heading(self, text: str) -> None:
        """Start a group of numbers: the database, its data and the user."""
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
        goal = ""
        if at_least is not None:
            goal = self._judge(value >= at_least, f"at least {at_least:g}")
        if at_most is not None:
            goal = self._judge(value <= at_most, f"at most {at_most:g}")
        shown = f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.2f}"
        print(f"  {name:<58} {shown:>9} {unit:<6} {goal}".rstrip(), flush=True)

    def _judge(self, met: bool, goal: str) -> str:
        self.goals_met = self.goals_met and met
        return f"{'ok' if met else 'MISSED'} (goal: {goal})"
