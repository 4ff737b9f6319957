import threading
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.db import connection

from restores.dcs.errors import RequestSkipped
from restores.models import Account
from restores.sync import rate_limit
from restores.sync.rate_limit import MAX_DELAY, RateLimiter
from tests.factories import NOW, make_account

pytestmark = pytest.mark.django_db(transaction=True)


def called(limiter, count):
    """The times at which threads that start together may call."""
    times = []

    def call():
        limiter()
        times.append(time.monotonic())
        connection.close()

    threads = [threading.Thread(target=call) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(times)


def test_reserved_calls_follow_one_another_at_the_accounts_rate():
    account = make_account()

    first = rate_limit.reserve(account.pk, 3, 10, NOW)
    second = rate_limit.reserve(account.pk, 2, 10, NOW)

    assert [(time - NOW).total_seconds() for time in first + second] == [0, 0.1, 0.2, 0.3, 0.4]


def test_unused_calls_are_not_saved_up():
    account = make_account(reserved_until=NOW - timedelta(hours=1))

    assert rate_limit.reserve(account.pk, 1, 10, NOW) == [NOW]


def test_a_hold_moves_the_next_call_ahead_and_never_back():
    account = make_account(reserved_until=NOW)

    rate_limit.hold(account.pk, NOW + timedelta(seconds=30))
    rate_limit.hold(account.pk, NOW + timedelta(seconds=5))

    assert Account.objects.get().reserved_until == NOW + timedelta(seconds=30)


def test_threads_call_one_after_another_at_the_accounts_rate():
    times = called(RateLimiter(make_account().pk, 20, expected=8), 8)

    assert all(b - a > 0.02 for a, b in pairwise(times))
    assert times[-1] - times[0] >= 7 / 20 - MAX_DELAY


def test_a_single_call_does_not_wait_for_a_whole_batch():
    account = make_account()
    batch = threading.Thread(target=called, args=(RateLimiter(account.pk, 10, expected=20), 20))
    batch.start()
    urgent = RateLimiter(account.pk, 10)

    started = time.monotonic()
    urgent()

    assert time.monotonic() - started < 0.5
    batch.join()


def test_no_call_sleeps_until_the_end_of_a_long_hold():
    account = make_account(reserved_until=datetime.now(UTC) + timedelta(minutes=2))
    started = time.monotonic()
    with pytest.raises(RequestSkipped) as skipped:
        RateLimiter(account.pk, 10)()

    assert time.monotonic() - started < 1
    assert skipped.value.reason.kind == "throttled"


def test_missed_calls_are_not_made_up_for():
    limiter = RateLimiter(make_account().pk, 40, expected=9)
    time.sleep(0.3)

    times = called(limiter, 9)

    assert times[-1] - times[0] >= 8 / 40 - MAX_DELAY
