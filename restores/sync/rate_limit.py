"""When an account may be asked: its rate as slots in the database, and who waits for them."""

from __future__ import annotations

import threading
import time
from collections import deque
from datetime import UTC, datetime, timedelta
from math import inf

from django.db import connection
from django.db.models import Q

from restores.dcs.errors import RequestSkipped, Throttled
from restores.models import Account

# So many seconds of slots a batch books at once: whatever is more urgent comes right after them.
_AHEAD = 0.25
# Seconds by which a slot may be used late. Slots lie further apart by twice that share, so that no
# second sees more calls than the rate, however threads and calls are held up on their way.
_LATE = 0.05
_APART = 1 + 2 * _LATE
# Lots of so many seconds fit into that margin even if they are used all at once.
_SMALL = _LATE / 4


# A process does not sleep for longer: the account rests, and others want to be looked at.
_FAR = timedelta(seconds=10)


def reserve(account_id: int, count: int, rate: float, now: datetime) -> list[datetime]:
    """Reserve ``count`` slots, 1/``rate`` seconds apart, and return their instants."""
    step = timedelta(seconds=1 / rate)
    while True:
        taken = Account.objects.values_list("reserved_until", flat=True).get(pk=account_id)
        start = max(taken or now, now)
        mine = Account.objects.filter(pk=account_id, reserved_until=taken)
        if mine.update(reserved_until=start + count * step):
            return [start + number * step for number in range(count)]


def hold_slots(account_id: int, until: datetime) -> None:
    """Let no slot of the account begin before ``until``: the cloud asked for a break."""
    early = Q(reserved_until=None) | Q(reserved_until__lt=until)
    Account.objects.filter(early, pk=account_id).update(reserved_until=until)


class Pace:
    """Hands out an account's slots, one after the other; ``expected`` of them are booked in lots.

    Threads wait for one another, so that no slot is taken before it is needed.
    """

    def __init__(self, account_id: int, rate: float, expected: int = 0) -> None:
        self._account_id, self._rate, self._expected = account_id, rate / _APART, expected
        self._patience = _LATE
        self._lock, self._owner = threading.Lock(), threading.get_ident()
        self._slots = deque(self._booked()) if expected else deque[datetime]()

    def __call__(self) -> None:
        """Block until the next slot."""
        with self._lock:
            while _slept(self._slot()) > self._patience:
                pass
            self._expected -= 1

    def _slot(self) -> datetime:
        if not self._slots:
            self._slots.extend(self._booked())
        slot = self._slots.popleft()
        if slot - datetime.now(UTC) > _FAR:
            raise RequestSkipped(Throttled("The account rests until its next slot.", slot))
        return slot

    def _booked(self) -> list[datetime]:
        count = max(1, min(self._expected, int(self._rate * _AHEAD)))
        self._patience = inf if count <= self._rate * _SMALL else _LATE
        return self._reserve(count)

    def _reserve(self, count: int) -> list[datetime]:
        try:
            return reserve(self._account_id, count, self._rate, datetime.now(UTC))
        finally:
            if threading.get_ident() != self._owner:
                # Each thread has a database connection of its own, which nobody else would close.
                connection.close()


def _slept(slot: datetime) -> float:
    """Sleep until the slot, and return how many seconds have passed since it then."""
    time.sleep(max(0.0, (slot - datetime.now(UTC)).total_seconds()))
    return (datetime.now(UTC) - slot).total_seconds()
