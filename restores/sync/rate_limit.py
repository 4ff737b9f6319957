"""Rate limit of an account: every call, from any process, reserves its time in the database."""

from __future__ import annotations

import threading
import time
from collections import deque
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.db.models import Q

from restores.dcs.errors import RequestSkipped, Throttled
from restores.models import Account

# A reserved time may be used this late (seconds); one that is missed by more is given up. Times lie
# further apart by twice that share of the rate, so that no second sees more calls than the rate
# allows although threads are held up.
MAX_DELAY = 0.05
# A batch reserves this many seconds ahead: more urgent calls come right after that.
RESERVE_AHEAD = 0.25
# No process sleeps for longer; the account is left alone and others are synced.
MAX_SLEEP = timedelta(seconds=10)


def reserve(account_id: int, count: int, rate: float, now: datetime) -> list[datetime]:
    """Reserve the times of ``count`` calls, 1/``rate`` seconds apart."""
    step = timedelta(seconds=1 / rate)
    while True:
        reserved = Account.objects.values_list("reserved_until", flat=True).get(pk=account_id)
        start = max(reserved or now, now)
        unchanged = Account.objects.filter(pk=account_id, reserved_until=reserved)
        if unchanged.update(reserved_until=start + count * step):
            return [start + number * step for number in range(count)]


def hold(account_id: int, until: datetime) -> None:
    """Let no call of the account begin before ``until``: the cloud asked us to wait."""
    earlier = Q(reserved_until=None) | Q(reserved_until__lt=until)
    Account.objects.filter(earlier, pk=account_id).update(reserved_until=until)


class RateLimiter:
    """Blocks each call until its time; ``expected`` calls are reserved a few at a time.

    Threads wait for one another, so that no time is reserved before it is needed.
    """

    def __init__(self, account_id: int, rate: float, expected: int = 0) -> None:
        self._account_id, self._expected = account_id, expected
        self._rate = rate / (1 + 2 * MAX_DELAY)
        self._lock, self._owner = threading.Lock(), threading.get_ident()
        self._times: deque[datetime] = deque(self._reserve() if expected else ())

    def __call__(self) -> None:
        """Wait until the next call may be made."""
        with self._lock:
            while True:
                at = self._next_time()
                time.sleep(max(0.0, (at - datetime.now(UTC)).total_seconds()))
                if (datetime.now(UTC) - at).total_seconds() <= MAX_DELAY:
                    break
            self._expected -= 1

    def _next_time(self) -> datetime:
        if not self._times:
            self._times.extend(self._reserve())
        at = self._times.popleft()
        if at - datetime.now(UTC) > MAX_SLEEP:
            raise RequestSkipped(Throttled("Waiting for the account’s next rate-limit window.", at))
        return at

    def _reserve(self) -> list[datetime]:
        count = max(1, min(self._expected, int(self._rate * RESERVE_AHEAD)))
        try:
            return reserve(self._account_id, count, self._rate, datetime.now(UTC))
        finally:
            if threading.get_ident() != self._owner:
                # Each thread has its own database connection, which nothing else would close.
                connection.close()
