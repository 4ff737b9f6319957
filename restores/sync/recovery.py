"""What one restore says about another: recovered failures, and the backups they came from."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from restores.models import Backup, Instance, Restore
from restores.statuses import FAILED, SUCCEEDED


def mark_recovered(instance: Instance) -> None:
    """Give each failed restore the end of the first later restore that succeeded."""
    ended = instance.restores.filter(status__in=(FAILED.value, SUCCEEDED.value))
    Restore.objects.bulk_update(recovered(ended), ["recovered_at"], batch_size=200)


def link_backups(instance: Instance) -> None:
    """Note on each restore from what moment its data is, where its backup was ever seen."""
    unknown = instance.restores.filter(backup_taken_at=None).exclude(backup_id="")
    changed = linked(unknown.only("backup_id", "backup_taken_at"), instance)
    Restore.objects.bulk_update(changed, ["backup_taken_at"], batch_size=200)


def recovered(rows: Iterable[Restore]) -> list[Restore]:
    """Set, but do not save, when each failed row was recovered; return the rows that changed."""
    dated = sorted(
        ((row.created_at, row) for row in rows if row.created_at), key=lambda pair: pair[0]
    )
    successes = [row for _, row in dated if row.status == SUCCEEDED.value]
    begun = [created for created, row in dated if row.status == SUCCEEDED.value]
    changed = []
    for created, row in dated:
        if row.status != FAILED.value:
            continue
        later = bisect_right(begun, created)
        at = (successes[later].ended_at or begun[later]) if later < len(begun) else None
        if row.recovered_at != at:
            row.recovered_at = at
            changed.append(row)
    return changed


def linked(rows: Iterable[Restore], instance: Instance) -> list[Restore]:
    """Set, but do not save, when each row's backup was taken; return the rows that changed."""
    wanted = [row for row in rows if row.backup_id and row.backup_taken_at is None]
    if not wanted:
        return []
    backups = Backup.objects.filter(instance=instance).exclude(created_at=None)
    taken = dict(backups.values_list("backup_id", "created_at"))
    changed = [row for row in wanted if row.backup_id in taken]
    for row in changed:
        row.backup_taken_at = taken[row.backup_id]
    return changed
