"""What ./run prints: single lines on the terminal, and errors without a traceback."""

import errno
import os


class CliError(Exception):
    """Ends ./run with this message and exit status 1."""


def say(text: str) -> None:
    """Print one line."""
    try:
        print(text, flush=True)
    except OSError as error:
        # A full disk loses this line and may have room for the next. Otherwise the terminal was
        # closed or the pipe's reader left: go on without it.
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def describe_exit(status: int) -> str:
    """Say how a process ended, from its return code."""
    return f"was killed by signal {-status}" if status < 0 else f"exited with status {status}"


def printable(text: str) -> str:
    """Replace control characters: a log may quote text from the cloud."""
    return "".join(c if c.isprintable() or c in "\t\n" else "�" for c in text)
