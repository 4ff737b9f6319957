"""Commands quote text from the cloud, which must not control the terminal."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, OutputWrapper

from dashboard.logs import printable


class PrintableOutput(OutputWrapper):
    """An output without control characters."""

    def write(self, msg: str = "", *args: Any, **kwargs: Any) -> None:  # type: ignore[override]
        super().write(printable(msg), *args, **kwargs)


class PrintableCommand(BaseCommand):
    """A command that prints no control characters, also in its errors."""

    def __init__(self, stdout: Any = None, stderr: Any = None, **kwargs: Any) -> None:
        super().__init__(stdout, stderr, **kwargs)
        self.stdout = PrintableOutput(stdout or sys.stdout)
        self.stderr = PrintableOutput(stderr or sys.stderr)

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run, also when called from code that passes its own outputs."""
        for name in ("stdout", "stderr"):
            if options.get(name):
                options[name] = PrintableOutput(options[name])
        return super().execute(*args, **options)
