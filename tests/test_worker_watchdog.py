import pytest
import redis

from dashboard.worker_watchdog import BUSY_LIMIT, IDLE_LIMIT, Watchdog, broker_address


@pytest.mark.parametrize(
    ("celery", "address"),
    [
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
        ("redis+socket:///tmp/x/broker.sock", "unix:///tmp/x/broker.sock"),
        ("redis+socket:///tmp/x.sock?virtual_host=1", "unix:///tmp/x.sock?db=1"),
    ],
)
def test_the_client_understands_each_form_of_a_broker_url(celery, address):
    assert broker_address(celery) == address
    assert redis.Redis.from_url(broker_address(celery))


@pytest.mark.parametrize(
    ("observed", "stalled"),
    [
        # (seconds, messages waiting, messages taken so far, busy)
        ([(0, 3, 0, False), (IDLE_LIMIT - 1, 3, 0, False)], False),
        ([(0, 3, 0, False), (IDLE_LIMIT + 1, 5, 0, False)], True),
        ([(0, 3, 0, False), (IDLE_LIMIT + 1, 0, 0, False)], False),
        ([(0, 3, 0, False), (20, 3, 1, False), (40, 3, 1, False)], False),
        ([(0, 9, 0, False), (20, 3, 0, False), (40, 4, 0, False)], False),
        ([(0, 3, 0, True), (100, 9, 0, True)], False),
        ([(0, 3, 0, True), (BUSY_LIMIT, 9, 0, True)], False),
        ([(0, 3, 0, True), (BUSY_LIMIT + 1, 9, 0, True)], True),
    ],
)
def test_a_worker_has_stalled_when_messages_wait_and_it_takes_none(observed, stalled):
    watchdog = Watchdog()

    *_, last = [
        watchdog.stalled(at, waiting=waiting, taken=taken, busy=busy)
        for at, waiting, taken, busy in observed
    ]

    assert last is stalled


def test_a_worker_that_takes_messages_has_not_stalled():
    watchdog = Watchdog()
    for second in range(0, 600, 20):
        assert not watchdog.stalled(second, waiting=9, taken=second, busy=False)


def test_without_messages_nothing_stalls():
    watchdog = Watchdog()
    assert not any(watchdog.stalled(s, waiting=0, taken=0, busy=False) for s in range(0, 600, 20))
