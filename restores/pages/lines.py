"""One restore as a line of a short table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from restores.explain import codes
from restores.explain.estimates import format_clock
from restores.explain.summary import NO_PROGRESS, QUEUED, Facts, details
from restores.formatting import format_percent
from restores.models import Restore
from restores.pages.freshness import known_until
from restores.pages.moments import Moment, moment
from restores.paths import restore_path
from restores.statuses import FAILED, IN_PROGRESS, RESTORING, WAITING, Status, status_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What a line prints: ``bar`` of a restore that shows progress, ``reason`` of any other."""

    restore: Restore
    url: str
    status: Status
    created: Moment | None
    took: str
    running: bool
    reason: str
    bar: str
    progress: str


def line(restore: Restore, now: datetime | None = None) -> Line:
    """Prepare one restore; what is in progress took until ``now``, or its last look."""
    moving = restore.status in IN_PROGRESS
    until = known_until(restore, now) if moving and now else now
    restoring = restore.status == RESTORING.value and restore.progress is not None
    return Line(
        restore=restore,
        url=restore_path(restore.restore_id),
        status=status_of(restore.status),
        created=moment(restore.created_at),
        took=_took(restore, until),
        running=moving and restore.created_at is not None and until == now,
        reason=_reason(restore, until),
        bar=f"{restore.progress:g}" if restoring else "",
        progress=format_percent(restore.progress),
    )


def lines(restores: Iterable[Restore], now: datetime | None = None) -> list[Line]:
    """Prepare a table of restores."""
    return [line(restore, now) for restore in restores]


def _reason(restore: Restore, until: datetime | None) -> str:
    if restore.status == FAILED.value:
        return codes.explain(restore.error_code).reason
    if restore.status == WAITING.value:
        facts = Facts(
            status=restore.status, now=until or timezone.now(), created_at=restore.created_at
        )
        return details(facts) if until and facts.stuck else QUEUED
    return NO_PROGRESS if restore.status == RESTORING.value and restore.progress is None else ""


def _took(restore: Restore, until: datetime | None) -> str:
    if restore.duration is not None:
        return format_clock(restore.duration)
    if until and restore.created_at and restore.status in IN_PROGRESS:
        return format_clock(max(0.0, (until - restore.created_at).total_seconds()))
    return "—"
