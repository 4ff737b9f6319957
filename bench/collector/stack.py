"""Real processes: stand-in cloud, broker, worker and beat, ended whatever happens."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

from deploy.launcher.ports import fetched, free_port, pongs

_CELERY = ("-m", "celery", "--quiet", "-A", "dashboard")


class Stack:
    """A context in which a cloud of ``instances`` is collected by a real worker and beat.

    Only the first three projects are monitored; all are of one account.
    """

    def __init__(self, folder: Path, *, instances: int, rate: int, interval: int) -> None:
        self._folder, self._instances = folder, instances
        self._rate, self._interval = rate, interval
        self._stack = ExitStack()

    def __enter__(self) -> Stack:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def asked(self, path: str, body: Mapping[str, object] | None = None) -> dict:
        """Make one of the simulator's own calls."""
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._cloud}{path}", content)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or b"{}")

    def _start(self) -> None:
        port = free_port()
        self._cloud = f"http://127.0.0.1:{port}"
        size = ("--instances", str(self._instances), "--restores", str(self._instances))
        self._run("simulator", "manage.py", "simulate_dcs", "--port", str(port), *size)
        until(lambda: fetched(f"{self._cloud}/_healthz") is not None)
        world = self.asked("/_world")
        projects = self._folder / "projects.toml"
        projects.write_text(_monitored(world["projects_file"], self._rate, self._interval))
        known = {"DCS_PROJECTS": str(projects), "REDIS_URL": self._broker()}
        known |= world["environment"]
        self._run("worker", *_CELERY, "worker", "-c", "2", "--without-mingle", known=known)
        schedule = str(self._folder / "schedule")
        self._run("beat", *_CELERY, "beat", "-s", schedule, "--pidfile=", known=known)

    def _broker(self) -> str:
        if url := os.environ.get("TEST_REDIS_URL"):
            return url
        port = free_port()
        if server := shutil.which("redis-server"):
            command = [server, "--port", str(port), "--save", "", "--appendonly", "no"]
            self._spawn("broker", command, {})
        else:
            self._run("broker", "-m", "deploy.launcher.fake_broker", str(port))
        until(lambda: pongs(("127.0.0.1", port)))
        return f"redis://127.0.0.1:{port}/0"

    def _run(self, name: str, *arguments: str, known: Mapping[str, str] | None = None) -> None:
        self._spawn(name, [sys.executable, *arguments], known or {})

    def _spawn(self, name: str, command: list[str], known: Mapping[str, str]) -> None:
        log = self._stack.enter_context((self._folder / f"{name}.log").open("wb"))
        process = subprocess.Popen(
            command, env={**os.environ, **known}, stdout=log, stderr=log, start_new_session=True
        )
        self._stack.callback(_ended, process)


def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for a condition; ``TimeoutError`` if it does not come true."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError("A process of the bench was not ready in time.")
        time.sleep(0.1)


def _ended(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _monitored(text: str, rate: int, interval: int) -> str:
    """Return the projects file for the first account and its first three projects."""
    known = tomllib.loads(text)
    name, account = next(iter(known["accounts"].items()))
    mine = [each for each, keys in known["projects"].items() if keys["account"] == name][:3]
    parts = [_section(f"accounts.{name}", account | {"rate": rate})]
    parts += [
        _section(f"projects.{each}", known["projects"][each] | {"interval": f"{interval}s"})
        for each in mine
    ]
    return "\n".join(parts)


def _section(title: str, keys: Mapping[str, object]) -> str:
    # A JSON text is a TOML basic string too.
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in keys.items()]
    return "\n".join([f"[{title}]", *lines, ""])
