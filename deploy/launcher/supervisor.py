"""Child processes: started with a log file each, restarted when they die, stopped in order."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

from . import watchdog
from .console import describe_exit, printable, say

FIRST_DELAY, LONGEST_DELAY = 1.0, 30.0
STABLE_AFTER = 60.0
LARGEST_LOG = 5_000_000


class Stopped(Exception):
    """./run was asked to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A program: its name, its command line and its whole environment."""

    name: str
    command: Sequence[str | Path]
    environment: Mapping[str, str]


@dataclass(slots=True)
class Service:
    """A child that is kept running: its process, and when it may start again."""

    child: Child
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    restart_at: float = 0.0
    delay: float = FIRST_DELAY / 2

    def schedule_restart(self, now: float) -> None:
        """Restart after 1 s, doubling to 30 s for one that keeps dying within a minute."""
        stable = now - self.started_at >= STABLE_AFTER
        self.delay = FIRST_DELAY if stable else min(self.delay * 2, LONGEST_DELAY)
        self.process, self.restart_at = None, now + self.delay


class Supervisor:
    """The child processes of one ./run.

    ``holding``: descriptors, such as a lock, that stay open until the last child is gone, even
    if ./run is killed.
    """

    def __init__(
        self,
        *,
        root: Path,
        logs: Path,
        holding: Iterable[int] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._root, self._logs, self._clock = root, logs, clock
        self._services: list[Service] = []
        self._processes: list[subprocess.Popen[bytes]] = []
        self._stop_requests = 0
        pipe, self._watchdog_pipe = os.pipe()
        self._watchdog = subprocess.Popen(
            [sys.executable, "-I", "-S", watchdog.__file__],
            stdin=pipe,
            start_new_session=True,
            pass_fds=tuple(holding),
        )
        os.close(pipe)

    def stop_on_signals(self) -> None:
        """Take Ctrl-C, SIGTERM and a closing terminal as a request to stop."""
        signal.signal(signal.SIGINT, self._count_stop_request)
        signal.signal(signal.SIGTERM, self._count_stop_request)
        # nohup has SIGHUP ignored, which must stay so.
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self._count_stop_request)

    def start(self, child: Child) -> None:
        """Start a child and keep it running from now on."""
        self._services.append(Service(child))
        self._start(self._services[-1])

    def run(self, *children: Child) -> list[int]:
        """Run children in parallel to completion and return their exit statuses."""
        processes = [self._spawn_with_log(child) for child in children]
        while any(process.poll() is None for process in processes):
            self.tick()
        for process in processes:
            self._clean_up(process)
        return [process.returncode for process in processes]

    def output(self, child: Child) -> tuple[int, str]:
        """Run a child whose output is not for the logs; return its exit status and output."""
        process = self._spawn(child, subprocess.PIPE)
        output, _ = process.communicate()
        self._clean_up(process)
        return process.returncode, output.decode(errors="replace")

    def tick(self, seconds: float = 0.05) -> None:
        """Restart what has died, then sleep; raises Stopped once ./run was asked to stop."""
        for service in self._services:
            if service.process and (status := service.process.poll()) is not None:
                # A killed worker's pool would go on working next to its successor.
                self._clean_up(service.process)
                service.schedule_restart(self._clock())
                name = service.child.name
                say(f"{name} {describe_exit(status)}; restarting in {service.delay:.0f} s.")
            if service.process is None and self._clock() >= service.restart_at:
                self._start(service)
        if self._stop_requests:
            raise Stopped
        time.sleep(seconds)

    def log(self, name: str) -> Path:
        """The log file of the child with this name."""
        return self._logs / f"{name}.log"

    def log_tail(self, name: str, lines: int = 12) -> str:
        """Return the last lines of a child's log, safe to print."""
        return printable(
            "\n".join(self.log(name).read_text(errors="replace").splitlines()[-lines:])
        )

    def stop(self) -> None:
        """Stop all, last started first; each has 10 s, or none after a second stop request."""
        for process in reversed(self._processes.copy()):
            process.terminate()
            deadline = time.monotonic() + watchdog.GRACE
            while process.poll() is None and time.monotonic() < deadline:
                if self._stop_requests > 1:
                    break
                time.sleep(0.02)
            self._clean_up(process)
        self._services.clear()
        os.close(self._watchdog_pipe)
        self._watchdog.wait()

    def _start(self, service: Service) -> None:
        service.started_at = self._clock()
        try:
            service.process = self._spawn_with_log(service.child)
        except OSError as error:
            service.schedule_restart(self._clock())
            name = service.child.name
            say(f"{name} failed to start ({error}); retrying in {service.delay:.0f} s.")

    def _spawn(self, child: Child, output: int | IO[bytes]) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            child.command,
            env=child.environment,
            cwd=self._root,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._processes.append(process)
        self._tell_watchdog("+", process)
        return process

    def _spawn_with_log(self, child: Child) -> subprocess.Popen[bytes]:
        with open_log(self.log(child.name)) as log:
            return self._spawn(child, log)

    def _clean_up(self, process: subprocess.Popen[bytes]) -> None:
        watchdog.kill_group(process.pid)
        process.wait()
        self._processes.remove(process)
        self._tell_watchdog("-", process)

    def _tell_watchdog(self, sign: str, process: subprocess.Popen[bytes]) -> None:
        # Somebody may have killed the watchdog; that must not stop the dashboard.
        with suppress(OSError):
            os.write(self._watchdog_pipe, f"{sign}{process.pid}\n".encode())

    def _count_stop_request(self, number: int, frame: FrameType | None) -> None:
        self._stop_requests += 1


def open_log(path: Path) -> IO[bytes]:
    """Open a log to append to, readable by its owner only; one over 5 MB is renamed first."""
    if path.exists() and path.stat().st_size > LARGEST_LOG:
        path.replace(path.with_name(path.name + ".1"))
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab", buffering=0)
