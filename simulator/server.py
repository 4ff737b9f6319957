"""The simulated cloud as an HTTP server: in a thread for tests, or alone for the command."""

import signal
import socket
import struct
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from .api import MAX_LIMIT, Api
from .control import Control, LogEntry, RequestLog, credentials, projects_file
from .faults import Faults, send
from .responses import Request, Response, service_error
from .world import World

LARGEST_BODY = 1_000_000
REASONS = {status.value: status.phrase for status in HTTPStatus}
Clock = Callable[[], datetime]


class Simulator:
    """A simulated DCS and IAM on 127.0.0.1; a context manager that serves from a thread.

    ``epoch`` defaults to the last full hour; the same one again continues the same history.
    Requests for pages of more than ``max_limit`` rows are refused.
    """

    def __init__(
        self,
        *,
        seed: int = 7,
        instances: int = 240,
        restores: int = 6000,
        epoch: datetime | None = None,
        clock: Clock = lambda: datetime.now(UTC),
        port: int = 0,
        token_lifetime: timedelta = timedelta(hours=24),
        max_limit: int = MAX_LIMIT,
    ) -> None:
        self.clock = clock
        hour = clock().replace(minute=0, second=0, microsecond=0)
        self.world = World(epoch=epoch or hour, seed=seed, instances=instances, restores=restores)
        self.faults = Faults(self.world)
        self.log = RequestLog()
        self._api = Api(self.world, token_lifetime, max_limit)
        self._control = Control(self.world, self.faults, self.log)
        self._server = _Server(("127.0.0.1", port), self._respond)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        """The URL at which it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def projects_file(self) -> str:
        """The text of the projects file with which the app finds it."""
        return projects_file(self.world, self.url)

    @property
    def credentials(self) -> dict[str, str]:
        """The environment variables that the projects file names."""
        return credentials(self.world)

    def start(self) -> None:
        """Serve from a separate thread."""
        self._thread.start()

    def close(self) -> None:
        """Stop serving, and break off what is still being sent."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _respond(
        self, method: str, target: str, headers: dict[str, str], body: bytes, client: str
    ) -> tuple[Response, datetime]:
        """Return the response, and what the server's clock shows."""
        arrived, now = time.time(), self.clock()
        request = Request(method, target, headers, body, now, now)
        if target.startswith("/_"):
            return self._control.respond(request, client, self.url), now
        request.now += self.faults.clock_skew(request)
        response = self.faults.response(request)
        if response is None:
            try:
                response = self._api.respond(request)
            except Exception:
                traceback.print_exc(file=sys.stderr)
                response = service_error("DCS.5000").response
        response = self.faults.alter(request, response)
        url = urlsplit(target)
        self.log.add(
            LogEntry(
                at=arrived,
                method=method,
                path=url.path,
                query=url.query,
                status=response.status,
                account=request.account,
            )
        )
        return response, request.now


def serve(simulator: Simulator, ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; ``ready`` is called with the URL once it responds."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with simulator:
        ready(simulator.url)
        stop.wait()


# method, target, headers, body, client address -> response and the server's clock
_Respond = Callable[[str, str, dict[str, str], bytes, str], tuple[Response, datetime]]


class _Server(ThreadingHTTPServer):
    """HTTP/1.1 with keep-alive; closing it ends every open connection too."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], respond: _Respond) -> None:
        self.respond = respond
        self.closing = threading.Event()
        self._open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        self.closing.set()
        super().server_close()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that hang up: many tests do."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """Reads a request and delivers the response; a ``Connection`` for its delivery."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def _handle(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > LARGEST_BODY:
            self.send_error(413)
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(length))
        client = self.client_address[0]
        response, now = self.server.respond(self.command, self.path, headers, body, client)
        sent = b"" if self.command == "HEAD" else response.body
        (response.deliver or send)(self, _head(response, now), sent)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _handle

    def send(self, raw: bytes) -> None:
        self.wfile.write(raw)

    def wait(self, seconds: float) -> None:
        self.server.closing.wait(seconds)

    def close(self) -> None:
        self.close_connection = True

    def reset(self) -> None:
        no_linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_linger)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing; the request log has it."""


def _head(response: Response, now: datetime) -> bytes:
    """Return status line and headers; a response's own headers win over the server's."""
    usual = {
        "date": ("Date", format_datetime(now.astimezone(UTC), usegmt=True)),
        "server": ("Server", "api-gateway"),
        "x-request-id": ("X-Request-Id", uuid.uuid4().hex),
        "content-length": ("Content-Length", str(len(response.body))),
    }
    if response.status == 204:
        del usual["content-length"]
    headers = usual | {name.lower(): (name, value) for name, value in response.headers}
    lines = [f"HTTP/1.1 {response.status} {REASONS.get(response.status, 'Status')}"]
    lines += [f"{name}: {value}" for name, value in headers.values()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")
