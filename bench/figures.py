"""Figures with their goals beside them, and the machine they were measured on."""

import os
import platform
from pathlib import Path


class WrongTable(Exception):
    """A rival ended with other rows than we did: a ratio would mean nothing."""


class Sheet:
    """Prints figures as they come and remembers whether every goal holds."""

    def __init__(self) -> None:
        self.holds = True

    def title(self, text: str) -> None:
        """Begin a group of figures."""
        print(f"\n{text}", flush=True)

    def add(
        self,
        name: str,
        found: float,
        unit: str = "",
        *,
        least: float | None = None,
        most: float | None = None,
    ) -> None:
        """Print a figure; ``least`` or ``most`` is its goal."""
        goal = ""
        if least is not None:
            goal = self._judged(found >= least, f"at least {_number(least)} {unit}")
        if most is not None:
            goal = self._judged(found <= most, f"at most {_number(most)} {unit}")
        print(f"  {name:<58} {_number(found):>9} {unit:<10} {goal}".rstrip(), flush=True)

    def note(self, text: str) -> None:
        """Print what has to be known to read the figures."""
        print(f"  {text}", flush=True)

    def missing(self, text: str) -> None:
        """Say that something could not be measured; the goals count as not shown."""
        self.holds = False
        self.note(text)

    def _judged(self, holds: bool, goal: str) -> str:
        self.holds = self.holds and holds
        return f"{'holds' if holds else 'MISSED'}: {goal.strip()}"


def require_same(ours: object, theirs: object, what: str) -> None:
    """Stop the run unless both ended with the same rows."""
    if ours != theirs:
        raise WrongTable(f"{what}: the end tables differ, so nothing was compared.")


def machine() -> str:
    """Name the processor, its cores and the Python."""
    return f"{_processor()}, {os.cpu_count()} cores · Python {platform.python_version()}"


def busy() -> str:
    """Say so when others keep the processor busy: then figures of time are too low."""
    load = os.getloadavg()[0]
    return f"Load is {load:.1f} before the start: others slow this down." if load > 0.5 else ""


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text().splitlines() if listing.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.2f}"
