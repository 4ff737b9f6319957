import gzip
import json
import pickle
import socket
import struct
import time
import tracemalloc
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from restores.dcs.auth import SignedAuth
from restores.dcs.client import Client, new_session
from restores.dcs.errors import (
    AuthenticationError,
    DcsError,
    InstanceNotFound,
    InvalidResponse,
    NotSupported,
    PermissionDenied,
    Throttled,
    Unreachable,
)
from tests.dcs.conftest import DATE, reply

SECRETS = ("CANARY-AK", "CANARY-SK")
EMPTY = {"restore_record_response": [], "total_num": 0}


def fault_of(call):
    with pytest.raises(DcsError) as raised:
        call()
    return raised.value


def asked(cloud, number=-1):
    url = urlsplit(cloud.requests[number].path)
    return url.path, {name: values[0] for name, values in parse_qs(url.query).items()}


def test_restores_are_asked_for_by_window_in_utc_and_by_page(cloud, client):
    begin = datetime(2026, 10, 6, 16, 3, 7, tzinfo=timezone(timedelta(hours=2)))
    client.restores("i1", begin=begin, end=begin + timedelta(days=1), offset=20, limit=10)
    window = {"begin_time": "20261006140307", "end_time": "20261007140307"}
    page = {"offset": "20", "limit": "10"}
    assert asked(cloud) == ("/v2/p1/instances/i1/restores", window | page)


def test_without_window_or_status_none_is_asked_for(cloud, client):
    client.restores("i1"), client.backups("i1"), client.instances()
    page = {"offset": "0", "limit": "1000"}
    assert asked(cloud, 0) == ("/v2/p1/instances/i1/restores", page)
    assert asked(cloud, 1) == ("/v2/p1/instances/i1/backups", page)
    assert asked(cloud, 2) == ("/v2/p1/instances", page)


def test_instances_can_be_asked_for_by_state(cloud, client):
    client.instances(status="RESTORING")
    assert asked(cloud)[1]["status"] == "RESTORING"


@pytest.mark.parametrize(
    ("instance_id", "segment"),
    [
        ("../x", "..%2Fx"),
        ("..", "%2E%2E"),
        (".", "%2E"),
        ("a?b#c", "a%3Fb%23c"),
        ("%2e", "%252e"),
        ("ü 中", "%C3%BC%20%E4%B8%AD"),
        ("a\ud800", "a%3F"),
    ],
)
def test_any_id_stays_one_segment_of_the_path(cloud, client, instance_id, segment):
    client.restores(instance_id)
    assert cloud.requests[0].path.startswith(f"/v2/p1/instances/{segment}/restores?")


def test_only_get_is_used(cloud, client):
    client.restores("i1"), client.backups("i1"), client.instances(), client.restoring_count()
    assert {request.method for request in cloud.requests} == {"GET"}


def test_no_content_is_a_proven_empty_page_at_the_cloud_s_time(client):
    page = client.restores("i1")
    assert (page.rows, page.total, page.complete) == ((), 0, True)
    assert page.server_time == datetime(2026, 10, 6, 14, 3, tzinfo=UTC)


def test_an_answer_that_is_known_already_is_left_unread(cloud, client):
    listed = {"restore_record_response": [{"restore_id": "r-1"}], "total_num": 1}
    cloud.says(reply(200, listed), reply(200, listed), reply(200, listed | {"total_num": 2}))
    first = client.restores("i1", known_digest="another")
    again = client.restores("i1", known_digest=first.digest)
    other = client.restores("i1", known_digest=first.digest)

    assert [page.unchanged for page in (first, again, other)] == [False, True, False]
    assert [len(page.rows) for page in (first, again, other)] == [1, 0, 1]
    assert again.digest == first.digest != other.digest


def test_an_empty_body_is_no_list_even_where_nothing_was_listed_before(cloud, client):
    cloud.says(reply(204), reply(200))
    nothing = client.restores("i1")

    assert (
        type(fault_of(lambda: client.restores("i1", known_digest=nothing.digest)))
        is InvalidResponse
    )


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ({"redis": {"restoring_count": 2}, "memcached": {"restoring_count": 1}}, 3),
        ({"redis": {"restoring_count": "2"}, "memcached": {}}, 2),
        ({"redis": {"restoring_count": 0}}, 0),
        ({"restoring_count": 4}, 4),
        ({"redis": {}, "memcached": None}, None),
        ({"redis": "many"}, None),
        ([], None),
    ],
)
def test_instances_in_restore_are_counted_over_all_engines(cloud, client, body, count):
    cloud.says(reply(200, body))
    assert client.restoring_count() == count
    assert asked(cloud) == ("/v2/p1/instances/status", {})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Sign in to the network</html>",
        b'{"restore_record_response": [',
        b'{"ok": true}',
        b'"restores"',
        b"null",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"restore_record_response": {"a": 1}, "total_num": 1}',
        b'{"restore_record_response": [], "total_num": ' + b"9" * 5000 + b"}",
    ],
)
def test_an_answer_that_is_no_list_is_a_bad_answer(cloud, client, body):
    cloud.says(reply(200, body, {"X-Request-Id": "q1"}))
    fault = fault_of(lambda: client.restores("i1"))
    assert type(fault) is InvalidResponse
    assert fault.request_id == "q1"
    assert len(cloud.requests) == 1


def test_numbers_that_json_does_not_know_stay_storable(cloud, client):
    row = b'{"restore_id": "r", "progress": NaN, "error_code": Infinity}'
    cloud.says(reply(200, b'{"restore_record_response": [%s], "total_num": 1}' % row))
    restore = client.restores("i1").rows[0]
    assert (restore.progress, restore.error_code) == (None, "Infinity")
    assert json.loads(restore.raw, parse_constant=pytest.fail)["progress"] == "NaN"


def test_a_byte_order_mark_is_no_obstacle(cloud, client):
    cloud.says(reply(200, b"\xef\xbb\xbf" + json.dumps(EMPTY).encode()))
    assert client.restores("i1").complete


SERVICE_404 = {"error_code": "DCS.3022", "error_msg": "gone"}
NUMERIC_404 = {"error": {"code": "111404022", "message": "gone"}}
GATEWAY_404 = {"error_code": "APIGW.0101", "error_msg": "The API does not exist"}
NO_URL_404 = {"error_code": "DCS.4001", "error_msg": "URL"}


@pytest.mark.parametrize(
    ("status", "body", "kind", "word"),
    [
        (400, {"error_code": "DCS.4062"}, InvalidResponse, "bad_answer"),
        (401, {"error_code": "DCS.1004"}, AuthenticationError, "credentials"),
        (403, {"error": {"code": "111403003", "message": "no"}}, PermissionDenied, "permission"),
        (404, SERVICE_404, InstanceNotFound, "gone"),
        (404, NUMERIC_404, InstanceNotFound, "gone"),
        (404, GATEWAY_404, NotSupported, "not_offered"),
        (404, NO_URL_404, NotSupported, "not_offered"),
        (404, b"<html>Not Found</html>", NotSupported, "not_offered"),
        (405, b"", InvalidResponse, "bad_answer"),
        (429, {"code": "APIGW.0308", "message": "slow down"}, Throttled, "throttled"),
        (500, b"oops", Unreachable, "unreachable"),
        (206, EMPTY, InvalidResponse, "bad_answer"),
    ],
)
def test_each_refusal_is_the_fault_named_by_its_remedy(cloud, client, status, body, kind, word):
    cloud.says(reply(status, body))
    fault = fault_of(lambda: client.restores("i1"))
    assert type(fault) is kind
    assert (fault.kind, fault.status) == (word, status)
    assert f"HTTP {status}" in str(fault)
    assert len(cloud.requests) == 1


def test_a_missing_call_of_a_project_is_never_a_missing_instance(cloud, client):
    cloud.says(reply(404, SERVICE_404))
    assert type(fault_of(client.restoring_count)) is NotSupported
    assert type(fault_of(client.instances)) is NotSupported


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"error_code": "DCS.4800", "error_msg": "Flat."}, "DCS.4800", "Flat."),
        ({"errorCode": "A.1", "errorMsg": "Camel."}, "A.1", "Camel."),
        ({"code": "A.2", "message": "Short."}, "A.2", "Short."),
        ({"error": {"code": 400, "message": "Nested.", "title": "Bad"}}, "400", "Nested."),
        ({"error_code": {}, "error_msg": None}, "", ""),
        ({"error_code": ["x"], "error_msg": {"a": 1}}, '["x"]', '{"a":1}'),
        ([], "", ""),
    ],
)
def test_code_and_message_are_found_in_every_shape_of_error(cloud, client, body, code, message):
    cloud.says(reply(400, body))
    fault = fault_of(lambda: client.restores("i1"))
    assert fault.code == code
    assert message in fault.message


def test_the_provider_s_message_is_one_line_and_cut(cloud, client):
    cloud.says(reply(400, {"error_code": "X" * 999, "error_msg": "a\r\n\0b " * 999}))
    fault = fault_of(lambda: client.restores("i1"))
    assert len(fault.message) < 450
    assert fault.message.isprintable()


def test_a_fault_survives_pickling(cloud, client):
    cloud.says(reply(429, {"error_code": "APIGW.0308"}, {"Retry-After": "60"}))
    fault = fault_of(lambda: client.restores("i1"))
    copied = pickle.loads(pickle.dumps(fault))
    assert (type(copied), vars(copied), str(copied)) == (type(fault), vars(fault), str(fault))


def test_a_client_does_not_print_credentials(client):
    assert not any(secret in repr(client) for secret in SECRETS)


def date_after(seconds):
    cloud_now = datetime(2026, 10, 6, 14, 3, tzinfo=UTC)
    return format_datetime(cloud_now + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("asked_for", "least", "most"),
    [
        ("30", 30, 30),
        ("1.5", 1.5, 1.5),
        ("9" * 500, 900, 900),
        (date_after(90), 90, 90),
        (date_after(999_999), 900, 900),
        (date_after(-5), 2, 5),
        ("-5", 2, 5),
        ("0", 2, 5),
        ("later", 2, 5),
        (None, 2, 5),
    ],
)
def test_throttling_lasts_as_long_as_the_cloud_says_within_reason(
    cloud, client, asked_for, least, most
):
    headers = {"Retry-After": asked_for} if asked_for else {}
    cloud.says(reply(429, {"error_code": "APIGW.0308"}, headers))
    before = datetime.now(UTC)
    until = fault_of(lambda: client.restores("i1")).until
    after = datetime.now(UTC)
    assert before + timedelta(seconds=least) <= until <= after + timedelta(seconds=most)


@pytest.mark.parametrize("busy", [(502, 503), (504,)])
def test_a_busy_cloud_is_asked_again_and_each_time_in_a_slot(cloud, client, slots, busy):
    cloud.says(*map(reply, busy), reply(200, EMPTY))
    assert client.restores("i1").complete
    assert len(cloud.requests) == len(slots) == len(busy) + 1


def test_a_cloud_that_stays_busy_is_asked_three_times(cloud, client, slots):
    cloud.says(reply(503, {"error_code": "APIGW.0613"}))
    fault = fault_of(lambda: client.restores("i1"))
    assert (type(fault), fault.code) == (Unreachable, "APIGW.0613")
    assert len(cloud.requests) == len(slots) == 3


def reset(handler):
    linger = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.connection.close()
    handler.close_connection = True


def test_a_connection_that_breaks_is_made_again(cloud, client, slots):
    cloud.says(reset, reply(200, EMPTY))
    assert client.restores("i1").complete
    assert len(slots) == 2


def test_a_cloud_that_is_not_there_is_unreachable_after_three_tries(session, slots):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    auth = SignedAuth(*SECRETS)
    gone = Client(session, f"http://127.0.0.1:{port}", "p1", auth, lambda: slots.append(1))
    fault = fault_of(lambda: gone.restores("i1"))
    assert isinstance(fault, Unreachable)
    assert fault.kind == "unreachable"
    assert len(slots) == 3


def test_a_name_that_does_not_resolve_is_said_so(session, monkeypatch):
    def unknown(*args, **kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    auth = SignedAuth(*SECRETS)
    lost = Client(session, "https://dcs.invalid", "p1", auth, lambda: None, timeout=0.3)
    assert "name could not be resolved" in fault_of(lambda: lost.restores("i1")).message


def test_a_server_without_tls_is_not_trusted_and_not_asked_twice(cloud, session, slots):
    url = cloud.url.replace("http://", "https://")
    secure = Client(session, url, "p1", SignedAuth(*SECRETS), lambda: slots.append(1))
    assert "TLS" in fault_of(lambda: secure.restores("i1")).message
    assert not cloud.requests
    assert len(slots) == 1


def test_a_pace_that_gives_up_stops_the_call(cloud, session):
    def never():
        raise Throttled("paused", datetime.now(UTC))

    client = Client(session, cloud.url, "p1", SignedAuth(*SECRETS), never)
    assert type(fault_of(lambda: client.restores("i1"))) is Throttled
    assert not cloud.requests


@pytest.fixture
def hasty(cloud, session):
    return Client(session, cloud.url, "p1", SignedAuth(*SECRETS), lambda: None, timeout=0.3)


def dripping(before, drop):
    """Send ``before`` at once and then a ``drop`` every 50 ms until the client hangs up."""

    def answer(handler):
        handler.close_connection = True
        handler.wfile.write(before)
        for _ in range(100):
            handler.wfile.write(drop)
            handler.wfile.flush()
            time.sleep(0.05)

    return answer


START = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "answer",
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
def test_no_drip_holds_a_call_beyond_its_deadline(cloud, hasty, answer):
    cloud.says(answer)
    begun = time.monotonic()
    fault = fault_of(lambda: hasty.restores("i1"))
    assert isinstance(fault, Unreachable)
    assert 0.2 < time.monotonic() - begun < 1.3


def test_the_deadline_spans_all_tries(cloud, hasty):
    cloud.says(reply(503))
    begun = time.monotonic()
    fault_of(lambda: hasty.restores("i1"))
    assert time.monotonic() - begun < 1


def test_waiting_for_a_slot_does_not_use_up_the_deadline(cloud, session):
    client = Client(
        session, cloud.url, "p1", SignedAuth(*SECRETS), lambda: time.sleep(0.3), timeout=0.25
    )
    assert client.restores("i1").complete


@pytest.mark.parametrize(
    "body",
    [gzip.compress(bytes(100 * 1024**2)), gzip.compress(gzip.compress(bytes(30 * 1024**2)))],
    ids=["gzip", "gzip twice"],
)
@pytest.mark.parametrize("status", [200, 400, 302])
def test_a_gzip_bomb_is_dropped_at_ten_megabytes(cloud, client, body, status):
    encoding = "gzip" if len(body) > 5000 else "gzip, gzip"
    cloud.says(reply(status, body, {"Content-Encoding": encoding, "Location": "/"}))
    tracemalloc.start()
    fault = fault_of(lambda: client.restores("i1"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (type(fault), fault.status) == (InvalidResponse, status)
    assert "larger than 10 MB" in fault.message
    assert peak < 40 * 1024**2


def test_broken_compression_is_a_bad_answer(cloud, client):
    cloud.says(reply(200, b"not gzip", {"Content-Encoding": "gzip"}))
    assert type(fault_of(lambda: client.restores("i1"))) is InvalidResponse


def test_a_compressed_answer_is_read(cloud, client):
    body = gzip.compress(json.dumps(EMPTY).encode())
    cloud.says(reply(200, body, {"Content-Encoding": "gzip"}))
    assert client.restores("i1").complete
    assert cloud.requests[0].headers["Accept-Encoding"] == "gzip"


def test_an_answer_cut_short_anywhere_is_a_fault(cloud, client):
    whole = json.dumps({"restore_record_response": [{"restore_id": "r1"}], "total_num": 1})
    for length in range(0, len(whole), 7):

        def cut(handler, length=length):
            handler.close_connection = True
            handler.wfile.write(START + b"Content-Length: %d\r\n\r\n" % len(whole))
            handler.wfile.write(whole[:length].encode())

        cloud.says(cut)
        assert type(fault_of(lambda: client.restores("i1"))) is Unreachable


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused_and_its_target_hears_nothing(clouds, cloud, client, status):
    other = clouds()
    cloud.says(reply(status, b"", {"Location": f"{other.url}/v2/steal"}))
    fault = fault_of(lambda: client.restores("i1"))
    assert (type(fault), fault.status) == (InvalidResponse, status)
    assert "127.0.0.1" in fault.message
    assert not other.requests
    assert len(cloud.requests) == 1


@pytest.mark.parametrize("target", ["http://[::1", "file:///etc/passwd", "//\ud7ff", "javascript:"])
def test_a_redirect_to_anything_is_a_bad_answer(cloud, client, target):
    cloud.says(reply(302, b"", {"Location": target.encode("ascii", "replace").decode()}))
    assert type(fault_of(lambda: client.restores("i1"))) is InvalidResponse


@pytest.mark.parametrize("session_of", [new_session, requests.Session])
def test_the_host_s_proxies_and_netrc_are_ignored(clouds, cloud, monkeypatch, tmp_path, session_of):
    proxy = clouds()
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.url)
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login thief password x\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with session_of() as session:
        Client(session, cloud.url, "p1", SignedAuth(*SECRETS), lambda: None).restores("i1")
    assert not proxy.requests
    assert cloud.requests[0].headers["Authorization"].startswith("SDK-HMAC-SHA256 ")


def test_a_cookie_is_not_sent_back(cloud, client):
    cloud.says(reply(204, b"", {"Set-Cookie": "a=b; Path=/"}))
    client.restores("i1"), client.restores("i1")
    assert "Cookie" not in cloud.requests[1].headers


def test_one_connection_serves_many_calls(cloud, client):
    cloud.says(reply(204), reply(404), reply(200, EMPTY), reply(204))
    client.restores("i1")
    fault_of(client.instances)
    client.restores("i1"), client.backups("i1")
    assert len({request.sender for request in cloud.requests}) == 1


def test_the_scripted_clock_is_the_cloud_s():
    assert date_after(0) == DATE
