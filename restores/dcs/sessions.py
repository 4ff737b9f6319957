"""HTTP sessions whose every read from the socket ends with the deadline of the call it serves."""

import io
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from http.client import HTTPResponse
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

READ_TIMEOUT = 10.0
_POOL = 50


class Deadline:
    """The seconds a call may still take; waiting for the account's slot does not count."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self._ends - time.monotonic())

    def excuse(self, wait: Callable[[], None]) -> None:
        """Run ``wait`` with the clock stopped."""
        begun = time.monotonic()
        wait()
        self._ends += time.monotonic() - begun

    @contextmanager
    def over_reads(self) -> Iterator[None]:
        """Hold every answer that this thread opens meanwhile to this deadline."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)


def new_session() -> requests.Session:
    """Make a session that ignores the host's proxies and .netrc and retries nothing by itself."""
    session = requests.Session()
    session.trust_env = False
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter(pool_connections=4, pool_maxsize=_POOL))
    return session


_current: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


class _TimedReader(io.RawIOBase):
    # A read timeout starts anew with every byte; a server that drips, even within its headers,
    # would hold a worker for hours.

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, deadline: Deadline) -> None:
        self._raw, self._socket, self._deadline = raw, sock, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline.left
        if not left:
            raise TimeoutError("the deadline of the call has passed")
        self._socket.settimeout(min(READ_TIMEOUT, left))
        return self._raw.readinto(buffer)

    def fileno(self) -> int:
        return self._raw.fileno()

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        if deadline := _current.get():
            raw = self.fp.detach()
            self.fp = io.BufferedReader(_TimedReader(raw, sock, deadline))


class _Connection(HTTPConnection):
    response_class = _TimedResponse


class _SecureConnection(HTTPSConnection):
    response_class = _TimedResponse


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
