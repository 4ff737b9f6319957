"""Creates an API token."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError
from django.db.models import Q
from django.utils import timezone

from restores import audit
from restores.api_tokens import DEFAULT_DAYS, MAX_DAYS, MAX_NAME, issue
from restores.audit import Kind
from restores.management.commands._database import require_database
from restores.management.commands._printable import PrintableCommand
from restores.models import Project


class Command(PrintableCommand):
    help = "Create an API token for USER and print it. It can't be printed again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", metavar="USER")
        parser.add_argument(
            "--project",
            nargs="+",
            action="extend",
            default=[],
            metavar="NAME",
            help="names or IDs of the only projects that it may read (default: all of USER's)",
        )
        parser.add_argument(
            "--days", type=_days, default=DEFAULT_DAYS, metavar="N", help=f"default: {DEFAULT_DAYS}"
        )
        parser.add_argument("--name", type=_name, default="Command line", help="shown to USER")

    def handle(self, *args: Any, **options: Any) -> None:
        require_database()
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"User {options['user']!r} not found")
        if not user.is_active:
            raise CommandError(f"User {options['user']!r} is deactivated")
        projects = [one for name in options["project"] for one in _find_projects(name, user)]
        token, text = issue(user, options["name"], projects, options["days"], timezone.now())
        keys, about = [project.pk for project in projects], f"{token} of {user.get_username()}"
        audit.record(None, Kind.CREATED_TOKEN, projects=keys, about=about)
        self.stdout.write(text)


def _find_projects(name: str, user: User) -> list[Project]:
    found = Project.objects.visible_to(user).filter(Q(name=name) | Q(project_id=name))
    if not found:
        raise CommandError(f"Project {name!r} not found among those that the user can see")
    return list(found)


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MAX_DAYS):
        raise ArgumentTypeError(f"{text!r} is not a number of days from 1 to {MAX_DAYS}")
    return int(text)


def _name(text: str) -> str:
    if not 1 <= len(text.strip()) <= MAX_NAME:
        raise ArgumentTypeError(f"{text[:200]!r} is not a name of 1 to {MAX_NAME} characters")
    return text.strip()
