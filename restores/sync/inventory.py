"""Inventory: which projects, instances and backups exist."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.utils.crypto import salted_hmac

from restores.dcs import config
from restores.dcs.client import Client, max_pages
from restores.dcs.iam import DiscoveredProject
from restores.dcs.records import BackupRecord, InstanceRecord
from restores.models import (
    NO_SYNC_ERROR,
    Account,
    Backup,
    FormerName,
    FormerProject,
    Instance,
    Project,
    ProjectState,
    Restore,
)
from restores.statuses import RESTORING
from restores.sync import project_state, scheduling, store

_INSTANCE_FIELDS = ("name", "engine", "spec", "az", "ip", "domain", "status", "single_node")
_BACKUP_FIELDS = (
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
_OVERLAP = 5


@transaction.atomic
def register_projects(projects: config.ProjectsFile) -> None:
    """Create, rename and retire the accounts and projects of the projects file.

    Endpoint and ``project_id`` identify a project: a renamed section renames it, a removed one
    keeps its rows and is no longer monitored. An account whose endpoint changes takes its projects
    along. What was discovered for an account stays.
    """
    accounts = {name: _register_account(section) for name, section in projects.accounts.items()}
    kept = _register(projects.projects.values(), accounts)
    retired = Project.objects.monitored().exclude(pk__in=kept)
    for name, section in projects.accounts.items():
        if section.discovery:
            retired = retired.exclude(account=accounts[name], endpoint=section.endpoint)
    retired.update(monitored=False)


@transaction.atomic
def register_discovered(
    account: Account,
    section: config.AccountConfig,
    named: Collection[str],
    found: Sequence[DiscoveredProject],
) -> str:
    """Monitor the projects discovered for an account, besides those ``named`` in the file.

    Returns why those that are missing are not believed to be gone, "" if they are.
    """
    ours = Project.objects.monitored().filter(account=account, endpoint=section.endpoint)
    ours = ours.exclude(project_id__in=named)
    before = set(ours.values_list("project_id", flat=True))
    others = Project.objects.monitored().exclude(pk__in=ours.values("pk"))
    taken_names = set(others.values_list("name", flat=True))
    taken_ids = set(others.filter(endpoint=section.endpoint).values_list("project_id", flat=True))
    new = [project for project in found if project.project_id not in taken_ids | set(named)]
    sections = [_discovered_section(project, section, taken_names) for project in new]
    _register(sections, {section.name: account})
    gone = before - {project.project_id for project in new}
    if gone and (not found or (len(gone) > 5 and len(gone) > len(before) / 5)):
        return f"{len(gone)} of {len(before)} projects are missing from the list all at once."
    ours.filter(project_id__in=gone).update(monitored=False)
    return ""


def _discovered_section(
    found: DiscoveredProject, account: config.AccountConfig, taken_names: set[str]
) -> config.ProjectConfig:
    discovery = account.discovery
    # Built-in projects have the name of their region, in every account.
    name = found.name if found.name not in taken_names else f"{found.name} ({account.name})"[:100]
    return config.ProjectConfig(
        name=name,
        account=account,
        project_id=found.project_id,
        region=found.region,
        interval=discovery.interval if discovery else 15 * 60,
        customer=discovery.customer if discovery else "",
        customer_ref="",
        time_zone="",
        owner=account.owner,
        console_url=account.console_url,
    )


def _register_account(section: config.AccountConfig) -> Account:
    account, _ = Account.objects.get_or_create(name=section.name)
    # Keyed, so that a stolen database can't be used to try passwords against it. While the key is
    # rotated, a digest under a previous key is the same account.
    digests = [
        salted_hmac("restores.account", section.digest, key, algorithm="sha256").hexdigest()
        for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    ]
    if account.section_digest in digests[1:]:
        Account.objects.filter(pk=account.pk).update(section_digest=digests[0])
    elif account.section_digest != digests[0]:
        # A changed credential is tried immediately.
        Account.objects.filter(pk=account.pk).update(
            section_digest=digests[0],
            refusals=0,
            paused_until=None,
            next_discovery_at=None,
            **NO_SYNC_ERROR,
        )
    return account


def _register(
    sections: Iterable[config.ProjectConfig], accounts: Mapping[str, Account]
) -> list[int]:
    """Create and update the projects of these sections; return their keys."""
    rows = Project.objects.all()
    by_place = {(row.endpoint, row.project_id): row for row in rows}
    # An account has one endpoint: its rows at another are from before that was changed.
    by_account = {(row.account_id, row.project_id): row for row in rows}
    kept: list[int] = []
    for section in sections:
        account = accounts[section.account.name]
        place = {"endpoint": section.account.endpoint, "project_id": section.project_id}
        fields: dict[str, Any] = {
            "account": account,
            "name": section.name,
            "region": section.region,
            "customer": section.customer,
            "customer_ref": section.customer_ref,
            "time_zone": section.time_zone,
            "owner": section.owner,
            "console_url": section.console_url,
            "interval": section.interval,
            "monitored": True,
        }
        known = by_place.get((place["endpoint"], place["project_id"]))
        known = known or by_account.get((account.pk, section.project_id))
        if known is None or known.pk in kept:
            known, _ = Project.objects.get_or_create(**place, defaults=fields)
            ProjectState.objects.get_or_create(project=known)
        fields |= place
        kept.append(known.pk)
        if any(getattr(known, name) != value for name, value in fields.items()):
            # A project that comes back is synced immediately, and its instances are listed anew.
            fields |= {"next_sync_at": None, "next_discovery_at": None}
            if known.name != section.name:
                FormerName.objects.create(project=known, name=known.name)
            Project.objects.filter(pk=known.pk).update(**fields)
    return kept


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceList:
    """The instances that were listed, each once; ``incomplete`` says why others may be missing.

    ``atomic``: in one response. Pages shift while instances come and go, so absence from several
    means little; only absence from two such lists in a row means something.
    """

    records: tuple[InstanceRecord, ...]
    atomic: bool
    incomplete: str = ""


def list_instances(client: Client, status: str | None = None) -> InstanceList:
    """List the project's instances, of one status if given, page by page.

    Pages overlap: shifts while we read show up at their edges.
    """
    found: dict[str, InstanceRecord] = {}
    tail: list[str] = []
    start = skipped = pages = 0
    shifted = ""
    while True:
        pages += 1
        page = client.instances(status=status, offset=start)
        ids, known = [record.instance_id for record in page.rows], len(found)
        if ids[: len(tail)] != tail:
            shifted = "it changed while it was fetched"
        found |= {record.instance_id: record for record in page.rows}
        skipped += page.skipped
        start += len(ids) + page.skipped
        if page.total is None or start >= page.total or len(found) == known:
            incomplete = shifted or _wrong_total(page.total, len(found), skipped)
            break
        if pages == max_pages(page.limit):
            incomplete = f"it does not end within {pages} pages"
            break
        tail = ids[max(len(ids) - _OVERLAP, (len(ids) + 1) // 2) :]
        start -= len(tail)
    return InstanceList(records=tuple(found.values()), atomic=pages == 1, incomplete=incomplete)


def _wrong_total(total: int | None, found: int, skipped: int) -> str:
    if total != found + skipped:
        number = "unreadable" if total is None else total
        return f"instance_num is {number}, but {found + skipped} were returned"
    return f"{skipped} have no usable instance_id" if skipped else ""


@transaction.atomic
def store_instances(project: Project, listed: InstanceList, now: datetime) -> str:
    """Create and update instances, and mark as deleted those that a complete list lacks.

    Returns why the list can’t be taken as complete, "" if it can.
    """
    records = {record.instance_id: record for record in listed.records}
    _move_here(project, records, now)
    rows = {row.instance_id: row for row in project.instances.all()}
    new = [
        _fill(Instance(project=project, instance_id=key, next_sync_at=now, listed_at=now), record)
        for key, record in records.items()
        if key not in rows
    ]
    known = [(row, records[key]) for key, row in rows.items() if key in records]
    # Those that are listed again, or have a replica now, are synced immediately.
    due = [
        row.pk
        for row, record in known
        if row.deleted_at or (row.single_node and not record.single_node)
    ]
    former = _former_names(project)
    for row, record in known:
        if row.name and row.name != record.name:
            former[row.pk].append(row.name)
            FormerName.objects.create(instance=row, name=row.name, until=now)
    changed = [
        _fill(row, record, former[row.pk])
        for row, record in known
        if _differs(row, record, former[row.pk])
    ]
    Instance.objects.bulk_create(new, batch_size=500)
    Instance.objects.bulk_update(changed, [*_INSTANCE_FIELDS, "search"], batch_size=200)
    Instance.objects.filter(pk__in=[row.pk for row, _ in known]).update(
        listed_at=now, deleted_at=None
    )
    Instance.objects.filter(pk__in=due).update(next_sync_at=now)
    if changed:
        project_state.mark_changed(project.pk)
    missing = [row for key, row in rows.items() if key not in records and row.deleted_at is None]
    return _mark_deleted(project, missing, listed, now)


def register_restoring(
    project: Project, restoring: Sequence[InstanceRecord], now: datetime
) -> None:
    """Create those of the restoring instances that no list has shown yet."""
    if not restoring:
        return
    _move_here(project, [record.instance_id for record in restoring], now)
    known = set(project.instances.values_list("instance_id", flat=True))
    Instance.objects.bulk_create(
        _fill(Instance(project=project, instance_id=record.instance_id, listed_at=now), record)
        for record in restoring
        if record.instance_id not in known
    )


def schedule_restoring(project: Project, restoring: Sequence[str], now: datetime) -> None:
    """Make the instances due whose restore has begun or ended, by the ids of those restoring.

    A restoring instance without an unfinished restore has begun one; an instance whose restore was
    last seen restoring and that is no longer named has ended it. One whose sync fails is left alone
    for as long as after its first failure.
    """
    unfinished = Restore.objects.filter(project=project, removed_upstream_at=None)
    unfinished = unfinished.unfinished(now)
    running = unfinished.filter(status=RESTORING.value)
    instances = Instance.objects.filter(project=project)
    begun = instances.filter(instance_id__in=restoring)
    begun = begun.exclude(pk__in=unfinished.values("instance_id"))
    # Also those that are due already: what became due just now comes first in a backlog.
    begun.update(next_sync_at=now)
    ended = instances.filter(pk__in=running.values("instance_id"), next_sync_at__gt=now)
    ended = ended.exclude(failures__gt=0, synced_at__gt=now - scheduling.FIRST_RETRY)
    ended.exclude(instance_id__in=restoring).update(next_sync_at=now)


def list_backups(client: Client, instance_id: str) -> tuple[BackupRecord, ...]:
    """List an instance's backups, page by page."""
    found: dict[str, BackupRecord] = {}
    start = 0
    while True:
        page = client.backups(instance_id, offset=start)
        known = len(found)
        found |= {record.backup_id: record for record in page.rows}
        start += len(page.rows) + page.skipped
        ended = len(found) == known or page.total is None or start >= page.total
        if ended or start > max_pages(page.limit) * page.limit:
            return tuple(found.values())


@transaction.atomic
def store_backups(instance: Instance, listed: Sequence[BackupRecord], now: datetime) -> bool:
    """Create and update backups; one that the cloud has deleted is kept as it was.

    Returns whether anything changed.
    """
    scheduling.lock_claimed(instance)
    rows = {row.backup_id: row for row in Backup.objects.filter(instance=instance)}
    new, changed = [], []
    for record in {record.backup_id: record for record in listed}.values():
        row = rows.get(record.backup_id)
        if row is None:
            row = Backup(instance=instance, backup_id=record.backup_id, first_seen_at=now)
            new.append(row)
        elif row.raw == record.raw:
            continue
        else:
            changed.append(row)
        for name in _BACKUP_FIELDS:
            setattr(row, name, getattr(record, name))
        row.changed_at = now
    Backup.objects.bulk_create(new, batch_size=500)
    Backup.objects.bulk_update(changed, [*_BACKUP_FIELDS, "changed_at"], batch_size=200)
    if new or changed:
        store.link_backups(instance)
    return bool(new or changed)


def _move_here(project: Project, listed: Collection[str], now: datetime) -> None:
    """Move instances of another project of the same cloud here, with their restores.

    One that still exists there and has been here before stays: an instance that a cloud lists in
    two projects would move forever.
    """
    absent = set(listed).difference(project.instances.values_list("instance_id", flat=True))
    been_here = FormerProject.objects.filter(instance=OuterRef("pk"), project=project)
    rows = Instance.objects.filter(instance_id__in=absent, project__endpoint=project.endpoint)
    rows = rows.exclude(Exists(been_here), deleted_at=None, project__monitored=True)
    last_listed = F("listed_at").asc(nulls_first=True)
    moving = {row.instance_id: row for row in rows.order_by(last_listed, "pk")} if absent else {}
    if not moving:
        return
    keys = [row.pk for row in moving.values()]
    # Instances first, because a worker that stores restores of one locks it first too. The new
    # token lets it write nothing more.
    Instance.objects.filter(pk__in=keys).update(
        project=project,
        deleted_at=None,
        next_sync_at=now,
        backups_due_at=None,
        lease_until=None,
        fencing_token=F("fencing_token") + 1,
        attempts=0,
        failures=0,
        digest="",
        **NO_SYNC_ERROR,
    )
    Restore.objects.filter(instance__in=keys).update(project=project)
    FormerProject.objects.bulk_create(
        FormerProject(instance=row, project_id=row.project_id, until=now) for row in moving.values()
    )
    for key in sorted({project.pk, *(row.project_id for row in moving.values())}):
        project_state.recount(key)
        project_state.mark_changed(key)


def _mark_deleted(
    project: Project, missing: list[Instance], listed: InstanceList, now: datetime
) -> str:
    total = len(missing) + len(listed.records)
    if listed.incomplete or not missing:
        return listed.incomplete
    if len(missing) > 5 and len(missing) > total / 5:
        return f"{len(missing)} of {total} instances are missing from it all at once"
    before = project.listed_at
    deleted = [
        row.pk
        for row in missing
        if listed.atomic or (before and row.listed_at and row.listed_at < before)
    ]
    Instance.objects.filter(pk__in=deleted).update(deleted_at=now)
    return ""


def _former_names(project: Project) -> defaultdict[int, list[str]]:
    """The former names of the project's instances, by their key."""
    found: defaultdict[int, list[str]] = defaultdict(list)
    rows = FormerName.objects.filter(instance__project=project)
    for key, name in rows.values_list("instance_id", "name"):
        found[key].append(name)
    return found


def _differs(row: Instance, record: InstanceRecord, former: Sequence[str]) -> bool:
    same = all(getattr(row, name) == getattr(record, name) for name in _INSTANCE_FIELDS)
    return not same or row.search != _search_text(row.project, record, former)


def _fill(row: Instance, record: InstanceRecord, former: Sequence[str] = ()) -> Instance:
    for name in _INSTANCE_FIELDS:
        setattr(row, name, getattr(record, name))
    row.search = _search_text(row.project, record, former)
    return row


def _search_text(project: Project, record: InstanceRecord, former: Sequence[str]) -> str:
    names = dict.fromkeys([record.name, *former])
    texts = (record.instance_id, *names, record.ip, record.domain, project.customer)
    return " ".join(filter(None, texts)).casefold()
