"""Keeps children alive: restarts the dead with growing patience, stops the living in order."""

import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .output import follow
from .tether import Tether
from .words import ending, say

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
SETTLED = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A program to keep running: its name, its command line, all it may know."""

    name: str
    command: Sequence[str | Path]
    environment: Mapping[str, str]


@dataclass(slots=True)
class Life:
    """One child's process, and when it may start again."""

    child: Child
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    due_at: float = 0.0
    pause: float = field(default=FIRST_PAUSE / 2)

    def died(self, now: float) -> None:
        """Plan the next start: after 1 s, doubling to 30 s for one that keeps dying."""
        settled = now - self.started_at >= SETTLED
        self.pause = FIRST_PAUSE if settled else min(self.pause * 2, LONGEST_PAUSE)
        self.process, self.due_at = None, now + self.pause


class Family:
    """The children of one ./run, in the order in which they were started."""

    def __init__(
        self, tether: Tether, *, root: Path, logs: Path, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._tether, self._root, self._logs, self._clock = tether, root, logs, clock
        self._lives: list[Life] = []
        # By process: who carries on what it says.
        self._voices: dict[int, threading.Thread] = {}

    def start(self, child: Child) -> None:
        """Start ``child`` and keep it alive from now on."""
        life = Life(child)
        self._lives.append(life)
        self._begin(life)

    def spawn(self, child: Child) -> subprocess.Popen[bytes]:
        """Start ``child`` once, its output carried on like everybody's."""
        process = self._tether.spawn(
            child.command, environment=child.environment, folder=self._root
        )
        assert process.stdout  # noqa: S101 - a pipe was asked for; mypy cannot know
        voice = follow(child.name, process.stdout, self._logs / f"{child.name}.log")
        self._voices = {pid: v for pid, v in self._voices.items() if v.is_alive()}
        self._voices[process.pid] = voice
        return process

    def tend(self) -> None:
        """Notice who has died and start again whose pause is over."""
        for life in self._lives:
            if life.process and (status := life.process.poll()) is not None:
                # What a killed worker leaves behind would go on working beside its successor.
                self._tether.sweep(life.process)
                life.died(self._clock())
                say(f"{life.child.name} {ending(status)}; it starts again in {life.pause:.0f} s.")
            if life.process is None and self._clock() >= life.due_at:
                self._begin(life)

    def stop(self, *, hurried: Callable[[], bool] = lambda: False) -> None:
        """End all, last started first; each has 10 s to do so, none once ``hurried()``."""
        while self._lives:
            if process := self._lives.pop().process:
                self._tether.end(process, hurried)
                # Its last words come before those of the next.
                if voice := self._voices.get(process.pid):
                    voice.join(timeout=1)
        for voice in self._voices.values():
            voice.join(timeout=1)

    def _begin(self, life: Life) -> None:
        life.started_at = self._clock()
        try:
            life.process = self.spawn(life.child)
        except OSError as error:
            life.died(self._clock())
            say(f"{life.child.name} cannot start ({error}); next try in {life.pause:.0f} s.")
