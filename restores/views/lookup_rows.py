"""The rows of a lookup: each thing that was found, in words and with a link to its page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

from restores.explain.codes import explain
from restores.explain.refusals import refusal
from restores.formatting import zoned_time
from restores.models import Project, Restore
from restores.statuses import FAILED, KNOWN
from restores.ticket_lookup import FoundBackup, FoundInstance, Results
from restores.views.navigation import instance_url, restore_url
from restores.views.restore_rows import restore_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Something that was found: what it is, in which state, and its page."""

    kind: str
    name: str
    icon: str
    url: str
    status: str = ""
    css_class: str = "soft"
    project: Project | None = None
    id: str = ""
    details: str = ""
    warning: str = ""


def rows_of(results: Results, now: datetime) -> Iterator[Row]:
    """A row for each thing that was found, restores first; those of another customer say so."""
    customers = results.customers

    def warning(project: Project) -> str:
        if project.customer in ("", *customers[:1]):
            return ""
        return f"another customer, not {customers[0]}: check before you reply"

    for restore in results.restores:
        yield _restore_row(restore, results.restores, now, warning(restore.project))
    for backup in results.backups:
        yield _backup_row(backup, warning(backup.instance.project))
    for found in results.instances:
        yield _instance_row(found, results.instances, warning(found.instance.project))
    for project in results.projects:
        yield Row(
            kind="Project",
            name=project.name,
            icon="project",
            url=project_url(project),
            status="Monitored" if project.monitored else "No longer monitored",
            css_class="soft" if project.monitored else "stuck",
            id=project.project_id,
            details=", ".join(filter(None, [project.customer, project.region])),
            warning=warning(project),
        )
    yield from map(_code_row, results.codes)


def found_restore_url(restore: Restore, others: Iterable[Restore]) -> str:
    """The page of a restore; it names the instance if another that was found shares the ID."""
    if sum(one.restore_id == restore.restore_id for one in others) > 1:
        return restore_url(restore, QueryDict())
    return reverse("restore-detail", args=[restore.restore_id])


def found_instance_url(found: FoundInstance, others: Iterable[FoundInstance]) -> str:
    """The page of an instance; it names the project if another that was found shares the ID."""
    instance = found.instance
    if sum(one.instance.instance_id == instance.instance_id for one in others) > 1:
        return instance_url(instance)
    return reverse("instance-detail", args=[instance.instance_id])


def backup_url(backup: FoundBackup) -> str:
    """The restores of a backup; the page of its instance, which lists it, if there are none."""
    if backup.restored:
        return f"{reverse('restore-list')}?{urlencode({'ids': backup.backup_id}, safe=':/,')}"
    return reverse("instance-detail", args=[backup.instance.instance_id])


def project_url(project: Project) -> str:
    """The sync status of a project."""
    return f"{reverse('sync-status')}?{urlencode({'project': project.name}, safe=':/,')}"


def code_url(code: str) -> str:
    """The page of an error code or a refusal."""
    return reverse("code-detail", args=[code])


def _restore_row(restore: Restore, others: list[Restore], now: datetime, warning: str) -> Row:
    (row,) = restore_rows([restore], now)
    created = restore.created_at
    times = [zoned_time(created) if created else "", row.duration]
    return Row(
        kind="Restore of",
        name=str(restore.instance),
        icon=restore.shown_status.css_class,
        css_class=_css_class(restore),
        url=found_restore_url(restore, others),
        status=_outcome(restore),
        project=restore.project,
        id=restore.restore_id,
        details=" · ".join(filter(None, [", ".join(filter(None, times)), row.details])),
        warning=warning,
    )


def _backup_row(backup: FoundBackup, warning: str) -> Row:
    if backup.last:
        times = "once" if backup.restored == 1 else f"{backup.restored:,} times"
        status = f"Restored {times}, last {_outcome(backup.last, in_sentence=True)}"
        css_class = _css_class(backup.last)
    else:
        status, css_class = "Never restored", "soft"
    return Row(
        kind="Backup of",
        name=str(backup.instance),
        icon="backup",
        url=backup_url(backup),
        status=status,
        css_class=css_class,
        project=backup.instance.project,
        id=backup.backup_id,
        details="" if backup.name == backup.backup_id else backup.name,
        warning=warning,
    )


def _instance_row(found: FoundInstance, others: list[FoundInstance], warning: str) -> Row:
    instance, css_class = found.instance, "soft"
    if instance.single_node:
        status, css_class = "Single-node, can’t be restored", "stuck"
    elif instance.deleted_at:
        status = f"Deleted by {zoned_time(instance.deleted_at)}"
    elif not instance.project.monitored:
        status, css_class = "No longer monitored", "stuck"
    else:
        status = "Monitored"
    if found.running:
        details = "a restore is in progress"
    elif found.last is None:
        details = "no restores"
    else:
        details = f"last restore {_outcome(found.last, in_sentence=True)}"
    if found.unresolved and not (found.last and found.last.status == FAILED.value):
        details += ", an earlier one is unresolved"
    if instance.complete_to:
        details += f" · data complete up to {zoned_time(instance.complete_to)}"
    elif not instance.single_node:
        details += " · not synced yet"
    return Row(
        kind="Instance",
        name=str(instance),
        icon="instance",
        url=found_instance_url(found, others),
        status=status,
        css_class=css_class,
        project=instance.project,
        id=instance.instance_id,
        details=details,
        warning=warning,
    )


def _code_row(code: str) -> Row:
    if found := refusal(code):
        kind, meaning, details = "Refusal", found.meaning, found.advice
    else:
        explained = explain(code)
        kind, meaning = "Error code", explained.meaning
        details = f"What to do: {explained.headline}"
    return Row(
        kind=kind, name=code, icon="code", url=code_url(code), status=meaning, details=details
    )


def _css_class(restore: Restore) -> str:
    """The color of a restore: of failed ones only for those that are unresolved."""
    return "soft" if restore.recovered_at else restore.shown_status.css_class


def _outcome(restore: Restore, *, in_sentence: bool = False) -> str:
    """How a restore ended: ``Failed · unresolved``, or when it was and how it ended."""
    word = restore.shown_status.word
    if in_sentence and restore.status in KNOWN:
        word = word.lower()
    if restore.status == FAILED.value:
        at = restore.recovered_at
        word += f", recovered {zoned_time(at)}" if at else " · unresolved"
    created = restore.created_at
    return f"{zoned_time(created)}: {word}" if in_sentence and created else word
