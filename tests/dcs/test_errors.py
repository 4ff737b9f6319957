import pickle
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from restores.dcs.errors import (
    AuthenticationError,
    InstanceNotFound,
    InvalidResponse,
    NotSupported,
    PermissionDenied,
    RequestSkipped,
    Throttled,
    Unreachable,
    describe_clock_skew,
)
from tests.dcs.conftest import DATE, EMPTY_LIST, error_of, reply

SERVICE_404 = {"error_code": "DCS.3022", "error_msg": "gone"}
NUMERIC_404 = {"error": {"code": "111404022", "message": "gone"}}
GATEWAY_404 = {"error_code": "APIGW.0101", "error_msg": "The API does not exist"}
NO_URL_404 = {"error_code": "DCS.4001", "error_msg": "URL"}


@pytest.mark.parametrize(
    ("status", "body", "error_class", "kind"),
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
        (206, EMPTY_LIST, InvalidResponse, "bad_answer"),
    ],
)
def test_each_status_raises_the_error_named_by_its_remedy(
    server, client, status, body, error_class, kind
):
    server.replies(reply(status, body))
    error = error_of(lambda: client.restores("i1"))
    assert type(error) is error_class
    assert (error.kind, error.status) == (kind, status)
    assert f"HTTP {status}" in str(error)
    assert len(server.requests) == 1


def test_404_for_a_call_about_the_project_is_never_a_missing_instance(server, client):
    server.replies(reply(404, SERVICE_404))
    assert type(error_of(client.restoring_count)) is NotSupported
    assert type(error_of(client.instances)) is NotSupported


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
def test_code_and_message_are_found_in_every_shape_of_body(server, client, body, code, message):
    server.replies(reply(400, body))
    error = error_of(lambda: client.restores("i1"))
    assert error.code == code
    assert message in error.message


def test_the_provider_s_message_is_one_line_and_shortened(server, client):
    server.replies(reply(400, {"error_code": "X" * 999, "error_msg": "a\r\n\0b " * 999}))
    error = error_of(lambda: client.restores("i1"))
    assert len(error.message) < 450
    assert error.message.isprintable()


def test_errors_can_be_pickled(server, client):
    server.replies(reply(429, {"error_code": "APIGW.0308"}, {"Retry-After": "60"}))
    throttled = error_of(lambda: client.restores("i1"))
    for error in (throttled, RequestSkipped(Unreachable("down"))):
        copied = pickle.loads(pickle.dumps(error))
        assert (type(copied), str(copied)) == (type(error), str(error))
        assert vars(copied).keys() == vars(error).keys()
    assert vars(pickle.loads(pickle.dumps(throttled))) == vars(throttled)


def date_after(seconds):
    server_time = datetime(2026, 10, 6, 14, 3, tzinfo=UTC)
    return format_datetime(server_time + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("retry_after", "shortest", "longest"),
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
def test_throttling_lasts_as_long_as_retry_after_says_within_reason(
    server, client, retry_after, shortest, longest
):
    headers = {"Retry-After": retry_after} if retry_after else {}
    server.replies(reply(429, {"error_code": "APIGW.0308"}, headers))
    before = datetime.now(UTC)
    until = error_of(lambda: client.restores("i1")).until
    after = datetime.now(UTC)
    assert before + timedelta(seconds=shortest) <= until <= after + timedelta(seconds=longest)


def test_the_dates_of_these_tests_are_the_server_s():
    assert date_after(0) == DATE


def test_a_rejected_signature_says_how_far_our_clock_is_off(server, client):
    server.replies(reply(401, {"error_code": "APIGW.0303"}))
    assert "Our clock is " in error_of(lambda: client.restores("i1")).message


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (400, "Our clock is 7 min behind the provider’s."),
        (-3600, "Our clock is 60 min ahead of the provider’s."),
    ],
)
def test_clock_skew_is_described_from_our_side(seconds, text):
    assert describe_clock_skew(timedelta(seconds=seconds)) == text


def test_a_web_page_is_named_by_its_title(server, client):
    server.replies(reply(200, b"<html><title>Sign in to\n Guest WiFi</title></html>"))
    message = error_of(lambda: client.restores("i1")).message
    assert message == "The response is not JSON. It is a web page titled “Sign in to Guest WiFi”."
