"""HTTP requests bounded in time and size, never redirected, and retried only here."""

import io
import json
import math
import random
import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPResponse
from ssl import SSLCertVerificationError
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import ContentDecodingError, ProxyError, SSLError, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NameResolutionError
from urllib3.poolmanager import ProxyManager

from restores.dcs.errors import InvalidResponse, Unreachable, invalid_response
from restores.dcs.records import parse_http_date

CONNECT_TIMEOUT = 3.0  # seconds
READ_TIMEOUT = 10.0  # seconds without a byte
MAX_ATTEMPTS = 3
MAX_BODY_SIZE = 10 * 1024 * 1024  # bytes, decompressed
_CHUNK_SIZE = 64 * 1024
_POOL_SIZE = 50  # connections per host
_BUSY = (502, 503, 504)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A response that was read completely. ``headers`` ignores the case of names."""

    request: requests.PreparedRequest = field(repr=False)
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    sent_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    received_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def server_time(self) -> datetime:
        """The time in the Date header; without one, when we received the response."""
        return parse_http_date(self.headers.get("Date")) or self.received_at

    @property
    def clock_skew(self) -> timedelta:
        """How far the server's clock is ahead of ours."""
        return self.server_time - self.received_at

    def json(self) -> object:
        """Parse the body as JSON, or raise InvalidResponse."""
        try:
            # NaN and Infinity are not valid JSON, and some numbers are too large for Python. As
            # text they can be stored, and count as absent.
            return json.loads(
                self.body, parse_constant=str, parse_int=_parse_int, parse_float=_parse_float
            )
        except (ValueError, RecursionError) as error:
            raise invalid_response(self, "The response is not JSON.") from error


def _parse_int(digits: str) -> int | str:
    try:
        return int(digits)
    except ValueError:  # more digits than sys.get_int_max_str_digits()
        return digits


def _parse_float(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits


class Deadline:
    """The time limit of one call, retries included, waiting for the rate limit excluded."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self._end - time.monotonic())

    def exclude(self, wait: Callable[[], None]) -> None:
        """Run ``wait`` without counting the time that it takes."""
        start = time.monotonic()
        wait()
        self._end += time.monotonic() - start

    @contextmanager
    def applied_to_reads(self) -> Iterator[None]:
        """Apply this deadline to every response that the current thread reads meanwhile."""
        token = _current_deadline.set(self)
        try:
            yield
        finally:
            _current_deadline.reset(token)


# http.client creates the response objects itself, so the deadline can't be passed to them.
_current_deadline: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


def new_session(
    proxy: str = "", ca_file: str = "", count: Callable[[int | None], None] | None = None
) -> requests.Session:
    """Return a session that ignores the host's proxies and .netrc and never retries by itself.

    All its requests go through the ``proxy``, a URL, if there is one. Only the CAs in ``ca_file``
    are trusted, if given. Reads from its sockets end with the deadline of the call. ``count`` is
    called with the status of each response, or None if a request got none.
    """
    session = requests.Session()
    session.trust_env = False
    session.proxies = {"http": proxy, "https": proxy} if proxy else {}
    session.verify = ca_file or True
    for scheme in ("http://", "https://"):
        adapter = _DeadlineAdapter(pool_connections=4, pool_maxsize=_POOL_SIZE)
        adapter.count = count or _ignore
        session.mount(scheme, adapter)
    return session


def send(
    session: requests.Session,
    build_request: Callable[[], requests.PreparedRequest],
    rate_limiter: Callable[[], None],
    deadline: Deadline,
) -> Response:
    """Send a request and read the response; retry if the server is busy or the connection fails.

    Each attempt waits for the rate limiter and builds the request anew, as signatures carry the
    time. Raises Unreachable or InvalidResponse if there is no complete response.
    """
    attempt = 1
    while True:
        deadline.exclude(rate_limiter)
        if not deadline.remaining:
            raise Unreachable("Timed out before sending.")
        delay = random.uniform(0, 0.25 * 2**attempt)  # noqa: S311 - jitter, not a secret
        try:
            with deadline.applied_to_reads():
                response = _send_once(session, build_request(), deadline)
        except _ConnectionFailed:
            if attempt == MAX_ATTEMPTS or delay >= deadline.remaining:
                raise
        else:
            busy = response.status in _BUSY
            if not busy or attempt == MAX_ATTEMPTS or delay >= deadline.remaining:
                return response
        time.sleep(delay)
        attempt += 1


class _ConnectionFailed(Unreachable):
    """There was no connection, or it was lost before a response: worth another attempt."""


def _send_once(
    session: requests.Session, request: requests.PreparedRequest, deadline: Deadline
) -> Response:
    url, sent_at = request.url or "", datetime.now(UTC)
    remaining = deadline.remaining
    try:
        # Not Session.send: it reads the bodies of redirects without a limit, and takes proxies
        # from the host's environment.
        response = session.get_adapter(url).send(
            request,
            stream=True,
            timeout=(min(CONNECT_TIMEOUT, remaining), min(READ_TIMEOUT, remaining)),
            verify=session.verify or True,
            proxies=session.proxies,
        )
    except (OSError, HTTPError) as error:
        raise _unreachable(error) from error
    except ValueError:
        # Without the original text: it may repeat a header, and headers hold credentials.
        raise InvalidResponse("The request could not be written as HTTP.") from None
    with closing(response):
        body = _read_body(response)
    return Response(
        request=request,
        status=response.status_code,
        headers=response.headers,
        body=body,
        sent_at=sent_at,
    )


def _read_body(response: requests.Response) -> bytes:
    body = bytearray()
    try:
        for chunk in response.iter_content(_CHUNK_SIZE):
            body += chunk
            if len(body) > MAX_BODY_SIZE:
                raise InvalidResponse(
                    f"The response is larger than {MAX_BODY_SIZE // 1024**2} MB and was dropped.",
                    status=response.status_code,
                )
    except ContentDecodingError as error:
        raise InvalidResponse("The response’s compression is corrupt.") from error
    except (OSError, HTTPError) as error:
        raise Unreachable("The response was cut off or too slow.") from error
    return bytes(body)


def _unreachable(error: Exception) -> Unreachable:
    if isinstance(error, SSLError):
        return Unreachable(
            "TLS failed: certificate, host name or TLS version not accepted"
            f"{_verification_problem(error)}."
        )
    if isinstance(error, ProxyError):
        # The proxy's response to CONNECT; http.client has no exception for it.
        status = re.search(r"Tunnel connection failed: (\d{3})", str(error))
        if status:
            return Unreachable(f"The proxy refused the connection (HTTP {status[1]}).")
        return _ConnectionFailed("Couldn’t connect to the proxy.")
    if isinstance(error, Timeout) and not isinstance(error, requests.ConnectionError):
        return Unreachable("The provider did not respond in time.")
    if not isinstance(error, requests.ConnectionError):
        return Unreachable("The connection to the provider failed.")
    # requests wraps urllib3's MaxRetryError, which holds the cause.
    cause = getattr(error.args[0] if error.args else None, "reason", None)
    if isinstance(cause, NameResolutionError):
        return _ConnectionFailed("The provider’s host name could not be resolved.")
    return _ConnectionFailed("Couldn’t connect to the provider, or the connection was lost.")


def _verification_problem(error: SSLError) -> str:
    """Return what is wrong with the certificate, such as ": unable to get local issuer"."""
    # requests wraps urllib3's MaxRetryError, which wraps its SSLError, which wraps ssl's own.
    cause = getattr(error.args[0] if error.args else None, "reason", None)
    problem = cause.args[0] if isinstance(cause, HTTPError) and cause.args else None
    return f": {problem.verify_message}" if isinstance(problem, SSLCertVerificationError) else ""


class _DeadlineReader(io.RawIOBase):
    # A read timeout starts anew with every byte: a server that drips its response, or only the
    # headers, would hold up a worker for hours.

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, deadline: Deadline) -> None:
        self._raw, self._socket, self._deadline = raw, sock, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        remaining = self._deadline.remaining
        if not remaining:
            raise TimeoutError("the deadline of the call has passed")
        self._socket.settimeout(min(READ_TIMEOUT, remaining))
        return self._raw.readinto(buffer)

    def fileno(self) -> int:
        return self._raw.fileno()

    def close(self) -> None:
        self._raw.close()
        super().close()


class _DeadlineResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        if deadline := _current_deadline.get():
            raw = self.fp.detach()
            self.fp = io.BufferedReader(_DeadlineReader(raw, sock, deadline))


class _HTTPConnection(HTTPConnection):
    response_class = _DeadlineResponse


class _HTTPSConnection(HTTPSConnection):
    response_class = _DeadlineResponse


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


_POOL_CLASSES: Mapping[str, type[HTTPConnectionPool]] = {"http": _HTTPPool, "https": _HTTPSPool}


def _ignore(status: int | None) -> None:
    """Don't count a response."""


class _DeadlineAdapter(HTTPAdapter):
    count: Callable[[int | None], None]

    def send(self, *args: Any, **options: Any) -> requests.Response:
        try:
            response = super().send(*args, **options)
        except (OSError, HTTPError):
            self.count(None)
            raise
        self.count(response.status_code)
        return response

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOL_CLASSES

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> ProxyManager:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOL_CLASSES
        return manager
