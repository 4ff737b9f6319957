"""Counts of the requests to each account's cloud, by the status of the response.

A process counts in memory and adds its counts to the database once per task, so that counting
costs a request nothing.
"""

from __future__ import annotations

import threading
from collections import Counter

from django.db.models import F

from restores.models import Account, CallCount

# Statuses that are counted individually, the others by class: a cloud can't invent more of them.
STATUSES = (200, 201, 204, 400, 401, 403, 404, 429, 500, 502, 503, 504)
NO_RESPONSE = "none"

_counted: Counter[tuple[str, str]] = Counter()
_lock = threading.Lock()


def count(account: str, status: int | None) -> None:
    """Count a request of an account; the status is None if there was no response."""
    if status is None:
        name = NO_RESPONSE
    else:
        name = str(status) if status in STATUSES else f"{min(status // 100, 9)}xx"
    with _lock:
        _counted[account, name] += 1


def save() -> None:
    """Add what this process has counted since the last time to the database."""
    with _lock:
        pending = _counted.copy()
        _counted.clear()
    try:
        for (account, status), number in list(pending.items()):
            _add(account, status, number)
            del pending[account, status]
    finally:
        # Counts that the database did not take are added the next time.
        with _lock:
            _counted.update(pending)


def _add(account: str, status: str, number: int) -> None:
    more = {"count": F("count") + number}
    rows = CallCount.objects.filter(account__name=account, status=status)
    if not rows.update(**more):
        for row in Account.objects.filter(name=account):
            CallCount.objects.get_or_create(account=row, status=status)
            rows.update(**more)
