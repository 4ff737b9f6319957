"""Hears the requests to stop: Ctrl-C, SIGTERM, a terminal that closes."""

import signal
import time
from types import FrameType


class Stopped(Exception):
    """Somebody asked ./run to stop."""


class StopRequests:
    """Counts the requests to stop, from its making on; the second one means at once."""

    def __init__(self) -> None:
        self._heard = 0
        signal.signal(signal.SIGINT, self._hear)
        signal.signal(signal.SIGTERM, self._hear)
        # nohup has it ignored, and wants that kept.
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self._hear)

    def hurried(self) -> bool:
        """Whether a second request came."""
        return self._heard > 1

    def pause(self, seconds: float) -> None:
        """Sleep, unless ./run was asked to stop: that raises Stopped."""
        if self._heard:
            raise Stopped
        time.sleep(seconds)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self._heard += 1
