"""Checks every account and project of the projects file."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.core.management.base import CommandError

from restores.dcs import errors
from restores.dcs.client import Client
from restores.dcs.errors import DcsError
from restores.dcs.records import Page, RestoreRecord
from restores.management.commands._accounts import RejectedLogins, accounts_or_exit
from restores.management.commands._database import require_database
from restores.management.commands._printable import PrintableCommand
from restores.models import Account, Project
from restores.sync.accounts import discover
from restores.sync.complete_fetch import FetchResult, fetch_complete
from restores.sync.inventory import InstanceList, list_backups, list_instances


class Command(PrintableCommand):
    help = "Verify credentials, permissions, clock and project IDs; exit 1 on problems."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--offline", action="store_true", help="only read the projects file")

    def handle(self, *args: Any, **options: Any) -> None:
        require_database()
        accounts = accounts_or_exit()
        projects = Project.objects.monitored().select_related("account").order_by("name")
        if not projects and not any(account.config.discovery for account in accounts.values()):
            raise CommandError(
                "the projects file names no project to monitor: it must have a table such as "
                '[projects.shop], or an account with projects = "discover"'
            )
        if options["offline"]:
            count = f"{len(accounts)} account(s), {len(projects)} project(s)"
            self.stdout.write(f"{count}: valid")
            return
        problems = 0
        Account.objects.update(next_discovery_at=None)
        for name, error in discover(accounts, datetime.now(UTC)):
            problems += error is not None
            self.stdout.write(f"{name}: projects, iam_endpoint: {error or 'ok'}")
        for name in sorted(accounts.keys() - {project.account.name for project in projects}):
            problems += 1
            self.stdout.write(f"{name}: projects: none is monitored")
        rejected = RejectedLogins()
        for project in projects:
            skipped = rejected.skip(project)
            client = accounts[project.account.name].client(project)
            for check, problem in [("calls", skipped)] if skipped else _checks(client):
                problems += bool(problem)
                rejected.note(project, problem)
                self.stdout.write(
                    f"{project.account.name}/{project.name}: {check}: {_text(problem)}"
                )
        if problems:
            raise CommandError(f"{problems} problem(s) found")


def _text(problem: DcsError | str | None) -> str:
    return f"{problem.kind}: {problem}" if isinstance(problem, DcsError) else problem or "ok"


def _checks(client: Client) -> Iterator[tuple[str, DcsError | str | None]]:
    """Yield each check and its problem, if any, using the requests that a sync sends.

    Stops after a rejected login.
    """
    problem, listed = _try(partial(list_instances, client))
    yield "credentials, project id, dcs:instance:list", problem or _incomplete(listed)
    if not isinstance(listed, InstanceList):
        return
    yield "clock", _wrong_clock(client.clock_skew)
    yield "counts by status (optional)", _try(client.restoring_count)[0]
    for instance in [row for row in listed.records if not row.single_node][:1]:
        instance_id = instance.instance_id

        def fetch(
            begin: datetime | None, end: datetime | None, instance_id: str = instance_id
        ) -> Page[RestoreRecord]:
            return client.restores(instance_id, begin=begin, end=end)

        problem, fetched = _try(partial(fetch_complete, fetch))
        yield "dcs:instance:getDataRestoreLog", problem or _incomplete(fetched)
        if not problem:
            yield "clock in the list of restores", _wrong_clock(fetched.clock_skew)
        yield "dcs:instance:getDataBackupLog", _try(partial(list_backups, client, instance_id))[0]


def _incomplete(found: InstanceList | FetchResult) -> str:
    return f"the list is incomplete: {found.incomplete}" if found.incomplete else ""


def _wrong_clock(skew: timedelta) -> str:
    return errors.describe_clock_skew(skew) if abs(skew) > errors.MAX_CLOCK_SKEW else ""


def _try(call: Callable[[], Any]) -> tuple[DcsError | None, Any]:
    try:
        return None, call()
    except DcsError as error:
        return error, None
