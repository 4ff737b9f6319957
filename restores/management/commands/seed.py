"""Fills the database with synthetic restores, without a cloud."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from restores.models import Account, Instance, Project, Restore
from restores.sync import store

_CHUNK = 5000
_CUSTOMERS = ("Shopwell", "Fanline", "Mapster", "Bankhaus K.", "Shopwell CN")
_CODES = tuple(f"dcs.08.000{number}" for number in range(1, 9))


class Command(BaseCommand):
    help = "Add N synthetic restores over three years, for demos and benchmarks."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--restores", type=int, required=True, metavar="N")
        parser.add_argument("--seed", type=int, default=1, metavar="N")

    def handle(self, *args: Any, **options: Any) -> None:
        count = options["restores"]
        if not 1 <= count <= 50_000_000:
            raise CommandError(f"--restores {count}: must be 1 to 50,000,000")
        rng, now = Random(options["seed"]), datetime.now(UTC)  # noqa: S311 - synthetic data
        instances = _instances(max(20, min(10_000, count // 100)), now)
        rows = (_restore(rng, number, instances, now) for number in range(count))
        while chunk := list(islice(rows, _CHUNK)):
            with transaction.atomic():
                Restore.objects.bulk_create(chunk, ignore_conflicts=True)
        for instance in instances:
            store.mark_recovered(instance)
        self.stdout.write(f"{count} restores of {len(instances)} instances in 5 projects")


def _instances(count: int, now: datetime) -> list[Instance]:
    # Not monitored: no worker will ever sync them.
    account, _ = Account.objects.get_or_create(name="seeded")
    projects = [
        Project.objects.get_or_create(
            endpoint="https://seeded.example",
            project_id=f"seeded-{number}",
            defaults={
                "account": account,
                "name": f"seeded-{number}",
                "customer": customer,
                "region": "eu-de",
                "monitored": False,
            },
        )[0]
        for number, customer in enumerate(_CUSTOMERS)
    ]
    rows = [
        Instance(
            project=projects[number % len(projects)],
            instance_id=f"seeded-{number:06}",
            name=f"cache-{number:06}",
            search=f"seeded-{number:06} cache-{number:06}",
            listed_at=now,
            complete_to=now,
        )
        for number in range(count)
    ]
    Instance.objects.bulk_create(rows, ignore_conflicts=True)
    return list(Instance.objects.filter(project__in=projects).order_by("pk")[:count])


def _restore(rng: Random, number: int, instances: list[Instance], now: datetime) -> Restore:
    instance = rng.choice(instances)
    created = now - timedelta(seconds=round(rng.uniform(0, 3 * 365 * 86400), 3))
    seconds = round(rng.lognormvariate(5.8, 0.6), 3)
    failed = rng.random() < 0.06
    ended = created + timedelta(seconds=seconds)
    values = {
        "restore_id": f"{rng.getrandbits(128):032x}",
        "restore_name": f"restore_{created:%Y%m%d%H%M%S}",
        "backup_id": f"{rng.getrandbits(128):032x}",
        "backup_name": f"backup_{created:%Y%m%d}020000",
        "restore_remark": f"drill {number}",
        "status": "failed" if failed else "succeed",
        "progress": float(rng.randrange(100)) if failed else 100.0,
        "error_code": rng.choice(_CODES) if failed else "",
    }
    return Restore(
        instance=instance,
        project_id=instance.project_id,
        created_at=created,
        updated_at=ended,
        ended_at=ended,
        duration=seconds,
        restoring_after=created,
        backup_taken_at=created.replace(hour=2, minute=0, second=0, microsecond=0),
        first_seen_at=ended,
        changed_at=ended,
        search=" ".join(str(value) for value in values.values()).casefold(),
        raw=json.dumps(values),
        **values,
    )
