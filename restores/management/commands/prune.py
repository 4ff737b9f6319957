"""Deletes old observations and audit events."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import CommandError
from django.db.models import Exists, OuterRef
from django.utils import timezone

from restores import audit
from restores.audit import Kind
from restores.management.commands._database import require_database
from restores.management.commands._printable import PrintableCommand
from restores.models import Event, Observation

_BATCH = 5000


class Command(PrintableCommand):
    help = (
        "Delete observations or audit events that are older than a number of days. "
        "Restores are never deleted."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--observations-days", type=_days, metavar="N")
        parser.add_argument("--audit-days", type=_days, metavar="N")

    def handle(self, *args: Any, **options: Any) -> None:
        observations, days = options["observations_days"], options["audit_days"]
        if observations is None and days is None:
            raise CommandError("Nothing to delete: give --observations-days, --audit-days or both")
        require_database()
        if observations is not None:
            count = prune_observations(timezone.now() - timedelta(days=observations))
            self._report(f"{count} observations older than {observations} days")
        if days is not None:
            count = Event.objects.prune(timezone.now() - timedelta(days=days))
            self._report(f"{count} audit events older than {days} days")

    def _report(self, deleted: str) -> None:
        audit.record(None, Kind.PRUNED, about=deleted)
        self.stdout.write(f"Deleted {deleted}")


def prune_observations(before: datetime) -> int:
    """Delete observations recorded before a time, except each restore's last one before it.

    So every snapshot of that time or later stays exact.
    """
    old = Observation.objects.filter(recorded_at__lt=before)
    later = old.filter(restore=OuterRef("restore"), recorded_at__gt=OuterRef("recorded_at"))
    superseded = old.filter(Exists(later)).order_by("pk").values_list("pk", flat=True)
    count = last = 0
    while keys := list(superseded.filter(pk__gt=last)[:_BATCH]):
        count += Observation.objects.filter(pk__in=keys).delete()[0]
        last = keys[-1]
    return count


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 36_500):
        raise ArgumentTypeError(f"{text!r} is not a number of days from 1 to 36500")
    return int(text)
