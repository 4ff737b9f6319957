"""How a record becomes a row, and a row a record again."""

from __future__ import annotations

from datetime import datetime

from restores.dcs.records import RestoreRecord
from restores.models import Instance, Restore
from restores.statuses import QUICK
from restores.sync.windows import Answer

_READ = (
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
    "raw",
)
WRITTEN = (
    *_READ,
    "ended_at",
    "duration",
    "restoring_after",
    "restoring_by",
    "search",
    "changed_at",
    "moved_at",
    "slow",
)


def record_of(row: Restore) -> RestoreRecord:
    """Return what the row holds as a record."""
    held = {name: getattr(row, name) for name in _READ}
    return RestoreRecord(restore_id=row.restore_id, **held)


def new_row(record: RestoreRecord, instance: Instance, answer: Answer, now: datetime) -> Restore:
    """Return an unsaved row for a record that was never seen before."""
    row = Restore(
        instance=instance,
        project_id=instance.project_id,
        restore_id=record.restore_id,
        first_seen_at=now,
        restoring_after=record.created_at,
    )
    return filled(row, record, instance, answer, now)


def filled(
    row: Restore, record: RestoreRecord, instance: Instance, answer: Answer, now: datetime
) -> Restore:
    """Bring the row to what the record says and return it."""
    was, before, row.changed_at = row.status, state_of(row), now
    for name in _READ:
        setattr(row, name, getattr(record, name))
    if row.pk and state_of(row) != before:
        row.moved_at, row.slow = now, row.slow or now - row.first_seen_at > QUICK
    if was == "waiting" and record.status != "waiting" and instance.complete_to:
        row.restoring_after = instance.complete_to
    if record.status == "restoring" and row.restoring_by is None:
        row.restoring_by = max(answer.until, record.created_at or answer.until)
    row.ended_at = record.ended_at
    row.duration = _seconds(record.created_at, record.ended_at)
    row.search = _search(record)
    return row


def state_of(row: Restore | RestoreRecord) -> tuple[str, float | None, str]:
    """Return what an observation holds."""
    return row.status, row.progress, row.error_code


def _seconds(created: datetime | None, ended: datetime | None) -> float | None:
    if created is None or ended is None or ended < created:
        return None
    return (ended - created).total_seconds()


def _search(record: RestoreRecord) -> str:
    names = (record.restore_id, record.restore_name, record.backup_id, record.backup_name)
    remarks = (record.restore_remark, record.backup_remark, record.error_code)
    return " ".join(text for text in (*names, *remarks) if text).casefold()
