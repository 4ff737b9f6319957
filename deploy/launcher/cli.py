"""The command line of ./run."""

import argparse
import io
import os
import subprocess
import sys
from pathlib import Path

from dashboard.secret_files import UnusableSecretFile, read_secret_files

from .console import CliError, say
from .data_folder import DataFolder
from .environments import TESTING, Environments, plain, secret_names
from .stack import LOOPBACK, Stack, require_free
from .supervisor import Supervisor
from .venv import DEVELOPMENT, RUNTIME, python_with

ROOT = Path(__file__).resolve().parents[2]

USAGE = """
  ./run [--port N] [--cloud FILE] [--data DIR]      start the dashboard (Ctrl-C to stop)
  ./run test [pytest arguments] [--long]            run the tests
  ./run manage [--cloud FILE] [--data DIR] COMMAND  run a manage.py command
  ./run bench [arguments]                           run the benchmarks
"""


def main(arguments: list[str]) -> int:
    """Run the given command-line arguments and return the exit status."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    subcommands = {"test": test, "manage": manage, "bench": bench}
    try:
        if arguments and arguments[0] in subcommands:
            return subcommands[arguments[0]](arguments[1:])
        return serve(arguments)
    except CliError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def serve(arguments: list[str]) -> int:
    """Start the dashboard and keep it running until asked to stop."""
    parser = _parser(usage=USAGE)
    parser.add_argument(
        "--port",
        type=_port,
        default=8000,
        metavar="N",
        help="port for the web server (default: 8000)",
    )
    options = parser.parse_args(arguments)
    url = f"http://{LOOPBACK}:{options.port}"
    folder = DataFolder.prepare(options.data)
    environments = _environments(folder, options.cloud, url)
    lock = folder.lock(url)
    require_free(options.port)
    python = python_with(ROOT, RUNTIME)
    supervisor = Supervisor(root=ROOT, logs=folder.logs, holding=[lock])
    Stack(
        python=python, root=ROOT, folder=folder, environments=environments, supervisor=supervisor
    ).run()
    return 0


# Tests of code that is the same on any database need not run on a second one.
_SAME_ON_ANY_DATABASE = (
    "dcs",
    "explain",
    "launcher",
    "lookup",
    "sign_in",
    "simulator",
    "ticket_text",
    "timerange",
    "test_api_tokens.py",
    "test_bench.py",
    "test_deploy.py",
    "test_docs.py",
    "test_env.py",
    "test_formatting.py",
    "test_headers.py",
    "test_hostile_input.py",
    "test_layout.py",
    "test_link_repair.py",
    "test_list_formats.py",
    "test_logs.py",
    "test_malformed_requests.py",
    "test_malformed_responses.py",
    "test_monitoring.py",
    "test_openapi.py",
    "test_operator_help.py",
    "test_printable.py",
    "test_secret_key_rotation.py",
    "test_serializers.py",
    "test_sessions.py",
    "test_spellings.py",
    "test_static_files.py",
    "test_sub_path.py",
    "test_tables.py",
    "test_templates.py",
    "test_tick_watch.py",
    "test_version.py",
    "test_worker_watchdog.py",
    "test_xlsx_export.py",
    "faults/test_api.py",
    "faults/test_api_tls.py",
    "faults/test_backlog.py",
    "faults/test_changing_lists.py",
    "faults/test_configuration.py",
    "faults/test_generated_requests.py",
    "faults/test_planned_shutdown.py",
    "faults/test_redis.py",
    "faults/test_redis_tls.py",
    "faults/test_shared_redis.py",
    "faults/test_slow_clients.py",
    "views/test_access.py",
    "views/test_account.py",
    "views/test_audit_log.py",
    "views/test_auth.py",
    "views/test_codes.py",
    "views/test_downtime.py",
    "views/test_members.py",
    "views/test_query_counts.py",
    "views/test_time_form.py",
    "views/test_time_zone.py",
    "views/test_visibility.py",
)


def test(arguments: list[str]) -> int:
    """Run the tests on SQLite, then, if TEST_DATABASE_URL is set, on that database.

    The share of the long tests runs on SQLite only: with it on both, CI takes too long.
    """
    python = python_with(ROOT, DEVELOPMENT)
    environment = plain(os.environ, TESTING) | {"SECRET_KEY": "only-for-tests-" * 4}
    # Tests mostly wait: for processes, browsers and timeouts.
    workers = str(2 * (os.cpu_count() or 1))
    command = [str(python), "-m", "pytest", "-n", workers, "-rs"]
    if database := environment.get("TEST_DATABASE_URL"):
        say("Testing on SQLite…")
        if status := subprocess.call([*command, *arguments], env=environment, cwd=ROOT):
            return status
        say("Testing on TEST_DATABASE_URL, except tests that start their own stack…")
        environment["DATABASE_URL"] = database
        command += ["-m", "not e2e and not run"]
        arguments = [argument for argument in arguments if argument != "--long-share"]
        if not any(argument.startswith("tests") for argument in arguments):
            command += [f"--ignore=tests/{name}" for name in _SAME_ON_ANY_DATABASE]
    return _exec([*command, *arguments], environment)


def manage(arguments: list[str]) -> int:
    """Become ``manage.py`` with the data folder's settings and the projects file's secrets."""
    options, command = _parser(add_help=False).parse_known_args(arguments)
    folder = DataFolder.prepare(options.data)
    environments = _environments(folder, options.cloud, folder.last_url())
    if not environments.projects_file and folder.projects_file.exists():
        credentials = folder.simulator()["environment"]
        environments = environments.with_projects(folder.projects_file, credentials)
    python = python_with(ROOT, RUNTIME)
    return _exec([str(python), str(ROOT / "manage.py"), *command], environments.command())


def bench(arguments: list[str]) -> int:
    """Become ``python -m bench`` in the environment that commands have."""
    folder = DataFolder.prepare(ROOT / "var")
    environments = _environments(folder, None, folder.last_url())
    python = python_with(ROOT, RUNTIME)
    return _exec([str(python), "-m", "bench", *arguments], environments.command())


def _parser(*, usage: str | None = None, add_help: bool = True) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./run", usage=usage, add_help=add_help, allow_abbrev=False
    )
    parser.add_argument("--cloud", type=Path, metavar="FILE", help="projects file for a real cloud")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", default=ROOT / "var", help="data folder (default: var)"
    )
    return parser


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65_535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port number from 1 to 65535")
    return int(text)


def _environments(folder: DataFolder, cloud: Path | None, url: str) -> Environments:
    if cloud is None and (named := os.environ.get("DCS_PROJECTS")):
        cloud = Path(named)
    secret_names(cloud)  # an unreadable file is reported now, not after minutes of installing
    try:
        user = read_secret_files(os.environ)
    except UnusableSecretFile as error:
        raise CliError(str(error)) from error
    return Environments(
        user=user,
        defaults=folder.settings,
        base_url=url,
        projects_file=cloud and cloud.absolute(),
    )


def _exec(command: list[str], environment: dict[str, str]) -> int:
    os.chdir(ROOT)
    sys.stdout.flush()
    os.execve(command[0], command, environment)
