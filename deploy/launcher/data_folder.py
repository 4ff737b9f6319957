"""The data folder: database, secret key, logs, and what one ./run leaves for the next."""

import fcntl
import json
import os
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from .console import CliError, say
from .watchdog import GRACE

DEFAULT_URL = "http://127.0.0.1:8000"
ROOM_NEEDED = 1_000_000  # bytes


@dataclass(frozen=True, slots=True)
class DataFolder:
    """One data folder; ``prepare`` creates it."""

    path: Path

    @classmethod
    def prepare(cls, path: Path) -> Self:
        """Return the folder at ``path``, created if absent and closed to other users.

        Raises CliError if it is not writable.
        """
        path = path.absolute()
        try:
            for wanted in (path, path / "logs"):
                wanted.mkdir(mode=0o700, parents=True, exist_ok=True)
            (path / "writable").touch()
            (path / "writable").unlink()
            close_to_others(path)
        except OSError as error:
            raise CliError(
                f"The data folder {path} is not writable ({error.strerror}). Try --data DIR"
            ) from error
        return cls(path)

    @property
    def logs(self) -> Path:
        """Where each child process writes its log."""
        return self.path / "logs"

    @property
    def projects_file(self) -> Path:
        """The projects file of the simulated cloud."""
        return self.path / "projects.toml"

    @property
    def settings(self) -> dict[str, str]:
        """The settings that this folder provides: secret key, database and static files."""
        return {
            "SECRET_KEY": self.secret_key(),
            "DATABASE_URL": f"sqlite:///{quote(str(self.path / 'dashboard.sqlite3'))}",
            # Here, so that two ./run processes never share them.
            "STATIC_ROOT": str(self.path / "static"),
        }

    def secret_key(self) -> str:
        """Return this folder's SECRET_KEY, generated on the first call."""
        if not self._read("secret_key"):
            self._write("secret_key", secrets.token_urlsafe(50))
        return self._read("secret_key")

    def simulator(self) -> dict[str, Any]:
        """Return the simulator's saved state, if readable: port, epoch and credentials."""
        saved = _json_object(self._read("simulator.json"))
        port, environment = saved.get("port"), saved.get("environment")
        return {
            "port": port if isinstance(port, int) else 0,
            "epoch": str(saved.get("epoch") or ""),
            "environment": environment if isinstance(environment, dict) else {},
        }

    def save_simulator(self, port: int, world: dict[str, Any]) -> None:
        """Save the simulator's port, epoch, credentials and projects file for the next start."""
        saved = {"port": port, "epoch": world["epoch"], "environment": world["environment"]}
        self._write("simulator.json", json.dumps(saved, indent=1))
        self._write("projects.toml", world["projects_file"])

    def last_url(self) -> str:
        """Return the URL at which the last ./run with this folder served."""
        return _json_object(self._read("run.lock")).get("address") or DEFAULT_URL

    def lock(self, url: str) -> int:
        """Reserve the folder for this process, serving at ``url``; a descriptor to keep open.

        The watchdog of a killed ./run holds the lock until the last child is gone: wait for that.
        """
        path = self.path / "run.lock"
        with _explained(path):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + GRACE + 5
        while not try_lock(descriptor):
            owner = _json_object(self._read("run.lock"))
            if time.monotonic() > deadline or _is_alive(owner.get("pid")):
                raise CliError(
                    f"Another ./run (process {owner.get('pid')}, {owner.get('address')}) is using "
                    f"{self.path}. Stop it, or use another folder: --data DIR"
                )
            time.sleep(0.1)
        with _explained(path):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "address": url}).encode(), 0)
        return descriptor

    def is_full(self) -> bool:
        """Whether its disk is nearly full, so that logs may lack the error."""
        return shutil.disk_usage(self.path).free < ROOM_NEEDED

    def _read(self, name: str) -> str:
        path = self.path / name
        with _explained(path), suppress(FileNotFoundError):
            return path.read_text(encoding="utf-8", errors="replace").strip()
        return ""

    def _write(self, name: str, text: str) -> None:
        # Never half a file, and never readable by others, not even for a moment.
        path, fresh = self.path / name, self.path / f"{name}.{os.getpid()}"
        try:
            with _explained(path):
                with open(
                    os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w"
                ) as file:
                    file.write(text)
                fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Raise a CliError that names a file which can't be used, such as on a full disk."""
    try:
        yield
    except OSError as error:
        raise CliError(f"{path} can’t be used ({error.strerror}). Try --data DIR") from error


def close_to_others(path: Path) -> None:
    """Let only its owner open a folder; one that isn't ours alone, such as /tmp, is left open."""
    status = path.stat()
    ours = status.st_uid == os.geteuid() and not status.st_mode & stat.S_ISVTX
    if not ours or path in (Path("/"), Path.home()):
        say(f"Other users may be able to read {path}: the folder isn’t yours alone.")
    elif status.st_mode & 0o077:
        path.chmod(0o700)


def try_lock(descriptor: int) -> bool:
    """Lock an open file or folder unless another process holds it; return whether it worked."""
    with suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _json_object(text: str) -> dict[str, Any]:
    with suppress(ValueError):
        found = json.loads(text)
        return found if isinstance(found, dict) else {}
    return {}


def _is_alive(pid: object) -> bool:
    try:
        os.kill(pid, 0)  # type: ignore[arg-type]
    except (ProcessLookupError, TypeError):
        return False
    except PermissionError:
        return True  # somebody else's process
    return True
