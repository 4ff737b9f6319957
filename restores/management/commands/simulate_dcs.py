"""Runs the stand-in cloud."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from simulator.faults import FaultError, faults_from
from simulator.server import Simulator, serve


class Command(BaseCommand):
    help = "Serve a stand-in DCS and IAM on 127.0.0.1 until stopped."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", required=True, metavar="N", help="1-65535, or 0: a free one")
        parser.add_argument("--instances", default="240", metavar="N", help="1-20000")
        parser.add_argument(
            "--restores", default="6000", metavar="N", help="about so many, 2 years"
        )
        parser.add_argument(
            "--seed", default="7", metavar="N", help="another number, another world"
        )
        parser.add_argument("--faults", default="[]", metavar="SPEC", help="JSON, or @file")
        parser.add_argument(
            "--born",
            metavar="INSTANT",
            help="since when restores begin twice a minute (ISO 8601; default: the last full "
            "hour); give the same again and a restart forgets nothing",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        port = _number(options, "port", 0, 65_535)
        instances = _number(options, "instances", 1, 20_000)
        restores = _number(options, "restores", 0, 2_000_000)
        seed, born = _number(options, "seed", 0, 10**18), _instant(options["born"])
        try:
            simulator = Simulator(
                seed=seed, instances=instances, restores=restores, born=born, port=port
            )
        except OSError as error:
            raise CommandError(f"--port {port}: {error.strerror}; choose another one") from error
        try:
            simulator.faults.add(*faults_from(options["faults"]))
        except FaultError as error:
            simulator.close()
            raise CommandError(f"--faults: {error}") from error
        serve(simulator, lambda url: self.stdout.write(f"Stand-in cloud: {url}"))


def _number(options: dict[str, Any], name: str, least: int, most: int) -> int:
    text = str(options[name])
    if text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most:
        return int(text)
    raise CommandError(f"--{name} {text}: a whole number from {least} to {most} is allowed")


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(
            f"--born {text}: an instant like 2026-11-23T12:00:00Z is allowed"
        ) from error
    instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    if instant > datetime.now(UTC):
        raise CommandError(f"--born {text}: the future; an instant that has passed is allowed")
    return instant
