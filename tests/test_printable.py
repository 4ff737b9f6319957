"""What commands and logs print has no control characters, whatever the cloud sends."""

import io
import logging
from importlib import import_module
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command

from dashboard.logs import TextFormatter, printable
from restores.management.commands._printable import PrintableCommand

COMMANDS = Path(django_settings.BASE_DIR) / "restores" / "management" / "commands"
EVIL = ["\x1b[2J", "\x1b]0;title\x07", "\x9b31m", "\r", "\b\b", "\x00", "\x7f", "\u202e", "\u2066"]


def test_a30_sync_prints_names_of_the_cloud_as_text(simulator, transactional_db):
    for number, instance in enumerate(simulator.world.instances):
        object.__setattr__(instance, "name", f"a{EVIL[number % len(EVIL)]}b{number}")
    output = io.StringIO()
    call_command("sync", stdout=output)
    assert "/a" in output.getvalue() and "�" in output.getvalue()
    assert not [evil for evil in EVIL if evil in output.getvalue()]


@pytest.mark.parametrize("evil", EVIL)
def test_a30_errors_of_commands_are_text(evil):
    class Failing(PrintableCommand):
        requires_system_checks = []

        def handle(self, *args, **options):
            raise CommandError(f"a{evil}b")

    errors = io.StringIO()
    with pytest.raises(SystemExit):
        Failing(stderr=errors).run_from_argv(["manage.py", "failing"])
    assert errors.getvalue() == f"CommandError: a{printable(evil)}b\n"


def test_a30_every_command_prints_text_only():
    names = [file.stem for file in COMMANDS.glob("[a-z]*.py")]
    assert len(names) >= 6
    for name in names:
        command = import_module(f"restores.management.commands.{name}").Command
        assert issubclass(command, PrintableCommand), name


@pytest.mark.parametrize("evil", EVIL)
def test_a30_log_lines_are_text(settings, evil):
    assert settings.LOGGING["formatters"]["text"]["()"] == "dashboard.logs.TextFormatter"
    record = logging.LogRecord("x", logging.INFO, "", 1, "a%sb\tc\nd", (evil,), None)
    line = TextFormatter("{message}", style="{").format(record)
    assert line == f"a{printable(evil)}b\tc\nd"
    assert evil not in line
