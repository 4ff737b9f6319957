"""When our own clock is set back, what waits for an instant waits as long as before."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import F

from restores.models import Account, Heartbeat, Instance, Project

_NOTICED = timedelta(minutes=1)
_INSTANTS: dict[type[models.Model], tuple[str, ...]] = {
    Account: ("reserved_until", "paused_until", "next_discovery_at"),
    Project: ("next_sync_at", "next_discovery_at", "lease_until"),
    Instance: ("next_sync_at", "backups_due_at", "lease_until", "synced_at"),
}


def follow(now: datetime) -> None:
    """Move the ledger's instants back if the last heartbeat lies in the future."""
    beat = Heartbeat.objects.values_list("at", flat=True).first()
    if beat is None or beat - now < _NOTICED:
        return
    for model, names in _INSTANTS.items():
        for name in names:
            earlier: dict[str, Any] = {name: F(name) - (beat - now)}
            model._default_manager.filter(**{f"{name}__gt": now}).update(**earlier)
