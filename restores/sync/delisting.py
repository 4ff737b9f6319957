"""What the cloud no longer lists: it is marked, never deleted, and not believed at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from restores.dcs.faults import BadAnswer
from restores.models import Instance, Restore
from restores.sync.plan import Plan

_DOUBTED_FOR = timedelta(hours=1)


class Vanished(BadAnswer):
    """Many restores are missing from the list at once: rather a mishap than the truth."""

    kind = "vanished"


def unmark(rows: Iterable[Restore], planned: Plan, now: datetime) -> list[Restore]:
    """Take the marks off what is listed again; return the rows that changed."""
    back = [row for row in rows if row.missing_since and row.restore_id in planned.listed]
    for row in back:
        row.changed_at = now if row.removed_upstream_at else row.changed_at
        row.missing_since = row.removed_upstream_at = None
    return back


def mark(
    rows: Iterable[Restore], planned: Plan, instance: Instance, now: datetime
) -> list[Restore]:
    """Mark what a proof lacks; return the rows that changed.

    A restore is delisted by the second proof without it; where many vanish at once by the third,
    and not before an hour has passed.
    """
    changed = []
    for row in rows:
        if row.restore_id not in planned.absent:
            continue
        if row.missing_since is None:
            row.missing_since = now
        elif not planned.mass_vanishing or _confirmed(row.missing_since, instance, now):
            row.removed_upstream_at = row.changed_at = now
        else:
            continue
        changed.append(row)
    return changed


def _confirmed(since: datetime, instance: Instance, now: datetime) -> bool:
    """The look that missed it first, the one just before this and this one make three."""
    before = instance.synced_at if instance.sync_error_kind == Vanished.kind else None
    return before is not None and since < before and now - since >= _DOUBTED_FOR
