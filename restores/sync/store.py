"""The only writer of restores: one transaction per instance, guarded by the fencing token."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from restores.dcs.errors import InvalidResponse
from restores.dcs.records import KNOWN_STATUSES, TERMINAL_STATUSES, RestoreRecord
from restores.models import (
    OBSERVED_FIELDS,
    RECORD_FIELDS,
    STILLNESS_FIELDS,
    Backup,
    Instance,
    Observation,
    Project,
    Restore,
    last_restore_fields,
    usual_fields,
)
from restores.querysets import UNFINISHED_FOR, unknown_is_unfinished
from restores.statuses import FAILED, IN_PROGRESS, QUICK, SUCCEEDED
from restores.sync.complete_fetch import FetchResult
from restores.sync.diff import Changes, diff
from restores.sync.scheduling import lock_claimed

_MASS_REMOVAL_DOUBTED_FOR = timedelta(hours=1)
# This many restores between 0 and 100% show that a cloud reports progress.
_PROGRESSING = 3
_PROBLEMS = ("created_problem", "updated_problem")
_RECORD_FIELDS = (*RECORD_FIELDS, *_PROBLEMS, "raw")
_FIELDS = (
    *_RECORD_FIELDS,
    "ended_at",
    "duration",
    "restoring_after",
    "restoring_by",
    "search",
    "changed_at",
    "moved_at",
    "slow",
    "recovered_at",
    "backup_taken_at",
    *STILLNESS_FIELDS,
    "missing_since",
    "removed_upstream_at",
)


class MassRemoval(InvalidResponse):
    """Many restores are missing from the list together: probably the provider's error."""

    kind = "vanished"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreResult:
    """What a sync changed, and what the next one must know.

    ``written``: what lists show has changed, because a restore was stored, even if only for its
    relation to another one, or is possibly stuck now. ``live``: a restore may still change;
    ``started``: one is new and unfinished; ``settled``: neither the same response again nor time
    would change anything; ``mass_removal``: how many restores are missing, if there are so many
    that we doubt it.
    """

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    written: bool = False
    live: bool = False
    started: bool = False
    settled: bool = True
    mass_removal: int = 0


# The result of a response that was stored as settled before.
UNCHANGED = StoreResult()


@transaction.atomic
def store_restores(instance: Instance, fetched: FetchResult, now: datetime) -> StoreResult:
    """Store new and changed restores with their observations; mark those no longer listed.

    Raises ``LeaseLost`` when another worker has claimed the instance meanwhile.
    """
    lock_claimed(instance)
    rows = {row.restore_id: row for row in Restore.objects.filter(instance=instance)}
    changes = diff(
        {key: _record_of(row) for key, row in rows.items()},
        fetched.records,
        {key for key, row in rows.items() if row.removed_upstream_at},
    )
    new = [_new_row(record, instance, fetched, now) for record in changes.new]
    changed, observed = [], list(new)
    for record in changes.changed:
        row = rows[record.restore_id]
        state = _state(row)
        _update(row, record, instance, fetched, now)
        changed.append(row)
        if _state(row) != state:
            observed.append(row)
    everything = [*rows.values(), *new]
    related = _update_recovered(everything) if new or changed else []
    related += _update_backup_times([*changed, *new], instance)
    related += _clear_missing(rows.values(), changes, now)
    if fetched.complete:
        related += _mark_missing(rows.values(), changes, instance, now)
    if new or changed:
        _update_instance(instance, everything)
    related += _update_stuck(everything, instance, fetched)

    Restore.objects.bulk_create(new, batch_size=500)
    written = {row.pk: row for row in (*changed, *related) if row.restore_id in rows}
    Restore.objects.bulk_update(written.values(), _FIELDS, batch_size=200)
    _observe(observed, instance, fetched, now)
    _notice_progress(instance, observed)
    shown = bool(new or written) or any(_turns_stuck(row, instance, fetched) for row in everything)
    result = _result(changes, rows, new, fetched, now, written=shown)
    if result.mass_removal or not fetched.complete:
        # The digest stands for what is stored: even the last complete response would change it now.
        Instance.objects.filter(pk=instance.pk).exclude(digest="").update(digest="")
    return result


def mark_recovered(instance: Instance) -> None:
    """Give each failed restore the end of the first later restore that succeeded."""
    finished = instance.restores.filter(status__in=(FAILED.value, SUCCEEDED.value))
    Restore.objects.bulk_update(_update_recovered(finished), ["recovered_at"], batch_size=200)


def link_backups(instance: Instance) -> None:
    """Give each restore the time its backup was taken, if the backup is known."""
    unknown = instance.restores.filter(backup_taken_at=None).exclude(backup_id="")
    changed = _update_backup_times(unknown.only("backup_id", "backup_taken_at"), instance)
    Restore.objects.bulk_update(changed, ["backup_taken_at"], batch_size=200)


def _record_of(row: Restore) -> RestoreRecord:
    fields = {name: getattr(row, name) for name in _RECORD_FIELDS}
    fields |= {name: fields[name] or "" for name in _PROBLEMS}
    return RestoreRecord(restore_id=row.restore_id, **fields)


def _state(row: Restore) -> dict[str, Any]:
    """Return what an observation records."""
    return {name: getattr(row, name) for name in OBSERVED_FIELDS}


def _new_row(
    record: RestoreRecord, instance: Instance, fetched: FetchResult, now: datetime
) -> Restore:
    row = Restore(
        instance=instance,
        project_id=instance.project_id,
        restore_id=record.restore_id,
        first_seen_at=now,
        restoring_after=record.created_at,
    )
    _update(row, record, instance, fetched, now)
    return row


def _update(
    row: Restore, record: RestoreRecord, instance: Instance, fetched: FetchResult, now: datetime
) -> None:
    """Update a row to match its record."""
    status, state = row.status, _state(row)
    for name in _RECORD_FIELDS:
        setattr(row, name, getattr(record, name))
    was_final, is_final = (one in TERMINAL_STATUSES for one in (status, record.status))
    if was_final and not is_final:
        row.restoring_after, row.restoring_by = instance.complete_to, None
    if status == "waiting" and record.status != "waiting" and instance.complete_to:
        row.restoring_after = instance.complete_to
    if record.status == "restoring" and row.restoring_by is None:
        row.restoring_by = max(fetched.fetched_at, record.created_at or fetched.fetched_at)
    if not is_final:
        row.ended_at = None
    elif not was_final or row.ended_at is None:
        row.ended_at = record.updated_at
    row.duration = None
    if record.created_at and row.ended_at and record.created_at <= row.ended_at:
        row.duration = (row.ended_at - record.created_at).total_seconds()
    row.changed_at = now
    if row.pk is None or (row.status, row.progress) != (status, state["progress"]):
        row.unchanged_since = fetched.fetched_at
    if row.pk and _state(row) != state:
        row.moved_at, row.slow = now, row.slow or now - row.first_seen_at > QUICK
    texts = (
        record.restore_id,
        record.restore_name,
        record.backup_id,
        record.backup_name,
        record.restore_remark,
        record.backup_remark,
        record.error_code,
    )
    row.search = " ".join(filter(None, texts)).casefold()


def _update_recovered(rows: Iterable[Restore]) -> list[Restore]:
    """Set, but do not save, when each failed row was recovered; return the rows that changed."""
    dated = sorted(
        ((row.created_at, row) for row in rows if row.created_at), key=lambda pair: pair[0]
    )
    successes = [row for _, row in dated if row.status == SUCCEEDED.value]
    created = [created_at for created_at, row in dated if row.status == SUCCEEDED.value]
    changed = []
    for created_at, row in dated:
        if row.status != FAILED.value:
            continue
        later = bisect_right(created, created_at)
        at = (successes[later].ended_at or created[later]) if later < len(created) else None
        if row.recovered_at != at:
            row.recovered_at = at
            changed.append(row)
    return changed


def _update_instance(instance: Instance, rows: Sequence[Restore]) -> None:
    """Store how long restores of the instance usually take, and which one is the newest."""
    successes = sorted(
        (row.created_at, row.duration)
        for row in rows
        if row.status == SUCCEEDED.value and row.created_at and row.duration
    )
    fields = usual_fields([duration for _, duration in successes]) | last_restore_fields(rows)
    if any(getattr(instance, name) != value for name, value in fields.items()):
        Instance.objects.filter(pk=instance.pk).update(**fields)
        for name, value in fields.items():
            setattr(instance, name, value)


def _update_stuck(
    rows: Iterable[Restore], instance: Instance, fetched: FetchResult
) -> list[Restore]:
    """Set, but do not save, each row's ``stuck_at``; return the rows that changed."""
    usual, reports_progress = instance.usual, instance.project.reports_progress
    changed = []
    for row in rows:
        if row.status in IN_PROGRESS and row.unchanged_since is None:
            row.unchanged_since = fetched.fetched_at  # stored before we kept it
        if row.update_stuck_at(usual, reports_progress=reports_progress):
            changed.append(row)
    return changed


def _turns_stuck(row: Restore, instance: Instance, fetched: FetchResult) -> bool:
    """Whether this sync proves that a restore stood still for too long; the one before did not."""
    if row.stuck_at is None or not fetched.complete or row.stuck_at > fetched.complete_to:
        return False
    return instance.complete_to is None or instance.complete_to < row.stuck_at


def _update_backup_times(rows: Iterable[Restore], instance: Instance) -> list[Restore]:
    """Set, but do not save, when each row's backup was taken; return the rows that changed."""
    unknown = [row for row in rows if row.backup_id and row.backup_taken_at is None]
    if not unknown:
        return []
    backups = Backup.objects.filter(instance=instance).exclude(created_at=None)
    taken = dict(backups.values_list("backup_id", "created_at"))
    changed = [row for row in unknown if row.backup_id in taken]
    for row in changed:
        row.backup_taken_at = taken[row.backup_id]
    return changed


def _clear_missing(rows: Iterable[Restore], changes: Changes, now: datetime) -> list[Restore]:
    """Clear, but do not save, the marks of what is listed again; return the rows that changed."""
    back = [row for row in rows if row.missing_since and row.restore_id in changes.listed]
    for row in back:
        row.changed_at = now if row.removed_upstream_at else row.changed_at
        row.missing_since = row.removed_upstream_at = None
    return back


def _mark_missing(
    rows: Iterable[Restore], changes: Changes, instance: Instance, now: datetime
) -> list[Restore]:
    """Mark, but do not save, what a complete response lacks; return the rows that changed.

    A restore is marked as removed by the second complete response without it; where many are
    missing together, by the third, and not before an hour has passed.
    """
    changed = []
    for row in rows:
        if row.restore_id not in changes.missing:
            continue
        if row.missing_since is None:
            row.missing_since = now
        elif not changes.mass_removal or _confirmed(row.missing_since, instance, now):
            row.removed_upstream_at = row.changed_at = now
        else:
            continue
        changed.append(row)
    return changed


def _confirmed(missing_since: datetime, instance: Instance, now: datetime) -> bool:
    """Return whether three syncs agree: the first without it, the one before this and this one."""
    previous = instance.synced_at if instance.sync_error_kind == MassRemoval.kind else None
    if previous is None or previous <= missing_since:
        return False
    return now - missing_since >= _MASS_REMOVAL_DOUBTED_FOR


def _observe(
    rows: Iterable[Restore], instance: Instance, fetched: FetchResult, now: datetime
) -> None:
    Observation.objects.bulk_create(
        [
            Observation(
                restore=row,
                seen_after=instance.complete_to,
                seen_at=fetched.fetched_at,
                recorded_at=now,
                **_state(row),
                **{name: getattr(row, name) for name in STILLNESS_FIELDS},
            )
            for row in rows
        ],
        batch_size=500,
    )


def _notice_progress(instance: Instance, observed: Iterable[Restore]) -> None:
    """Note that the cloud reports progress: seen on several restores, since one may be odd."""
    if instance.project.reports_progress or not any(map(_progressing, observed)):
        return
    seen = Observation.objects.filter(
        restore__project=instance.project_id, progress__gt=0, progress__lt=100
    )
    if seen.values("restore").distinct()[:_PROGRESSING].count() == _PROGRESSING:
        Project.objects.filter(pk=instance.project_id).update(reports_progress=True)


def _progressing(row: Restore) -> bool:
    return row.progress is not None and 0 < row.progress < 100


def _result(
    changes: Changes,
    rows: dict[str, Restore],
    new: list[Restore],
    fetched: FetchResult,
    now: datetime,
    *,
    written: bool,
) -> StoreResult:
    """Sum up what was stored; ``rows`` existed before and are up to date."""
    everything = [*rows.values(), *new]
    live = any(_live(row, now) for row in everything)
    missing = any(row.missing_since and not row.removed_upstream_at for row in everything)
    doubted = 0
    if fetched.complete and changes.mass_removal:
        doubted = sum(rows[key].removed_upstream_at is None for key in changes.missing)
    return StoreResult(
        new=len(new),
        changed=len(changes.changed),
        unchanged=changes.unchanged,
        written=written,
        live=live,
        started=any(_live(row, now) for row in new),
        settled=not live and not missing,
        mass_removal=doubted,
    )


def _live(row: Restore, now: datetime) -> bool:
    if row.status in TERMINAL_STATUSES or row.removed_upstream_at:
        return False
    created_at = row.created_at or row.first_seen_at
    if row.status in KNOWN_STATUSES:
        return max(created_at, row.changed_at) >= now - UNFINISHED_FOR
    return unknown_is_unfinished(created_at, row.changed_at, now)
