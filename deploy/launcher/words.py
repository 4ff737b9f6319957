"""What ./run says: lines on the terminal, and troubles told without a traceback."""

import os
import sys
import threading

_one_at_a_time = threading.Lock()


class Trouble(Exception):
    """Ends ./run with these words and exit status 1."""


def say(words: str) -> None:
    """Write one line to the terminal, whole, also from several threads."""
    with _one_at_a_time:
        try:
            sys.stdout.write(words + "\n")
            sys.stdout.flush()
        except OSError:
            # The terminal was closed or the pipe's reader left: go on, the log files have it all.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def ending(status: int) -> str:
    """How a process ended, from its return code."""
    return f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
