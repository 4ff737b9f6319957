"""The writer of what restores hang on: lists of instances and of backups."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from restores.dcs.records import BackupRecord, InstanceRecord
from restores.models import Backup, Instance, Project, Restore
from restores.statuses import RESTORING
from restores.sync import ledger, recovery, store
from restores.sync.instance_list import InstanceList

_COPIED = ("name", "engine", "spec", "az", "ip", "domain", "status", "single_node")
_BACKUP = (
    "backup_name",
    "backup_type",
    "backup_format",
    "status",
    "remark",
    "error_code",
    "size",
    "created_at",
    "updated_at",
    "raw",
)


@transaction.atomic
def store_instances(project: Project, listed: InstanceList, now: datetime) -> str:
    """Create and update instances, and mark as gone those that the list proves to be.

    Returns why the list proves nothing, "" if it does.
    """
    rows = {row.instance_id: row for row in project.instances.all()}
    records = {record.instance_id: record for record in listed.records}
    fresh = [
        _filled(Instance(project=project, instance_id=key, next_sync_at=now, listed_at=now), record)
        for key, record in records.items()
        if key not in rows
    ]
    known = {row.pk: (row, records[key]) for key, row in rows.items() if key in records}
    # Those back from the dead, or with a replica now, are looked at at once.
    due = [
        k
        for k, (row, new) in known.items()
        if row.deleted_at or (row.single_node and not new.single_node)
    ]
    changed = [_filled(row, record) for row, record in known.values() if _differs(row, record)]
    Instance.objects.bulk_create(fresh, batch_size=500)
    Instance.objects.bulk_update(changed, [*_COPIED, "search"], batch_size=200)
    Instance.objects.filter(pk__in=list(known)).update(listed_at=now, deleted_at=None)
    Instance.objects.filter(pk__in=due).update(next_sync_at=now)
    return _retire(project, [row for key, row in rows.items() if key not in records], listed, now)


def welcome(project: Project, named: Sequence[InstanceRecord], now: datetime) -> None:
    """Create those of the restoring instances that no list has shown yet."""
    held = set(project.instances.values_list("instance_id", flat=True)) if named else set()
    Instance.objects.bulk_create(
        _filled(Instance(project=project, instance_id=row.instance_id, listed_at=now), row)
        for row in named
        if row.instance_id not in held
    )


def make_due(project: Project, named: Sequence[str], now: datetime) -> None:
    """Make due what a list of the restoring instances gives news of.

    Those ``named`` whose restore is not yet followed have begun one; those whose restore was
    last seen restoring and that are not named any more have ended it. One whose looks fail is left
    alone for as long as after a first fault.
    """
    live = Restore.objects.filter(project=project, removed_upstream_at=None)
    live = live.unfinished(now - store.UNFINISHED_FOR)
    restoring = live.filter(status=RESTORING.value)
    instances = Instance.objects.filter(project=project)
    begun = instances.filter(instance_id__in=named).exclude(pk__in=live.values("instance_id"))
    ended = instances.filter(pk__in=restoring.values("instance_id"), next_sync_at__gt=now)
    # Also one that is due already: what is due since now comes first in a backlog.
    begun.update(next_sync_at=now)
    ended = ended.exclude(failures__gt=0, synced_at__gt=now - ledger.AFTER_FAULT)
    ended.exclude(instance_id__in=named).update(next_sync_at=now)


@transaction.atomic
def store_backups(instance: Instance, listed: Sequence[BackupRecord], now: datetime) -> None:
    """Create and update backups; one that the cloud dropped is kept as it was."""
    store.hold(instance)
    rows = {row.backup_id: row for row in Backup.objects.filter(instance=instance)}
    fresh, changed = [], []
    for record in {record.backup_id: record for record in listed}.values():
        row = rows.get(record.backup_id)
        if row is None:
            row = Backup(instance=instance, backup_id=record.backup_id, first_seen_at=now)
            fresh.append(row)
        elif row.raw == record.raw:
            continue
        else:
            changed.append(row)
        for name in _BACKUP:
            setattr(row, name, getattr(record, name))
        row.changed_at = now
    Backup.objects.bulk_create(fresh, batch_size=500)
    Backup.objects.bulk_update(changed, [*_BACKUP, "changed_at"], batch_size=200)
    if fresh or changed:
        recovery.link_backups(instance)


def _retire(project: Project, absent: list[Instance], listed: InstanceList, now: datetime) -> str:
    absent = [row for row in absent if row.deleted_at is None]
    total = len(absent) + len(listed.records)
    if listed.flaw or not absent:
        return listed.flaw
    if len(absent) > 5 and len(absent) > total / 5:
        return f"{len(absent)} of {total} instances are missing from it all at once"
    before = project.listed_at
    gone = [
        row.pk
        for row in absent
        if listed.atomic or (before and row.listed_at and row.listed_at < before)
    ]
    Instance.objects.filter(pk__in=gone).update(deleted_at=now)
    return ""


def _differs(row: Instance, record: InstanceRecord) -> bool:
    same = all(getattr(row, name) == getattr(record, name) for name in _COPIED)
    return not same or row.search != _search(row.project, record)


def _filled(row: Instance, record: InstanceRecord) -> Instance:
    for name in _COPIED:
        setattr(row, name, getattr(record, name))
    row.search = _search(row.project, record)
    return row


def _search(project: Project, record: InstanceRecord) -> str:
    words = (record.instance_id, record.name, record.ip, record.domain, project.customer)
    return " ".join(word for word in words if word).casefold()
