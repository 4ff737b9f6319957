"""Lets a process of the worker that is told to end give back at once what it has claimed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from billiard.process import active_children
from celery.signals import worker_process_init, worker_shutting_down

from restores.sync.interrupts import Interrupted, interrupt

_WIND_DOWN = signal.SIGUSR2


class _Process:
    pooled = busy = terminated = False


@contextmanager
def interruptible() -> Iterator[None]:
    """End quietly what is broken off within, when this process is asked to end."""
    if _Process.pooled:
        # Whoever ends a whole process group, as systemd does, tells the pool's processes
        # themselves. Set here, because billiard sets its own after worker_process_init.
        signal.signal(signal.SIGTERM, _end)
    _Process.busy = True
    try:
        yield
    except Interrupted:
        pass
    finally:
        _Process.busy = False
    if _Process.terminated:
        _die()


@worker_process_init.connect
def _listen(**_: Any) -> None:
    _Process.pooled = True
    signal.signal(_WIND_DOWN, _end)


@worker_shutting_down.connect
def _pass_on(**_: Any) -> None:
    for child in active_children():
        with suppress(ProcessLookupError):
            os.kill(child.pid, _WIND_DOWN)


def _end(number: int, _frame: FrameType | None) -> None:
    _Process.terminated |= number == signal.SIGTERM
    if _Process.terminated and not _Process.busy:
        _die()
    interrupt()


def _die() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTERM)
