"""The data folder: what one ./run leaves for the next."""

import contextlib
import fcntl
import json
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from .tether import GRACE
from .words import Trouble

DEFAULT_ADDRESS = "http://127.0.0.1:8000"


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that holds database, secret key, logs, assets and the simulator's projects file."""

    path: Path

    @classmethod
    def prepared(cls, path: Path) -> Self:
        """The folder at ``path``, made if absent; raises Trouble if it cannot be written to."""
        path = path.absolute()
        try:
            for wanted in (path, path / "logs"):
                wanted.mkdir(mode=0o700, parents=True, exist_ok=True)
            (path / "writable").touch()
            (path / "writable").unlink()
        except OSError as error:
            raise Trouble(
                f"The data folder {path} cannot be written to ({error.strerror}). "
                "Choose another one: --data DIR"
            ) from error
        return cls(path)

    @property
    def logs(self) -> Path:
        """Where each child's output is kept."""
        return self.path / "logs"

    @property
    def projects(self) -> Path:
        """The projects file of the simulator's world."""
        return self.path / "projects.toml"

    @property
    def static(self) -> Path:
        """Where the pages' assets are collected: here, so that two ./run never share them."""
        return self.path / "static"

    @property
    def database_url(self) -> str:
        """The SQLite file as DATABASE_URL."""
        return f"sqlite:///{quote(str(self.path / 'dashboard.sqlite3'))}"

    def secret_key(self) -> str:
        """This folder's SECRET_KEY, made at the first call."""
        if not self._text("secret_key"):
            self._write("secret_key", secrets.token_urlsafe(50))
        return self._text("secret_key")

    def simulator_port(self) -> int:
        """The port that the simulator had last, or 0."""
        port = self._simulator().get("port")
        return port if isinstance(port, int) else 0

    def simulator_epoch(self) -> str:
        """The epoch of the simulated world, or ""; the same again keeps its history."""
        return str(self._simulator().get("epoch") or "")

    def simulator_environment(self) -> dict[str, str]:
        """The credentials that the simulator's projects file names."""
        names = self._simulator().get("environment")
        return {str(k): str(v) for k, v in names.items()} if isinstance(names, dict) else {}

    def remember_world(self, port: int, world: dict[str, Any]) -> None:
        """Keep the simulator's port, epoch, projects file and credentials for the next start."""
        kept = {"port": port, "epoch": world["epoch"], "environment": world["environment"]}
        self._write("simulator.json", json.dumps(kept, indent=1))
        self._write("projects.toml", world["projects_file"])

    def address(self) -> str:
        """Where the last ./run over this folder served."""
        return self._owner().get("address") or DEFAULT_ADDRESS

    def lock(self, address: str) -> int:
        """Reserve the folder for this process, serving at ``address``; a descriptor to keep open.

        The keeper of a killed ./run holds it until the last child is gone: that is waited for.
        """
        descriptor = os.open(self.path / "run.lock", os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + GRACE + 5
        while not locked(descriptor):
            owner = self._owner()
            if time.monotonic() > deadline or _lives(owner.get("pid")):
                raise Trouble(
                    f"Another ./run (process {owner.get('pid')}, {owner.get('address')}) uses "
                    f"{self.path}. Stop that one, or choose another folder: --data DIR"
                )
            time.sleep(0.1)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "address": address}).encode(), 0)
        return descriptor

    def _simulator(self) -> dict[str, Any]:
        return _parsed(self._text("simulator.json"))

    def _owner(self) -> dict[str, Any]:
        return _parsed(self._text("run.lock"))

    def _text(self, name: str) -> str:
        with contextlib.suppress(FileNotFoundError):
            return (self.path / name).read_text(encoding="utf-8", errors="replace").strip()
        return ""

    def _write(self, name: str, text: str) -> None:
        # Never half a file, and never readable to others, not even for a moment.
        fresh = self.path / f"{name}.{os.getpid()}"
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        fresh.replace(self.path / name)


def locked(descriptor: int, *, wait: bool = False) -> bool:
    """Take the lock on an open file or folder, if nobody else has it or by waiting for it."""
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        return True
    return False


def _parsed(text: str) -> dict[str, Any]:
    with contextlib.suppress(ValueError):
        found = json.loads(text)
        return found if isinstance(found, dict) else {}
    return {}


def _lives(pid: object) -> bool:
    try:
        os.kill(pid if isinstance(pid, int) else 0, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # somebody else's process
    return isinstance(pid, int)
