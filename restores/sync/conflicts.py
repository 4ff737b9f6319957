"""Runs a transaction again that the database broke off in favour of another one."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection

P = ParamSpec("P")
R = TypeVar("R")

RETRIES = 3
# PostgreSQL, appendix A: serialization_failure and deadlock_detected.
_VICTIM = {"40001", "40P01"}


def persistent(write: Callable[P, R]) -> Callable[P, R]:
    """Make ``write``, one transaction, run up to three times more while it is the victim."""

    @wraps(write)
    def written(*args: P.args, **kwargs: P.kwargs) -> R:
        for _ in range(RETRIES):
            try:
                return write(*args, **kwargs)
            except OperationalError as error:
                # Within a larger transaction there is nothing left to repeat.
                if connection.in_atomic_block or not _victim(error):
                    raise
        return write(*args, **kwargs)

    return written


def _victim(error: OperationalError) -> bool:
    return getattr(error.__cause__, "sqlstate", None) in _VICTIM
