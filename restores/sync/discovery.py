"""The projects of accounts that leave it to us to find them: asked for in IAM once per hour."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from django.db.models import Q, QuerySet

from restores.dcs.faults import BadAnswer, Fault
from restores.dcs.iam import reachable_projects
from restores.models import Account
from restores.sync import endings, roster, turns
from restores.sync.clouds import Cloud

_EVERY = timedelta(hours=1)
_AGAIN = timedelta(minutes=5)


def due_accounts(clouds: Mapping[str, Cloud], now: datetime) -> QuerySet[Account]:
    """Accounts whose projects are to be found, and that do not rest."""
    names = [name for name, cloud in clouds.items() if cloud.account.discovery]
    return Account.objects.filter(
        Q(next_discovery_at=None) | Q(next_discovery_at__lte=now),
        *turns.open_accounts(now + turns.PROJECT_PATIENCE, now, ""),
        name__in=names,
    )


def discover(clouds: Mapping[str, Cloud], now: datetime) -> Iterator[tuple[str, Fault | None]]:
    """Find the projects of the accounts that are due; yield their names, and faults if any."""
    for account in due_accounts(clouds, now):
        mine = due_accounts(clouds, now).filter(pk=account.pk)
        # Whoever moves the time ahead has the account; when it fails, it is tried again by then.
        if mine.update(next_discovery_at=now + _AGAIN):
            yield account.name, _discovered(account, clouds[account.name])


def _discovered(account: Account, cloud: Cloud) -> Fault | None:
    try:
        found = reachable_projects(cloud.iam(account), cloud.account.endpoint)
        if flaw := roster.enrol_found(account, cloud.account, cloud.named, found):
            raise BadAnswer(flaw)
    except Fault as fault:
        endings.discovery_failed(account, fault, datetime.now(UTC))
        return fault
    endings.discovery_proven(account, datetime.now(UTC) + _EVERY)
    return None
