"""Workers die, freeze, multiply and are told to end: nothing is lost, nothing is doubled."""

import random
import signal
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from simulator.restores import Scenario

from .kit import Cloud, Mortals, Product

pytestmark = pytest.mark.xdist_group("workers")
SAMPLE = 8


@pytest.fixture(scope="module")
def cloud(folder):
    cloud = Cloud(folder, instances=9, restores=60, rate=1000, projects=1)
    yield cloud
    cloud.close()


@pytest.fixture(scope="module")
def looked(folder, scratch, cloud):
    """A product without worker, and processes that look in its place."""
    product = Product(folder, scratch, cloud=cloud)
    product.mortals = Mortals(product)
    product.mortals.look()
    yield product
    product.mortals.close()


def kept(product):
    rows = product.database.rows(
        "select i.instance_id, r.restore_id, r.status, r.progress, r.error_code"
        " from restores_restore r join restores_instance i on i.id = r.instance_id"
    )
    assert len({row[:2] for row in rows}) == len(rows)
    return {row[:2]: row[2:] for row in rows}


def let_leases_end(product):
    past = product.database.moment(datetime(2020, 1, 1, tzinfo=UTC))
    for table in ("instance", "project"):
        product.database.rows(
            f"update restores_{table} set lease_until = %s where lease_until is not null", past
        )


def spoil(product, dice):
    """Let there be much to write: begin a restore, forget half of what is known."""
    simulator, order = product.cloud.simulator, Scenario(waiting=0, seconds=0.01)
    simulator.world.start_restore(dice.choice(product.cloud.instances), simulator.clock(), order)
    forgotten = f"(select id from restores_restore where id % 2 = {dice.randint(0, 1)})"
    ask = product.database.rows
    ask(f"delete from restores_observation where restore_id in {forgotten}")
    ask(f"delete from restores_restore where id in {forgotten}")
    ask("delete from restores_backup where id % 2 = 0")
    ask("update restores_instance set digest = '', backups_due_at = null")
    product.make_due()


def assert_true_to(product, before, after):
    """What is kept is the cloud's world; what moved while we looked may be as before or after."""
    have = kept(product)
    assert before.keys() <= have.keys() <= after.keys()
    for key, state in before.items():
        if state == after[key]:
            assert have[key] == state, key
    free = product.database.rows(
        "select count(*) from restores_instance where attempts > 0 or lease_until is not null"
        " or sync_error_kind <> ''"
    )
    assert free == [(0,)]
    _assert_no_observation_doubled(product)


def _assert_no_observation_doubled(product):
    rows = product.database.rows(
        "select restore_id, status, progress, error_code from restores_observation"
        " order by restore_id, id"
    )
    assert not [one for one, other in pairwise(rows) if one == other]


def killed_and_resumed(product, point, dice):
    """Kill a look at a point, let another worker look; return whether there was such a point."""
    spoil(product, dice)
    ended = product.mortals.look(at=point)["ended"]
    let_leases_end(product)
    before = product.cloud.restores()
    product.make_due()
    assert product.mortals.look()["ended"] == "done"
    assert_true_to(product, before, product.cloud.restores())
    return ended == "killed"


def test_w1_kill_9_at_some_statements_and_calls_loses_and_duplicates_nothing(looked):
    dice = random.Random(3)

    died = [killed_and_resumed(looked, dice.randint(1, 130), dice) for _ in range(SAMPLE)]

    assert sum(died) >= SAMPLE - 2


@pytest.mark.long
def test_w1_kill_9_at_every_statement_and_call_loses_and_duplicates_nothing(looked):
    dice = random.Random(5)
    died, alive, point = 0, 0, 0
    # Looks differ a little in length: the end is where ten in a row had no such point.
    while alive < 10:
        point += 1
        killed = killed_and_resumed(looked, point, dice)
        died, alive = died + killed, 0 if killed else alive + 1

    assert died >= 100


def everything(product):
    tables = ("restores_restore", "restores_observation", "restores_backup", "restores_instance")
    return {table: product.database.rows(f"select * from {table} order by id") for table in tables}


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long)])
def test_w4_a_worker_resumed_after_its_lease_writes_nothing(looked, seed):
    dice = random.Random(seed)
    spoil(looked, dice)
    frozen = looked.mortals.look(at=dice.randint(4, 8), only="http", signal=signal.SIGSTOP)
    assert frozen["ended"] == "frozen"
    let_leases_end(looked)
    assert looked.mortals.look()["ended"] == "done"
    then = everything(looked)

    assert looked.mortals.look(wake=frozen["pid"])["ended"] == "done"

    assert everything(looked) == then


def test_w4_a_worker_resumed_after_its_lease_writes_nothing_even_if_nobody_took_over(looked):
    spoil(looked, random.Random(4))
    frozen = looked.mortals.look(at=5, only="http", signal=signal.SIGSTOP)
    let_leases_end(looked)
    then = everything(looked)

    looked.mortals.look(wake=frozen["pid"])

    assert everything(looked)["restores_restore"] == then["restores_restore"]
    assert looked.mortals.look()["ended"] == "done"


def test_w2_w6_an_instance_that_crashes_workers_is_claimed_alone_then_quarantined(looked):
    poison, *others = (each.instance_id for each in looked.cloud.instances)
    due, deaths = looked.make_due(), 0
    while looked.mortals.look(poison=f"{poison}/restores")["ended"] == "killed":
        deaths += 1
        let_leases_end(looked)

    shown = looked.database.rows("select instance_id, sync_error_message from restores_instance")
    assert deaths == 3
    assert "3 syncs in a row did not finish" in dict(shown)[poison]
    assert not any(dict(shown)[each] for each in others)
    assert looked.behind(due) == 1
    looked.command("sync", "--instance", poison)
    assert looked.behind(due) == 0
