"""Looks in the foreground, without any broker."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from restores.dcs.errors import DcsError
from restores.management.commands._words import Refusals, clouds_or_stop
from restores.models import Instance, Project
from restores.sync import accounts, scheduling
from restores.sync.accounts import Cloud
from restores.sync.instances import Look, look_at
from restores.sync.projects import look_at_project


class Command(BaseCommand):
    help = "Look at every instance once, now; exit 1 if a look failed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--project", metavar="NAME", help="only this project")
        parser.add_argument("--instance", metavar="ID", help="only this instance")
        parser.add_argument("--full", action="store_true", help="compare even equal answers")

    def handle(self, *args: Any, **options: Any) -> None:
        clouds, faults, looked, refusals = clouds_or_stop(), 0, 0, Refusals()
        for name, fault in accounts.discover(clouds, datetime.now(UTC)):
            faults += fault is not None
            if fault:
                self.stdout.write(f"{name}: its projects were not found: {fault}")
        for project in _projects(options["project"]):
            cloud = clouds[project.account.name]
            fault = refusals.of(project) or _taken(project, cloud)
            refusals.note(project, fault)
            if fault:
                faults += 1
                self.stdout.write(f"{project.name}: fault: {fault}")
                continue
            for look in _looks(project, cloud, options):
                looked += 1
                faults += look.fault is not None
                self.stdout.write(f"{project.name}/{look.instance}: {_line(look)}")
        if options["instance"] and not looked and not faults:
            raise CommandError(f"--instance {options['instance']!r}: no monitored project lists it")
        if faults:
            raise CommandError(f"{faults} look(s) failed")


def _taken(project: Project, cloud: Cloud) -> DcsError | None:
    """Look at a project; who asks by hand does not wait for the worker that may hold it."""
    return look_at_project(scheduling.take(project, datetime.now(UTC)), cloud, whole=True)


def _projects(name: str | None) -> list[Project]:
    projects = Project.objects.monitored().select_related("account").order_by("name")
    known = [project.name for project in projects]
    if name and name not in known:
        raise CommandError(f"--project {name!r}: the projects file has {', '.join(known)}")
    return [project for project in projects if name in (None, project.name)]


def _looks(project: Project, cloud: Cloud, options: dict[str, Any]) -> Iterator[Look]:
    wanted = Instance.objects.monitored().filter(project=project)
    if options["instance"]:
        wanted = Instance.objects.filter(project=project, instance_id=options["instance"])
    ids = list(wanted.order_by("name").values_list("pk", flat=True))
    for start in range(0, len(ids), scheduling.BATCH):
        claimed = scheduling.claim_these(ids[start : start + scheduling.BATCH], datetime.now(UTC))
        for instance in claimed:
            instance.digest = "" if options["full"] else instance.digest
        yield from look_at(claimed, cloud)


def _line(look: Look) -> str:
    stored = look.stored
    counts = f"{stored.new} new, {stored.changed} changed" if stored else ""
    rest = f"{stored.unchanged} unchanged" if stored and stored.unchanged else ""
    fault = f"fault: {look.fault}" if look.fault else ""
    return ", ".join(filter(None, (counts, rest, fault)))
