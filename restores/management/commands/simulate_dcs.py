"""Runs the simulated cloud."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError

from restores.management.commands._printable import PrintableCommand
from simulator.faults import InvalidFault, parse_faults
from simulator.server import Simulator, serve


class Command(PrintableCommand):
    help = "Run a simulated DCS and IAM on 127.0.0.1 until stopped."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", required=True, metavar="N", help="1-65535; 0: any free port")
        parser.add_argument("--instances", default="240", metavar="N", help="1-20000")
        parser.add_argument(
            "--restores", default="6000", metavar="N", help="approximate number over 2 years"
        )
        parser.add_argument("--seed", default="7", metavar="N", help="random seed")
        parser.add_argument(
            "--max-limit", default="1000", metavar="N", help="refuse larger pages; 1-1000"
        )
        parser.add_argument("--faults", default="[]", metavar="SPEC", help="JSON, or @file")
        parser.add_argument(
            "--epoch",
            metavar="TIME",
            help="when live restores begin, one every 30 s (ISO 8601; default: the last full "
            "hour); reuse the same value to keep history across restarts",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        port = _number(options, "port", 0, 65_535)
        instances = _number(options, "instances", 1, 20_000)
        restores = _number(options, "restores", 0, 2_000_000)
        seed, epoch = _number(options, "seed", 0, 10**18), _past_time(options["epoch"])
        max_limit = _number(options, "max_limit", 1, 1000)
        try:
            simulator = Simulator(
                seed=seed,
                instances=instances,
                restores=restores,
                epoch=epoch,
                port=port,
                max_limit=max_limit,
            )
        except OSError as error:
            raise CommandError(f"--port {port}: {error.strerror}; try another port") from error
        try:
            simulator.faults.add(*parse_faults(options["faults"]))
        except InvalidFault as error:
            simulator.close()
            raise CommandError(f"--faults: {error}") from error
        serve(simulator, lambda url: self.stdout.write(f"Simulated cloud: {url}"))


def _number(options: dict[str, Any], name: str, lowest: int, highest: int) -> int:
    text = str(options[name])
    if text.isascii() and text.isdigit() and len(text) < 20 and lowest <= int(text) <= highest:
        return int(text)
    raise CommandError(
        f"--{name.replace('_', '-')} {text}: must be a whole number from {lowest} to {highest}"
    )


def _past_time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"--epoch {text}: must be a time like 2026-11-23T12:00:00Z") from error
    time = time if time.tzinfo else time.replace(tzinfo=UTC)
    if time > datetime.now(UTC):
        raise CommandError(f"--epoch {text}: must not be in the future")
    return time
