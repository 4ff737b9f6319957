"""Graceful shutdown of the worker: a pool process that is asked to stop claims nothing more.

Celery's warm shutdown waits for running tasks but does not tell the pool processes, so ours would
go on claiming batches. A process finishes what it has already claimed.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import Any

from billiard.process import active_children
from celery.signals import worker_process_init, worker_shutting_down

_STOP = signal.SIGUSR2
_stopping = False


def stopping() -> bool:
    """Return whether this process should claim nothing more."""
    return _stopping


@worker_process_init.connect
def _listen(**_: Any) -> None:
    signal.signal(_STOP, _stop)


@worker_shutting_down.connect
def _signal_pool(**_: Any) -> None:
    for child in active_children():
        with suppress(ProcessLookupError):
            os.kill(child.pid, _STOP)


def _stop(*_: object) -> None:
    global _stopping
    _stopping = True
