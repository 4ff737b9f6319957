"""The only writer of restores: one transaction per instance, guarded by the fencing token."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from django.db import connection, transaction

from restores.dcs.errors import InvalidResponse
from restores.dcs.records import TERMINAL_STATUSES, RestoreRecord
from restores.models import Backup, Instance, Observation, Project, Restore
from restores.statuses import FAILED, QUICK, SUCCEEDED
from restores.sync.complete_fetch import Answer
from restores.sync.diff import Plan, plan

UNFINISHED_FOR = timedelta(hours=24)
_NOTED = ("recovered_at", "backup_taken_at", "missing_since", "removed_upstream_at", "changed_at")


class LeaseLost(Exception):
    """Another worker holds the row by now; nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What a look changed, and what the next one must know.

    ``live``: a restore may still move; ``begun``: one is new and unfinished; ``settled``: neither
    the same answer again nor time changes anything; ``vanished``: so many are missing that we
    doubt it.
    """

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    live: bool = False
    begun: bool = False
    settled: bool = True
    vanished: int = 0


# What an answer brings that was stored as settled before.
SAME = Stored()


@transaction.atomic
def store_restores(instance: Instance, answer: Answer, now: datetime) -> Stored:
    """Write what is new or changed, and its observations; mark what is no longer listed.

    Raises ``LeaseLost`` when the instance's fencing_token has moved on since it was claimed.
    """
    hold(instance)
    rows = {row.restore_id: row for row in Restore.objects.filter(instance=instance)}
    held = {key: record_of(row) for key, row in rows.items()}
    planned = plan(
        held, answer.records, {key for key, row in rows.items() if row.removed_upstream_at}
    )
    moved = [r.restore_id for r in planned.changed if state_of(r) != state_of(held[r.restore_id])]
    fresh = [new_row(record, instance, answer, now) for record in planned.new]
    touched = [filled(rows[r.restore_id], r, instance, answer, now) for r in planned.changed]
    everything = [*rows.values(), *fresh]
    noted = recovered(everything) if fresh or touched else []
    noted += linked([*touched, *fresh], instance)
    noted += unmark(rows.values(), planned, now)
    if answer.proves:
        noted += mark(rows.values(), planned, instance, now)
    insert(fresh, instance, answer.until, now)
    _write(touched, {row.restore_id for row in fresh}, noted)
    _observe((rows[key] for key in moved), instance, answer, now)
    if not instance.project.reports_progress and any(map(_on_its_way, everything)):
        Project.objects.filter(pk=instance.project_id).update(reports_progress=True)
    stored = _outcome(planned, rows, fresh, answer, now)
    if stored.vanished or not answer.proves:
        # The digest stands for what is stored: an answer equal to the last proof is news now.
        Instance.objects.filter(pk=instance.pk).exclude(digest="").update(digest="")
    return stored


def hold(instance: Instance) -> None:
    """Make sure, for the rest of the transaction, that the instance is still ours."""
    ours = Instance.objects.select_for_update().filter(
        pk=instance.pk, fencing_token=instance.fencing_token
    )
    if not ours.exists():
        raise LeaseLost(instance.instance_id)


def _outcome(
    planned: Plan, rows: dict[str, Restore], fresh: list[Restore], answer: Answer, now: datetime
) -> Stored:
    """Sum up what was stored: ``rows`` were held before and are as they were written."""
    everything = [*rows.values(), *fresh]
    live = any(_live(row, now) for row in everything)
    awaited = any(row.missing_since and not row.removed_upstream_at for row in everything)
    return Stored(
        new=len(fresh),
        changed=len(planned.changed),
        unchanged=planned.unchanged,
        live=live,
        begun=any(row.status not in TERMINAL_STATUSES for row in fresh),
        settled=not live and not awaited,
        vanished=_doubted(planned, rows) if answer.proves else 0,
    )


def _live(row: Restore, now: datetime) -> bool:
    youngest = max(row.created_at or row.first_seen_at, row.changed_at)
    unfinished = row.status not in TERMINAL_STATUSES and not row.removed_upstream_at
    return unfinished and youngest >= now - UNFINISHED_FOR


def _on_its_way(row: Restore) -> bool:
    return row.progress is not None and 0 < row.progress < 100


def _doubted(planned: Plan, rows: dict[str, Restore]) -> int:
    if not planned.mass_vanishing:
        return 0
    return sum(rows[key].removed_upstream_at is None for key in planned.absent)


def _write(touched: list[Restore], inserted: set[str], noted: list[Restore]) -> None:
    written = inserted | {row.restore_id for row in touched}
    rest = {row.restore_id: row for row in noted if row.restore_id not in written}
    Restore.objects.bulk_update(touched, [*WRITTEN, *_NOTED[:-1]], batch_size=200)
    Restore.objects.bulk_update(rest.values(), _NOTED, batch_size=200)


def _observe(rows: Iterable[Restore], instance: Instance, answer: Answer, now: datetime) -> None:
    Observation.objects.bulk_create(
        [
            Observation(
                restore=row,
                seen_after=instance.complete_to,
                seen_at=answer.until,
                recorded_at=now,
                status=row.status,
                progress=row.progress,
                error_code=row.error_code,
            )
            for row in rows
        ],
        batch_size=500,
    )


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


_DOUBTED_FOR = timedelta(hours=1)


class Vanished(InvalidResponse):
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


_FIELDS = [field for field in Restore._meta.concrete_fields if not field.primary_key]
_VALUES = attrgetter(*(field.attname for field in _FIELDS))
_TABLE, _SEEN = Restore._meta.db_table, Observation._meta.db_table
_INTO = f"{_TABLE} ({', '.join(str(field.column) for field in _FIELDS)})"
_INSERT = f"INSERT INTO {_INTO} VALUES ({', '.join(['%s'] * len(_FIELDS))})"  # noqa: S608 - as below
_FIRST = f"""
    INSERT INTO {_SEEN}
        (restore_id, seen_after, seen_at, recorded_at, status, progress, error_code)
    SELECT id, %s, %s, %s, status, progress, error_code FROM {_TABLE} fresh
    WHERE instance_id = %s AND first_seen_at = %s
        AND NOT EXISTS (SELECT 1 FROM {_SEEN} seen WHERE seen.restore_id = fresh.id)
"""  # noqa: S608 - names of our own tables


def insert(fresh: Sequence[Restore], instance: Instance, seen_at: datetime, now: datetime) -> None:
    """Write new rows of one instance and their first observations.

    The rows get no primary key. Not by ``bulk_create``: that costs more than the database does.
    """
    if not fresh:
        return
    lines = [adapted(_VALUES(row)) for row in fresh]
    facts = adapted((instance.complete_to, seen_at, now, instance.pk, now))
    with connection.wrap_database_errors, connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {_INTO} FROM STDIN") as copy:
                for line in lines:
                    copy.write_row(line)
        else:
            cursor.executemany(_INSERT, lines)
        cursor.execute(_FIRST, facts)


def adapted(values: Iterable[Any]) -> list[Any]:
    """Write times as the database keeps them, for statements that Django does not put together."""
    kept = connection.ops.adapt_datetimefield_value
    return [kept(value) if isinstance(value, datetime) else value for value in values]
