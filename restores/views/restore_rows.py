"""Restores as rows of short tables: on the overview, and on the pages of restores and instances."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from restores.explain.codes import explain
from restores.explain.estimates import format_clock
from restores.explain.summary import NO_PROGRESS, QUEUED, details, format_percent
from restores.facts import row_facts
from restores.formatting import ABSENT, format_short
from restores.freshness import known_until
from restores.models import Restore
from restores.statuses import FAILED, IN_PROGRESS, RESTORING, UNRESOLVED, WAITING, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreRow:
    """One restore; its details are a ``progress`` with a bar, or words.

    ``outcome`` is its status with what became of a failure. ``running`` when its duration grows
    with the clock.
    """

    restore: Restore
    status: Status
    outcome: Status
    progress: float | None
    details: str
    duration: str
    running: bool


def restore_rows(
    restores: Iterable[Restore], now: datetime, *, dated: bool = False
) -> list[RestoreRow]:
    """Prepare restores as they are known at ``now``; project and account should have been read.

    If ``dated``, the outcome of a failure says when it recovered.
    """
    return [_restore_row(restore, now, dated=dated) for restore in restores]


def outcome_of(restore: Restore, *, dated: bool = False) -> Status:
    """The status of a restore and, of a failure, what became of it, on request with the time."""
    if restore.status != FAILED.value:
        return restore.shown_status
    if restore.recovered_at is None:
        return UNRESOLVED
    at = f" {_recovery_time(restore.recovered_at, restore.created_at)}" if dated else ""
    return Status(FAILED.value, f"Failed → recovered{at}", "recovered")


def _recovery_time(at: datetime, created_at: datetime | None) -> str:
    """The time of recovery, without the date on the day of the creation."""
    local = timezone.localtime(at)
    if created_at and timezone.localtime(created_at).date() == local.date():
        return f"{local:%H:%M}"
    return format_short(at)


def _restore_row(restore: Restore, now: datetime, *, dated: bool) -> RestoreRow:
    in_progress = restore.status in IN_PROGRESS
    until = known_until(restore, now) if in_progress else now
    progress = restore.progress if restore.status == RESTORING.value else None
    return RestoreRow(
        restore=restore,
        status=restore.shown_status,
        outcome=outcome_of(restore, dated=dated),
        progress=progress,
        details=_details(restore, progress, until),
        duration=_duration(restore, until),
        running=in_progress and restore.created_at is not None and until == now,
    )


def _details(restore: Restore, progress: float | None, until: datetime) -> str:
    if restore.stuck:
        return details(row_facts(restore, until, restore.instance.usual))
    if progress is not None:
        return format_percent(progress)
    if restore.status == FAILED.value:
        return explain(restore.error_code).reason
    return {WAITING.value: QUEUED, RESTORING.value: NO_PROGRESS}.get(restore.status, "")


def _duration(restore: Restore, until: datetime) -> str:
    if restore.duration is not None:
        return format_clock(restore.duration)
    if restore.created_at and restore.status in IN_PROGRESS:
        return format_clock(max(0.0, (until - restore.created_at).total_seconds()))
    return ABSENT
