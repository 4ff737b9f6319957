"""Retry of transactions that the database aborted in favor of another one."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection

P = ParamSpec("P")
R = TypeVar("R")

RETRIES = 3
# PostgreSQL, appendix A: serialization_failure and deadlock_detected.
_CONFLICTS = {"40001", "40P01"}


def retry_on_conflict(transaction: Callable[P, R]) -> Callable[P, R]:
    """Run a transaction again, up to three times, when it is the victim of a conflict."""

    @wraps(transaction)
    def retried(*args: P.args, **kwargs: P.kwargs) -> R:
        for _ in range(RETRIES):
            try:
                return transaction(*args, **kwargs)
            except OperationalError as error:
                conflict = getattr(error.__cause__, "sqlstate", None) in _CONFLICTS
                # Inside a larger transaction there is nothing left to repeat.
                if not conflict or connection.in_atomic_block:
                    raise
            # Retried immediately, it could take the row again that the other one is waiting for.
            time.sleep(random.uniform(0.02, 0.1))  # noqa: S311 - not a secret
        return transaction(*args, **kwargs)

    return retried
