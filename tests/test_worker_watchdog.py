from datetime import UTC, datetime

import pytest
import redis
import time_machine
from celery.beat import Scheduler

from dashboard.celery import TICK_SECONDS, app
from dashboard.worker_watchdog import BUSY_PATIENCE, IDLE_PATIENCE, Watch, broker_address


@pytest.mark.parametrize(
    ("celery", "address"),
    [
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
        ("redis+socket:///tmp/x/broker.sock", "unix:///tmp/x/broker.sock"),
        ("redis+socket:///tmp/x.sock?virtual_host=1", "unix:///tmp/x.sock?db=1"),
    ],
)
def test_each_spelling_of_a_broker_is_understood_by_the_client(celery, address):
    assert broker_address(celery) == address
    assert redis.Redis.from_url(broker_address(celery))


def test_beat_rings_on_while_the_clock_is_set_back():
    with time_machine.travel(datetime.now(UTC), tick=True) as clock:
        scheduler = Scheduler(app=app)
        assert 0 < scheduler.tick() <= TICK_SECONDS
        clock.shift(-3600)
        assert 0 < scheduler.tick() <= TICK_SECONDS


def test_a_worker_that_takes_nothing_while_messages_wait_has_stalled():
    watch = Watch()
    assert not watch.stalled(0, waiting=3, taken=1, busy=False)
    assert not watch.stalled(IDLE_PATIENCE, waiting=4, taken=1, busy=False)
    assert watch.stalled(IDLE_PATIENCE + 1, waiting=5, taken=1, busy=False)


def test_a_busy_worker_may_take_its_time():
    watch = Watch()
    assert not watch.stalled(0, waiting=3, taken=1, busy=True)
    assert not watch.stalled(BUSY_PATIENCE, waiting=3, taken=1, busy=True)


def test_a_worker_that_takes_messages_has_not_stalled():
    watch = Watch()
    for second in range(0, 600, 20):
        assert not watch.stalled(second, waiting=9, taken=second, busy=False)


def test_without_messages_nothing_stalls():
    watch = Watch()
    assert not any(watch.stalled(s, waiting=0, taken=0, busy=False) for s in range(0, 600, 20))
