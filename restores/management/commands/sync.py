"""Syncs in the foreground, without a broker."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError

from restores.management.commands._accounts import RejectedLogins, accounts_or_exit
from restores.management.commands._database import require_database
from restores.management.commands._printable import PrintableCommand
from restores.models import Instance, Project
from restores.spellings import spellings
from restores.sync import call_counts, scheduling
from restores.sync.accounts import AccountClient, discover
from restores.sync.instances import SyncResult, sync_instances
from restores.sync.projects import sync_project


class Command(PrintableCommand):
    help = "Sync every instance once; exit 1 if any sync failed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--project", metavar="NAME", help="only this project")
        parser.add_argument("--instance", metavar="ID", help="only this instance")
        parser.add_argument("--full", action="store_true", help="re-process unchanged responses")

    def handle(self, *args: Any, **options: Any) -> None:
        require_database()
        accounts, rejected = accounts_or_exit(), RejectedLogins()
        failed = synced = 0
        for name, error in discover(accounts, datetime.now(UTC)):
            if error:
                failed += 1
                self.stdout.write(f"{name}: project discovery failed: {error}")
        for project in _projects(options["project"]):
            account = accounts[project.account.name]
            error = rejected.skip(project)
            if error is None:
                # A manual sync does not wait for the worker that may hold the project.
                claimed = scheduling.take_over_project(project, datetime.now(UTC))
                error = sync_project(claimed, account, full=True)
            rejected.note(project, error)
            if error:
                failed += 1
                self.stdout.write(f"{project.name}: failed: {error}")
                continue
            for result in _sync_instances(project, account, options):
                synced += 1
                failed += result.error is not None
                self.stdout.write(f"{project.name}/{result.instance}: {_text(result)}")
        call_counts.save()
        if options["instance"] and not synced and not failed:
            raise CommandError(
                f"--instance {options['instance']!r}: not found in any monitored project"
            )
        if failed:
            raise CommandError(f"{failed} sync(s) failed")


def _projects(name: str | None) -> list[Project]:
    projects = Project.objects.monitored().select_related("account").order_by("name")
    known = [project.name for project in projects]
    if name and name not in known:
        raise CommandError(f"--project {name!r}: not found; monitored projects: {', '.join(known)}")
    return [project for project in projects if name in (None, project.name)]


def _sync_instances(
    project: Project, account: AccountClient, options: dict[str, Any]
) -> Iterator[SyncResult]:
    if options["instance"]:
        wanted = Instance.objects.filter(
            project=project, instance_id__lower__in=spellings(options["instance"])
        )
    else:
        wanted = Instance.objects.monitored().filter(project=project)
    ids = list(wanted.order_by("name").values_list("pk", flat=True))
    for start in range(0, len(ids), scheduling.BATCH_SIZE):
        batch = ids[start : start + scheduling.BATCH_SIZE]
        claimed = scheduling.claim_selected(batch, datetime.now(UTC))
        if options["full"]:
            for instance in claimed:
                instance.digest = ""
        yield from sync_instances(claimed, account)


def _text(result: SyncResult) -> str:
    parts = []
    if result.stored:
        parts.append(f"{result.stored.new} new, {result.stored.changed} changed")
        if result.stored.unchanged:
            parts.append(f"{result.stored.unchanged} unchanged")
    if result.error:
        parts.append(f"failed: {result.error}")
    return ", ".join(parts)
