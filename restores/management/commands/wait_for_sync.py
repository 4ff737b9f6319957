"""Waits until everything has been synced once."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from restores.management.commands._database import require_database
from restores.management.commands._printable import PrintableCommand
from restores.models import Account, Instance, Project


class Command(PrintableCommand):
    help = "Wait until every monitored instance has been synced (failures count)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--timeout", type=int, default=110, metavar="SECONDS")

    def handle(self, *args: Any, **options: Any) -> None:
        require_database()
        deadline = time.monotonic() + options["timeout"]
        while missing := _not_synced():
            if time.monotonic() > deadline:
                raise CommandError(f"Timed out after {options['timeout']} s; {missing}")
            time.sleep(0.5)


def _not_synced() -> str:
    """Return what has not been synced yet, "" once everything has been."""
    if not Project.objects.exists() and not Account.objects.exclude(sync_error_kind="").exists():
        return "the projects file contains no projects"
    projects = Project.objects.monitored().filter(listed_at=None, sync_error_kind="").count()
    instances = Instance.objects.monitored().filter(synced_at=None, project__sync_error_kind="")
    counts = {"project(s)": projects, "instance(s)": instances.count()}
    missing = ", ".join(f"{count} {noun}" for noun, count in counts.items() if count)
    return missing and f"not synced yet: {missing}"
