"""How fresh the data of one restore is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from restores.models import Restore
from restores.sync_errors import SyncError, first_sync_error


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """When a restore was last seen; if that is ``late``, the note or sync error says why."""

    late: bool
    last_seen: datetime
    today: bool = False
    next_sync_at: datetime | None = None
    sync_error: SyncError | None = None
    note: str = ""


def freshness(restore: Restore, now: datetime) -> Freshness:
    """Say when the restore was last seen, and what keeps us from seeing it now."""
    seen, note = last_seen(restore), _note(restore)
    if note:
        return Freshness(late=True, last_seen=seen, note=note)
    error = first_sync_error(restore.project.account, restore.project, restore.instance)
    if error and error.blocking:
        return Freshness(late=True, last_seen=seen, sync_error=error)
    if _overdue(restore, now):
        return Freshness(late=True, last_seen=seen, note="Check overdue")
    return Freshness(
        late=False,
        last_seen=seen,
        today=seen.date() == now.date(),
        next_sync_at=restore.instance.next_sync_at,
    )


def known_until(restore: Restore, now: datetime) -> datetime:
    """Until when its state is known: now, or the last look while nobody can look."""
    return last_seen(restore) if freshness(restore, now).late else now


def last_seen(restore: Restore) -> datetime:
    """When a look last found it: the instance's proof, unless it was missing since.

    A look may find it and yet prove nothing, so a change can be younger than the proof.
    """
    proven = restore.instance.complete_to
    if restore.removed_upstream_at:
        # Its last change is that it was no longer there; listed it was until the look before.
        return restore.missing_since or restore.moved_at or restore.first_seen_at
    if proven is None or restore.missing_since:
        return restore.changed_at
    return max(proven, restore.changed_at)


def _note(restore: Restore) -> str:
    if not restore.project.monitored:
        return "Project no longer monitored"
    if restore.removed_upstream_at:
        return "No longer listed by the provider"
    if restore.instance.deleted_at:
        return "Instance deleted"
    return "Missing from the latest sync" if restore.missing_since else ""


def _overdue(restore: Restore, now: datetime) -> bool:
    return now - last_seen(restore) > timedelta(seconds=2 * restore.project.interval)
