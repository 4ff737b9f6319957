"""The running product: which processes, in which order, and when it is ready."""

import errno
import http.client
import json
import shutil
import socket
import tempfile
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .console import CliError, describe_exit, say
from .data_folder import DataFolder
from .environments import Environments
from .supervisor import Child, Stopped, Supervisor

LOOPBACK = "127.0.0.1"
READY_TIMEOUT = 120.0


class Stack:
    """Broker, simulator, worker, beat and web on one data folder."""

    def __init__(
        self,
        *,
        python: Path,
        root: Path,
        folder: DataFolder,
        environments: Environments,
        supervisor: Supervisor,
    ) -> None:
        self._python, self._root, self._folder = python, root, folder
        self._environments, self._supervisor = environments, supervisor
        self._broker = choose_broker(python, environments.user, environments.web())

    def run(self) -> None:
        """Start everything and keep it running; stop it all when asked to, or on an error."""
        self._supervisor.stop_on_signals()
        try:
            self._start()
            while True:
                self._supervisor.tick(0.2)
        except Stopped:
            say("Stopping…")
        finally:
            self._supervisor.stop()
            if self._broker.folder:
                shutil.rmtree(self._broker.folder, ignore_errors=True)

    def _start(self) -> None:
        say(f"Starting… Logs are in {self._folder.logs}")
        if self._broker.child:
            self._supervisor.start(self._broker.child)
        simulator_port = None if self._environments.projects_file else self._start_simulator()
        self._run_commands(("migrate", "--noinput", "-v0"), ("collectstatic", "--noinput", "-v0"))
        if simulator_port:
            self._use_simulator(simulator_port)
        self._run_commands(("check_projects", "--offline"))
        self._wait_until("broker", self._broker.is_ready)
        self._start_sync_and_web()
        if any(self._supervisor.run(self._command("wait_for_sync"))):
            # The link is printed even if the cloud is too large or too slow.
            say("Some instances haven’t been synced yet; the worker continues in the background.")
        base_url = self._environments.base_url
        self._wait_until("web", lambda: fetch(f"{base_url}/readyz") is not None)
        say(f"Ready: {self._sign_in_url()}")

    def _start_simulator(self) -> int:
        saved = self._folder.simulator()
        port = free_port(preferred=saved["port"])
        epoch = ("--epoch", saved["epoch"]) if saved["epoch"] else ()
        command = (self._python, "-u", self._root / "manage.py", "simulate_dcs")
        arguments = ("--port", str(port), *epoch)
        self._start_child("simulator", (*command, *arguments), self._environments.web())
        return port

    def _use_simulator(self, port: int) -> None:
        url = f"http://{LOOPBACK}:{port}"
        self._wait_until("simulator", lambda: fetch(f"{url}/_healthz") is not None)
        self._folder.save_simulator(port, json.loads(fetch(f"{url}/_world") or b"{}"))
        self._environments = self._environments.with_projects(
            self._folder.projects_file, self._folder.simulator()["environment"]
        )

    def _start_sync_and_web(self) -> None:
        environments, broker = self._environments, self._broker.url
        celery = (self._python, "-u", "-m", "celery", "--quiet", "-A", "dashboard")
        pool = ("-c", "2", "--without-gossip", "--without-mingle", "-l", "INFO")
        self._start_child("worker", (*celery, "worker", *pool), environments.worker(broker))
        self._start_child("beat", (*celery, "beat", "--pidfile="), environments.beat(broker))
        address = environments.base_url.removeprefix("http://")
        # Another program may have taken the port since ./run began.
        require_free(int(address.rpartition(":")[2]))
        self._start_child("web", web_command(self._python, address), environments.web())

    def _start_child(
        self, name: str, command: tuple[str | Path, ...], environment: dict[str, str]
    ) -> None:
        self._supervisor.start(Child(name=name, command=command, environment=environment))

    def _command(self, *arguments: str) -> Child:
        return Child(
            name=arguments[0],
            command=(self._python, "-u", self._root / "manage.py", *arguments),
            # With the broker, so that an invalid REDIS_URL is reported by the first of them.
            environment=self._environments.worker(self._broker.url),
        )

    def _run_commands(self, *commands: tuple[str, ...]) -> None:
        statuses = self._supervisor.run(*(self._command(*command) for command in commands))
        for command, status in zip(commands, statuses, strict=True):
            if status:
                full = ""
                if self._folder.is_full():
                    full = f"The disk with {self._folder.path} is full. "
                raise CliError(
                    f"{self._supervisor.log_tail(command[0])}\n\n"
                    f"{full}`manage.py {' '.join(command)}` {describe_exit(status)}. "
                    f"See {self._supervisor.log(command[0])}"
                )

    def _wait_until(self, name: str, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + READY_TIMEOUT
        while not ready():
            if time.monotonic() > deadline:
                raise CliError(
                    f"{name} was not ready within {READY_TIMEOUT:.0f} s. "
                    f"See {self._supervisor.log(name)}"
                )
            self._supervisor.tick()

    def _sign_in_url(self) -> str:
        # Not in the logs: reading those must not be enough to sign in.
        status, output = self._supervisor.output(self._command("login_link", "admin", "--create"))
        if status or not output.strip():
            raise CliError(f"{output}\n\n`manage.py login_link` {describe_exit(status)}.")
        return output.split()[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """A broker's URL, and the child that serves it unless it is the user's own."""

    url: str
    child: Child | None = None
    is_ready: Callable[[], bool] = lambda: True
    folder: Path | None = None


def choose_broker(python: Path, user: Mapping[str, str], environment: Mapping[str, str]) -> Broker:
    """Return the user's REDIS_URL, else a Redis or Valkey found on PATH, else fakeredis."""
    if url := user.get("REDIS_URL"):
        return Broker(url=url)
    path = user.get("PATH")
    server = shutil.which("valkey-server", path=path) or shutil.which("redis-server", path=path)
    if not server:
        port = free_port()
        serve = (
            f"from fakeredis import TcpFakeServer as s; s(('{LOOPBACK}', {port})).serve_forever()"
        )
        command = [str(python), "-u", "-c", serve]
        return Broker(
            url=f"redis://{LOOPBACK}:{port}/0",
            child=Child(name="broker", command=command, environment=environment),
            is_ready=lambda: accepts_connections((LOOPBACK, port)),
        )
    # The path of a socket can have about 100 bytes; the data folder's may be longer.
    folder = Path(tempfile.mkdtemp(prefix="dcs-", dir="/tmp"))
    address = str(folder / "broker.sock")
    command = [server, "--port", "0", "--unixsocket", address, "--unixsocketperm", "700"]
    # Nothing is kept on disk: the database holds the schedule, lost messages are sent again.
    command += ["--dir", str(folder), "--save", "", "--appendonly", "no", "--loglevel", "warning"]
    command += ["--maxmemory", "128mb", "--maxmemory-policy", "noeviction"]
    return Broker(
        url=f"redis+socket://{address}",
        child=Child(name="broker", command=command, environment=environment),
        is_ready=lambda: accepts_connections(address),
        folder=folder,
    )


def web_command(python: Path, address: str) -> tuple[str | Path, ...]:
    """Return the command that serves the dashboard at ``host:port``."""
    return (python, "-u", "-m", "gunicorn", "dashboard.wsgi", "--bind", address)


def require_free(port: int) -> None:
    """Raise CliError if the port is in use."""
    if not _is_free(port):
        raise CliError(f"Port {port} is in use. Try --port {port + 1}")


def free_port(preferred: int = 0) -> int:
    """Return a free loopback port: the preferred one if it is free."""
    if preferred and _is_free(preferred):
        return preferred
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def fetch(url: str) -> bytes | None:
    """Return the body of a local URL that responds with status 200, else None."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=3) as response:
            body: bytes = response.read()
            return body if response.status == 200 else None
    except (OSError, http.client.HTTPException):
        return None


def accepts_connections(address: str | tuple[str, int]) -> bool:
    """Whether a server listens at a socket path, or at (host, port)."""
    with socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET) as probe:
        probe.settimeout(3)
        return probe.connect_ex(address) == 0


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: remnants of closed connections don't count as the port being in use.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except PermissionError as error:
            raise CliError(f"Port {port} requires root; use a port above 1023.") from error
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return False
    return True
