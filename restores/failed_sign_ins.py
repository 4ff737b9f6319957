"""Limits on wrong passwords, per account and per address, counted in the database.

In memory, each web process would have its own count.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from restores.models import Event, FailedSignIn

WINDOW = timedelta(minutes=15)
# Colleagues may share an address.
LIMITS = {"account": 10, "address": 40}


class TooManyFailures(Exception):
    """Too many sign-ins have failed: no password is checked for ``seconds``."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


@contextmanager
def limited(account: str, address: str) -> Iterator[None]:
    """Check a password within the limits: a ValidationError means that it was wrong.

    The account need not exist. Raises TooManyFailures instead of checking.
    """
    now = timezone.now()
    FailedSignIn.objects.filter(at__lte=now - WINDOW).delete()
    # Count before checking, or many attempts at once would all get past the limit.
    attempt = FailedSignIn.objects.create(account=account.casefold()[:150], address=address, at=now)
    failures = {name: _earlier(attempt, name) for name in LIMITS if getattr(attempt, name)}
    full = [times[-1] for name, times in failures.items() if len(times) == LIMITS[name]]
    if full:
        attempt.delete()
        raise TooManyFailures(ceil((max(full) + WINDOW - now).total_seconds()))
    try:
        yield
    except ValidationError:
        subject = f"{account[:150]} from {address or 'an unknown address'}"
        Event.objects.create(what="sign-in failed", subject=subject)
        for name, times in failures.items():
            if len(times) == LIMITS[name] - 1:
                Event.objects.create(what=f"sign-ins blocked by {name}", subject=subject)
        raise
    FailedSignIn.objects.filter(Q(pk=attempt.pk) | Q(account=attempt.account)).delete()


def client_address(request: HttpRequest) -> str:
    """Return the client's address, or its network for IPv6; empty if it is unknown.

    Of ``X-Forwarded-For``, only what addresses in TRUSTED_PROXIES have added counts.
    """
    hops = [request.META.get("REMOTE_ADDR", "")]
    hops += reversed(request.headers.get("X-Forwarded-For", "").split(","))
    address = ""
    for hop in hops:
        try:
            found = ip_address(hop.strip())
        except ValueError:
            break
        if isinstance(found, IPv6Address):
            found = found.ipv4_mapped or found
        wide = isinstance(found, IPv6Address)
        address = str(ip_network((found, 64), strict=False)) if wide else str(found)
        if not any(found in network for network in settings.TRUSTED_PROXIES):
            break
    return address


def _earlier(attempt: FailedSignIn, name: str) -> list[datetime]:
    """The times of the last failures with the same account or address, up to the limit."""
    rows = FailedSignIn.objects.filter(**{name: getattr(attempt, name)}, pk__lt=attempt.pk)
    return list(rows.order_by("-pk").values_list("at", flat=True)[: LIMITS[name]])
