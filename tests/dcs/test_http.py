import gzip
import json
import socket
import struct
import time
import tracemalloc

import pytest
import requests

from restores.dcs.auth import SignedAuth
from restores.dcs.client import Client, new_session
from restores.dcs.errors import InvalidResponse, Unreachable
from tests.dcs.conftest import EMPTY_LIST, SECRETS, error_of, reply


@pytest.mark.parametrize("busy", [(502, 503), (504,)])
def test_a_busy_server_is_retried_and_each_attempt_is_rate_limited(
    server, client, rate_limiter, busy
):
    server.replies(*map(reply, busy), reply(200, EMPTY_LIST))
    assert client.restores("i1").complete
    assert len(server.requests) == rate_limiter.calls == len(busy) + 1


def test_a_server_that_stays_busy_gets_three_requests(server, client, rate_limiter):
    server.replies(reply(503, {"error_code": "APIGW.0613"}))
    error = error_of(lambda: client.restores("i1"))
    assert (type(error), error.code) == (Unreachable, "APIGW.0613")
    assert len(server.requests) == rate_limiter.calls == 3


def reset(handler):
    linger = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.connection.close()
    handler.close_connection = True


def test_a_lost_connection_is_retried(server, client, rate_limiter):
    server.replies(reset, reply(200, EMPTY_LIST))
    assert client.restores("i1").complete
    assert rate_limiter.calls == 2


def test_a_refused_connection_is_unreachable_after_three_attempts(session, rate_limiter):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    client = Client(session, url, "p1", SignedAuth(*SECRETS), rate_limiter)
    error = error_of(lambda: client.restores("i1"))
    assert isinstance(error, Unreachable)
    assert error.kind == "unreachable"
    assert rate_limiter.calls == 3


def test_a_name_that_does_not_resolve_is_reported_as_such(session, rate_limiter, monkeypatch):
    def fail(*args, **kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    auth = SignedAuth(*SECRETS)
    client = Client(session, "https://dcs.invalid", "p1", auth, rate_limiter, timeout=0.3)
    assert "name could not be resolved" in error_of(lambda: client.restores("i1")).message


def test_a_server_without_tls_gets_no_request_and_no_retry(server, session, rate_limiter):
    url = server.url.replace("http://", "https://")
    client = Client(session, url, "p1", SignedAuth(*SECRETS), rate_limiter)
    assert "TLS" in error_of(lambda: client.restores("i1")).message
    assert not server.requests
    assert rate_limiter.calls == 1


@pytest.fixture
def impatient(server, session, rate_limiter):
    return Client(session, server.url, "p1", SignedAuth(*SECRETS), rate_limiter, timeout=0.3)


def dripping(start, drop):
    """Send ``start`` immediately and then a ``drop`` every 50 ms until the client hangs up."""

    def respond(handler):
        handler.close_connection = True
        handler.wfile.write(start)
        for _ in range(100):
            handler.wfile.write(drop)
            handler.wfile.flush()
            time.sleep(0.05)

    return respond


START = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "drip",
    [
        dripping(START + b"Content-Length: 9999\r\n\r\n", b" "),
        dripping(START + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        dripping(START + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
        dripping(START + b"\r\n", b" "),
        dripping(START + b"X-Slow: ", b"x"),
        dripping(b"HTTP/1.1 2", b"0"),
        dripping(b"", b""),
    ],
    ids=["body", "chunks", "chunk size", "endless", "header", "status line", "silence"],
)
def test_a_dripping_response_does_not_outlast_the_timeout(server, impatient, drip):
    server.replies(drip)
    start = time.monotonic()
    error = error_of(lambda: impatient.restores("i1"))
    assert isinstance(error, Unreachable)
    assert 0.2 < time.monotonic() - start < 1.3


def test_the_timeout_spans_all_attempts(server, impatient):
    server.replies(reply(503))
    start = time.monotonic()
    error_of(lambda: impatient.restores("i1"))
    assert time.monotonic() - start < 1


def test_waiting_for_the_rate_limiter_does_not_count(server, session):
    auth = SignedAuth(*SECRETS)
    client = Client(session, server.url, "p1", auth, lambda: time.sleep(0.3), timeout=0.25)
    assert client.restores("i1").complete


@pytest.mark.parametrize(
    "body",
    [gzip.compress(bytes(100 * 1024**2)), gzip.compress(gzip.compress(bytes(30 * 1024**2)))],
    ids=["gzip", "gzip twice"],
)
@pytest.mark.parametrize("status", [200, 400, 302])
def test_a_gzip_bomb_is_dropped_at_ten_megabytes(server, client, body, status):
    encoding = "gzip" if len(body) > 5000 else "gzip, gzip"
    server.replies(reply(status, body, {"Content-Encoding": encoding, "Location": "/"}))
    tracemalloc.start()
    error = error_of(lambda: client.restores("i1"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (type(error), error.status) == (InvalidResponse, status)
    assert "larger than 10 MB" in error.message
    assert peak < 40 * 1024**2


def test_corrupt_compression_is_an_invalid_response(server, client):
    server.replies(reply(200, b"not gzip", {"Content-Encoding": "gzip"}))
    assert type(error_of(lambda: client.restores("i1"))) is InvalidResponse


def test_a_compressed_response_is_read(server, client):
    body = gzip.compress(json.dumps(EMPTY_LIST).encode())
    server.replies(reply(200, body, {"Content-Encoding": "gzip"}))
    assert client.restores("i1").complete
    assert server.requests[0].headers["Accept-Encoding"] == "gzip"


def test_a_response_cut_short_anywhere_is_unreachable(server, client):
    body = json.dumps({"restore_record_response": [{"restore_id": "r1"}], "total_num": 1})
    for length in range(0, len(body), 7):

        def cut(handler, length=length):
            handler.close_connection = True
            handler.wfile.write(START + b"Content-Length: %d\r\n\r\n" % len(body))
            handler.wfile.write(body[:length].encode())

        server.replies(cut)
        assert type(error_of(lambda: client.restores("i1"))) is Unreachable


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_error_and_its_target_gets_no_request(
    start_server, server, client, status
):
    other = start_server()
    server.replies(reply(status, b"", {"Location": f"{other.url}/v2/steal"}))
    error = error_of(lambda: client.restores("i1"))
    assert (type(error), error.status) == (InvalidResponse, status)
    assert "127.0.0.1" in error.message
    assert not other.requests
    assert len(server.requests) == 1


@pytest.mark.parametrize("target", ["http://[::1", "file:///etc/passwd", "//\ud7ff", "javascript:"])
def test_a_redirect_to_anything_is_an_invalid_response(server, client, target):
    server.replies(reply(302, b"", {"Location": target.encode("ascii", "replace").decode()}))
    assert type(error_of(lambda: client.restores("i1"))) is InvalidResponse


@pytest.mark.parametrize("make_session", [new_session, requests.Session])
def test_the_hosts_proxies_and_netrc_are_ignored(
    start_server, server, monkeypatch, tmp_path, make_session
):
    proxy = start_server()
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.url)
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login thief password x\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with make_session() as session:
        Client(session, server.url, "p1", SignedAuth(*SECRETS), lambda: None).restores("i1")
    assert not proxy.requests
    assert server.requests[0].headers["Authorization"].startswith("SDK-HMAC-SHA256 ")


def test_cookies_are_not_sent_back(server, client):
    server.replies(reply(204, b"", {"Set-Cookie": "a=b; Path=/"}))
    client.restores("i1"), client.restores("i1")
    assert "Cookie" not in server.requests[1].headers


def test_one_connection_serves_many_calls(server, client):
    server.replies(reply(204), reply(404), reply(200, EMPTY_LIST), reply(204))
    client.restores("i1")
    error_of(client.instances)
    client.restores("i1"), client.backups("i1")
    assert len({request.sender for request in server.requests}) == 1
