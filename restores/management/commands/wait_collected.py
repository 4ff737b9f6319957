"""Waits until the collector has looked everywhere once."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from restores.models import Account, Instance, Project


class Command(BaseCommand):
    help = "Return once every monitored instance was looked at; a fault counts as a look."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--timeout", type=int, default=110, metavar="SECONDS")

    def handle(self, *args: Any, **options: Any) -> None:
        deadline = time.monotonic() + options["timeout"]
        while waiting := _waiting():
            if time.monotonic() > deadline:
                raise CommandError(f"after {options['timeout']} s not looked at yet: {waiting}")
            time.sleep(0.5)


def _waiting() -> str:
    """Say what was never looked at; nothing once all was."""
    if not Project.objects.exists() and not Account.objects.exclude(sync_error_kind="").exists():
        return "no project was read from the projects file"
    unlisted = Project.objects.monitored().filter(listed_at=None, sync_error_kind="").count()
    instances = (
        Instance.objects.monitored().filter(synced_at=None, project__sync_error_kind="").count()
    )
    parts = [(unlisted, "project(s)"), (instances, "instance(s)")]
    return ", ".join(f"{count} {noun}" for count, noun in parts if count)
