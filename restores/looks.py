"""Looks that somebody asks for: the ledger row becomes due, and the next tick finds it."""

from datetime import datetime, timedelta

from django.db.models import Q

from restores.querysets import InstanceQuerySet

# An instance looked at more recently than this is not looked at again on demand.
REST = timedelta(seconds=10)


def ask_for_look(instances: InstanceQuerySet, now: datetime) -> int:
    """Make those due that may be asked for, and return how many became due.

    Left alone are those not monitored, due already, held by a worker or looked at a moment ago.
    One that was set aside is tried again, with an attempt on its account: the collector then
    takes it alone, so that it cannot take others with it.
    """
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    rested = Q(synced_at=None) | Q(synced_at__lte=now - REST)
    open_to_ask = instances.monitored().filter(free, rested)
    parked = open_to_ask.filter(sync_error_kind="parked")
    cleared = {
        "sync_error_kind": "",
        "sync_error_message": "",
        "sync_error_since": None,
        "sync_error_request_id": "",
    }
    freed = parked.update(next_sync_at=now, attempts=1, **cleared)
    idle = open_to_ask.filter(Q(next_sync_at=None) | Q(next_sync_at__gt=now))
    return freed + idle.update(next_sync_at=now)
