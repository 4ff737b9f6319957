"""How far a restore is, as a bar that also reads as text."""

from __future__ import annotations

from dataclasses import dataclass

from restores.explain.summary import Facts
from restores.formatting import format_percent
from restores.models import Restore
from restores.statuses import FINAL, RESTORING, WAITING


@dataclass(frozen=True, slots=True)
class Progress:
    """The bar's value, the style it wears, and the same in words."""

    value: str
    look: str
    text: str


def progress(restore: Restore, facts: Facts) -> Progress | None:
    """Say how far it is while that may change; what has ended is told by verdict and strip."""
    given = restore.progress
    if restore.status == WAITING.value:
        return Progress("0", "waiting", "not started")
    if given is None or restore.status in FINAL:
        return None
    value, number = f"{given:.2f}", format_percent(given)
    if restore.status == RESTORING.value:
        look = "stuck" if facts.stuck else "running"
        return Progress(value, look, "finishing (100 %)" if given == 100 else number)
    return Progress(value, "unknown", number)
