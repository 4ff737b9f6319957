"""The facts that the explanations of a restore are made of, read from the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from restores.asof import ThenAndNow, observations_of
from restores.explain.summary import Facts
from restores.models import Observation, Restore
from restores.statuses import FINAL, RESTORING, SUCCEEDED


def facts_of(restore: Restore, observations: Sequence[Observation], now: datetime) -> Facts:
    """What is known of a restore at ``now``, with the history of its instance."""
    earlier = _earlier(restore)
    return Facts(
        status=restore.status,
        now=now,
        created_at=restore.created_at,
        ended_at=restore.ended_at,
        progress=restore.progress,
        error_code=restore.error_code,
        recovered_at=restore.recovered_at,
        unchanged_for=unchanged_for(restore.instance.complete_to, observations, now),
        reports_progress=restore.status != RESTORING.value or restore.project.reports_progress,
        earlier_durations=[
            duration for _, status, duration in earlier if status == SUCCEEDED.value and duration
        ],
        earlier_statuses=[status for _, status, _ in earlier],
        records_begin=earlier[0][0] if earlier else None,
    )


def present_facts(row: ThenAndNow, then: Facts, now: datetime) -> Facts | None:
    """What is known now of a restore of a snapshot, if it has changed since ``then``."""
    restore = row.now
    if restore is None:
        return None
    observations = observations_of(restore, None)
    return replace(
        then,
        status=restore.status,
        now=now,
        ended_at=restore.ended_at,
        progress=restore.progress,
        error_code=restore.error_code,
        recovered_at=restore.recovered_at,
        unchanged_for=unchanged_for(restore.instance.complete_to, observations, now),
        reports_progress=restore.status != RESTORING.value or restore.project.reports_progress,
    )


def unchanged_for(
    complete_to: datetime | None, observations: Sequence[Observation], now: datetime
) -> float | None:
    """Seconds for which progress provably stood still: up to the last sync, not up to now."""
    changed_at, progress = None, None
    for one in observations:
        if one.progress != progress:
            changed_at, progress = one.seen_at, one.progress
    if complete_to is None or changed_at is None:
        return None
    return max(0.0, (min(complete_to, now) - changed_at).total_seconds())


def _earlier(restore: Restore) -> list[tuple[datetime, str, float | None]]:
    """Creation, status and duration of the instance's earlier finished restores, oldest first."""
    if restore.created_at is None:
        return []
    rows = Restore.objects.filter(instance=restore.instance_id, status__in=FINAL)
    rows = rows.filter(created_at__lt=restore.created_at).order_by("created_at", "pk")
    return list(rows.values_list("created_at", "status", "duration"))
