"""What is known of one restore and its instance's past, read for the sentences about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from restores.beside import Beside
from restores.explain.summary import Facts
from restores.models import Observation, Restore
from restores.past import Past
from restores.statuses import FINAL, RESTORING, SUCCEEDED


def facts_of(restore: Restore, seen: Sequence[Observation], now: datetime) -> Facts:
    """Gather what the sentences about a restore need; ``seen`` are its observations."""
    earlier = _earlier(restore)
    return Facts(
        status=restore.status,
        now=now,
        created_at=restore.created_at,
        ended_at=restore.ended_at,
        progress=restore.progress,
        error_code=restore.error_code,
        recovered_at=restore.recovered_at,
        unchanged_for=unchanged(restore.instance.complete_to, seen, now),
        reports_progress=restore.status != RESTORING.value or restore.project.reports_progress,
        earlier_durations=[
            length for _, status, length in earlier if status == SUCCEEDED.value and length
        ],
        earlier_statuses=[status for _, status, _ in earlier],
        records_begin=earlier[0][0] if earlier else None,
    )


def present(pair: Beside[Restore], now: datetime) -> Facts | None:
    """What is known now of a restore shown as it was, if that is something else."""
    return facts_of(pair.now, seen_by(pair.now, None), now) if pair.now else None


def seen_by(restore: Restore, past: Past | None) -> list[Observation]:
    """The restore's observations, oldest first; of the past those known by then."""
    seen = sorted(restore.observations.all(), key=lambda one: (one.seen_at, one.pk))
    return [one for one in seen if past is None or one.recorded_at <= past.asof]


def unchanged(proven: datetime | None, seen: Sequence[Observation], now: datetime) -> float | None:
    """Seconds for which progress provably stood still: up to the last look, not up to now."""
    moved = [one.seen_at for one in _steps(seen)]
    if proven is None or not moved:
        return None
    return max(0.0, (min(proven, now) - moved[-1]).total_seconds())


def _steps(seen: Sequence[Observation]) -> list[Observation]:
    """The observations at which the progress was another than before."""
    before: list[float | None] = [None, *(one.progress for one in seen)]
    return [one for one, last in zip(seen, before, strict=False) if one.progress != last]


def _earlier(restore: Restore) -> list[tuple[datetime, str, float | None]]:
    if restore.created_at is None:
        return []
    rows = Restore.objects.filter(instance=restore.instance_id, status__in=FINAL)
    rows = rows.filter(created_at__lt=restore.created_at).order_by("created_at", "pk")
    return list(rows.values_list("created_at", "status", "duration"))
