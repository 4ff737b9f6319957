"""Restores as rows of short tables: on the overview, and on the pages of restores and instances."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from restores.explain.codes import explain
from restores.explain.estimates import format_clock
from restores.explain.summary import NO_PROGRESS, QUEUED, Facts, details, format_percent
from restores.formatting import ABSENT
from restores.freshness import known_until
from restores.models import Restore
from restores.statuses import FAILED, IN_PROGRESS, RESTORING, WAITING


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreRow:
    """One restore; its details are a ``progress`` with a bar, or words.

    ``running`` when its duration grows with the clock.
    """

    restore: Restore
    progress: float | None
    details: str
    duration: str
    running: bool


def restore_rows(restores: Iterable[Restore], now: datetime) -> list[RestoreRow]:
    """Prepare restores as they are known at ``now``; project and account should have been read."""
    return [_restore_row(restore, now) for restore in restores]


def _restore_row(restore: Restore, now: datetime) -> RestoreRow:
    in_progress = restore.status in IN_PROGRESS
    until = known_until(restore, now) if in_progress else now
    progress = restore.progress if restore.status == RESTORING.value else None
    return RestoreRow(
        restore=restore,
        progress=progress,
        details=_details(restore, until) if progress is None else format_percent(progress),
        duration=_duration(restore, until),
        running=in_progress and restore.created_at is not None and until == now,
    )


def _details(restore: Restore, until: datetime) -> str:
    if restore.status == FAILED.value:
        return explain(restore.error_code).reason
    if restore.status == WAITING.value:
        facts = Facts(status=restore.status, now=until, created_at=restore.created_at)
        return details(facts) if facts.stuck else QUEUED
    return NO_PROGRESS if restore.status == RESTORING.value else ""


def _duration(restore: Restore, until: datetime) -> str:
    if restore.duration is not None:
        return format_clock(restore.duration)
    if restore.created_at and restore.status in IN_PROGRESS:
        return format_clock(max(0.0, (until - restore.created_at).total_seconds()))
    return ABSENT
