"""Limits on wrong passwords, per account and per address, counted in the database.

In memory, each web process would have its own count.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from math import ceil

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from restores import audit
from restores.audit import Kind
from restores.client_address import client_address
from restores.models import FailedSignIn

WINDOW = timedelta(minutes=15)
# Colleagues may share an address.
LIMITS = {"account": 10, "address": 40}


class TooManyFailures(Exception):
    """Too many sign-ins have failed: no password is checked for ``seconds``."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


@contextmanager
def limited(request: HttpRequest, account: str, checked: str = "password") -> Iterator[None]:
    """Check a password or a code within the limits: a ValidationError means that it was wrong.

    The account need not exist. Codes are counted apart, because the right password resets its
    count. Raises TooManyFailures instead of checking.
    """
    counted = account if checked == "password" else f"{checked} of {account}"
    now, address = timezone.now(), client_address(request)
    FailedSignIn.objects.filter(at__lte=now - WINDOW).delete()
    # Count before checking, or many simultaneous attempts would all get past the limit.
    attempt = FailedSignIn.objects.create(account=counted.casefold()[:150], address=address, at=now)
    failures = {name: _earlier(attempt, name) for name in LIMITS if getattr(attempt, name)}
    full = [times[-1] for name, times in failures.items() if len(times) == LIMITS[name]]
    if full:
        attempt.delete()
        raise TooManyFailures(ceil((max(full) + WINDOW - now).total_seconds()))
    try:
        yield
    except ValidationError:
        audit.record_failed_sign_in(request, Kind.SIGN_IN_FAILED, account, f"wrong {checked}")
        for name, times in failures.items():
            if len(times) == LIMITS[name] - 1:
                about = f"limit of wrong {checked}s per {name} reached"
                audit.record_failed_sign_in(request, Kind.BLOCKED, account, about)
        raise
    FailedSignIn.objects.filter(Q(pk=attempt.pk) | Q(account=attempt.account)).delete()


def _earlier(attempt: FailedSignIn, name: str) -> list[datetime]:
    """The times of the last failures with the same account or address, up to the limit."""
    rows = FailedSignIn.objects.filter(**{name: getattr(attempt, name)}, pk__lt=attempt.pk)
    return list(rows.order_by("-pk").values_list("at", flat=True)[: LIMITS[name]])
