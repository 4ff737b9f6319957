"""Sync against ``update_or_create``, and how soon new restores are visible under load."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median
from typing import TYPE_CHECKING, Any

import django

from bench import databases
from bench.report import Report, describe_machine
from deploy.launcher.stack import choose_broker
from deploy.launcher.supervisor import Child, Supervisor
from simulator.server import Simulator
from simulator.world import World

if TYPE_CHECKING:
    from restores.sync.accounts import AccountClient

# Writing: how many instances, how many restores in total (about), and how many rounds.
INSTANCES, RESTORES, ROUNDS = 50, 5_000, 3
# update_or_create is slow: it writes only this many of them.
SAMPLE = 500
NO_LIMIT = 1e6
LATER = datetime(2999, 1, 1, tzinfo=UTC)
# Promise: seven in ten of the simulator's instances are in the three monitored projects.
SIMULATED, INTERVAL, RATE = 4_300, 900, 10
STARTED, EVERY, PROMISE = 90, 3.0, 15


def main(arguments: list[str]) -> int:
    """Measure on every database, each in a separate process; 0 if all goals are met."""
    parser = argparse.ArgumentParser(prog="./run bench sync")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], help="only this one")
    parser.add_argument("--part", choices=["writing", "promise"], help="only this one")
    options = parser.parse_args(arguments)
    describe_machine()
    statuses = []
    for server in databases.servers(options.database):
        with databases.temporary(server) as url:
            command = [sys.executable, "-m", "bench.sync", options.part or ""]
            environment = databases.environment(url)
            statuses.append(subprocess.call(command, env=environment, cwd=databases.ROOT))
    return max(statuses)


def measure(part: str) -> int:
    """Measure on the empty database that DATABASE_URL names."""
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    report = Report()
    version = ".".join(map(str, connection.get_database_version()))
    database = f"{connection.display_name} {version}"
    if part != "promise":
        measure_writing(report, database, postgresql=connection.vendor == "postgresql")
    if part != "writing":
        measure_promise(report, database)
    return 0 if report.goals_met else 1


def measure_writing(report: Report, database: str, *, postgresql: bool) -> None:
    """Compare how parsed responses become rows: for the first time, and unchanged."""
    from restores.models import Instance, Restore

    responses = _prepared_responses()
    account = _prepared_account(responses)
    rows = sum(len(page.rows) for _, page in responses.values())
    report.heading(f"{database}, {rows:,} restores of {len(responses)} instances, parsed already")
    speeds: dict[str, list[float]] = {}

    def timed(name: str, count: int, work: Callable[..., object], *arguments: object) -> None:
        begin = time.perf_counter()
        work(*arguments)
        speeds.setdefault(name, []).append(count / (time.perf_counter() - begin))

    for _ in range(ROUNDS):
        _register(responses)
        timed("first fill, sync", rows, _sync_all, account)
        ours = _table()
        assert len(ours) == rows, f"{len(ours)} of {rows} rows were stored"
        Instance.objects.update(next_sync_at=datetime.now(UTC))
        timed("unchanged, sync", rows, _sync_all, account)
        sample = ours[:SAMPLE]
        timed("unchanged, update_or_create", len(sample), _update_or_create, sample)
        keys = {(row["instance_id"], row["restore_id"]) for row in sample}
        for instance_id, restore_id in keys:
            Restore.objects.filter(instance_id=instance_id, restore_id=restore_id).delete()
        timed("first fill, update_or_create", len(sample), _update_or_create, sample)
        assert _table() == ours, "the tables differ, so nothing was compared"
    goals = {"first fill": 6 if postgresql else 3, "unchanged": 100}
    for name, goal in goals.items():
        sync, rival = speeds[f"{name}, sync"], speeds[f"{name}, update_or_create"]
        report.number(f"{name}: sync", median(sync), "rows/s")
        report.number(f"{name}: update_or_create", median(rival), "rows/s")
        ratio = median(a / b for a, b in zip(sync, rival, strict=True))
        report.number(f"{name}: sync / update_or_create", ratio, "x", at_least=goal)


def measure_promise(report: Report, database: str) -> None:
    """Start restores in a simulated cloud while a real worker syncs, and wait for their rows."""
    from restores.models import Instance, Project

    _empty()
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        Simulator(instances=SIMULATED, restores=SIMULATED) as simulator,
        worker(Path(folder), simulator, INTERVAL) as supervisor,
    ):
        deadline = time.monotonic() + 120
        while Project.objects.exclude(listed_at=None).count() < 3:
            assert time.monotonic() < deadline, "the projects were not listed in time"
            supervisor.tick(0.5)
        report.heading(
            f"{database}, {Instance.objects.count():,} instances in 3 projects, synced every "
            f"{INTERVAL // 60} min at {RATE} calls/s by a real worker"
        )
        half = STARTED // 2
        _spread_syncs()
        steady = _delays(simulator, supervisor, half)
        Instance.objects.update(next_sync_at=datetime.now(UTC))
        backlog = _delays(simulator, supervisor, STARTED - half)
        busiest = simulator.log.busiest_second()
    visible = [delay for delay in steady + backlog if delay <= PROMISE]
    report.number(
        f"new restores visible within {PROMISE} s, of {STARTED}", len(visible), at_least=STARTED
    )
    for name, delays in (("syncs spread evenly", steady), ("all syncs due", backlog)):
        report.number(f"{name}: median delay", median(delays), "s")
        report.number(f"{name}: longest delay", max(delays), "s", at_most=PROMISE)
    report.number("calls in the busiest second", busiest, at_most=RATE)


def _prepared_responses() -> dict[str, tuple[str, Any]]:
    """Return each instance's digest and page, as if they had been fetched and parsed."""
    from restores.dcs.records import RESTORES as FORMAT

    epoch = datetime(2026, 11, 1, tzinfo=UTC)
    world = World(epoch=epoch, instances=2 * INSTANCES, restores=RESTORES * 3 // 2)
    # Two days before the epoch no restore is in progress.
    now = epoch - timedelta(days=2)
    listed = {each.instance_id: world.records(each, now) for each in world.instances}
    largest = sorted(listed, key=lambda each: len(listed[each]), reverse=True)[:INSTANCES]
    responses = {}
    for instance_id in largest:
        rows = listed[instance_id][: RESTORES // INSTANCES * 4]
        body = {"restore_record_response": rows, "total_num": len(rows)}
        page = FORMAT.parse_page(body, now)
        assert page and page.complete
        responses[instance_id] = (hashlib.sha256(json.dumps(body).encode()).hexdigest(), page)
    return responses


def _prepared_account(responses: dict[str, tuple[str, Any]]) -> AccountClient:
    """Return an account whose client has its responses already, so that only storing is timed."""
    from restores.dcs.auth import AccessKey
    from restores.dcs.client import Client
    from restores.dcs.config import AccountConfig
    from restores.sync.accounts import AccountClient

    class PreparedClient(Client):
        def restores(self, instance_id: str, *, known_digest: str = "", **_range: object) -> Any:
            digest, page = responses[instance_id]
            unchanged = digest == known_digest
            return replace(page, rows=() if unchanged else page.rows, digest=digest,
                           unchanged=unchanged)  # fmt: skip

    class PreparedAccount(AccountClient):
        def client(self, *arguments: Any, **options: Any) -> Client:
            client = super().client(*arguments, **options)
            client.__class__ = PreparedClient
            return client

    config = AccountConfig(
        name="bench",
        endpoint="http://127.0.0.1",
        rate=NO_LIMIT,
        method="aksk",
        credentials=AccessKey(access_key="none", secret_key="none"),
        digest="",
    )
    return PreparedAccount(config)


def _register(instance_ids: Iterable[str]) -> None:
    """Replace all rows with one project with these instances, all due; their backups never are."""
    from restores.models import Account, Instance, Project

    _empty()
    account = Account.objects.create(name="bench")
    # Ten years: with a day's interval some would be due again within the benchmark.
    interval = 10 * 365 * 86_400
    project = Project.objects.create(
        account=account, project_id="bench", name="bench", interval=interval
    )
    now = datetime.now(UTC)
    Instance.objects.bulk_create(
        Instance(project=project, instance_id=each, next_sync_at=now, backups_due_at=LATER)
        for each in instance_ids
    )


def _sync_all(account: AccountClient) -> None:
    """Sync as a worker does until nothing is due."""
    from restores.sync.instances import sync_due_instances

    while sync_due_instances({account.config.name: account}):
        pass


def _table() -> list[dict[str, Any]]:
    """Return all restores, without the fields that say when we wrote them."""
    from restores.models import Restore

    fields = [field.attname for field in Restore._meta.concrete_fields]
    kept = [name for name in fields if name not in ("id", "first_seen_at", "changed_at")]
    return list(Restore.objects.order_by("instance_id", "restore_id").values(*kept))


def _update_or_create(rows: list[dict[str, Any]]) -> None:
    """Write row by row, as such loops usually do; all derived values come for free."""
    from restores.models import Restore

    for row in rows:
        now = datetime.now(UTC)
        Restore.objects.update_or_create(
            instance_id=row["instance_id"],
            restore_id=row["restore_id"],
            defaults=row,
            create_defaults=row | {"first_seen_at": now, "changed_at": now},
        )


def _empty() -> None:
    from restores.models import Account, Backup, Instance, Observation, Project, Restore

    for model in (Observation, Restore, Backup, Instance, Project, Account):
        model.objects.all().delete()


@contextmanager
def worker(folder: Path, simulator: Simulator, interval: int) -> Iterator[Supervisor]:
    """Run broker, worker and beat on the simulator's first three projects.

    Every instance is synced once every ``interval`` seconds.
    """
    text = re.sub("rate = .*", f"rate = {RATE}", simulator.projects_file)
    text = re.sub("interval = .*", f'interval = "{interval}s"', text)
    accounts, *projects = text.split("[projects.")
    file = folder / "projects.toml"
    file.write_text("[projects.".join([accounts, *projects[:3]]))
    python = Path(sys.executable)
    user = dict(os.environ) | {"REDIS_URL": os.environ.get("TEST_REDIS_URL", "")}
    broker = choose_broker(python, user, os.environ)
    environment = {
        **os.environ,
        **simulator.credentials,
        "DCS_PROJECTS": str(file),
        "REDIS_URL": broker.url,
    }
    supervisor = Supervisor(root=databases.ROOT, logs=folder)
    try:
        if broker.child:
            supervisor.start(broker.child)
        while not broker.is_ready():
            supervisor.tick()
        celery = (python, "-m", "celery", "--quiet", "-A", "dashboard")
        schedule = ("-s", folder / "schedule", "--pidfile=")
        for name, arguments in (
            ("worker", ("worker", "-c", "2", "--without-gossip", "--without-mingle")),
            ("beat", ("beat", *schedule)),
        ):
            command = (*celery, *arguments)
            supervisor.start(Child(name=name, command=command, environment=environment))
        yield supervisor
    finally:
        supervisor.stop()


def _spread_syncs() -> None:
    """Spread the due times evenly over the interval, as they are after the first one."""
    from restores.models import Instance

    now, rng = datetime.now(UTC), Random(7)
    instances = list(Instance.objects.all())
    for instance in instances:
        due = now + timedelta(seconds=rng.uniform(0, INTERVAL))
        instance.next_sync_at = instance.backups_due_at = due
    Instance.objects.bulk_update(instances, ["next_sync_at", "backups_due_at"], batch_size=500)


def _delays(simulator: Simulator, supervisor: Supervisor, count: int) -> list[float]:
    """Start a restore every few seconds; return how long each took to be stored, or infinity."""
    from restores.models import Instance, Restore
    from simulator.restores import Scenario

    known = set(Instance.objects.values_list("instance_id", flat=True))
    idle = [each for each in simulator.world.instances if each.instance_id in known]
    idle = [each for each in idle if each.restorable]
    chosen = Random(count).sample(idle, count)
    started: dict[str, float] = {}
    delays: list[float] = []
    begin = time.monotonic()
    while len(delays) < count and time.monotonic() < begin + EVERY * count + 2 * PROMISE:
        if chosen and time.monotonic() >= begin + EVERY * (count - len(chosen)):
            scenario = Scenario(waiting=0, seconds=30)
            restore_id = simulator.world.start_restore(chosen.pop(), simulator.clock(), scenario)
            started[restore_id] = time.monotonic()
        found = Restore.objects.filter(restore_id__in=list(started))
        for restore_id in found.values_list("restore_id", flat=True):
            delays.append(time.monotonic() - started.pop(restore_id))
        supervisor.tick(0.2)
    return delays + [float("inf")] * (count - len(delays))


if __name__ == "__main__":
    sys.exit(measure(sys.argv[1]))
