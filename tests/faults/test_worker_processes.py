"""Real workers and beats: stopped, killed, frozen, without messages, or too many of them."""

import random
import signal
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from .kit import never, until

pytestmark = pytest.mark.xdist_group("worker_processes")
LEASE = "restores__sync__scheduling__LEASE"
DEADLINE = 5  # seconds for a call to the cloud


@pytest.fixture(scope="module")
def redis(redis):
    redis.start()
    return redis


@pytest.fixture
def running(product):
    """The product; afterwards every program is killed and every claim released."""
    yield product
    product.close()
    product.programs.clear()
    product.cloud.simulator.faults.clear()
    product.redis.flush()
    product.database.rows("update restores_instance set lease_until = null, attempts = 0")
    product.database.rows("update restores_project set lease_until = null, attempts = 0")


def leased(product):
    (found,) = product.database.rows(
        "select count(*), coalesce(max(attempts), 0) from restores_instance"
        " where lease_until is not null"
    )
    return found[0]


def wait_for_a_batch(product, worker):
    """Wait until the worker has claimed instances whose calls hang."""
    product.cloud.simulator.faults.add({"match": "/restores", "kind": "hang"})
    product.make_due()
    return until(lambda: leased(product), 30, worker.output)


@pytest.mark.parametrize(
    ("stop", "seconds"),
    [
        ("send", DEADLINE + 10),
        # The whole process group, as systemd does by default: its processes are terminated, too.
        pytest.param("send_all", 10, marks=pytest.mark.long),
    ],
)
def test_w5_a_worker_that_is_stopped_finishes_or_releases_its_batch(running, stop, seconds):
    worker = running.worker(restores__sync__accounts___DEADLINE=DEADLINE)
    running.beat()
    wait_for_a_batch(running, worker)

    getattr(worker, stop)(signal.SIGTERM)

    until(lambda: not leased(running), seconds, worker.output)
    assert running.database.rows("select max(attempts) from restores_instance") == [(0,)]
    worker.wait(20)


@pytest.mark.long
def test_a_worker_that_takes_no_messages_exits_and_logs_why(running):
    short = {"IDLE_LIMIT": 2, "CHECK_SECONDS": 0.5}
    worker = running.worker(
        **{f"dashboard__worker_watchdog__{name}": value for name, value in short.items()}
    )
    running.beat()
    running.wait_until_synced(running.make_due())
    never(lambda: not worker.alive, 3)

    running.celery("control", "cancel_consumer", "celery")

    assert worker.wait(30) == 70
    assert "messages are waiting and this worker takes none" in worker.output()


@pytest.mark.long
def test_w1_workers_killed_at_random_lose_nothing(running):
    rng = random.Random(11)
    worker, _ = running.worker(**{LEASE: 4}), running.beat()
    for _ in range(12):
        running.make_due()
        time.sleep(rng.uniform(0, 1.5))
        worker.kill()
        worker.restart()

    running.wait_until_synced(running.make_due(), 60)
    assert_matches_cloud(running)


@pytest.mark.long
def test_w1_after_kill_9_in_a_batch_work_resumes_within_120_seconds(running):
    worker, _ = running.worker(), running.beat(tick=5)
    due = wait_for_a_batch(running, worker) and running.make_due()
    worker.kill()
    running.cloud.simulator.faults.clear()
    worker.restart()

    assert running.wait_until_synced(due, 120) < 120
    assert_matches_cloud(running)


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(8, marks=pytest.mark.long(ci=True)),
        pytest.param(300, marks=pytest.mark.long),
    ],
)
def test_w3_w4_two_beats_and_three_workers_duplicate_nothing(running, seconds):
    lease = 8
    workers = [running.worker("-n", f"w{n}@%h", **{LEASE: lease}) for n in range(3)]
    running.beat(), running.beat()
    running.wait_until_synced(running.make_due(), 90)
    # Read first: a claim that is not released yet may make its calls after the log was cleared.
    claims = ended_claims(running)
    running.cloud.simulator.log.clear()
    start = datetime.now(UTC)
    frozen = random.Random(seconds).choice(workers)
    frozen.freeze()
    until(lambda: datetime.now(UTC) > start + timedelta(seconds=lease + 2), lease + 10)
    frozen.thaw()
    until(lambda: datetime.now(UTC) > start + timedelta(seconds=seconds), seconds + 10)
    for worker in workers:
        worker.send(signal.SIGTERM)
    for worker in workers:
        worker.wait(30)

    syncs = syncs_at_the_cloud(running)
    for instance_id, fencing_token in fencing_tokens(running).items():
        assert syncs[instance_id] <= fencing_token - claims.get(instance_id, 0), instance_id
    # One in each interval of a minute, one at its edge, one more for the frozen worker.
    idle = idle_since(running, start)
    assert len(idle) > 5
    assert [each for each in idle if syncs[each] > seconds / 60 + 2] == []
    assert_matches_cloud(running)


def fencing_tokens(product):
    return dict(product.database.rows("select instance_id, fencing_token from restores_instance"))


def ended_claims(product):
    """The number of finished claims of each instance."""
    over = "case when lease_until is null then fencing_token else fencing_token - 1 end"
    return dict(product.database.rows(f"select instance_id, {over} from restores_instance"))


def syncs_at_the_cloud(product):
    paths = [entry.path for entry in product.cloud.simulator.log.entries]
    return Counter(path.split("/")[-2] for path in paths if path.endswith("/restores"))


def idle_since(product, start):
    """The instances without an unfinished restore since then, whose syncs worked."""
    rows = product.database.rows(
        "select instance_id from restores_instance i where sync_error_kind = '' and not exists"
        " (select 1 from restores_restore r where r.instance_id = i.id"
        " and (status not in ('succeed', 'failed') or changed_at >= %s))",
        product.database.db_time(start),
    )
    return [instance_id for (instance_id,) in rows]


def assert_matches_cloud(product):
    """What is stored is what the cloud lists, except for what is changing just now."""
    rows = product.database.rows(
        "select i.instance_id, r.restore_id, r.status, r.progress, r.error_code"
        " from restores_restore r join restores_instance i on i.id = r.instance_id"
    )
    kept = {row[:2]: row[2:] for row in rows}
    assert len(kept) == len(rows)
    young = datetime.now(UTC) - timedelta(minutes=5)
    listed = product.cloud.restores(until=young)
    assert [key for key, state in listed.items() if kept.get(key) != state] == []
    assert kept.keys() <= product.cloud.restores().keys()
