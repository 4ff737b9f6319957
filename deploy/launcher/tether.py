"""Ties processes to ./run: a small keeper ends them all when ./run is gone, even by kill -9.

The keeper reads the process ids from a pipe that only ./run can write to; the pipe's end is the
end of ./run. Unlike PR_SET_PDEATHSIG this works outside Linux, and it reaches the children's own
children, because each process leads a session of its own.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

GRACE = 10.0


class Tether:
    """Starts processes that end with ./run, however ./run ends."""

    def __init__(self, *, holding: Iterable[int] = ()) -> None:
        """``holding``: descriptors, such as a lock, kept open until the last process is gone."""
        heard, self._line = os.pipe()
        self._keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__],
            stdin=heard,
            start_new_session=True,
            pass_fds=tuple(holding),
        )
        os.close(heard)
        self._running: list[subprocess.Popen[bytes]] = []

    def spawn(
        self,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str],
        folder: Path,
        output: int | IO[bytes] = subprocess.PIPE,
        holding: Iterable[int] = (),
    ) -> subprocess.Popen[bytes]:
        """Start ``command``; its output and its errors go to one place."""
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=tuple(holding),
        )
        self._running.append(process)
        self._tell("+", process.pid)
        return process

    def end(
        self, process: subprocess.Popen[bytes], hurried: Callable[[], bool] = lambda: False
    ) -> None:
        """Ask ``process`` to end, for 10 s or until ``hurried()``; then kill what is left."""
        process.terminate()
        deadline = time.monotonic() + GRACE
        while process.poll() is None and time.monotonic() < deadline and not hurried():
            time.sleep(0.02)
        self.sweep(process)

    def sweep(self, process: subprocess.Popen[bytes]) -> None:
        """Kill whatever is left of ``process`` and of those it has started."""
        send(process.pid, signal.SIGKILL)
        process.wait()
        self._running.remove(process)
        self._tell("-", process.pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in reversed(self._running.copy()):
            self.end(process)
        os.close(self._line)
        self._keeper.wait()

    def _tell(self, sign: str, pid: int) -> None:
        # Somebody may have killed the keeper by hand; that must not stop the dashboard.
        with contextlib.suppress(OSError):
            os.write(self._line, f"{sign}{pid}\n".encode())


def send(group: int, number: int) -> None:
    """Send a signal to a process group that may be gone."""
    # PermissionError: on macOS, of a group whose only member is a zombie.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def keep(lines: Iterable[str]) -> None:
    """Follow who lives until the lines end; then end who still does."""
    living: set[int] = set()
    for line in lines:
        (living.add if line[0] == "+" else living.discard)(int(line[1:]))
    deadline = time.monotonic() + GRACE
    asked: int = signal.SIGTERM
    while living and time.monotonic() < deadline:
        for pid in living.copy():
            try:
                # Only the leader: it knows in which order its own children end.
                os.kill(pid, asked)
            except ProcessLookupError:
                send(pid, signal.SIGKILL)
                living.remove(pid)
        asked = 0
        time.sleep(0.05)
    for pid in living:
        send(pid, signal.SIGKILL)


if __name__ == "__main__":
    for polite in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(polite, signal.SIG_IGN)
    keep(sys.stdin)
