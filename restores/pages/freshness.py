"""How fresh the page of one restore is, in one line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from restores.models import Restore
from restores.pages.moments import Moment, moment
from restores.pages.standing import Trouble, instance_trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """``Not reachable since 13:50 (…): what stands below is from 13:49``, in parts."""

    late: bool
    seen: Moment | None
    today: bool = False
    next_look: Moment | None = None
    trouble: Trouble | None = None
    note: str = ""


def freshness(restore: Restore, now: datetime) -> Freshness:
    """Say when the restore was last seen, and what keeps us from seeing it now."""
    seen, note = moment(last_seen(restore)), _note(restore)
    if note:
        return Freshness(late=True, seen=seen, note=note)
    trouble = instance_trouble(restore.instance)
    if trouble and trouble.spoils:
        return Freshness(late=True, seen=seen, trouble=trouble)
    if _overdue(restore, now):
        return Freshness(late=True, seen=seen, note="Not looked at for longer than planned")
    today = last_seen(restore).date() == now.date()
    next_look = moment(restore.instance.next_sync_at)
    return Freshness(late=False, seen=seen, today=today, next_look=next_look)


# What these read of a restore beyond itself.
READ = ("instance__project__account", "project")


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
        return "The project is no longer monitored"
    if restore.removed_upstream_at:
        return "The cloud no longer lists this restore"
    if restore.instance.deleted_at:
        return "The instance is gone"
    return "The newest look did not find it" if restore.missing_since else ""


def _overdue(restore: Restore, now: datetime) -> bool:
    return now - last_seen(restore) > timedelta(seconds=2 * restore.project.interval)
