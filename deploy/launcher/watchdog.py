"""Ends the child processes of a ./run that is gone, even by kill -9.

It is a separate process that reads from a pipe that only ./run can write to: ``+PID`` when a
child starts, ``-PID`` when it is gone. The end of the pipe is the end of ./run. Unlike
PR_SET_PDEATHSIG this works on macOS too, and it reaches the children's own children, because each
child leads a process group.
"""

import os
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress

GRACE = 10.0


def kill_group(pid: int) -> None:
    """Kill what is left of a process and of those that it started."""
    # PermissionError: on macOS, for a group whose only member is a zombie.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def watch(lines: Iterable[str]) -> None:
    """Track which children are alive until the lines end; then end those that still are."""
    alive: set[int] = set()
    for line in lines:
        (alive.add if line[0] == "+" else alive.discard)(int(line[1:]))
    deadline = time.monotonic() + GRACE
    number: int = signal.SIGTERM
    while alive and time.monotonic() < deadline:
        for pid in alive.copy():
            try:
                # Only the leader: it knows in which order to end its own children.
                os.kill(pid, number)
            except ProcessLookupError:
                kill_group(pid)
                alive.remove(pid)
        number = 0
        time.sleep(0.05)
    for pid in alive:
        kill_group(pid)


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    watch(sys.stdin)
