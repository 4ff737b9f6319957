"""Checks every account and project of the projects file."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from restores.dcs import errors
from restores.dcs.client import Client
from restores.dcs.errors import DcsError
from restores.dcs.records import Page
from restores.management.commands._accounts import RejectedLogins, accounts_or_exit
from restores.models import Account, Project
from restores.sync.accounts import discover


class Command(BaseCommand):
    help = "Verify credentials, permissions, clock and project IDs; exit 1 on problems."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--offline", action="store_true", help="only read the projects file")

    def handle(self, *args: Any, **options: Any) -> None:
        accounts = accounts_or_exit()
        projects = Project.objects.monitored().select_related("account").order_by("name")
        if options["offline"]:
            count = f"{len(accounts)} account(s), {len(projects)} project(s)"
            self.stdout.write(f"{count}: valid")
            return
        problems = 0
        Account.objects.update(next_discovery_at=None)
        for name, error in discover(accounts, datetime.now(UTC)):
            problems += error is not None
            self.stdout.write(f"{name}: projects, iam_endpoint: {error or 'ok'}")
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
    """Yield each check and its problem, if any, one call each; stop after a rejected login."""
    problem, page = _try(partial(client.instances, limit=10))
    yield "credentials, project id, dcs:instance:list", problem
    if not isinstance(page, Page):
        return
    yield (
        "clock",
        errors.describe_clock_skew(client.clock_skew)
        if abs(client.clock_skew) > errors.MAX_CLOCK_SKEW
        else "",
    )
    yield "counts by status (optional)", _try(client.restoring_count)[0]
    for instance in [row for row in page.rows if not row.single_node][:1]:
        instance_id = instance.instance_id
        restores = partial(client.restores, instance_id, limit=1)
        yield "dcs:instance:getDataRestoreLog", _try(restores)[0]
        yield (
            "dcs:instance:getDataBackupLog",
            _try(partial(client.backups, instance_id, limit=1))[0],
        )


def _try(call: Callable[[], Any]) -> tuple[DcsError | None, Any]:
    try:
        return None, call()
    except DcsError as error:
        return error, None
