"""Tick watch: beat notices when the ticks it sends are taken from the broker but not finished.

A worker of another application, or of another deployment with the same CELERY_PREFIX, takes
messages from a queue that it shares with ours. A tick still waiting in the queue is not lost: our
own workers are down or busy.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import redis
from celery import current_app
from celery.signals import before_task_publish
from django.db import DatabaseError, InterfaceError, close_old_connections

from dashboard.worker_watchdog import connect_to_broker, count_waiting

logger = logging.getLogger(__name__)

WINDOW = 12  # ticks, one every five seconds: a minute


@dataclass(slots=True)
class TickWatch:
    """Which of the latest ticks were lost: neither finished nor waiting when the next was sent."""

    lost: deque[bool] = field(default_factory=lambda: deque(maxlen=WINDOW))
    finished_at: datetime | None = None

    def note(self, finished_at: datetime | None, waiting: int) -> bool | None:
        """Note the previous tick; return whether most are lost, None while there are too few."""
        self.lost.append(finished_at == self.finished_at and not waiting)
        self.finished_at = finished_at
        return sum(self.lost) > WINDOW / 2 if len(self.lost) == WINDOW else None


_watch = TickWatch()


@before_task_publish.connect(sender="restores.tasks.tick")
def _check(**_: Any) -> None:
    """Before the next tick is sent, check what became of the previous one."""
    from restores.models import Heartbeat  # not before Django is set up

    try:
        close_old_connections()
        with connect_to_broker() as broker:
            waiting = count_waiting(broker)
        found = dict(Heartbeat.objects.values_list("pk", "at"))
        lost = _watch.note(found.get(Heartbeat.TICK_FINISHED), waiting)
        if lost and Heartbeat.TICKS_LOST not in found:
            Heartbeat.objects.create(pk=Heartbeat.TICKS_LOST, at=datetime.now(UTC))
            logger.error(
                "Most ticks are taken from the broker and not finished. Either they fail (see the "
                "worker's log), or another program takes them: set a CELERY_PREFIX that no other "
                "deployment has (now %s).",
                current_app.conf.task_default_queue,
            )
        elif lost is False and Heartbeat.TICKS_LOST in found:
            Heartbeat.objects.filter(pk=Heartbeat.TICKS_LOST).delete()
            logger.warning("Ticks are being finished again.")
    except (DatabaseError, InterfaceError, redis.RedisError) as error:
        logger.debug("The ticks could not be checked: %s", error)
