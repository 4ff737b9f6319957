"""Several hosts share only PostgreSQL and Redis: one is cut off, others are killed."""

import os
from random import Random
from time import monotonic

import pytest

from .kit import Cloud, Product, Proxy, never
from .test_workers import stored

pytestmark = [
    pytest.mark.long,
    pytest.mark.xdist_group("several_hosts"),
    pytest.mark.skipif(
        not os.environ.get("DATABASE_URL", "").startswith("postgres"),
        reason="needs PostgreSQL: set TEST_DATABASE_URL=postgres://… and ./run test",
    ),
]
INSTANCES, RATE, WORKERS = 3000, 50, 4
# How long hosts fail (SEVERAL_HOSTS_SECONDS), and how often a worker is killed.
SECONDS, KILL_EVERY = float(os.environ.get("SEVERAL_HOSTS_SECONDS", "240")), 60
RECOVERY = 900


@pytest.fixture(scope="module")
def cloud(folder):
    cloud = Cloud(folder, instances=INSTANCES, restores=6000, rate=RATE)
    text = cloud.file.read_text()
    cloud.file.write_text(text.replace('interval = "1m"', 'interval = "3m"'))
    yield cloud
    cloud.close()


@pytest.fixture(scope="module")
def network(scratch, redis):
    """The ways of one host to the database and the broker, which can be cut."""
    redis.start()
    ports = (scratch.rows("select inet_server_port()")[0][0], redis.port)
    proxies = [Proxy(port) for port in ports]
    yield proxies
    for proxy in proxies:
        proxy.close()


@pytest.fixture(scope="module")
def hosts(folder, scratch, cloud, redis, network):
    """Four workers, one of them behind the network that can be cut, two web processes, beat."""
    hosts = Product(folder, scratch, cloud=cloud, redis=redis)
    database, broker = network
    # Without it, the name would follow from the address of the database.
    hosts.web_environment["CELERY_PREFIX"] = "several-hosts"
    hosts.sites = [hosts.web(), hosts.web()]
    hosts.workers = [hosts.worker() for _ in range(WORKERS - 1)]
    address = {"DATABASE_URL": scratch.through(database.port)}
    address["REDIS_URL"] = f"redis://127.0.0.1:{broker.port}/0"
    command, environment = hosts.workers[0].command, hosts.environment | address
    hosts.far_worker = hosts.start("far-worker", command, environment)
    hosts.beat(tick=5)
    yield hosts
    hosts.close()


def test_the_database_equals_the_cloud_after_hosts_were_cut_off_and_killed(hosts, network, cloud):
    rng = Random(7)
    begin, kills = monotonic(), 0
    while (passed := monotonic() - begin) < SECONDS:
        if passed > (kills + 1) * KILL_EVERY:
            kills += 1
            rng.choice(hosts.workers).kill()
        hosts.restart_stopped(*hosts.workers, hosts.far_worker)
        # It is cut off every other half minute.
        for proxy in network:
            proxy.freeze() if int(passed / 30) % 2 else proxy.resume()
        never(lambda: {site.get("/readyz").status for site in hosts.sites} != {200}, 1)
    for proxy in network:
        proxy.resume()

    ended_before = cloud.simulator.clock()
    expected = cloud.restores(until=ended_before)
    since = hosts.make_due()
    hosts.wait_until_synced(since, RECOVERY, restarting=[*hosts.workers, hosts.far_worker])

    have = stored(hosts)
    assert {key: have.get(key) for key in expected} == expected
    assert kills >= SECONDS // KILL_EVERY - 1
    # On an overloaded machine the simulator reads requests late, then many at once: 78 at load 20.
    for account in ("harbour", "lantern"):
        assert 0 < cloud.simulator.log.busiest_second(account) <= RATE
