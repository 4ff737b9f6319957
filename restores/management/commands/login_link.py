"""Prints a one-time sign-in link."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import CommandError
from django.urls import reverse

from restores import login_links
from restores.management.commands._database import require_database
from restores.management.commands._printable import PrintableCommand


class Command(PrintableCommand):
    help = "Print a one-time sign-in URL for USER (valid 10 minutes)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", metavar="USER")
        parser.add_argument(
            "--create", action="store_true", help="create USER as a superuser if missing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        require_database()
        name = options["user"]
        user = get_user_model()._default_manager.filter(username=name).first()
        if user is None and options["create"]:
            user = get_user_model().objects.create_superuser(name)
        if user is None:
            raise CommandError(f"User {name!r} not found; use --create to add it")
        token = login_links.issue(user)
        self.stdout.write(settings.BASE_URL + reverse("login-once", args=[token]))
