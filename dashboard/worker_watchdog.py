"""Watchdog of the worker: a worker that takes no messages exits, so that it is restarted.

Redis clients are known to come back from a lost connection without listening to their queue again
(celery#8030, #8091, #10205). Such a worker is alive, answers pings and does nothing.
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

CHECK_SECONDS = 5.0
# An idle worker takes a waiting message immediately.
IDLE_LIMIT = 30.0
# A working one may be busy for a minute, until its time limit.
BUSY_LIMIT = 120.0
_EXIT_STATUS = 70
_EXIT_SECONDS = 10.0


@dataclass(slots=True)
class Watchdog:
    """How long messages have been waiting while none was taken."""

    since: float | None = None
    waiting: int = 0
    taken: int = 0

    def stalled(self, now: float, *, waiting: int, taken: int, busy: bool) -> bool:
        """Return whether the worker has stalled, by the messages waiting and taken so far."""
        progress = not waiting or taken != self.taken or waiting < self.waiting
        self.waiting, self.taken = waiting, taken
        if progress or self.since is None:
            self.since = now
        return now - self.since > (BUSY_LIMIT if busy else IDLE_LIMIT)


def broker_address(url: str) -> str:
    """Return Celery's broker URL in the form that redis-py reads: Unix sockets differ."""
    if not url.startswith("redis+socket://"):
        return url
    return url.replace("redis+socket://", "unix://", 1).replace("virtual_host=", "db=", 1)


def connect_to_broker() -> redis.Redis:
    """Return a client of the broker that never waits for long."""
    address = broker_address(current_app.conf.broker_url)
    return redis.Redis.from_url(address, socket_timeout=5, socket_connect_timeout=2)


def count_waiting(broker: redis.Redis) -> int:
    """Count the messages in this deployment's queue."""
    prefix = current_app.conf.broker_transport_options["global_keyprefix"]
    return int(broker.llen(f"{prefix}{current_app.conf.task_default_queue}"))


_taken = 0


@task_received.connect
def _count(**_: Any) -> None:
    global _taken
    _taken += 1


@worker_ready.connect
def _start(**_: Any) -> None:
    threading.Thread(target=_watch, name="watchdog", daemon=True).start()


def _watch() -> None:
    watchdog, broker = Watchdog(), connect_to_broker()
    _warn_of_eviction(broker)
    while True:
        time.sleep(CHECK_SECONDS)
        try:
            waiting = count_waiting(broker)
        except redis.RedisError:
            waiting = 0  # without a broker there are no messages, and a restart would not help
        busy = bool(state.reserved_requests)
        if watchdog.stalled(time.monotonic(), waiting=waiting, taken=_taken, busy=busy):
            logger.critical("%d messages are waiting and this worker takes none; exiting.", waiting)
            state.should_stop = _EXIT_STATUS
            time.sleep(_EXIT_SECONDS)
            os._exit(_EXIT_STATUS)


def _warn_of_eviction(broker: redis.Redis) -> None:
    try:
        policy = broker.info("memory").get("maxmemory_policy", "noeviction")
    except redis.RedisError:
        return  # not every broker has this command
    if policy != "noeviction":
        logger.warning(
            "The broker may drop messages when its memory is full (maxmemory-policy %s). "
            "Nothing is lost, but syncs are delayed. Set maxmemory-policy noeviction.",
            policy,
        )
