"""A batch of due instances: claimed, looked at, and given back where that was broken off."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from django.db import InterfaceError, OperationalError, connection

from restores.collector import endings, ledger
from restores.collector.clouds import Cloud
from restores.collector.look import look_at
from restores.dcs.faults import Unreachable
from restores.models import Instance, Project

logger = logging.getLogger(__name__)

# So many looks in a row without an answer: the rest would only hang as well.
_HOPELESS = 16
_REST = timedelta(seconds=10)


class Interrupted(Exception):
    """This process is asked to end: what it has not looked at yet is left to another one."""


def look_at_due(clouds: Mapping[str, Cloud]) -> int:
    """Look at a batch of due instances; return how many were claimed."""
    return _look_at(ledger.claim_instances(datetime.now(UTC), _rates(clouds)), clouds)


def look_at_news(clouds: Mapping[str, Cloud], project: Project, since: datetime) -> int:
    """Look at what the project's look that began at ``since`` has made due."""
    claimed = ledger.claim_news(project, since, datetime.now(UTC), _rates(clouds))
    return _look_at(claimed, clouds)


def _rates(clouds: Mapping[str, Cloud]) -> dict[str, float]:
    return {name: cloud.account.rate for name, cloud in clouds.items()}


def _look_at(claimed: Sequence[Instance], clouds: Mapping[str, Cloud]) -> int:
    """Look at what was claimed; return how many they were.

    A look that breaks off without its own doing, because the worker ends or the database is away,
    is due again at once; one that raises or takes too long is claimed alone from then on.
    """
    if not claimed:
        return 0
    try:
        _look(claimed, clouds[claimed[0].project.account.name])
    except (Interrupted, OperationalError, InterfaceError):
        give_back(claimed, blameless=True)
        raise
    except BaseException:
        give_back(claimed, blameless=False)
        raise
    return len(claimed)


def give_back(claimed: Sequence[Instance] | Sequence[Project], *, blameless: bool) -> None:
    """Give back as soon as the database lets us; the leases would last longer than most outages."""
    until = time.monotonic() + ledger.LEASE.total_seconds()
    while time.monotonic() < until:
        try:
            count = endings.given_back(claimed, blameless=blameless)
            logger.warning("A look was broken off; %d claims are given back.", count)
            return
        except (OperationalError, InterfaceError):
            connection.close()
            time.sleep(1)


def _look(claimed: Sequence[Instance], cloud: Cloud) -> None:
    unanswered, left = 0, {instance.pk: instance for instance in claimed}
    for look in look_at(claimed, cloud):
        if not look.late:
            del left[look.instance.pk]
        unanswered = unanswered + 1 if isinstance(look.fault, Unreachable) else 0
        if unanswered >= _HOPELESS:
            break
    endings.given_back(list(left.values()), blameless=True, wait=_REST)
