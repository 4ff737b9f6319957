"""Whether the collector stands still."""

from __future__ import annotations

from datetime import datetime, timedelta

from restores.models import Heartbeat
from restores.querysets.asking import Bound, pose

# Twelve ticks without a finished one.
_AFTER = timedelta(seconds=60)


def heartbeat() -> Bound:
    """When a worker finished a tick last, to be asked."""
    return pose("heartbeat", lambda: Heartbeat.objects.values_list("at", flat=True)[:1])


def stalled_since(now: datetime, beats: Bound | None = None) -> datetime | None:
    """Return since when no worker has finished a tick, or None while one does.

    None too before the first tick of a new installation: nothing has stopped there. ``beats`` is
    the ``heartbeat``, if it has been asked already.
    """
    beat: datetime | None = next(iter((beats or heartbeat()).rows), None)
    return beat if beat and now - beat > _AFTER else None
