"""The virtual environment: created and filled once per lock file."""

import fcntl
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .console import CliError, describe_exit, say
from .data_folder import try_lock
from .environments import without_misleading

RUNTIME, DEVELOPMENT = "requirements.txt", "requirements-dev.txt"
VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"


def python_with(root: Path, requirements: str) -> Path:
    """Return the Python of ``.venv``, installing ``requirements`` first unless they are there."""
    venv = Venv(root / ".venv")
    wanted = {requirements: digest(root / requirements)}
    if requirements == DEVELOPMENT:
        wanted[RUNTIME] = digest(root / RUNTIME)
    if not venv.has(wanted):
        with _lock(root) as lock:
            # Another ./run may have done it while this one waited.
            if not venv.has(wanted):
                venv.install(root / requirements, wanted, lock)
    return venv.python


def digest(path: Path) -> str:
    """Return the hash of a lock file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Venv:
    """A virtual environment with a stamp that says what was installed in it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.python = folder, folder / "bin" / "python"
        self._stamp = folder / "installed.json"
        # An environment survives neither another Python nor a move: its scripts hold its path.
        self._origin = {"python": VERSION, "folder": str(folder)}

    def has(self, wanted: dict[str, str]) -> bool:
        """Whether ``wanted`` (lock file: digest) was installed here, by this Python."""
        expected = self._origin | wanted
        return self.python.exists() and expected.items() <= self._installed().items()

    def install(self, requirements: Path, wanted: dict[str, str], lock: int) -> None:
        """Create the environment if it is not intact, then install; raises CliError.

        ``lock`` stays locked until the installation ends, even if ./run is killed.
        """
        installed = self._installed() if self.has({}) else {}
        if not installed:
            if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
                raise CliError(
                    f"This Python {VERSION} ({sys.executable}) lacks the modules venv and "
                    "ensurepip.\nOn Debian and Ubuntu: apt install python3-venv   "
                    f"(or python{VERSION}-venv)"
                )
            if self.folder.is_symlink():
                raise CliError(
                    f"{self.folder} is a link to {self.folder.resolve()}, which ./run would clear. "
                    "Remove the link, then run it again."
                )
            say("Creating .venv…")
            # Not the Python of an active environment: the new one would depend on that.
            base: str = getattr(sys, "_base_executable", sys.executable)
            self._run("Creating .venv", [base, "-m", "venv", "--clear", self.folder], lock)
        # No stamp while pip works: an interrupted installation is not trusted.
        self._stamp.unlink(missing_ok=True)
        say(f"Installing {requirements.name} (first run only, about a minute)…")
        pip = (self.python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input")
        self._run(
            f"Installing {requirements.name}", [*pip, "--require-hashes", "-r", requirements], lock
        )
        self.write_stamp(installed | wanted)

    def write_stamp(self, installed: dict[str, str]) -> None:
        """Record what is installed."""
        self._stamp.write_text(json.dumps(installed | self._origin, indent=1))

    def _run(self, step: str, command: Sequence[str | Path], lock: int) -> None:
        done = subprocess.run(
            command,
            env=without_misleading(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=[lock],
            check=False,
        )
        if done.returncode:
            log = self.folder / "install.log"
            log.parent.mkdir(exist_ok=True)
            log.write_bytes(done.stdout)
            tail = "\n".join(done.stdout.decode(errors="replace").splitlines()[-12:])
            raise CliError(
                f"{tail}\n\n{step} failed: it {describe_exit(done.returncode)}. Full log: {log}\n"
                "Check the network connection, then run it again."
            )

    def _installed(self) -> dict[str, str]:
        try:
            return dict(json.loads(self._stamp.read_text()))
        except (OSError, ValueError, TypeError):
            return {}


@contextmanager
def _lock(root: Path) -> Iterator[int]:
    descriptor = os.open(root, os.O_RDONLY)
    try:
        if not try_lock(descriptor):
            say("Waiting for another ./run that is installing…")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)
