"""The facts behind the explanations of a restore, read from the database."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from restores.asof import ThenAndNow
from restores.explain.downtime import Downtime, downtime_of
from restores.explain.estimates import Usual, seconds_between, usual_of
from restores.explain.summary import HISTORY, Facts
from restores.models import Restore
from restores.statuses import FINAL, RESTORING, SUCCEEDED


def row_facts(restore: Restore, now: datetime, usual: Usual | None = None) -> Facts:
    """The facts of a restore at ``now`` from its own row, and what is usual."""
    return Facts(
        status=restore.status,
        now=now,
        created_at=restore.created_at,
        ended_at=restore.ended_at,
        progress=restore.progress,
        error_code=restore.error_code,
        recovered_at=restore.recovered_at,
        unchanged_for=restore.unchanged_for,
        stuck=restore.stuck,
        stuck_at=restore.stuck_at,
        reports_progress=restore.status != RESTORING.value or restore.project.reports_progress,
        usual=usual,
    )


def facts_of(restore: Restore, now: datetime) -> Facts:
    """The same, with the history of its instance."""
    earlier = _earlier(restore)
    durations = [
        duration for _, status, duration, _ in earlier if status == SUCCEEDED.value and duration
    ]
    queues = (seconds_between(created, by) for created, _, _, by in earlier)
    return replace(
        # In a snapshot, what the instance stores as usual would include what came after.
        row_facts(restore, now, usual_of(durations)),
        earlier_durations=durations,
        earlier_statuses=[status for _, status, _, _ in earlier],
        earlier_queues=[seconds for seconds in queues if seconds is not None],
        records_begin=earlier[0][0] if 0 < len(earlier) < HISTORY else None,
        history_cut=len(earlier) == HISTORY,
        undated_statuses=_undated_statuses(restore),
    )


def present_facts(row: ThenAndNow, then: Facts, now: datetime) -> Facts | None:
    """What is known now about a restore in a snapshot, if it has changed since ``then``."""
    if row.now is None:
        return None
    return replace(
        row_facts(row.now, now, then.usual),
        earlier_durations=then.earlier_durations,
        earlier_statuses=then.earlier_statuses,
        earlier_queues=then.earlier_queues,
        records_begin=then.records_begin,
        history_cut=then.history_cut,
        undated_statuses=then.undated_statuses,
    )


def estimated_downtime(restore: Restore, known_until: datetime, now: datetime) -> Downtime | None:
    """Estimate how long the instance was unavailable; None if the record doesn't say."""
    return downtime_of(
        restore.status,
        restore.created_at,
        restore.ended_at,
        restoring_after=restore.restoring_after,
        restoring_by=restore.restoring_by,
        known_until=known_until,
        now=now,
    )


def _undated_statuses(restore: Restore) -> list[str]:
    rows = Restore.objects.filter(instance=restore.instance_id, created_at=None)
    return list(rows.exclude(pk=restore.pk).values_list("status", flat=True).distinct())


def _earlier(restore: Restore) -> list[tuple[datetime, str, float | None, datetime | None]]:
    """Creation, status, duration and by when it was restoring, of the newest earlier finished
    restores, oldest first.
    """
    if restore.created_at is None:
        return []
    rows = Restore.objects.filter(instance=restore.instance_id, status__in=FINAL)
    rows = rows.filter(created_at__lt=restore.created_at).order_by("-created_at", "-pk")
    newest = list(rows.values_list("created_at", "status", "duration", "restoring_by")[:HISTORY])
    return newest[::-1]
