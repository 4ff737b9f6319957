import threading
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.db import connection

from restores.dcs.errors import RequestSkipped
from restores.sync.rate_limit import _LATE, Pace
from tests.factories import make_account

pytestmark = pytest.mark.django_db(transaction=True)


def passed(pace, count):
    """The moments at which threads that ask all at once may call."""
    moments = []

    def call():
        pace()
        moments.append(time.monotonic())
        connection.close()

    threads = [threading.Thread(target=call) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(moments)


def test_threads_pass_one_after_the_other_at_the_account_s_rate():
    moments = passed(Pace(make_account().pk, 20, expected=8), 8)

    assert all(b - a > 0.02 for a, b in pairwise(moments))
    assert moments[-1] - moments[0] >= 7 / 20 - _LATE


def test_a_call_of_its_own_need_not_wait_for_a_whole_batch():
    account = make_account()
    batch = threading.Thread(target=passed, args=(Pace(account.pk, 10, expected=20), 20))
    batch.start()
    urgent = Pace(account.pk, 10)

    begun = time.monotonic()
    urgent()

    assert time.monotonic() - begun < 0.5
    batch.join()


def test_nobody_sleeps_until_the_end_of_a_long_break():
    account = make_account(reserved_until=datetime.now(UTC) + timedelta(minutes=2))
    begun = time.monotonic()
    with pytest.raises(RequestSkipped) as skipped:
        Pace(account.pk, 10)()

    assert time.monotonic() - begun < 1
    assert skipped.value.reason.kind == "throttled"


def test_slots_that_passed_unused_are_not_caught_up_on():
    pace = Pace(make_account().pk, 40, expected=9)
    time.sleep(0.3)

    moments = passed(pace, 9)

    assert moments[-1] - moments[0] >= 8 / 40 - _LATE


def test_where_the_rate_is_no_limit_a_batch_books_once_however_late_it_is(
    django_assert_num_queries,
):
    pace = Pace(make_account().pk, 1e6, expected=9)
    time.sleep(0.3)

    with django_assert_num_queries(0):
        for _ in range(9):
            pace()
