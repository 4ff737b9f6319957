"""Three years of made-up restores, written past the ORM, the same for the same number of rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random
from typing import Any

from django.db import connection, transaction

BASE = datetime(2026, 11, 1, 12, tzinfo=UTC)
ASOF = BASE - timedelta(days=90)
_YEARS = 3 * 365 * 86_400
_CUSTOMERS = ("Shopwell", "Fanline", "Mapster", "Bankhaus K.", "Oceanic")
# As many in progress as stand first anyway, so that a rival sorted by creation agrees.
_RUNNING = 4
_COLUMNS = (
    *("id", "instance_id", "project_id", "restore_id", "restore_name", "backup_id"),
    *("backup_name", "restore_remark", "backup_remark", "status", "progress", "error_code"),
    *("created_at", "updated_at", "ended_at", "duration", "restoring_after", "backup_taken_at"),
    *("recovered_at", "first_seen_at", "changed_at", "moved_at", "slow", "search", "raw"),
)
_SEEN = ("restore_id", "seen_at", "recorded_at", "status", "progress", "error_code")
_CHUNK = 20_000


def fill(rows: int) -> bool:
    """Write ``rows`` restores unless they are there already; whether they had to be written."""
    from restores.models import Restore

    if Restore.objects.order_by("-pk").values_list("pk", flat=True).first() == rows:
        return False
    with transaction.atomic():
        instances = _places(max(100, min(10_000, rows // 100)))
        with _bare():
            _write("restores_restore", _COLUMNS, _restores(rows, instances))
        running = Restore.objects.filter(first_seen_at__lte=ASOF, moved_at__gt=ASOF)
        seen = list(running.values_list("pk", "first_seen_at"))
        begun = ((key, at, at, "restoring", 10.0, "") for key, at in seen)
        _write("restores_observation", _SEEN, begun)
    with connection.cursor() as cursor:
        # What autovacuum does on a server in use; SQLite keeps no statistics by itself.
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM ANALYZE")
            # The ids were given: who adds a row later shall not be given them again.
            cursor.execute("SELECT setval('restores_restore_id_seq', %s)", [rows])
    return True


def _places(count: int) -> list[tuple[int, int]]:
    from restores.models import Account, Heartbeat, Instance, Observation, Project, Restore

    for model in (Observation, Restore, Instance, Project, Account, Heartbeat):
        model._base_manager.all()._raw_delete("default")
    account = Account.objects.create(name="bench")
    proven = {"listed_at": BASE, "restoring_count_at": BASE}
    projects = [
        Project.objects.create(
            account=account,
            project_id=f"p-{number}",
            name=f"bench-{number}",
            customer=customer,
            **proven,
        )
        for number, customer in enumerate(_CUSTOMERS)
    ]
    made = Instance.objects.bulk_create(
        Instance(
            project=projects[number % len(projects)],
            instance_id=f"{number:08x}-0000-4000-8000-000000000000",
            name=f"cache-{number:05}",
            search=f"{number:08x}-0000-4000-8000-000000000000 cache-{number:05}",
            complete_to=BASE,
        )
        for number in range(count)
    )
    return [(instance.pk, instance.project_id) for instance in made]


def _restores(rows: int, instances: list[tuple[int, int]]) -> Iterator[tuple[Any, ...]]:
    dice = Random(rows)
    for key in range(1, rows + 1):
        if key > rows - _RUNNING:
            created = BASE - timedelta(seconds=5 * (rows - key))
            yield _restore(key, created, None, dice, dice.choice(instances))
        else:
            created = BASE - timedelta(seconds=120 + round(dice.random() * _YEARS, 3))
            took = round(dice.lognormvariate(5.8, 0.6), 3)
            yield _restore(key, created, took, dice, dice.choice(instances))


def _restore(
    key: int, created: datetime, took: float | None, dice: Random, place: tuple[int, int]
) -> tuple[Any, ...]:
    failed = took is not None and dice.random() < 0.06
    ended = None if took is None else created + timedelta(seconds=took)
    status = "restoring" if ended is None else "failed" if failed else "succeed"
    code = f"dcs.08.000{dice.randrange(1, 9)}" if failed else ""
    remark = f"ticket {key:08}" + (" maintenance" if dice.random() < 0.1 else "")
    ids = [f"{dice.getrandbits(128):032x}" for _ in range(2)]
    names = [f"restore_{created:%Y%m%d%H%M%S}", f"backup_{created:%Y%m%d}020000"]
    seen = created + timedelta(seconds=4)
    recovered = ended + timedelta(hours=1) if ended and failed and dice.random() < 0.6 else None
    progress = 40.0 if ended is None else float(dice.randrange(100)) if failed else 100.0
    search = f"{ids[0]} {names[0]} {ids[1]} {names[1]} {remark} {code}".strip()
    taken = created.replace(hour=2, minute=0, second=0, microsecond=0)
    return (
        key, *place, ids[0], names[0], ids[1], names[1], remark, "", status, progress, code,
        created, ended, ended, took, created, taken, recovered, seen, ended or seen, ended, False,
        search, "{}",
    )  # fmt: skip


@contextmanager
def _bare() -> Iterator[None]:
    """Without the indexes and triggers of the table, which are built anew afterwards."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                "SELECT type, name, sql FROM sqlite_master WHERE tbl_name = 'restores_restore'"
                " AND type IN ('index', 'trigger') AND sql IS NOT NULL"
            )
        else:
            cursor.execute(
                "SELECT 'index', indexname, indexdef FROM pg_indexes"
                " WHERE tablename = 'restores_restore'"
                " AND indexname NOT IN (SELECT conname FROM pg_constraint)"
            )
        found = cursor.fetchall()
        for kind, name, _ in found:
            cursor.execute(f'DROP {kind} "{name}"')
        yield
        if connection.vendor == "postgresql":
            # No index is built while rows wait to have their foreign keys checked.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for _, _, sql in found:
            cursor.execute(sql)
        if connection.vendor == "sqlite":
            cursor.execute("INSERT INTO restore_text(restore_text) VALUES ('delete-all')")
            cursor.execute(
                "INSERT INTO restore_text(rowid, search) SELECT id, search FROM restores_restore"
            )


def _write(table: str, columns: Iterable[str], rows: Iterator[tuple[Any, ...]]) -> None:
    names = list(columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({', '.join(names)}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            return
        holes = ", ".join(["%s"] * len(names))
        while chunk := [_plain(row) for row in islice(rows, _CHUNK)]:
            cursor.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({holes})", chunk)


def _plain(row: tuple[Any, ...]) -> list[Any]:
    """As Django writes times to SQLite: UTC, without a fraction of zero."""
    return [
        str(value.replace(tzinfo=None)) if isinstance(value, datetime) else value for value in row
    ]
