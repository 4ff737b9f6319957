"""Ends a worker that is connected but takes no messages, so that its supervisor starts it anew.

Clients of Redis are known to come back from a lost connection without listening to their queue
again (celery#8030, #8091, #10205). Such a process lives, answers and does nothing.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from dataclasses import dataclass
from typing import Any

import redis
from celery import current_app
from celery.signals import task_received, worker_ready
from celery.worker import state

logger = logging.getLogger(__name__)

EVERY = 5.0  # seconds
# A worker that holds nothing takes a waiting message at once.
IDLE_PATIENCE = 30.0
# One that holds something may be at a look for a minute, then its time limit ends it.
BUSY_PATIENCE = 120.0
_FAREWELL = 10.0
_EXIT = 70


@dataclass(slots=True)
class Watch:
    """Since when messages wait and none of them is taken."""

    since: float | None = None
    waiting: int = 0
    taken: int = 0

    def stalled(self, now: float, *, waiting: int, taken: int, busy: bool) -> bool:
        """Say whether the worker has stalled: ``waiting`` messages, ``taken`` so far, by now."""
        moved = not waiting or taken != self.taken or waiting < self.waiting
        self.waiting, self.taken = waiting, taken
        if moved or self.since is None:
            self.since = now
        return now - self.since > (BUSY_PATIENCE if busy else IDLE_PATIENCE)


def broker_address(url: str) -> str:
    """Return Celery's broker URL as redis-py spells it: sockets and databases differ."""
    if not url.startswith("redis+socket://"):
        return url
    return url.replace("redis+socket://", "unix://", 1).replace("virtual_host=", "db=", 1)


@worker_ready.connect
def _begin(**_: Any) -> None:
    threading.Thread(target=_watch, name="liveness", daemon=True).start()


@task_received.connect
def _count(**_: Any) -> None:
    _Taken.count += 1


class _Taken:
    count = 0


def _watch() -> None:
    watch, queue = Watch(), current_app.conf.task_default_queue
    address = broker_address(current_app.conf.broker_url)
    broker = redis.Redis.from_url(address, socket_timeout=5, socket_connect_timeout=2)
    _warn_of_eviction(broker)
    while True:
        time.sleep(EVERY)
        try:
            waiting = int(broker.llen(queue))
        except redis.RedisError:
            waiting = 0  # without a broker nobody can take anything, and a new start helps nobody
        busy = bool(state.reserved_requests)
        if watch.stalled(time.monotonic(), waiting=waiting, taken=_Taken.count, busy=busy):
            _end(waiting)


def _warn_of_eviction(broker: redis.Redis) -> None:
    try:
        policy = broker.info("memory").get("maxmemory_policy", "noeviction")
    except redis.RedisError:
        return  # not every broker tells
    if policy != "noeviction":
        logger.warning(
            "The broker may drop messages when its memory is full (maxmemory-policy %s); "
            "nothing is lost by that, but looks come late. Set maxmemory-policy noeviction.",
            policy,
        )


def _end(waiting: int) -> None:
    logger.critical("%d messages wait and this worker takes none: it ends.", waiting)
    state.should_stop = _EXIT
    time.sleep(_FAREWELL)
    os._exit(_EXIT)
