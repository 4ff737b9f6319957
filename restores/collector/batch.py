"""A batch of due instances: claimed, looked at, and given back where that was broken off."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from django.db import InterfaceError, OperationalError, connection

from restores.collector import endings, ledger
from restores.collector.clouds import Cloud
from restores.collector.look import Look, look_at
from restores.dcs.faults import Unreachable
from restores.models import Instance, Project

logger = logging.getLogger(__name__)

# So many looks in a row without an answer: the rest would only hang as well.
_HOPELESS = 16
_REST = timedelta(seconds=10)


class Interrupted(Exception):
    """This process is asked to end: what it has not looked at yet is left to another one."""


def look_at_due(clouds: Mapping[str, Cloud]) -> int:
    """Look at due instances of one project, for a second or so; return how many were claimed."""
    claimed = ledger.claim_instances(datetime.now(UTC), _rates(clouds))
    return _look_at(_Hand(claimed), clouds)


def look_at_news(clouds: Mapping[str, Cloud], project: Project, since: datetime) -> int:
    """Look at what the project's look that began at ``since`` has made due."""
    claimed = ledger.claim_news(project, since, datetime.now(UTC), _rates(clouds))
    return _look_at(_Hand(claimed), clouds)


def _rates(clouds: Mapping[str, Cloud]) -> dict[str, float]:
    return {name: cloud.account.rate for name, cloud in clouds.items()}


class _Hand:
    """The instances of one project that were claimed; ``left`` are those not ended yet."""

    def __init__(self, claimed: Sequence[Instance]) -> None:
        self.claimed = list(claimed)
        self.left = {instance.pk: instance for instance in claimed}
        self._unanswered = 0
        # An account whose rate allows no full batch has no use for more of them at once.
        self._takes = len(claimed) == ledger.BATCH
        self._until = time.monotonic() + ledger.BOOKED

    def more(self) -> list[Instance]:
        """Claim another batch of the project, if that still works and has not lasted too long."""
        if not self._takes or time.monotonic() > self._until:
            return []
        further = ledger.claim_more(self.claimed[0].project, datetime.now(UTC))
        self._takes = len(further) == ledger.BATCH
        self.claimed += further
        self.left |= {instance.pk: instance for instance in further}
        return further

    def ended(self, look: Look) -> None:
        if not look.late:
            del self.left[look.instance.pk]
        self._takes = self._takes and not look.fault
        self._unanswered = self._unanswered + 1 if isinstance(look.fault, Unreachable) else 0

    @property
    def hopeless(self) -> bool:
        return self._unanswered >= _HOPELESS


def _look_at(hand: _Hand, clouds: Mapping[str, Cloud]) -> int:
    """Look at what was claimed; return how many they were.

    A look that breaks off without its own doing, because the worker ends or the database is away,
    is due again at once; one that raises or takes too long is claimed alone from then on.
    """
    if not hand.claimed:
        return 0
    try:
        _look(hand, clouds[hand.claimed[0].project.account.name])
    except (Interrupted, OperationalError, InterfaceError):
        give_back(hand.claimed, blameless=True)
        raise
    except BaseException:
        give_back(hand.claimed, blameless=False)
        raise
    return len(hand.claimed)


def _look(hand: _Hand, cloud: Cloud) -> None:
    for look in look_at(hand.claimed[:], cloud, hand.more):
        hand.ended(look)
        if hand.hopeless:
            break
    endings.given_back(list(hand.left.values()), blameless=True, wait=_REST)


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
