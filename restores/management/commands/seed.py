"""Fills the database with synthetic data, without a cloud."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate, islice
from random import Random
from typing import Any

from django.core.management.base import CommandError
from django.db import connection, transaction
from django.db.models import OuterRef, Subquery

from restores.management.commands._database import require_database
from restores.management.commands._printable import PrintableCommand
from restores.models import (
    Account,
    Backup,
    Instance,
    Observation,
    Project,
    Restore,
    last_restore_fields,
    usual_fields,
)
from restores.sync.project_state import recount

_CHUNK = 5000
_MONTH, _YEAR = timedelta(days=30), timedelta(days=365)
_SPAN = 3 * _YEAR
# This many of the newest restores are in progress; all others are older than ``_LAST``.
_IN_PROGRESS = 4
_LAST = timedelta(minutes=20)
_REGIONS = ("eu-de", "eu-nl", "cn-north-4", "af-south-1")
_CUSTOMERS = (
    *("Shopwell", "Fanline", "Mapster", "Bankhaus Köhler"),
    *("上海商店", "Магазин Север", "みどり商事", "متجر النور"),
)
_NAMES = ("cache", "sessions", "orders", "缓存", "корзина")
_REMARKS = ("", "drill", "rollback after deploy", "恢复测试", "по просьбе клиента")
_CODES = tuple(f"dcs.08.000{number}" for number in range(1, 9))
_UNKNOWN_STATUSES = ("paused", "rolling_back")
_SYNC_ERROR = "The connection to the provider timed out after 20 s."


class Command(PrintableCommand):
    help = "Add a synthetic data set of N restores over three years, for demos and benchmarks."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--restores", type=int, required=True, metavar="N")
        parser.add_argument("--seed", type=int, default=1, metavar="N")
        parser.add_argument(
            "--sync-errors",
            type=int,
            default=3,
            metavar="N",
            help="instances whose last sync failed (default: 3)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        count, seed, sync_errors = options["restores"], options["seed"], options["sync_errors"]
        if not 1 <= count <= 50_000_000:
            raise CommandError(f"--restores {count}: must be 1 to 50,000,000")
        require_database()
        world = World(count, seed)
        if not 0 <= sync_errors < world.instance_count:
            most = world.instance_count - 1
            raise CommandError(f"--sync-errors {sync_errors}: must be 0 to {most}")
        if Account.objects.filter(name__startswith=f"seed-{seed}-").exists():
            raise CommandError(f"--seed {seed}: is already in this database; use another number")
        world.create_places(sync_errors)
        restores = world.restores()
        while chunk := list(islice(restores, _CHUNK)):
            _save(chunk)
        _mark_recovered(world.projects)
        world.update_instances()
        world.update_stuck()
        for project in world.projects:
            recount(project.pk)
        with connection.cursor() as cursor:
            # Neither SQLite nor PostgreSQL knows yet how its tables have grown.
            cursor.execute("ANALYZE")
        self.stdout.write(
            f"{count} restores of {len(world.instances)} instances "
            f"in {len(world.projects)} projects"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SeededRestore:
    """A restore with its observations, and its backup if the cloud still has it."""

    restore: Restore
    observations: list[Observation]
    backups: list[Backup]


class World:
    """Accounts, projects, instances and their restores: the same for the same size and seed.

    Times count back from the last full hour. The first instance has 5% of all restores; the last
    fifth of the projects is quiet: nothing was restored there for a year. Of the other instances
    one in twenty has failed to restore for a month.
    """

    def __init__(self, count: int, seed: int) -> None:
        self.count, self.seed = count, seed
        self.now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        self.instance_count = max(20, min(10_000, count // 100))
        self.project_count = max(5, min(200, self.instance_count // 50))
        self.quiet_count = max(2, self.project_count // 5)
        self.projects: list[Project] = []
        self.instances: list[Instance] = []
        # Durations of each instance's successes by its key, oldest first.
        self._durations: defaultdict[int, list[float]] = defaultdict(list)
        # What each instance stores about its newest restore.
        self._newest: defaultdict[int, dict[str, Any]] = defaultdict(dict)
        self._rng = Random(seed)  # noqa: S311 - synthetic data

    def create_places(self, sync_errors: int) -> None:
        """Store accounts, projects and instances; those after the first have the sync errors."""
        accounts = Account.objects.bulk_create(
            Account(name=f"seed-{self.seed}-{region}") for region in _REGIONS
        )
        self.projects = Project.objects.bulk_create(
            self._project(number, accounts) for number in range(self.project_count)
        )
        instances = [self._instance(number) for number in range(self.instance_count)]
        for instance in instances[1 : 1 + sync_errors]:
            instance.single_node, instance.deleted_at = False, None
            instance.sync_error_kind = "unreachable"
            instance.sync_error_message = _SYNC_ERROR
            instance.sync_error_since = self.now
        self.instances = Instance.objects.bulk_create(instances, batch_size=_CHUNK)

    def restores(self) -> Iterator[SeededRestore]:
        """Yield the restores from the oldest to the newest."""
        rng, finished = self._rng, max(0, self.count - _IN_PROGRESS)
        restorable = [one for one in self.instances[1:] if not one.single_node]
        quiet = {project.pk for project in self.projects[-self.quiet_count :]}
        loud = [one for one in restorable if one.project_id not in quiet]
        failing = {one.pk for one in loud[::20]}
        choose, choose_loud = self._chooser(restorable), self._chooser(loud)
        step = (_SPAN - _LAST) / max(1, finished)
        for number in range(finished):
            created = self.now - _SPAN + (number + rng.random()) * step
            instance = choose_loud() if created > self.now - _YEAR else choose()
            if number % 20 == 0:
                instance = self.instances[0]
            fails = created > self.now - _MONTH and instance.pk in failing
            yield self._restore(
                number, instance, created, *self._outcome(0 if fails else rng.random())
            )
        for number in range(finished, self.count):
            created = self.now - timedelta(seconds=100 * (self.count - number))
            outcome = "restoring", float(rng.randrange(1, 100)), ""
            yield self._restore(number, choose_loud(), created, *outcome)

    def update_instances(self) -> None:
        """Store the newest restore of each instance and what is usual there, as ``store`` does."""
        for instance in self.instances:
            fields = usual_fields(self._durations[instance.pk]) | self._newest[instance.pk]
            for name, value in fields.items():
                setattr(instance, name, value)
        names = [*usual_fields([]), *last_restore_fields([])]
        Instance.objects.bulk_update(self.instances, names, batch_size=500)

    def update_stuck(self) -> None:
        """Store when each restore in progress becomes possibly stuck, as ``store`` does."""
        usual = {instance.pk: instance.usual for instance in self.instances}
        rows = list(Restore.objects.in_progress().filter(project__in=self.projects))
        for row in rows:
            row.update_stuck_at(usual[row.instance_id], reports_progress=True)
        Restore.objects.bulk_update(rows, ["stuck_at"])

    def _project(self, number: int, accounts: Sequence[Account]) -> Project:
        kind = number % max(5, self.project_count // 4)
        customer = _CUSTOMERS[kind % len(_CUSTOMERS)]
        if kind >= len(_CUSTOMERS):
            customer += f" {kind // len(_CUSTOMERS) + 1}"
        region = number % len(_REGIONS)
        return Project(
            account=accounts[region],
            endpoint=f"https://{_REGIONS[region]}.seed.example",
            project_id=f"seed-{self.seed}-{number}",
            name=f"{customer.split()[0].casefold()}-{self.seed}-{number:03}",
            customer=customer,
            region=_REGIONS[region],
            # No worker has their credentials.
            next_sync_at=self.now + 100 * _YEAR,
            listed_at=self.now,
            reports_progress=True,
            restoring_count=0,
            restoring_count_at=self.now,
        )

    def _instance(self, number: int) -> Instance:
        rng, project = self._rng, self.projects[number % self.project_count]
        instance_id = f"seed-{self.seed}-{number:06}"
        name = f"{rng.choices(_NAMES, (10, 5, 3, 1, 1))[0]}-{number:06}"
        ip = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        domain = f"redis-{instance_id}.dcs.{project.region}.example.com"
        kind = rng.random() if number else 1
        return Instance(
            project=project,
            instance_id=instance_id,
            name=name,
            engine="Redis 6.0",
            spec="redis.ha.xu1.large.r2.4",
            az=f"{project.region}a, {project.region}b",
            ip=ip,
            domain=domain,
            status="RUNNING",
            single_node=kind < 0.02,
            deleted_at=self.now if 0.02 <= kind < 0.03 else None,
            search=f"{name} {instance_id} {ip} {domain} {project.customer}".casefold(),
            listed_at=self.now,
            synced_at=self.now,
            complete_to=self.now - timedelta(seconds=rng.uniform(0, 900)),
        )

    def _chooser(self, instances: Sequence[Instance]) -> Callable[[], Instance]:
        """Choose instances at random, some far more often than others."""
        weights = list(accumulate(self._rng.lognormvariate(0, 0.7) for _ in instances))
        return lambda: self._rng.choices(instances, cum_weights=weights)[0]

    def _outcome(self, chance: float) -> tuple[str, float, str]:
        """The status, progress and error code of a restore that is not in progress."""
        rng = self._rng
        if chance < 0.06:
            return "failed", float(rng.randrange(100)), rng.choice(_CODES)
        if chance < 0.061:
            return rng.choice(_UNKNOWN_STATUSES), float(rng.randrange(100)), ""
        return "succeed", 100.0, ""

    def _restore(
        self,
        number: int,
        instance: Instance,
        created: datetime,
        status: str,
        progress: float,
        code: str,
    ) -> SeededRestore:
        rng = self._rng
        seconds = 20 + round(rng.lognormvariate(5.8, 0.6), 3)
        ended = min(created + timedelta(seconds=seconds), self.now - timedelta(minutes=1))
        taken = created - timedelta(hours=rng.uniform(1, 30))
        final = status in ("succeed", "failed")
        remark = " ".join(filter(None, (f"ticket {number:08}", rng.choice(_REMARKS))))
        values = {
            "restore_id": f"{rng.getrandbits(128):032x}",
            "restore_name": f"restore_{created:%Y%m%d%H%M%S}",
            "backup_id": f"{rng.getrandbits(128):032x}",
            "backup_name": f"backup_{taken:%Y%m%d%H%M%S}",
            "restore_remark": remark if rng.random() < 0.7 else "",
            "status": status,
            "progress": progress,
            "error_code": code,
        }
        observations = self._observations(created, ended, status, progress, code)
        first, last = observations[0], observations[-1]
        restoring = [seen.seen_at for seen in observations if seen.status == "restoring"]
        restore = Restore(
            instance=instance,
            project_id=instance.project_id,
            created_at=created,
            updated_at=ended if final else None,
            ended_at=ended if final else None,
            duration=(ended - created).total_seconds() if final else None,
            restoring_after=created,
            restoring_by=next(iter(restoring), None),
            backup_taken_at=taken,
            first_seen_at=first.recorded_at,
            changed_at=last.recorded_at,
            moved_at=None if first is last else last.recorded_at,
            unchanged_since=last.seen_at,
            search=_search(values),
            raw=self._raw(values, created, ended if final else None),
            **values,
        )
        self._newest[instance.pk] = last_restore_fields([restore])
        if status == "succeed" and restore.duration:
            self._durations[instance.pk].append(restore.duration)
        for observation in observations:
            observation.restore, observation.created_at = restore, created
        if final:
            last.ended_at, last.duration = restore.ended_at, restore.duration
        backups = [self._backup(restore, taken)] if rng.random() < 0.1 else []
        return SeededRestore(restore=restore, observations=observations, backups=backups)

    def _observations(
        self, created: datetime, ended: datetime, status: str, progress: float, code: str
    ) -> list[Observation]:
        """About two, the last with the current status; one in ten restores is seen at its end."""
        rng, states = self._rng, []
        chance = rng.random()
        if chance < 0.1:
            states.append(("waiting", 0.0, "", created + timedelta(seconds=3)))
        if chance < 0.9 or status == "restoring":
            states.append(("restoring", min(progress, 5.0), "", created + timedelta(seconds=15)))
        if status != "restoring":
            seen = ended + timedelta(seconds=rng.uniform(1, 15))
            states.append((status, progress, code, seen))
        found, after = [], None
        for name, percent, error, seen in states:
            found.append(
                Observation(
                    seen_after=after,
                    seen_at=seen,
                    recorded_at=seen,
                    unchanged_since=seen,
                    status=name,
                    progress=percent,
                    error_code=error,
                )
            )
            after = seen
        return found

    def _raw(self, values: dict[str, Any], created: datetime, ended: datetime | None) -> str:
        """The record as the cloud wrote it: about 500 bytes, one in twenty a few thousand."""
        record = values | {
            "created_at": created.isoformat(),
            "updated_at": ended and ended.isoformat(),
        }
        if self._rng.random() < 0.05:
            record["steps"] = [f"step {number}: replayed a segment" for number in range(100)]
        return json.dumps(record)

    def _backup(self, restore: Restore, taken: datetime) -> Backup:
        return Backup(
            instance=restore.instance,
            backup_id=restore.backup_id,
            backup_name=restore.backup_name,
            backup_type="auto",
            backup_format="rdb",
            status="succeed",
            size=self._rng.randrange(10**6, 10**10),
            created_at=taken,
            updated_at=taken + timedelta(minutes=2),
            first_seen_at=taken + timedelta(minutes=3),
            changed_at=taken + timedelta(minutes=3),
            raw="{}",
        )


def _search(values: dict[str, Any]) -> str:
    names = ("restore_id", "restore_name", "backup_id", "backup_name", "restore_remark")
    texts = [values[name] for name in (*names, "error_code")]
    return " ".join(filter(None, texts)).casefold()


@transaction.atomic
def _save(chunk: Sequence[SeededRestore]) -> None:
    Restore.objects.bulk_create(seeded.restore for seeded in chunk)
    Observation.objects.bulk_create(one for seeded in chunk for one in seeded.observations)
    Backup.objects.bulk_create(backup for seeded in chunk for backup in seeded.backups)


def _mark_recovered(projects: Sequence[Project]) -> None:
    """Do what ``store.mark_recovered`` does, for all instances in one statement."""
    later = Restore.objects.succeeded().filter(
        instance=OuterRef("instance"), created_at__gt=OuterRef("created_at")
    )
    ended = Subquery(later.order_by("created_at", "pk").values("ended_at")[:1])
    Restore.objects.failed().filter(project__in=projects).update(recovered_at=ended)
