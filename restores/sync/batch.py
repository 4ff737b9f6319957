"""A batch of due instances: claimed, looked at, and given back where that was broken off."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from django.db import InterfaceError, OperationalError, connection

from restores.dcs.faults import Unreachable
from restores.models import Instance, Project
from restores.sync import endings, ledger
from restores.sync.clouds import Cloud
from restores.sync.interrupts import Interrupted
from restores.sync.look import Look, look_at

logger = logging.getLogger(__name__)

# So many looks in a row without an answer: the rest would only hang as well.
_HOPELESS = 16
_REST = timedelta(seconds=10)
# Seconds for which further batches are claimed; then it is the turn of due projects.
_GROWS = 1.0


def look_at_due(clouds: Mapping[str, Cloud]) -> int:
    """Look at due instances of one project, for a second or so; return how many were claimed."""
    rates = _rates(clouds)
    claimed = ledger.claim_instances(datetime.now(UTC), rates)
    return _look_at(_Claims(claimed, rates), clouds)


def look_at_news(clouds: Mapping[str, Cloud], project: Project, since: datetime) -> int:
    """Look at what the project's look that began at ``since`` has made due."""
    claimed = ledger.claim_news(project, since, datetime.now(UTC), _rates(clouds))
    return _look_at(_Claims(claimed, {}), clouds)


def _rates(clouds: Mapping[str, Cloud]) -> dict[str, float]:
    return {name: cloud.account.rate for name, cloud in clouds.items()}


class _Claims:
    """Instances of one project that this process has claimed; ``left`` are not ended yet."""

    def __init__(self, claimed: Sequence[Instance], rates: Mapping[str, float]) -> None:
        self.count = len(claimed)
        self.project = claimed[0].project if claimed else None
        self.left = {instance.pk: instance for instance in claimed}
        rate = rates.get(self.project.account.name, 0) if self.project else 0
        # An account that is held up by its rate has no use for more of them at once.
        self._growing = rate >= 2 * ledger.BATCH and self.count == ledger.BATCH
        self._until = time.monotonic() + _GROWS
        self._unanswered = 0

    def more(self) -> list[Instance]:
        """Claim another batch of the project, if that still works and has not lasted too long."""
        if not self.project or not self._growing or time.monotonic() > self._until:
            return []
        further = ledger.claim_more(self.project, datetime.now(UTC))
        self.left |= {instance.pk: instance for instance in further}
        self.count += len(further)
        self._growing = len(further) == ledger.BATCH
        return further

    def ended(self, look: Look) -> None:
        """Take note of a look's end; after a fault no further one is begun."""
        if not look.late:
            del self.left[look.instance.pk]
        self._growing = self._growing and not look.fault
        self._unanswered = self._unanswered + 1 if isinstance(look.fault, Unreachable) else 0

    @property
    def hopeless(self) -> bool:
        return self._unanswered >= _HOPELESS


def _look_at(claims: _Claims, clouds: Mapping[str, Cloud]) -> int:
    """Look at what was claimed; return how many they were.

    A look that breaks off without its own doing, because the worker ends or the database is away,
    is due again at once; one that raises or takes too long is claimed alone from then on.
    """
    if not claims.project:
        return 0
    try:
        _look(claims, clouds[claims.project.account.name])
    except (Interrupted, OperationalError, InterfaceError):
        give_back(list(claims.left.values()), blameless=True)
        raise
    except BaseException:
        give_back(list(claims.left.values()), blameless=False)
        raise
    return claims.count


def _look(claims: _Claims, cloud: Cloud) -> None:
    for look in look_at(list(claims.left.values()), cloud, claims.more):
        claims.ended(look)
        if claims.hopeless:
            break
    endings.given_back(list(claims.left.values()), blameless=True, wait=_REST)


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
