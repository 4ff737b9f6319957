"""Restores as JSON: the cloud's names for the cloud's values, then ours; absent is null."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from restores.models import Restore
from restores.paths import restore_path
from restores.querysets import HEALTHY_KINDS
from restores.stalled import stalled_since
from restores.sync_status import Coverage
from restores.timerange import instant

# The cloud's own values under the cloud's own names.
UPSTREAM = (
    "restore_id",
    "restore_name",
    "backup_id",
    "backup_name",
    "restore_remark",
    "backup_remark",
    "status",
    "progress",
    "error_code",
    "created_at",
    "updated_at",
)
# What restore_json reads beyond the restore's own columns, for select_related.
RELATED = ("instance", "project__account")


def restore_json(restore: Restore) -> dict[str, Any]:
    """One restore; its instance, project and account are at hand."""
    instance, project = restore.instance, restore.project
    shortest, longest = _restoring_seconds(restore)
    return {
        **{name: _bare(getattr(restore, name)) for name in UPSTREAM},
        "account": project.account.name,
        "project": project.name,
        "project_id": project.project_id,
        "region": project.region or None,
        "customer": project.customer or None,
        "instance_id": instance.instance_id,
        "instance_name": instance.name or None,
        "ended_at": _written(restore.ended_at),
        "duration_seconds": restore.duration,
        "restoring_seconds_min": shortest,
        "restoring_seconds_max": longest,
        "backup_taken_at": _written(restore.backup_taken_at),
        "recovered_at": _written(restore.recovered_at),
        "changed_at": _written(restore.changed_at),
        "first_seen_at": _written(restore.first_seen_at),
        "last_seen_at": None if restore.missing_since else _written(instance.complete_to),
        "listed": restore.removed_upstream_at is None,
        "stale": _stale(restore),
        "url": settings.BASE_URL + restore_path(restore.restore_id),
    }


def now_json(then: Restore, now: Restore) -> dict[str, Any]:
    """What has become of a restore since it was as ``then``: the fields that differ."""
    was = restore_json(then)
    return {name: value for name, value in restore_json(now).items() if was[name] != value}


def coverage_json(coverage: Coverage) -> dict[str, Any]:
    """Until when a list is complete, and what is not."""
    return {
        "complete_to": _written(coverage.complete_to),
        "collector_stalled_since": _written(stalled_since(timezone.now())),
        "faults": [error.json_with_place() for error in coverage.faults],
    }


def _bare(value: datetime | float | str | None) -> float | str | None:
    """A value as JSON has it; what was not given is null."""
    if isinstance(value, datetime):
        return instant(value)
    return None if value == "" else value


def _written(at: datetime | None) -> str | None:
    return instant(at) if at else None


def _restoring_seconds(restore: Restore) -> tuple[float | None, float | None]:
    """The least and the most it can have restored: its begin fell between two looks."""
    ended = restore.ended_at
    if ended and restore.created_at and ended < restore.created_at:
        return None, None
    bounds = (restore.restoring_by, restore.restoring_after)
    shortest, longest = (
        max(0.0, (ended - begun).total_seconds()) if ended and begun else None for begun in bounds
    )
    return shortest, longest


def _stale(restore: Restore) -> bool:
    """Whether nobody can look at it now: its state may have changed since."""
    instance, project = restore.instance, restore.project
    faults = (instance.sync_error_kind, project.sync_error_kind, project.account.sync_error_kind)
    return any(fault not in HEALTHY_KINDS for fault in faults) or not project.monitored
