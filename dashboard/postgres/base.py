"""Connections that do not wait for a server that is silent, frozen or cut off."""

from __future__ import annotations

import time
from collections.abc import Generator
from types import SimpleNamespace
from typing import Any, TypeVar

import psycopg
from django.db.backends.postgresql import base
from django.db.utils import OperationalError

from dashboard.postgres.times import quick

PATIENCE = 1.5  # seconds, for a connection to be made or to show that it still works

T = TypeVar("T")


class Connection(psycopg.Connection[Any]):
    """A connection that can be told for how long to wait for answers."""

    patience: float | None = None

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        return super().wait(gen, interval, timeout or self.patience)

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> Any:
        # libpq's connect_timeout cannot be shorter than 2 s, which a page shall not take.
        return _bounded(super()._connect_gen(conninfo), PATIENCE)


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL, whose silence is an ``OperationalError`` within two seconds.

    Only the first sign of life is bounded: a long statement on a working connection is not.
    """

    Database: Any = SimpleNamespace(**vars(psycopg) | {"connect": Connection.connect})

    def get_connection_params(self) -> dict[str, Any]:
        """Django's, with quick times."""
        params: dict[str, Any] = super().get_connection_params()
        return params | {"context": quick(params["context"])}

    def is_usable(self) -> bool:
        """Ask for a sign of life; raise when none comes, for a new connection would wait too."""
        begun, self.connection.patience = time.monotonic(), PATIENCE
        usable: bool = super().is_usable()
        if not usable and time.monotonic() - begun >= PATIENCE:
            self.close()
            raise OperationalError(f"The database kept silent for {PATIENCE} s.")
        self.connection.patience = None
        return usable


def _bounded(steps: Generator[Any, Any, T], seconds: float) -> Generator[Any, Any, T]:
    deadline = time.monotonic() + seconds
    try:
        wish = next(steps)
        while True:
            state = yield wish
            if time.monotonic() > deadline:
                raise psycopg.OperationalError(f"no connection within {seconds} s")
            wish = steps.send(state)
    except StopIteration as end:
        return end.value
