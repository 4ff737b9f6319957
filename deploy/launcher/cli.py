"""Reads ./run's command line and does what it asks."""

import argparse
import io
import os
import subprocess
import sys
from pathlib import Path

from .bootstrap import DEVELOPMENT, RUNTIME, python_with
from .environment import TESTING, Environments, plain, secret_names
from .folder import Folder
from .ports import LOOPBACK, require_free
from .stack import Stack
from .tether import Tether
from .words import Trouble, say

ROOT = Path(__file__).resolve().parents[2]

USAGE = """
  ./run [--port N] [--cloud FILE] [--data DIR]      start the dashboard; Ctrl-C stops it
  ./run test [pytest arguments] [--faults]          run the tests
  ./run manage [--cloud FILE] [--data DIR] COMMAND  run a command of manage.py
  ./run bench [arguments]                           run the benchmarks
"""


def main(arguments: list[str]) -> int:
    """Run ``arguments``; the exit status."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    subcommands = {"test": test, "manage": manage, "bench": bench}
    try:
        if arguments and arguments[0] in subcommands:
            return subcommands[arguments[0]](arguments[1:])
        return serve(arguments)
    except Trouble as trouble:
        sys.stderr.write(f"{trouble}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def serve(arguments: list[str]) -> int:
    """Start the dashboard and keep it running until asked to stop."""
    parser = _parser(usage=USAGE)
    parser.add_argument(
        "--port", type=_port, default=8000, metavar="N", help="where the web listens (8000)"
    )
    asked = parser.parse_args(arguments)
    address = f"http://{LOOPBACK}:{asked.port}"
    folder = Folder.prepared(asked.data)
    environments = _environments(folder, asked.cloud, address)
    lock = folder.lock(address)
    require_free(asked.port)
    python = python_with(ROOT, RUNTIME)
    with Tether(holding=[lock]) as tether:
        Stack(
            python=python, root=ROOT, folder=folder, environments=environments, tether=tether
        ).run()
    return 0


def test(arguments: list[str]) -> int:
    """Run the suite on SQLite, then, if TEST_DATABASE_URL is set, on that database."""
    python = python_with(ROOT, DEVELOPMENT)
    environment = plain(os.environ, TESTING) | {"SECRET_KEY": "only-for-tests-" * 4}
    workers = str(max(2, os.cpu_count() or 2))
    command = [str(python), "-m", "pytest", "-n", workers, "-rs"]
    if database := environment.get("TEST_DATABASE_URL"):
        say("First on SQLite …")
        if status := subprocess.call([*command, *arguments], env=environment, cwd=ROOT):
            return status
        say("… then on TEST_DATABASE_URL, without what starts its own stack.")
        environment["DATABASE_URL"] = database
        command += ["-m", "not e2e and not run"]
    return _become([*command, *arguments], environment)


def manage(arguments: list[str]) -> int:
    """Become ``manage.py`` with the data folder's settings and the projects file's secrets."""
    asked, command = _parser(add_help=False).parse_known_args(arguments)
    folder = Folder.prepared(asked.data)
    environments = _environments(folder, asked.cloud, folder.address())
    if not environments.projects and folder.projects.exists():
        environments = environments.over(folder.projects, folder.simulator_environment())
    python = python_with(ROOT, RUNTIME)
    return _become([str(python), str(ROOT / "manage.py"), *command], environments.command())


def bench(arguments: list[str]) -> int:
    """Become ``python -m bench`` in the environment that commands have."""
    if not (ROOT / "bench" / "__main__.py").exists():
        raise Trouble("There are no benchmarks yet: bench/ is missing.")
    folder = Folder.prepared(ROOT / "var")
    environments = _environments(folder, None, folder.address())
    python = python_with(ROOT, RUNTIME)
    return _become([str(python), "-m", "bench", *arguments], environments.command())


def _parser(*, usage: str | None = None, add_help: bool = True) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./run", usage=usage, add_help=add_help, allow_abbrev=False
    )
    parser.add_argument("--cloud", type=Path, metavar="FILE", help="projects file of a real cloud")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", default=ROOT / "var", help="data folder (var)"
    )
    return parser


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65_535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: 1 to 65535")
    return int(text)


def _environments(folder: Folder, cloud: Path | None, address: str) -> Environments:
    if cloud is None and (named := os.environ.get("DCS_PROJECTS")):
        cloud = Path(named)
    secret_names(cloud)  # an unreadable file is told now, not after minutes of installing
    return Environments(
        user=os.environ,
        defaults={
            "SECRET_KEY": folder.secret_key(),
            "DATABASE_URL": folder.database_url,
            "STATIC_ROOT": str(folder.static),
        },
        base_url=address,
        projects=cloud and cloud.absolute(),
    )


def _become(command: list[str], environment: dict[str, str]) -> int:
    os.chdir(ROOT)
    sys.stdout.flush()
    os.execve(command[0], command, environment)
