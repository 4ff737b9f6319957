"""What the page of one instance says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from restores.models import Backup, Instance, Restore
from restores.pages.answers import Answer, answer_for_instance
from restores.pages.instances import instance_json, monitored
from restores.pages.lines import Line, lines
from restores.pages.moments import Moment, moment
from restores.pages.standing import Standing, standing
from restores.querysets import RestoreQuerySet
from restores.serializers import restore_json
from restores.statuses import Status, status_of
from restores.timerange import instant

SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupLine:
    """One backup that was kept, as a line."""

    backup: Backup
    status: Status
    taken: Moment | None
    size: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InstancePage:
    """One instance: facts, standing, its newest restores and backups."""

    instance: Instance
    facts: list[tuple[str, str]]
    standing: Standing
    answer: Answer
    proven: Moment | None
    last_look: Moment | None
    next_look: Moment | None
    gone: Moment | None
    restores: list[Line]
    total: int
    list_url: str
    backups: list[BackupLine]
    backups_total: int


def instance_page(instance: Instance) -> InstancePage:
    """Prepare one visible instance; what hangs on it is visible with it."""
    restores, backups = _restores(instance), instance.backups
    return InstancePage(
        instance=instance,
        facts=_facts(instance),
        standing=standing(instance),
        answer=answer_for_instance(instance),
        proven=moment(instance.complete_to),
        last_look=moment(instance.synced_at),
        next_look=_next_look(instance),
        gone=moment(instance.deleted_at),
        restores=lines(restores[:SHOWN]),
        total=restores.count(),
        list_url=list_of(instance),
        backups=[_backup_line(backup) for backup in backups.order_by("-created_at")[:SHOWN]],
        backups_total=backups.count(),
    )


def instance_page_json(instance: Instance) -> dict[str, Any]:
    """One instance for its twin, with its newest restores and its backups."""
    backups = instance.backups.order_by("-created_at", "-pk")[:SHOWN]
    return {
        **instance_json(instance),
        "restores": [restore_json(restore) for restore in _restores(instance)[:SHOWN]],
        "restores_total": instance.restores.count(),
        "backups": [_backup_json(backup) for backup in backups],
        "backups_total": instance.backups.count(),
    }


def list_of(instance: Instance) -> str:
    """The list of restores with exactly this instance's."""
    params = {"project": instance.project.name, "instance": instance.instance_id}
    return f"{reverse('restore-list')}?{urlencode(params, safe=':/,')}"


def size_words(size: int | None) -> str:
    """A size in the unit people use; absent as a dash."""
    amount, unit = float(size or 0), "B"
    for larger in ("KB", "MB", "GB", "TB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return "—" if size is None else f"{amount:.3g} {unit}"


def _facts(instance: Instance) -> list[tuple[str, str]]:
    return [
        ("Customer", instance.project.customer),
        ("Project", instance.project.name),
        ("Region", instance.project.region),
        ("Engine", instance.engine),
        ("Specification", instance.spec),
        ("Zone", instance.az),
        ("IP", instance.ip),
        ("Domain", instance.domain),
        ("Status at the cloud", instance.status),
    ]


def _next_look(instance: Instance) -> Moment | None:
    """When it is looked at next; one that was set aside waits for somebody to ask."""
    waits = instance.sync_error_kind == "parked" or not monitored(instance)
    return None if waits else moment(instance.next_sync_at)


def _restores(instance: Instance) -> RestoreQuerySet:
    of_it = Restore.objects.filter(instance=instance)
    return of_it.select_related("instance__project__account", "project").newest_first()


def _backup_line(backup: Backup) -> BackupLine:
    return BackupLine(
        backup=backup,
        status=status_of(backup.status),
        taken=moment(backup.created_at),
        size=size_words(backup.size),
    )


def _backup_json(backup: Backup) -> dict[str, Any]:
    texts = {
        name: getattr(backup, name) or None
        for name in (
            "backup_id",
            "backup_name",
            "backup_type",
            "backup_format",
            "status",
            "remark",
            "error_code",
        )
    }
    times = {
        name: (at := getattr(backup, name)) and instant(at)
        for name in ("created_at", "updated_at", "first_seen_at")
    }
    return {**texts, "size": backup.size, **times}
