"""Workers crash and freeze at any point: nothing is lost, nothing is duplicated."""

import random
import signal
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from simulator.restores import Scenario

from .kit import Cloud, CrashingProcesses, Product

pytestmark = pytest.mark.xdist_group("workers")
SAMPLE = 8


@pytest.fixture(scope="module")
def cloud(folder):
    cloud = Cloud(folder, instances=9, restores=60, rate=1000, projects=1)
    yield cloud
    cloud.close()


@pytest.fixture(scope="module")
def product(folder, scratch, cloud):
    """A product without a worker, and processes that sync in its place."""
    product = Product(folder, scratch, cloud=cloud)
    product.processes = CrashingProcesses(product)
    product.processes.sync()
    yield product
    product.processes.close()


def stored(product):
    rows = product.database.rows(
        "select i.instance_id, r.restore_id, r.status, r.progress, r.error_code"
        " from restores_restore r join restores_instance i on i.id = r.instance_id"
    )
    assert len({row[:2] for row in rows}) == len(rows)
    return {row[:2]: row[2:] for row in rows}


def expire_leases(product):
    past = product.database.db_time(datetime(2020, 1, 1, tzinfo=UTC))
    for table in ("instance", "project"):
        product.database.rows(
            f"update restores_{table} set lease_until = %s where lease_until is not null", past
        )


def create_work(product, rng):
    """Create work: start a restore, delete half of what is stored."""
    simulator, scenario = product.cloud.simulator, Scenario(waiting=0, seconds=0.01)
    simulator.world.start_restore(rng.choice(product.cloud.instances), simulator.clock(), scenario)
    deleted = f"(select id from restores_restore where id % 2 = {rng.randint(0, 1)})"
    query = product.database.rows
    query(f"delete from restores_observation where restore_id in {deleted}")
    query(f"delete from restores_restore where id in {deleted}")
    query("delete from restores_backup where id % 2 = 0")
    query("update restores_instance set digest = '', backups_due_at = null")
    product.make_due()


def assert_matches_cloud(product, before, after):
    """What is stored is what the cloud lists; what changed meanwhile may be as before or after."""
    have = stored(product)
    assert before.keys() <= have.keys() <= after.keys()
    for key, state in before.items():
        if state == after[key]:
            assert have[key] == state, key
    free = product.database.rows(
        "select count(*) from restores_instance where attempts > 0 or lease_until is not null"
        " or sync_error_kind <> ''"
    )
    assert free == [(0,)]
    _assert_no_duplicate_observation(product)


def _assert_no_duplicate_observation(product):
    rows = product.database.rows(
        "select restore_id, status, progress, error_code from restores_observation"
        " order by restore_id, id"
    )
    assert not [one for one, other in pairwise(rows) if one == other]


def killed_and_resumed(product, point, rng):
    """Kill a sync at a point, then let another worker sync; return whether it got that far."""
    create_work(product, rng)
    ended = product.processes.sync(at=point)["ended"]
    expire_leases(product)
    before = product.cloud.restores()
    product.make_due()
    assert product.processes.sync()["ended"] == "done"
    assert_matches_cloud(product, before, product.cloud.restores())
    return ended == "killed"


def test_w1_kill_9_at_some_statements_and_calls_loses_and_duplicates_nothing(
    product,
):
    rng = random.Random(3)

    died = [killed_and_resumed(product, rng.randint(1, 130), rng) for _ in range(SAMPLE)]

    assert sum(died) >= SAMPLE - 2


@pytest.mark.long
def test_w1_kill_9_at_every_statement_and_call_loses_and_duplicates_nothing(product):
    rng = random.Random(5)
    died, alive, point = 0, 0, 0
    # Syncs differ a little in length: the end is where ten in a row did not get that far.
    while alive < 10:
        point += 1
        killed = killed_and_resumed(product, point, rng)
        died, alive = died + killed, 0 if killed else alive + 1

    assert died >= 100


@contextmanager
def nothing_claimable(product):
    """Let no worker claim anything: an instance may come due at any second."""
    product.database.rows("update restores_instance set attempts = 9")
    yield
    product.database.rows("update restores_instance set attempts = 0")


def all_rows(product):
    tables = ("restores_restore", "restores_observation", "restores_backup", "restores_instance")
    return {table: product.database.rows(f"select * from {table} order by id") for table in tables}


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long)])
def test_w4_a_worker_resumed_after_its_lease_writes_nothing(product, seed):
    rng = random.Random(seed)
    create_work(product, rng)
    frozen = product.processes.sync(at=rng.randint(4, 8), only="http", signal=signal.SIGSTOP)
    assert frozen["ended"] == "frozen"
    expire_leases(product)
    assert product.processes.sync()["ended"] == "done"

    with nothing_claimable(product):
        then = all_rows(product)
        assert product.processes.sync(resume=frozen["pid"])["ended"] == "done"

        assert all_rows(product) == then


def test_w4_a_worker_resumed_after_its_lease_writes_nothing_even_if_nobody_took_over(
    product,
):
    create_work(product, random.Random(4))
    frozen = product.processes.sync(at=5, only="http", signal=signal.SIGSTOP)
    expire_leases(product)

    with nothing_claimable(product):
        then = all_rows(product)
        assert product.processes.sync(resume=frozen["pid"])["ended"] == "done"

        assert all_rows(product)["restores_restore"] == then["restores_restore"]
    assert product.processes.sync()["ended"] == "done"


def test_w2_w6_an_instance_that_crashes_workers_is_claimed_alone_then_quarantined(
    product,
):
    crashing, *others = (each.instance_id for each in product.cloud.instances)
    due, deaths = product.make_due(), 0
    while product.processes.sync(poison=f"{crashing}/restores")["ended"] == "killed":
        deaths += 1
        expire_leases(product)

    shown = product.database.rows("select instance_id, sync_error_message from restores_instance")
    assert deaths == 3
    assert "3 syncs in a row did not finish" in dict(shown)[crashing]
    assert not any(dict(shown)[each] for each in others)
    assert product.not_synced(due) == 1
    product.command("sync", "--instance", crashing)
    assert product.not_synced(due) == 0
