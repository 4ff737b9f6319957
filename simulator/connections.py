"""HTTP/1.1 with keep-alive on sockets: one write per answer, no Nagle, no lingering threads."""

import socket
import struct
import sys
import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .answers import Answer
from .instants import http_date
from .kinds import plainly

LARGEST_BODY = 1_000_000
NAMES = {status.value: status.phrase for status in HTTPStatus}

# method, target, headers, body, client -> answer and the server's clock
Respond = Callable[[str, str, dict[str, str], bytes, str], tuple[Answer, datetime]]


class Server(ThreadingHTTPServer):
    """Serves ``respond``; closing it ends every open connection too."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], respond: Respond) -> None:
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
        """Say nothing of clients that go away: everyday life for a stand-in cloud."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """Reads a request, asks the server for the answer, and lets it be delivered."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def _respond(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > LARGEST_BODY:
            self.send_error(413)
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(length))
        answer, now = self.server.respond(
            self.command, self.path, headers, body, self.client_address[0]
        )
        sent = b"" if self.command == "HEAD" else answer.body
        (answer.deliver or plainly)(self, _head(answer, now), sent)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _respond

    def send(self, raw: bytes) -> None:
        self.wfile.write(raw)

    def wait(self, seconds: float) -> None:
        self.server.closing.wait(seconds)

    def close(self) -> None:
        self.close_connection = True

    def reset(self) -> None:
        linger_not = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_not)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet; the query log remembers."""


def _head(answer: Answer, now: datetime) -> bytes:
    """Return status line and headers; an answer's own headers win over the server's."""
    usual = {
        "date": ("Date", http_date(now)),
        "server": ("Server", "api-gateway"),
        "x-request-id": ("X-Request-Id", uuid.uuid4().hex),
        "content-length": ("Content-Length", str(len(answer.body))),
    }
    if answer.status == 204:
        del usual["content-length"]
    headers = usual | {name.lower(): (name, value) for name, value in answer.headers}
    lines = [f"HTTP/1.1 {answer.status} {NAMES.get(answer.status, 'Status')}"]
    lines += [f"{name}: {value}" for name, value in headers.values()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")
