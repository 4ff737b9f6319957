"""Redis is only the doorbell: whatever happens to it, pages answer and no look is lost."""

from datetime import UTC, datetime

import pytest

from .canaries import every_fault, traces
from .kit import Redis, until

pytestmark = pytest.mark.xdist_group("redis")
RECOVERY = 60  # seconds, the promise


@pytest.fixture(scope="module")
def redis(folder, redis_server):
    # Evicting, so that the worker has something to warn about at its start.
    redis = Redis(folder, "--maxmemory-policy", "allkeys-lru")
    yield redis
    redis.kill()


@pytest.fixture(scope="module")
def running(product, redis):
    """A worker and a beat that were started while Redis was not there."""
    product.started = datetime.now(UTC)
    product.collecting = product.worker(), product.beat()
    until(lambda: "Cannot connect to redis" in product.collecting[0].said(), 20, "a first try")
    redis.start()
    return product


def test_r1_worker_and_beat_wait_for_redis_and_then_start(running):
    assert running.caught_up(running.started, RECOVERY) < RECOVERY
    assert all(program.alive for program in running.collecting)


def test_r1_pages_answer_while_redis_is_away(running, redis):
    site = running.web()
    site.sign_in(running.command("login_link", "root", "--create"))
    assert not {"DCS_PROJECTS", "REDIS_URL"} & site.program.environment.keys()
    redis.kill()

    answers = {path: site.get(path) for path in ("/healthz", "/readyz", "/", "/restores/")}

    redis.start()
    assert {path: answer.status for path, answer in answers.items()} == dict.fromkeys(answers, 200)
    site.program.kill()


def test_r2_after_redis_died_everything_due_is_synced(running, redis):
    redis.kill()
    due = running.make_due()
    redis.start()

    assert running.caught_up(due, RECOVERY) < RECOVERY


def test_r3_after_redis_froze_everything_due_is_synced(running, redis):
    redis.freeze()
    due = running.make_due()
    # Longer than the socket's timeout is the long variant's matter.
    frozen = datetime.now(UTC)
    until(lambda: (datetime.now(UTC) - frozen).total_seconds() > 2, 5)
    redis.thaw()

    assert running.caught_up(due, RECOVERY) < RECOVERY


def test_r4_after_a_flush_the_next_tick_sends_new_messages(running, redis):
    due = running.make_due()
    redis.flush()

    assert running.caught_up(due, RECOVERY) < RECOVERY


def test_r5_a_broker_that_may_drop_messages_is_logged_at_startup(running):
    worker, _ = running.collecting
    until(lambda: "maxmemory-policy allkeys-lru" in worker.said(), 10, worker.said)


@pytest.mark.long(ci=True)
def test_r2_redis_restarting_eight_times_loses_nothing(running, redis):
    for _ in range(8):
        running.make_due()
        redis.kill()
        redis.start()
        until(lambda: redis.ask("CLIENT", "LIST").count("id=") > 1, 20, "somebody connected")

    assert running.caught_up(running.make_due(), RECOVERY) < RECOVERY
    assert all(program.alive for program in running.collecting)


@pytest.mark.long(ci=True)
def test_r3_redis_frozen_for_longer_than_every_timeout(running, redis):
    redis.freeze()
    due = running.make_due()
    frozen = datetime.now(UTC)
    until(lambda: (datetime.now(UTC) - frozen).total_seconds() > 30, 40)
    redis.thaw()

    assert running.caught_up(due, RECOVERY) < RECOVERY


@pytest.mark.long
def test_r5_a_broker_without_memory_stops_syncs_and_nothing_else(running, redis):
    redis.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
    redis.ask("CONFIG", "SET", "maxmemory", "1")
    due = running.make_due()
    words = "used memory > 'maxmemory'"
    until(lambda: words in "".join(each.said() for each in running.collecting), 30, words)
    redis.ask("CONFIG", "SET", "maxmemory", "0")

    # Celery gives up at this one: its supervisor starts it anew, and leases may have to run out.
    assert running.caught_up(due, 120, tending=running.collecting) < 120


@pytest.mark.parametrize("share", [3, pytest.param(1, marks=pytest.mark.long)])
def test_after_all_that_the_cloud_credentials_have_leaked_nowhere(running, share):
    secrets = list(running.cloud.secrets.values())
    running.cloud.simulator.faults.add(*every_fault(running.cloud.simulator.world)[::share])
    running.caught_up(running.make_due(), RECOVERY)
    site = running.web()
    site.sign_in(running.command("login_link", "root", "--create"))

    struck = [each for each in running.cloud.simulator.faults.to_json() if each["hits"]]
    assert any("not accepted" in str(each.get("body")) for each in struck)
    assert len(secrets) > 2
    assert traces(running, secrets, site) == []
    # The search itself finds what is there: our own key, which web and beat must know.
    assert traces(running, [running.plain["SECRET_KEY"]], site)
    running.cloud.simulator.faults.clear()
