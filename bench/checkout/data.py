"""Three years of synthetic restores, the same for the same number of rows in every checkout."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import accumulate, islice
from random import Random
from typing import Any

from django.db import connection, models, transaction

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
YEARS = 3 * 365 * 86_400
CUSTOMERS = 20
MEMBER_OF = 3  # projects
# The newest restores of all, so that a stock page sorted by creation has the same order.
RUNNING = 4
BATCH = 10_000


def counts(rows: int) -> tuple[int, int]:
    """Return how many projects and instances there are for so many restores."""
    instances = max(100, min(10_000, rows // 100))
    return max(5, min(200, instances // 50)), instances


def instance_id(number: int) -> str:
    """Return the id of the instance with this number."""
    return f"{number:08x}-0000-4000-8000-000000000000"


def fill(rows: int) -> None:
    """Make users, projects, instances and ``rows`` restores, unless they are there already."""
    from django.contrib.auth.models import User

    from restores.models import Membership, Project, Restore

    if Restore.objects.order_by("-pk").values_list("pk", flat=True).first() == rows:
        return
    User.objects.get_or_create(username="superuser", defaults={"is_superuser": True})
    member, _ = User.objects.get_or_create(username="member")
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous = OFF")
    with transaction.atomic():
        instances = _make_instances(*counts(rows))
        for project in Project.objects.order_by("pk")[:MEMBER_OF]:
            Membership.objects.create(user=member, project=project)
        with _without_indexes(Restore):
            _insert(Restore, _restores(rows, instances))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM ANALYZE")
        else:
            # No ANALYZE: the product does not ask for one either.
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _make_instances(projects: int, instances: int) -> list[tuple[int, int]]:
    """Return the keys of the new instances, each with that of its project."""
    from restores.models import Account, Instance, Project

    account = Account.objects.create(name="bench")
    made = [
        Project.objects.create(
            account=account,
            project_id=f"p-{number}",
            name=f"project-{number}",
            customer=f"Customer {number % CUSTOMERS}",
            listed_at=NOW,
            restoring_count_at=NOW,
        )
        for number in range(projects)
    ]
    # The field's name in older checkouts.
    complete_to = "complete_to" if _has(Instance, "complete_to") else "proven_at"
    found = Instance.objects.bulk_create(
        Instance(
            project=made[number % projects],
            instance_id=instance_id(number),
            name=f"cache-{number:05}",
            search=f"{instance_id(number)} cache-{number:05}",
            **{complete_to: NOW},
        )
        for number in range(instances)
    )
    return [(instance.pk, instance.project_id) for instance in found]


def _restores(rows: int, instances: list[tuple[int, int]]) -> Iterator[dict[str, Any]]:
    rng = Random(rows)
    # A few instances have most of the restores: with 10,000 instances the first has a tenth.
    weights = list(accumulate(1 / rank for rank in range(1, len(instances) + 1)))
    places = rng.choices(instances, cum_weights=weights, k=rows)
    for key, place in enumerate(places, start=1):
        if key > rows - RUNNING:
            yield _restore(rng, key, place, NOW - timedelta(seconds=5 * (rows - key)), None)
        else:
            created = NOW - timedelta(seconds=120 + round(rng.random() * YEARS, 3))
            yield _restore(rng, key, place, created, round(rng.lognormvariate(5.8, 0.6), 3))


def _restore(
    rng: Random, key: int, place: tuple[int, int], created: datetime, duration: float | None
) -> dict[str, Any]:
    running = duration is None
    failed = not running and rng.random() < 0.06
    ended = None if duration is None else created + timedelta(seconds=duration)
    code = f"dcs.08.000{rng.randrange(1, 9)}" if failed else ""
    remark = f"ticket {key:08}" + (" maintenance" if rng.random() < 0.1 else "")
    restore_id, backup_id = (f"{rng.getrandbits(128):032x}" for _ in range(2))
    names = (f"restore_{created:%Y%m%d%H%M%S}", f"backup_{created:%Y%m%d}020000")
    seen = created + timedelta(seconds=4)
    recovered = ended + timedelta(hours=1) if ended and failed and rng.random() < 0.6 else None
    progress = 40.0 if running else float(rng.randrange(100)) if failed else 100.0
    return {
        "id": key,
        "instance_id": place[0],
        "project_id": place[1],
        "restore_id": restore_id,
        "restore_name": names[0],
        "backup_id": backup_id,
        "backup_name": names[1],
        "restore_remark": remark,
        "backup_remark": "",
        "status": "restoring" if running else "failed" if failed else "succeed",
        "progress": progress,
        "error_code": code,
        "created_at": created,
        "updated_at": ended,
        "ended_at": ended,
        "duration": duration,
        "restoring_after": created,
        "backup_taken_at": created.replace(hour=2, minute=0, second=0, microsecond=0),
        "recovered_at": recovered,
        "first_seen_at": seen,
        "changed_at": ended or seen,
        "moved_at": ended,
        "slow": False,
        "search": f"{restore_id} {names[0]} {backup_id} {names[1]} {remark} {code}".strip(),
        "raw": "{}",
    }


@contextmanager
def _without_indexes(model: type[models.Model]) -> Iterator[None]:
    """Drop the table's indexes and build them anew afterwards, which takes far less time."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                "SELECT name, sql FROM sqlite_master"
                " WHERE type = 'index' AND tbl_name = %s AND sql IS NOT NULL",
                [table],
            )
        else:
            cursor.execute(
                "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s"
                " AND indexname NOT IN (SELECT conname FROM pg_constraint)",
                [table],
            )
        found = cursor.fetchall()
        for name, _ in found:
            cursor.execute(f'DROP INDEX "{name}"')
        yield
        if connection.vendor == "postgresql":
            # No index can be built while foreign keys wait to be checked.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for _, sql in found:
            cursor.execute(sql)


def _insert(model: type[models.Model], rows: Iterator[dict[str, Any]]) -> None:
    with connection.cursor() as cursor:
        while batch := list(islice(rows, BATCH)):
            columns = ", ".join(batch[0])
            if connection.vendor == "postgresql":
                with cursor.copy(f"COPY {model._meta.db_table} ({columns}) FROM STDIN") as copy:
                    for row in batch:
                        copy.write_row(list(row.values()))
                continue
            adapt = connection.ops.adapt_datetimefield_value
            values = [
                [adapt(v) if isinstance(v, datetime) else v for v in row.values()] for row in batch
            ]
            marks = ", ".join(["%s"] * len(batch[0]))
            sql = f"INSERT INTO {model._meta.db_table} ({columns}) VALUES ({marks})"
            cursor.executemany(sql, values)


def _has(model: type[models.Model], name: str) -> bool:
    return any(field.name == name for field in model._meta.get_fields())
