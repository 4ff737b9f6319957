"""Inventory: which projects, instances and backups exist."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.crypto import salted_hmac

from restores.dcs import config
from restores.dcs.client import Client
from restores.dcs.iam import DiscoveredProject
from restores.dcs.records import BackupRecord, InstanceRecord
from restores.models import Account, Backup, Instance, Project, Restore
from restores.statuses import RESTORING
from restores.sync import scheduling, store

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
    ended = ended.exclude(failures__gt=0, synced_at__gt=now - scheduling.AFTER_FAULT)
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
        store.link_backups(instance)


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


@transaction.atomic
def enrol(projects: config.ProjectsFile) -> None:
    """Create, rename and retire accounts and projects; unchanged rows are not written.

    A project is its endpoint and ``project_id``: a renamed section renames it, a removed one
    keeps its rows and is no longer monitored. An account's endpoint that changes takes its projects
    along. What was found for an account there stays.
    """
    accounts = {name: _account(section) for name, section in projects.accounts.items()}
    kept = _enrolled(projects.projects.values(), accounts)
    retired = Project.objects.monitored().exclude(pk__in=kept)
    for name, section in projects.accounts.items():
        if section.discovery:
            retired = retired.exclude(account=accounts[name], endpoint=section.endpoint)
    retired.update(monitored=False)


@transaction.atomic
def enrol_found(
    account: Account,
    section: config.AccountConfig,
    named: Collection[str],
    found: Sequence[DiscoveredProject],
) -> str:
    """Watch the projects found for an account, besides those ``named`` in the file.

    Returns why those that are missing are not believed to be gone, "" if they are.
    """
    ours = Project.objects.monitored().filter(account=account, endpoint=section.endpoint)
    ours = ours.exclude(project_id__in=named)
    before = set(ours.values_list("project_id", flat=True))
    others = Project.objects.monitored().exclude(pk__in=ours.values("pk"))
    taken = set(others.values_list("name", flat=True))
    foreign = set(others.filter(endpoint=section.endpoint).values_list("project_id", flat=True))
    fresh = [project for project in found if project.project_id not in foreign | set(named)]
    _enrolled([_section(project, section, taken) for project in fresh], {section.name: account})
    gone = before - {project.project_id for project in fresh}
    if gone and (not found or (len(gone) > 5 and len(gone) > len(before) / 5)):
        return f"{len(gone)} of {len(before)} projects are missing from the list all at once."
    ours.filter(project_id__in=gone).update(monitored=False)
    return ""


def _section(
    found: DiscoveredProject, account: config.AccountConfig, taken: set[str]
) -> config.ProjectConfig:
    discovery = account.discovery
    # Built-in projects are called like their region, in every account.
    name = found.name if found.name not in taken else f"{found.name} ({account.name})"[:100]
    return config.ProjectConfig(
        name=name,
        account=account,
        project_id=found.project_id,
        region=found.region,
        interval=discovery.interval if discovery else 15 * 60,
        customer=discovery.customer if discovery else "",
        customer_ref="",
        time_zone="",
    )


def _account(section: config.AccountConfig) -> Account:
    account, _ = Account.objects.get_or_create(name=section.name)
    # Keyed: nobody who gets hold of the database can try passwords against it.
    digest = salted_hmac("restores.account", section.digest, algorithm="sha256").hexdigest()
    if account.section_digest != digest:
        # Another credential deserves another try at once.
        Account.objects.filter(pk=account.pk).update(
            section_digest=digest,
            refusals=0,
            paused_until=None,
            next_discovery_at=None,
            sync_error_kind="",
            sync_error_message="",
            sync_error_since=None,
            sync_error_request_id="",
        )
    return account


def _enrolled(
    sections: Iterable[config.ProjectConfig], accounts: Mapping[str, Account]
) -> list[int]:
    rows = Project.objects.all()
    places = {(row.endpoint, row.project_id): row for row in rows}
    # An account has one endpoint: its rows at another are from before that was changed.
    before = {(row.account_id, row.project_id): row for row in rows}
    kept = []
    for section in sections:
        values = _values(section, accounts[section.account.name])
        place = section.account.endpoint, section.project_id
        known = places.get(place) or before.get((values["account"].pk, section.project_id))
        known = None if known and known.pk in kept else known
        row = {"endpoint": place[0], "project_id": place[1]}
        if known is None:
            known, _ = Project.objects.get_or_create(**row, defaults=values)
        values |= row
        kept.append(known.pk)
        if any(getattr(known, name) != value for name, value in values.items()):
            # A project that comes back is asked at once, and its instances listed anew.
            values |= {"next_sync_at": None, "next_discovery_at": None}
            Project.objects.filter(pk=known.pk).update(**values)
    return kept


def _values(section: config.ProjectConfig, account: Account) -> dict[str, Any]:
    return {
        "account": account,
        "name": section.name,
        "region": section.region,
        "customer": section.customer,
        "customer_ref": section.customer_ref,
        "time_zone": section.time_zone,
        "interval": section.interval,
        "monitored": True,
    }


_PAGE = 1000
_MOST_PAGES = 50
_OVERLAP = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceList:
    """The instances that were listed, each once; ``flaw`` says why others may be missing.

    ``atomic``: in one answer. Pages shift while instances come and go, so absence from several
    means little, and only absence from two lists in a row something.
    """

    records: tuple[InstanceRecord, ...]
    atomic: bool
    flaw: str = ""


def all_instances(client: Client, status: str | None = None) -> InstanceList:
    """List the project's instances, page by page, those in one state if asked.

    Pages overlap: what shifts while we read shows at their edges.
    """
    found: dict[str, InstanceRecord] = {}
    tail: list[str] = []
    start = skipped = pages = 0
    flaw = f"it does not end within {_MOST_PAGES} pages"
    shifted = ""
    while pages < _MOST_PAGES:
        pages += 1
        page = client.instances(status=status, offset=start, limit=_PAGE)
        ids, known = [record.instance_id for record in page.rows], len(found)
        if ids[: len(tail)] != tail:
            shifted = "it changed while it was read"
        found |= {record.instance_id: record for record in page.rows}
        skipped += page.skipped
        start += len(ids) + page.skipped
        if page.total is None or start >= page.total or len(found) == known:
            flaw = shifted or _flaw(page.total, len(found), skipped)
            break
        tail = ids[max(len(ids) - _OVERLAP, (len(ids) + 1) // 2) :]
        start -= len(tail)
    return InstanceList(records=tuple(found.values()), atomic=pages == 1, flaw=flaw)


def _flaw(total: int | None, found: int, skipped: int) -> str:
    if total != found + skipped:
        said = "unreadable" if total is None else total
        return f"instance_num is {said}, and {found + skipped} came"
    return f"{skipped} came without a usable instance_id" if skipped else ""
