"""How fresh the data of one restore is, and the time up to which its status is known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from restores.models import Restore
from restores.sync_errors import SyncError, first_sync_error


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """When a restore was last seen; ``note`` or ``sync_error`` says why that is ``late``."""

    last_seen: datetime
    late: bool = False
    note: str = ""
    sync_error: SyncError | None = None


def freshness(restore: Restore, now: datetime) -> Freshness:
    """Say when a restore was last seen, and what keeps us from seeing it now."""
    project, seen = restore.project, last_seen(restore)
    if note := _note(restore):
        return Freshness(last_seen=seen, late=True, note=note)
    error = first_sync_error(project.account, project, restore.instance)
    if error and error.blocking:
        return Freshness(last_seen=seen, late=True, sync_error=error)
    if now - seen > timedelta(seconds=2 * project.interval):
        return Freshness(last_seen=seen, late=True, note="Sync overdue")
    return Freshness(last_seen=seen)


def known_until(restore: Restore, now: datetime) -> datetime:
    """The time up to which a restore's status is known: now, or the last sync if that is late."""
    fresh = freshness(restore, now)
    return fresh.last_seen if fresh.late else now


def last_seen(restore: Restore) -> datetime:
    """When a sync last found the restore: the instance's last complete one, unless it was missing.

    A sync may find it and yet be incomplete, so a change can be newer than ``complete_to``.
    """
    complete_to = restore.instance.complete_to
    if restore.removed_upstream_at:
        # Its last change is the removal itself; until the sync before, it was listed.
        return restore.missing_since or restore.moved_at or restore.first_seen_at
    if complete_to is None or restore.missing_since:
        return restore.changed_at
    return max(complete_to, restore.changed_at)


def _note(restore: Restore) -> str:
    if not restore.project.monitored:
        return "Project no longer monitored"
    if restore.removed_upstream_at:
        return "No longer listed by the provider"
    if restore.instance.deleted_at:
        return "Instance deleted"
    return "Missing from the latest sync" if restore.missing_since else ""
