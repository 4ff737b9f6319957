"""Carries what the children print to the terminal, prefixed, and to their log files."""

import os
import threading
from pathlib import Path
from typing import IO

from .words import say

LOG_CAP = 5_000_000
_LONGEST_LINE = 65_536


def open_log(path: Path) -> IO[bytes]:
    """Open a log to append to; one grown over 5 MB is first set aside as ``….log.1``."""
    if path.exists() and path.stat().st_size > LOG_CAP:
        path.replace(path.with_name(path.name + ".1"))
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab", buffering=0)


def follow(name: str, pipe: IO[bytes], log: Path) -> threading.Thread:
    """Carry every line of ``pipe`` on until it ends."""
    thread = threading.Thread(target=_carry, args=(name, pipe, log), daemon=True)
    thread.start()
    return thread


def _carry(name: str, pipe: IO[bytes], log: Path) -> None:
    with open_log(log) as written, pipe:
        for line in iter(lambda: pipe.readline(_LONGEST_LINE), b""):
            written.write(line)
            say(f"{name:>9} | {_printable(line.decode(errors='replace').rstrip())}")


def _printable(text: str) -> str:
    # A log line may quote text from the cloud; escape sequences in it are not for the terminal.
    return "".join(c if c.isprintable() or c == "\t" else "�" for c in text)
