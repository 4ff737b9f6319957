import json
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from hypothesis import strategies as st

from restores.dcs.auth import SignedAuth
from restores.dcs.client import Client, new_session
from restores.dcs.errors import DcsError

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
DATE = "Tue, 06 Oct 2026 14:03:00 GMT"
EMPTY_LIST = {"restore_record_response": [], "total_num": 0}
SECRETS = ("CANARY-AK", "CANARY-SK")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        length = int(self.headers.get("Content-Length", 0))
        request = SimpleNamespace(
            method=self.command,
            path=self.path,
            headers=dict(self.headers),
            body=self.rfile.read(length),
            sender=self.client_address,
        )
        respond = self.server.scripted.next_reply(request)
        with suppress(BrokenPipeError, ConnectionResetError):
            respond(self)

    do_POST = do_GET

    def log_message(self, *args):
        pass

    def date_time_string(self, timestamp=None):
        return DATE


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass  # many tests are about clients that hang up


class ScriptedServer:
    """An HTTP server that gives the replies in turn, repeats the last, and records requests."""

    def __init__(self):
        self.requests = []
        self._replies = [reply(204)]
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.scripted = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def replies(self, *replies):
        self._replies = list(replies)

    def next_reply(self, request):
        with self._lock:
            self.requests.append(request)
            return self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


def reply(status, body=b"", headers=None):
    """A reply whose body is bytes, or anything else as JSON."""
    encoded = body if isinstance(body, bytes) else json.dumps(body).encode()

    def respond(handler):
        handler.send_response(status)
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        if status != 204:
            handler.send_header("Content-Length", str(len(encoded)))
        handler.end_headers()
        handler.wfile.write(encoded)

    return respond


class CountingRateLimiter:
    """Counts its calls and never waits."""

    def __init__(self):
        self.calls = 0

    def __call__(self):
        self.calls += 1


def error_of(call):
    """The error that a call raises."""
    with pytest.raises(DcsError) as raised:
        call()
    return raised.value


@pytest.fixture
def start_server():
    """Start any number of scripted servers."""
    started = []

    def start():
        started.append(ScriptedServer())
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def server(start_server):
    return start_server()


@pytest.fixture
def session():
    with new_session() as session:
        yield session


@pytest.fixture
def rate_limiter():
    return CountingRateLimiter()


@pytest.fixture
def client(server, session, rate_limiter):
    auth = SignedAuth(*SECRETS, project_id="p1")
    return Client(session, server.url, "p1", auth, rate_limiter)
