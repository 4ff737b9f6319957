"""Looks that somebody asks for: the ledger row becomes due, and the next tick finds it."""

from datetime import datetime, timedelta

from django.db.models import Q

from restores.querysets import InstanceQuerySet

# An instance looked at more recently than this is not looked at again on demand.
REST = timedelta(seconds=10)


def ask_for_look(instances: InstanceQuerySet, now: datetime) -> int:
    """Make those due that may be asked for, and return how many became due.

    Left alone are those not watched, due already, held by a worker or looked at a moment ago.
    One that was set aside is tried again, with an attempt on its account: the collector then
    takes it alone, so that it cannot take others with it.
    """
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    rested = Q(looked_at=None) | Q(looked_at__lte=now - REST)
    open_to_ask = instances.watched().filter(free, rested)
    parked = open_to_ask.filter(fault_kind="parked")
    cleared = {"fault_kind": "", "fault_text": "", "fault_since": None, "fault_request_id": ""}
    freed = parked.update(next_due_at=now, attempts=1, **cleared)
    idle = open_to_ask.filter(Q(next_due_at=None) | Q(next_due_at__gt=now))
    return freed + idle.update(next_due_at=now)
