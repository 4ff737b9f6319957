"""Redis only wakes workers: whatever happens to it, pages work and no sync is lost."""

from datetime import UTC, datetime

import pytest

from .kit import Redis, until
from .leaks import every_fault, find_leaks

pytestmark = pytest.mark.xdist_group("redis")
RECOVERY = 60  # seconds, the promise


@pytest.fixture(scope="module")
def redis(folder, redis_server):
    # With eviction, so that the worker has something to warn about at startup.
    redis = Redis(folder, "--maxmemory-policy", "allkeys-lru")
    yield redis
    redis.kill()


@pytest.fixture(scope="module")
def running(product, redis):
    """A worker and a beat that were started while Redis was down."""
    product.started = datetime.now(UTC)
    product.worker_and_beat = product.worker(), product.beat()
    until(
        lambda: "Cannot connect to redis" in product.worker_and_beat[0].output(), 20, "a first try"
    )
    redis.start()
    return product


def test_r1_worker_and_beat_wait_for_redis_and_then_start(running):
    assert running.wait_until_synced(running.started, RECOVERY) < RECOVERY
    assert all(program.alive for program in running.worker_and_beat)


def test_r1_pages_work_while_redis_is_down(running, redis):
    site = running.web()
    site.sign_in(running.command("login_link", "root", "--create"))
    assert not {"DCS_PROJECTS", "REDIS_URL"} & site.program.environment.keys()
    redis.kill()

    responses = {path: site.get(path) for path in ("/healthz", "/readyz", "/", "/restores/")}

    redis.start()
    assert {path: response.status for path, response in responses.items()} == dict.fromkeys(
        responses, 200
    )
    site.program.kill()


def test_r2_after_redis_died_everything_due_is_synced(running, redis):
    redis.kill()
    due = running.make_due()
    redis.start()

    assert running.wait_until_synced(due, RECOVERY) < RECOVERY


def test_r3_after_redis_froze_everything_due_is_synced(running, redis):
    redis.freeze()
    due = running.make_due()
    # The long variant freezes it for longer than the socket's timeout.
    frozen = datetime.now(UTC)
    until(lambda: (datetime.now(UTC) - frozen).total_seconds() > 2, 5)
    redis.thaw()

    assert running.wait_until_synced(due, RECOVERY) < RECOVERY


def test_r4_after_a_flush_the_next_tick_sends_new_messages(running, redis):
    due = running.make_due()
    redis.flush()

    assert running.wait_until_synced(due, RECOVERY) < RECOVERY


def test_r5_a_broker_that_may_drop_messages_is_logged_at_startup(running):
    worker, _ = running.worker_and_beat
    until(lambda: "maxmemory-policy allkeys-lru" in worker.output(), 10, worker.output)


@pytest.mark.long
def test_r2_redis_restarting_eight_times_loses_nothing(running, redis):
    for _ in range(8):
        running.make_due()
        redis.kill()
        redis.start()
        until(lambda: redis.ask("CLIENT", "LIST").count("id=") > 1, 20, "somebody connected")

    assert running.wait_until_synced(running.make_due(), RECOVERY) < RECOVERY
    assert all(program.alive for program in running.worker_and_beat)


@pytest.mark.long
def test_r3_redis_frozen_for_longer_than_every_timeout(running, redis):
    redis.freeze()
    due = running.make_due()
    frozen = datetime.now(UTC)
    until(lambda: (datetime.now(UTC) - frozen).total_seconds() > 30, 40)
    redis.thaw()

    assert running.wait_until_synced(due, RECOVERY) < RECOVERY


@pytest.mark.long
def test_r5_a_broker_without_memory_stops_syncs_and_nothing_else(running, redis):
    redis.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
    redis.ask("CONFIG", "SET", "maxmemory", "1")
    due = running.make_due()
    message = "used memory > 'maxmemory'"
    until(
        lambda: message in "".join(each.output() for each in running.worker_and_beat), 30, message
    )
    redis.ask("CONFIG", "SET", "maxmemory", "0")

    # Celery exits on this error: its supervisor restarts it, and leases may have to end.
    assert running.wait_until_synced(due, 120, restarting=running.worker_and_beat) < 120


@pytest.mark.parametrize("share", [3, pytest.param(1, marks=pytest.mark.long)])
def test_after_all_these_failures_no_cloud_credential_has_leaked(running, share):
    secrets = list(running.cloud.secrets.values())
    running.cloud.simulator.faults.add(*every_fault(running.cloud.simulator.world)[::share])
    running.wait_until_synced(running.make_due(), RECOVERY)
    site = running.web()
    site.sign_in(running.command("login_link", "root", "--create"))

    struck = [each for each in running.cloud.simulator.faults.to_json() if each["hits"]]
    assert any("not accepted" in str(each.get("body")) for each in struck)
    assert len(secrets) > 2
    assert find_leaks(running, secrets, site) == []
    # The search does find secrets: our own key, which web and beat must have.
    assert find_leaks(running, [running.web_environment["SECRET_KEY"]], site)
    running.cloud.simulator.faults.clear()
