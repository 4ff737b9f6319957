"""Tries every account and project of the projects file."""

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
from restores.management.commands._words import Refusals, clouds_or_stop
from restores.models import Account, Project
from restores.sync import accounts


class Command(BaseCommand):
    help = "Check credentials, permissions, clock and project ids; exit 1 on trouble."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--offline", action="store_true", help="only read the projects file")

    def handle(self, *args: Any, **options: Any) -> None:
        clouds, troubles = clouds_or_stop(), 0
        if not options["offline"]:
            Account.objects.update(next_discovery_at=None)
            for name, fault in accounts.discover(clouds, datetime.now(UTC)):
                troubles += fault is not None
                self.stdout.write(f"{name}: projects, iam_endpoint: {fault or 'ok'}")
        projects = Project.objects.monitored().select_related("account").order_by("name")
        if options["offline"]:
            self.stdout.write(f"{len(clouds)} account(s), {len(projects)} project(s): readable")
            return
        refusals = Refusals()
        for project in projects:
            name, refused = project.account.name, refusals.of(project)
            client = clouds[name].client(project)
            for what, trouble in [("calls", refused)] if refused else _checks(client):
                troubles += bool(trouble)
                refusals.note(project, trouble)
                self.stdout.write(f"{name}/{project.name}: {what}: {_said(trouble)}")
        if troubles:
            raise CommandError(f"{troubles} check(s) found trouble")


def _said(trouble: DcsError | str | None) -> str:
    return f"{trouble.kind}: {trouble}" if isinstance(trouble, DcsError) else trouble or "ok"


def _checks(client: Client) -> Iterator[tuple[str, DcsError | str | None]]:
    """Yield what was checked and the trouble found, one call each; stop at a refused login."""
    trouble, page = _tried(partial(client.instances, limit=10))
    yield "credentials, project id, dcs:instance:list", trouble
    if not isinstance(page, Page):
        return
    skew = client.clock_skew
    yield "clock", errors.describe_clock_skew(skew) if abs(skew) > errors.MAX_CLOCK_SKEW else ""
    yield "counts of states (optional)", _tried(client.restoring_count)[0]
    for instance in [row for row in page.rows if not row.single_node][:1]:
        asked = instance.instance_id
        yield "dcs:instance:getDataRestoreLog", _tried(partial(client.restores, asked, limit=1))[0]
        yield "dcs:instance:getDataBackupLog", _tried(partial(client.backups, asked, limit=1))[0]


def _tried(call: Callable[[], Any]) -> tuple[DcsError | None, Any]:
    try:
        return None, call()
    except DcsError as fault:
        return fault, None
