"""Rows as JSON: the provider's names for the provider's values, then ours; absent is null."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from restores.asof import ThenAndNow
from restores.filters import Params
from restores.filters.scope import FoundId
from restores.filters.selection import Moved
from restores.instance_status import instance_sync_error, is_monitored
from restores.models import RECORD_FIELDS, Backup, Instance, Observation, Restore
from restores.querysets import HEALTHY_KINDS
from restores.sync_status import SyncStatus, sync_stalled_since
from restores.timerange import to_iso

UPSTREAM = ("restore_id", *RECORD_FIELDS)
# The relations that are read for a restore, for select_related.
RELATED = ("instance", "project__account")


def restore_json(restore: Restore) -> dict[str, Any]:
    """Write one restore; its instance, project and account should have been read with it."""
    return {name: _value(value) for name, value in restore_values(restore).items()}


def restore_values(restore: Restore) -> dict[str, Any]:
    """The values of one restore under the names of the JSON, times as times."""
    instance, project = restore.instance, restore.project
    shortest, longest = _restoring_seconds(restore)
    return {
        **{name: getattr(restore, name) for name in UPSTREAM},
        "account": project.account.name,
        "project": project.name,
        "project_id": project.project_id,
        "region": project.region,
        "customer": project.customer,
        "instance_id": instance.instance_id,
        "instance_name": instance.name,
        "created_problem": restore.created_problem,
        "updated_problem": restore.updated_problem,
        "ended_at": restore.ended_at,
        "duration_seconds": restore.duration,
        "restoring_seconds_min": shortest,
        "restoring_seconds_max": longest,
        "backup_taken_at": restore.backup_taken_at,
        "recovered_at": restore.recovered_at,
        "changed_at": restore.changed_at,
        "first_seen_at": restore.first_seen_at,
        "last_seen_at": None if restore.missing_since else instance.complete_to,
        "listed": restore.removed_upstream_at is None,
        "stale": _is_stale(restore),
        "stuck": restore.stuck,
        "url": settings.BASE_URL + reverse("restore-detail", args=[restore.restore_id]),
    }


def then_and_now_json(row: ThenAndNow) -> dict[str, Any]:
    """Write a restore of a snapshot, and under ``now`` the fields that have changed since."""
    then = restore_json(row.then)
    if row.now is None:
        return then
    now = restore_json(row.now)
    return then | {"now": {name: value for name, value in now.items() if then[name] != value}}


def observation_json(observation: Observation) -> dict[str, Any]:
    """Write one observed change of a restore."""
    return {
        "seen_after": _value(observation.seen_after),
        "seen_at": _value(observation.seen_at),
        "status": observation.status or None,
        "progress": observation.progress,
        "error_code": observation.error_code or None,
    }


def instance_json(instance: Instance) -> dict[str, Any]:
    """Write one instance; its project and account should have been read with it."""
    error = instance_sync_error(instance)
    values = {name: _value(value) for name, value in instance_values(instance).items()}
    return values | {"sync_error": error and error.json()}


def instance_values(instance: Instance) -> dict[str, Any]:
    """The values of one instance under the names of the JSON, times as times."""
    project, error = instance.project, instance_sync_error(instance)
    texts = ("engine", "spec", "az", "ip", "domain", "status")
    return {
        "instance_id": instance.instance_id,
        "instance_name": instance.name,
        "project": project.name,
        "project_id": project.project_id,
        "customer": project.customer,
        "region": project.region,
        **{name: getattr(instance, name) for name in texts},
        "restorable": not instance.single_node,
        "monitored": is_monitored(instance),
        "deleted_at": instance.deleted_at,
        "last_restore_id": instance.last_restore_id,
        "last_restore_at": instance.last_restore_at,
        "last_status": instance.last_status,
        "complete_to": instance.complete_to,
        "next_sync_at": instance.next_sync_at,
        "sync_error": error.label if error else None,
    }


def backup_json(backup: Backup, restored: int) -> dict[str, Any]:
    """Write one backup, and how often it was ``restored``."""
    texts = (
        "backup_id",
        "backup_name",
        "backup_type",
        "backup_format",
        "status",
        "remark",
        "error_code",
    )
    return {
        **{name: getattr(backup, name) or None for name in texts},
        "size": backup.size,
        "created_at": _value(backup.created_at),
        "updated_at": _value(backup.updated_at),
        "first_seen_at": _value(backup.first_seen_at),
        "restored": restored,
    }


def found_id_json(one: FoundId) -> dict[str, Any]:
    """Write what an id belongs to; ``restored`` is null unless it is a backup's."""
    kinds = {"restore": one.restore, "backup": one.backup, "instance": one.instance}
    return {
        "id": one.id,
        "found": [kind for kind, found in kinds.items() if found],
        "listed": one.listed if one.restore else None,
        "restored": one.restored if one.backup else None,
    }


def moved_json(one: Moved) -> dict[str, Any]:
    """Write that an instance is in another project than the one that was asked for."""
    return {
        "instance_id": one.instance_id,
        "instance_name": one.name,
        "former_project": one.former,
        "project": one.project,
    }


def sync_status_json(status: SyncStatus) -> dict[str, Any]:
    """Write how current the restores are, and which sync errors leave some out."""
    return {
        "complete_to": _value(status.complete_to),
        "collector_stalled_since": _value(sync_stalled_since(timezone.now())),
        "sync_errors": [error.json_with_place() for error in status.errors],
    }


def errors_json(params: Params) -> dict[str, Any]:
    """Write the errors of invalid parameters, the body of a 400 response."""
    return {
        "errors": [
            {"param": error.param, "value": error.value, "reason": error.text}
            for error in params.errors
        ]
    }


def _value(value: datetime | float | str | None) -> float | str | None:
    if isinstance(value, datetime):
        return to_iso(value)
    return None if value == "" else value


def _restoring_seconds(restore: Restore) -> tuple[float | None, float | None]:
    """The shortest and longest time it can have run: its start fell between two syncs."""
    ended = restore.ended_at
    if ended and restore.created_at and ended < restore.created_at:
        return None, None
    shortest, longest = (
        max(0.0, (ended - started).total_seconds()) if ended and started else None
        for started in (restore.restoring_by, restore.restoring_after)
    )
    return shortest, longest


def _is_stale(restore: Restore) -> bool:
    """Whether it can't be synced now, so that its status may have changed since."""
    project = restore.project
    rows = (restore.instance, project, project.account)
    return not project.monitored or any(row.sync_error_kind not in HEALTHY_KINDS for row in rows)
