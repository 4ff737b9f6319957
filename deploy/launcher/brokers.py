"""Chooses where the messages go: the user's Redis, a private one, or the embedded one."""

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .children import Child
from .ports import LOOPBACK, free_port, pongs


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """A broker's URL; the child that serves it, unless it is somebody else's."""

    url: str
    child: Child | None = None
    answers: Callable[[], bool] = lambda: True
    folder: Path | None = None

    def forget(self) -> None:
        """Remove what a stopped broker leaves."""
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)


def choose(python: Path, user: Mapping[str, str], environment: Mapping[str, str]) -> Broker:
    """REDIS_URL if set, else a Redis or Valkey on PATH, else fakeredis."""
    if url := user.get("REDIS_URL"):
        return Broker(url=url)
    path = user.get("PATH")
    if server := shutil.which("valkey-server", path=path) or shutil.which(
        "redis-server", path=path
    ):
        return _private(server, environment)
    return _embedded(python, environment)


def _private(server: str, environment: Mapping[str, str]) -> Broker:
    # A socket's path may have about 100 bytes; the data folder's can be longer.
    folder = Path(tempfile.mkdtemp(prefix="dcs-", dir="/tmp"))
    socket = str(folder / "broker.sock")
    command = [server, "--port", "0", "--unixsocket", socket, "--unixsocketperm", "700"]
    # Nothing is kept on disk: the database is the ledger, lost messages are rung again.
    command += ["--dir", str(folder), "--save", "", "--appendonly", "no"]
    command += ["--maxmemory", "128mb", "--maxmemory-policy", "noeviction", "--loglevel", "warning"]
    return Broker(
        url=f"redis+socket://{socket}",
        child=Child(name="broker", command=command, environment=environment),
        answers=lambda: pongs(socket),
        folder=folder,
    )


def _embedded(python: Path, environment: Mapping[str, str]) -> Broker:
    port = free_port()
    command = (str(python), "-u", "-m", "deploy.launcher.fake_broker", str(port))
    return Broker(
        url=f"redis://{LOOPBACK}:{port}/0",
        child=Child(name="broker", command=command, environment=environment),
        answers=lambda: pongs((LOOPBACK, port)),
    )
