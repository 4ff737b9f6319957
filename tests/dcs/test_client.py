import json
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import pytest

from restores.dcs.auth import SignedAuth
from restores.dcs.client import Client, PageLimit
from restores.dcs.errors import InvalidResponse, RequestSkipped, Throttled, Unreachable
from tests.dcs.conftest import EMPTY_LIST, SECRETS, error_of, reply


def requested(server, number=-1):
    """Path and query of a request."""
    url = urlsplit(server.requests[number].path)
    return url.path, {name: values[0] for name, values in parse_qs(url.query).items()}


def test_restores_are_listed_by_time_in_utc_and_by_page(server, client):
    begin = datetime(2026, 10, 6, 16, 3, 7, tzinfo=timezone(timedelta(hours=2)))
    client.restores("i1", begin=begin, end=begin + timedelta(days=1), offset=20)
    times = {"begin_time": "20261006140307", "end_time": "20261007140307"}
    page = {"offset": "20", "limit": "1000"}
    assert requested(server) == ("/v2/p1/instances/i1/restores", times | page)


def test_absent_parameters_are_not_sent(server, client):
    client.restores("i1"), client.backups("i1"), client.instances()
    page = {"offset": "0", "limit": "1000"}
    assert requested(server, 0) == ("/v2/p1/instances/i1/restores", page)
    assert requested(server, 1) == ("/v2/p1/instances/i1/backups", page)
    assert requested(server, 2) == ("/v2/p1/instances", page)


def test_instances_can_be_listed_by_status(server, client):
    client.instances(status="RESTORING")
    assert requested(server)[1]["status"] == "RESTORING"


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
def test_any_id_stays_one_segment_of_the_path(server, client, instance_id, segment):
    client.restores(instance_id)
    assert server.requests[0].path.startswith(f"/v2/p1/instances/{segment}/restores?")


def test_only_get_is_used(server, client):
    client.restores("i1"), client.backups("i1"), client.instances(), client.restoring_count()
    assert {request.method for request in server.requests} == {"GET"}


def test_204_is_a_complete_empty_page_at_the_servers_time(client):
    page = client.restores("i1")
    assert (page.rows, page.total, page.complete) == ((), 0, True)
    assert page.server_time == datetime(2026, 10, 6, 14, 3, tzinfo=UTC)


def test_a_response_with_the_known_digest_is_not_parsed(server, client):
    body = {"restore_record_response": [{"restore_id": "r-1"}], "total_num": 1}
    server.replies(reply(200, body), reply(200, body), reply(200, body | {"total_num": 2}))
    first = client.restores("i1", known_digest="another")
    again = client.restores("i1", known_digest=first.digest)
    other = client.restores("i1", known_digest=first.digest)

    assert [page.unchanged for page in (first, again, other)] == [False, True, False]
    assert [len(page.rows) for page in (first, again, other)] == [1, 0, 1]
    assert again.digest == first.digest != other.digest


def test_200_without_a_body_is_not_a_list_even_after_204(server, client):
    server.replies(reply(204), reply(200))
    empty = client.restores("i1")

    error = error_of(lambda: client.restores("i1", known_digest=empty.digest))
    assert type(error) is InvalidResponse


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
def test_instances_being_restored_are_counted_over_all_engines(server, client, body, count):
    server.replies(reply(200, body))
    assert client.restoring_count() == count
    assert requested(server) == ("/v2/p1/instances/status", {})


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
    ],
)
def test_a_response_that_is_not_a_list_is_invalid(server, client, body):
    server.replies(reply(200, body, {"X-Request-Id": "q1"}))
    error = error_of(lambda: client.restores("i1"))
    assert type(error) is InvalidResponse
    assert error.request_id == "q1"
    assert len(server.requests) == 1


def test_numbers_that_json_does_not_know_stay_storable(server, client):
    row = b'{"restore_id": "r", "progress": NaN, "error_code": Infinity}'
    server.replies(reply(200, b'{"restore_record_response": [%s], "total_num": 1}' % row))
    restore = client.restores("i1").rows[0]
    assert (restore.progress, restore.error_code) == (None, "Infinity")
    assert json.loads(restore.raw, parse_constant=pytest.fail)["progress"] == "NaN"


def test_a_byte_order_mark_is_accepted(server, client):
    server.replies(reply(200, b"\xef\xbb\xbf" + json.dumps(EMPTY_LIST).encode()))
    assert client.restores("i1").complete


def test_a_client_does_not_print_credentials(client):
    assert not any(secret in repr(client) for secret in SECRETS)


def test_a_rate_limiter_that_raises_stops_the_call(server, session):
    def give_up():
        raise Throttled("paused", datetime.now(UTC))

    client = Client(session, server.url, "p1", SignedAuth(*SECRETS), give_up)
    assert type(error_of(lambda: client.restores("i1"))) is Throttled
    assert not server.requests


def test_a_stopped_client_sends_nothing_and_names_the_reason(server, client, rate_limiter):
    reason = Unreachable("down", request_id="q1")
    client.stop(reason)
    error = error_of(lambda: client.restores("i1"))
    assert type(error) is RequestSkipped
    assert (error.reason, str(error), error.request_id) == (reason, "Skipped: down", "q1")
    assert not server.requests and not rate_limiter.calls


def test_a_client_stopped_while_it_waits_sends_nothing(server, session):
    client = Client(
        session,
        server.url,
        "p1",
        SignedAuth(*SECRETS),
        lambda: client.stop(Unreachable("down")),
    )
    assert type(error_of(lambda: client.restores("i1"))) is RequestSkipped
    assert not server.requests


def test_the_clock_skew_is_taken_from_the_date_header(client):
    client.restores("i1")
    expected = datetime(2026, 10, 6, 14, 3, tzinfo=UTC) - datetime.now(UTC)
    assert abs(client.clock_skew - expected) < timedelta(minutes=1)


def largest(accepted, *, status=400, body=b""):
    """Replies that refuse a limit above ``accepted``."""

    def respond(handler):
        limit = int(parse_qs(urlsplit(handler.path).query)["limit"][0])
        refused = reply(status, body)
        (refused if limit > accepted else reply(200, EMPTY_LIST))(handler)

    return respond


@pytest.mark.parametrize(
    ("accepted", "used"),
    [(1000, 1000), (999, 500), (100, 100), (99, 50), (50, 50), (10, 10), (7, 5), (1, 1)],
)
def test_the_largest_limit_that_is_accepted_is_found_once(server, client, accepted, used):
    server.replies(largest(accepted))
    assert client.restores("i1").limit == used
    first = len(server.requests)
    assert client.restores("i2").limit == client.restores("i3").limit == used
    assert len(server.requests) == first + 2
    assert requested(server)[1]["limit"] == str(used)


@pytest.mark.parametrize("status", [400, 413, 422])
@pytest.mark.parametrize(
    "body",
    [
        {"error_code": "DCS.4800", "error_msg": "Invalid limit in the request."},
        {"detail": [{"loc": ["query", "limit"], "msg": "too large"}]},
        b"<html>Bad Request</html>",
        b"",
    ],
)
def test_a_limit_may_be_refused_with_any_message(server, client, status, body):
    server.replies(largest(100, status=status, body=body))
    assert client.restores("i1").limit == 100


def test_clients_that_share_a_page_limit_find_it_only_once(server, session):
    shared = PageLimit()
    auth = SignedAuth(*SECRETS)
    server.replies(largest(50))
    for project in ("p1", "p2"):
        client = Client(session, server.url, project, auth, lambda: None, page_limit=shared)
        assert client.restores("i1").limit == 50
    assert [path for path, _ in map(requested, [server] * 7, range(-1, -8, -1))].count(
        "/v2/p2/instances/i1/restores"
    ) == 1


def test_a_request_refused_for_another_reason_keeps_its_error_and_the_limit(server, client):
    server.replies(reply(400, {"error_code": "DCS.4061"}), reply(400), reply(204))
    assert error_of(lambda: client.restores("i1")).code == "DCS.4061"
    assert len(server.requests) == 2
    assert client.restores("i1").limit == 1000
