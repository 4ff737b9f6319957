"""Says what runs, in which order, and when it is ready."""

import json
import time
from collections.abc import Callable
from pathlib import Path

from . import brokers
from .children import Child, Family
from .environment import Environments
from .folder import Folder
from .ports import LOOPBACK, fetched, free_port, require_free
from .signals import Stopped, StopRequests
from .tether import Tether
from .words import Trouble, ending, say

PATIENCE = 120.0
BLINK = 0.05


class Stack:
    """Broker, simulator, worker, beat and web over one data folder."""

    def __init__(
        self,
        *,
        python: Path,
        root: Path,
        folder: Folder,
        environments: Environments,
        tether: Tether,
    ) -> None:
        self._python, self._root, self._folder = python, root, folder
        self._environments, self._tether, self._stop = environments, tether, StopRequests()
        self._family = Family(tether, root=root, logs=folder.logs)
        self._broker = brokers.choose(python, environments.user, environments.web())

    def run(self) -> None:
        """Start everything, keep it running, and stop it all when asked to or in trouble."""
        try:
            self._start()
            while True:
                self._family.tend()
                self._stop.pause(0.2)
        except Stopped:
            say("Stopping …")
        finally:
            self._family.stop(hurried=self._stop.hurried)
            self._broker.forget()

    def _start(self) -> None:
        if self._broker.child:
            self._family.start(self._broker.child)
        simulator = None if self._environments.projects else self._simulator()
        quietly = ("--noinput", "-v0")
        self._commands(("migrate", *quietly), ("collectstatic", *quietly))
        if simulator:
            self._meet(simulator)
        self._commands(("check_projects", "--offline"))
        self._until("broker", self._broker.answers)
        self._collector_and_web()
        address = self._environments.base_url
        self._wait_collected()
        self._until("web", lambda: fetched(f"{address}/readyz") is not None)
        say(f"Ready: {self._sign_in_url()}")

    def _simulator(self) -> int:
        port = free_port(preferred=self._folder.simulator_port())
        epoch = self._folder.simulator_epoch()
        since = ("--epoch", epoch) if epoch else ()
        command = self._manage("simulate_dcs", "--port", str(port), *since)
        self._family.start(
            Child(name="simulator", command=command, environment=self._environments.web())
        )
        return port

    def _meet(self, port: int) -> None:
        address = f"http://{LOOPBACK}:{port}"
        self._until("simulator", lambda: fetched(f"{address}/_healthz") is not None)
        world = json.loads(fetched(f"{address}/_world") or b"{}")
        self._folder.remember_world(port, world)
        self._environments = self._environments.over(
            self._folder.projects, self._folder.simulator_environment()
        )

    def _collector_and_web(self) -> None:
        known, broker = self._environments, self._broker.url
        celery = (self._python, "-u", "-m", "celery", "--quiet", "-A", "dashboard")
        worker = (
            *celery,
            "worker",
            "-c",
            "2",
            "--without-gossip",
            "--without-mingle",
            "-l",
            "INFO",
        )
        beat = (*celery, "beat", "--pidfile=")
        self._family.start(Child(name="worker", command=worker, environment=known.worker(broker)))
        self._family.start(Child(name="beat", command=beat, environment=known.beat(broker)))
        # Another one may have taken it since this one began.
        require_free(int(self._environments.base_url.rpartition(":")[2]))
        self._family.start(Child(name="web", command=self._web(), environment=known.web()))

    def _web(self) -> tuple[str | Path, ...]:
        gunicorn = (self._python, "-u", "-m", "gunicorn", "dashboard.wsgi", "--no-control-socket")
        bind = self._environments.base_url.removeprefix("http://")
        size = ("--workers", "2", "--threads", "4", "--limit-request-line", "8190")
        return (*gunicorn, "--bind", bind, *size, "--graceful-timeout", "8")

    def _manage(self, *arguments: str) -> tuple[str | Path, ...]:
        return (self._python, "-u", self._root / "manage.py", *arguments)

    def _wait_collected(self) -> None:
        # A cloud too large or too slow for that wait is no reason to keep the link back.
        if any(self._statuses(("wait_collected",))):
            say("Not every instance was looked at yet; the worker goes on with it.")

    def _commands(self, *commands: tuple[str, ...]) -> None:
        for command, status in zip(commands, self._statuses(*commands), strict=True):
            if status:
                raise Trouble(f"`manage.py {' '.join(command)}` {ending(status)}.")

    def _statuses(self, *commands: tuple[str, ...]) -> list[int]:
        """Run commands side by side, and return how they ended."""
        known = self._environments.command()
        processes = [
            self._family.spawn(Child(name=each[0], command=self._manage(*each), environment=known))
            for each in commands
        ]
        while any(process.poll() is None for process in processes):
            self._family.tend()
            self._stop.pause(BLINK)
        for process in processes:
            self._tether.sweep(process)
        return [process.returncode for process in processes]

    def _until(self, name: str, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not ready():
            if time.monotonic() > deadline:
                raise Trouble(
                    f"{name} was not ready within {PATIENCE:.0f} s. What it said is in "
                    f"{self._folder.logs / name}.log"
                )
            self._family.tend()
            self._stop.pause(BLINK)

    def _sign_in_url(self) -> str:
        # Spawned past the log files: whoever reads those must not be able to sign in.
        process = self._tether.spawn(
            self._manage("login_link", "admin", "--create"),
            environment=self._environments.command(),
            folder=self._root,
        )
        output, _ = process.communicate()
        self._tether.sweep(process)
        lines = output.decode(errors="replace").split()
        if process.returncode or not lines:
            raise Trouble(
                f"`manage.py login_link` {ending(process.returncode)}:\n{output.decode()}"
            )
        return lines[-1]
