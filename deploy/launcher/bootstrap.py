"""Makes .venv and installs the locked requirements, once per lock file."""

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from .environment import unmisled
from .folder import locked
from .tether import Tether
from .words import Trouble, ending, say

RUNTIME, DEVELOPMENT = "requirements.txt", "requirements-dev.txt"


def python_with(root: Path, requirements: str) -> Path:
    """The environment's Python, with what ``requirements`` lists; at once if that was done."""
    environment = Venv(root / ".venv")
    wanted = {requirements: digest(root / requirements)}
    if requirements == DEVELOPMENT:
        wanted[RUNTIME] = digest(root / RUNTIME)
    if not environment.has(wanted):
        with _alone(root) as lock:
            # Another ./run may have done it while this one waited.
            if not environment.has(wanted):
                environment.install(root / requirements, wanted, lock)
    return environment.python


def digest(path: Path) -> str:
    """What tells one lock file from another."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Venv:
    """The virtual environment, and the stamp in it that tells what was installed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.python = folder, folder / "bin" / "python"
        self._stamp, self._log = folder / "installed.json", folder / "install.log"

    def has(self, wanted: dict[str, str]) -> bool:
        """Whether ``wanted`` (lock file: digest) was installed here, by such a Python."""
        expected = _origin(self.folder) | wanted
        return self.python.exists() and expected.items() <= self._installed().items()

    def install(self, requirements: Path, wanted: dict[str, str], lock: int) -> None:
        """Make the environment if it is not sound, then install; raises Trouble."""
        installed = self._installed() if self.has({}) else {}
        with Tether(holding=[lock]) as tether:
            if not installed:
                self._make(tether)
            # No stamp while pip works: what an interrupted one leaves is not trusted.
            self._stamp.unlink(missing_ok=True)
            self._fill(tether, requirements)
        self.remember(installed | wanted)

    def remember(self, installed: dict[str, str]) -> None:
        """Write the stamp."""
        self._stamp.write_text(json.dumps(installed | _origin(self.folder), indent=1))

    def _make(self, tether: Tether) -> None:
        _require_venv()
        say("Making .venv …")
        # Not the Python of an active environment: the new one would stand on that.
        base: str = getattr(sys, "_base_executable", sys.executable)
        command = (base, "-m", "venv", "--clear", self.folder)
        process = self._spawn(tether, command, subprocess.PIPE)
        output, _ = process.communicate()
        tether.sweep(process)
        if process.returncode:
            raise Trouble(
                f"{output.decode(errors='replace').strip()}\n\n"
                f"Making the environment {self.folder} {ending(process.returncode)}."
            )

    def _fill(self, tether: Tether, requirements: Path) -> None:
        say(f"Installing what {requirements.name} lists (first start only, a minute or so) …")
        pip = (self.python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input")
        with self._log.open("wb") as log:
            process = self._spawn(tether, (*pip, "--require-hashes", "-r", requirements), log)
            status = process.wait()
            tether.sweep(process)
        if status:
            tail = self._log.read_text(errors="replace").splitlines()[-12:]
            raise Trouble(
                "\n".join(tail) + f"\n\nInstalling {requirements.name} {ending(status)}; all of "
                f"it is in {self._log}. Is this machine online? Then start again."
            )

    def _spawn(
        self, tether: Tether, command: Sequence[str | Path], output: int | IO[bytes]
    ) -> subprocess.Popen[bytes]:
        return tether.spawn(
            command, environment=unmisled(os.environ), folder=self.folder.parent, output=output
        )

    def _installed(self) -> dict[str, str]:
        try:
            return dict(json.loads(self._stamp.read_text()))
        except (OSError, ValueError, TypeError):
            return {}


def _origin(folder: Path) -> dict[str, str]:
    # An environment does not survive another Python, nor a move: its scripts hold its path.
    return {"python": f"{sys.version_info[0]}.{sys.version_info[1]}", "folder": str(folder)}


def _require_venv() -> None:
    if importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip"):
        return
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    raise Trouble(
        f"This Python {version} ({sys.executable}) lacks the modules venv and ensurepip.\n"
        f"On Debian and Ubuntu: apt install python3-venv   (or python{version}-venv)"
    )


@contextmanager
def _alone(root: Path) -> Iterator[int]:
    descriptor = os.open(root, os.O_RDONLY)
    try:
        if not locked(descriptor):
            say("Waiting for another ./run that makes .venv …")
            locked(descriptor, wait=True)
        yield descriptor
    finally:
        os.close(descriptor)
