"""How many exports a user may have running at once in one web process.

A reader who stops reading keeps a thread until the connection times out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator
from threading import Lock

LIMIT = 2
# Seconds; a reader who stops reading is disconnected after about 30.
RETRY_AFTER = 30

_running: Counter[int] = Counter()
_lock = Lock()


Parts = Generator[str, None, None] | Generator[bytes, None, None]


class TooManyExports(Exception):
    """The user has as many exports running as are allowed."""


class RunningExport:
    """The parts of an export; it counts until it is closed, at its end or by the server."""

    def __init__(self, user_pk: int, make_parts: Callable[[], Parts]) -> None:
        """Reserve a place, then begin; raises TooManyExports if there is none."""
        with _lock:
            if _running[user_pk] >= LIMIT:
                raise TooManyExports
            _running[user_pk] += 1
        self._user_pk, self._open = user_pk, True
        try:
            self._parts = make_parts()
        except BaseException:
            self._free()
            raise

    def __iter__(self) -> Iterator[str] | Iterator[bytes]:
        return self._parts

    def close(self) -> None:
        """End it and free its place."""
        self._parts.close()
        self._free()

    def _free(self) -> None:
        with _lock:
            if self._open:
                _running[self._user_pk] -= 1
            self._open = False
