import json
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from hypothesis import strategies as st

from restores.dcs.auth import SignedAuth
from restores.dcs.client import Client, new_session

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
DATE = "Tue, 06 Oct 2026 14:03:00 GMT"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        seen = SimpleNamespace(
            method=self.command,
            path=self.path,
            headers=dict(self.headers),
            body=body,
            sender=self.client_address,
        )
        answer = self.server.cloud.next_answer(seen)
        with suppress(BrokenPipeError, ConnectionResetError):
            answer(self)

    do_POST = do_GET

    def log_message(self, *args):
        pass

    def date_time_string(self, timestamp=None):
        return DATE


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass  # a client that hangs up is what many tests are about


class ScriptedCloud:
    """Gives the scripted answers in turn, the last one for ever, and remembers what was asked."""

    def __init__(self):
        self.requests = []
        self.script = [reply(204)]
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.cloud = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def says(self, *answers):
        self.script = list(answers)

    def next_answer(self, seen):
        with self._lock:
            self.requests.append(seen)
            return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


def reply(status, body=b"", headers=None):
    """An answer with a body of bytes, or of anything as JSON."""
    encoded = body if isinstance(body, bytes) else json.dumps(body).encode()

    def answer(handler):
        handler.send_response(status)
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        if status != 204:
            handler.send_header("Content-Length", str(len(encoded)))
        handler.end_headers()
        handler.wfile.write(encoded)

    return answer


@pytest.fixture
def clouds():
    """Make any number of scripted clouds."""
    started = []

    def start():
        started.append(ScriptedCloud())
        return started[-1]

    yield start
    for cloud in started:
        cloud.stop()


@pytest.fixture
def cloud(clouds):
    return clouds()


@pytest.fixture
def session():
    with new_session() as made:
        yield made


@pytest.fixture
def slots():
    """One entry for each time a slot was waited for."""
    return []


@pytest.fixture
def client(cloud, session, slots):
    auth = SignedAuth("CANARY-AK", "CANARY-SK", project_id="p1")
    return Client(session, cloud.url, "p1", auth, lambda: slots.append(1))
