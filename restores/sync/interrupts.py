"""How a process that is asked to end breaks off its looks: where they wait, never as they write.

Raised in the midst of a statement, the interruption would leave the connection to the database
in use and what was claimed unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Interrupted(Exception):
    """This process is asked to end: what it has not looked at yet is left to another one."""


class _State:
    asked = heeded = False


def interrupt() -> None:
    """Ask for the end of all looks; called by the handler of a signal, within whatever runs."""
    _State.asked = True
    if _State.heeded:
        raise Interrupted


def asked() -> bool:
    """Whether this process shall begin nothing more."""
    return _State.asked


def check() -> None:
    """Raise ``Interrupted`` if the end was asked for."""
    if _State.asked:
        raise Interrupted


@contextmanager
def heeded() -> Iterator[None]:
    """Let the interruption come at any moment within: here the cloud is waited for."""
    _State.heeded = True
    try:
        check()
        yield
    finally:
        _State.heeded = False
