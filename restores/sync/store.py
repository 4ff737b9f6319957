"""The only writer of restores: one transaction per instance, guarded by the fencing_token."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from restores.dcs.records import FINAL
from restores.models import Instance, Observation, Project, Restore
from restores.sync import delisting, recovery
from restores.sync.inserts import insert
from restores.sync.plan import Plan, plan
from restores.sync.rows import WRITTEN, filled, new_row, record_of, state_of
from restores.sync.windows import Answer

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
    noted = recovery.recovered(everything) if fresh or touched else []
    noted += recovery.linked([*touched, *fresh], instance)
    noted += delisting.unmark(rows.values(), planned, now)
    if answer.proves:
        noted += delisting.mark(rows.values(), planned, instance, now)
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
        begun=any(row.status not in FINAL for row in fresh),
        settled=not live and not awaited,
        vanished=_doubted(planned, rows) if answer.proves else 0,
    )


def _live(row: Restore, now: datetime) -> bool:
    youngest = max(row.created_at or row.first_seen_at, row.changed_at)
    unfinished = row.status not in FINAL and not row.removed_upstream_at
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
