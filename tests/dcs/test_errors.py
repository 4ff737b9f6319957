import json
import pickle
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

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
    error_from,
)
from restores.dcs.http import Response
from tests.dcs.conftest import ANY_JSON, DATE, EMPTY_LIST, SECRETS, error_of, reply

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
    # After a 400, a page of one row says whether the limit was the reason.
    assert len(server.requests) == (2 if status == 400 else 1)


def test_404_for_a_call_about_the_project_is_never_a_missing_instance(server, client):
    server.replies(reply(404, SERVICE_404))
    assert type(error_of(client.restoring_count)) is NotSupported
    assert type(error_of(client.instances)) is NotSupported


XML = b"""<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>AccessDenied</Code><Message>Not &lt;yours&gt;</Message></Error>"""
SOAP = b"""<soap:Envelope xmlns:soap="urn:x"><soap:Body><soap:Fault>
<faultcode>soap:Client</faultcode><faultstring><![CDATA[No <access>]]></faultstring>
</soap:Fault></soap:Body></soap:Envelope>"""
OAUTH = {"error": "invalid_client", "error_description": "Bad key"}
APIGEE = {"fault": {"faultstring": "Bad key", "detail": {"errorcode": "oauth.InvalidKey"}}}
FASTAPI = {"detail": [{"loc": ["query", "limit"], "msg": "too large", "type": "value_error"}]}
NESTJS = {"statusCode": 403, "message": ["limit too large", "no"], "error": "Forbidden"}
PROBLEM = {"type": "about:blank", "title": "Forbidden", "status": 403, "detail": "No policy."}
SPRING = {"timestamp": 1, "status": 403, "error": "Forbidden", "path": "/v2"}


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"error_code": "DCS.4800", "error_msg": "Flat."}, "DCS.4800", ", DCS.4800): Flat."),
        ({"errorCode": "A.1", "errorMsg": "Camel."}, "A.1", ", A.1): Camel."),
        ({"code": "A.2", "message": "Short."}, "A.2", ", A.2): Short."),
        ({"error": {"code": 403, "message": "IAM.", "title": "Bad"}}, "403", "(HTTP 403): IAM."),
        ({"forbidden": {"code": 403, "message": "No."}}, "403", "(HTTP 403): No."),
        ({"errors": [{"code": "A.3", "message": "First."}]}, "A.3", ", A.3): First."),
        ({"errors": ["One.", "Two."]}, "", "(HTTP 403): One.; Two."),
        ([{"errorCode": "A.4", "message": "Listed."}], "A.4", ", A.4): Listed."),
        (OAUTH, "invalid_client", ", invalid_client): Bad key"),
        ({"error": "invalid_client"}, "invalid_client", "(HTTP 403, invalid_client)."),
        ({"error": "Not for you"}, "", "(HTTP 403): Not for you"),
        ({"code": 7, "error": "Not for you"}, "7", "(HTTP 403, 7): Not for you"),
        (APIGEE, "oauth.InvalidKey", ", oauth.InvalidKey): Bad key"),
        ({"Error": {"Code": "AccessDenied", "Message": "No."}}, "AccessDenied", "Denied): No."),
        (FASTAPI, "", "(HTTP 403): too large"),
        ({"detail": "No such policy."}, "", "(HTTP 403): No such policy."),
        (NESTJS, "Forbidden", "(HTTP 403, Forbidden): limit too large; no"),
        (PROBLEM, "", "(HTTP 403): No policy."),
        (SPRING, "Forbidden", "(HTTP 403, Forbidden)."),
        ({"error_code": "", "errors": None, "msg": "Deep."}, "", "(HTTP 403): Deep."),
        (XML, "AccessDenied", ", AccessDenied): Not <yours>"),
        (SOAP, "soap:Client", ", soap:Client): No <access>"),
        (b"<html><title>403 Forbidden</title>", "", ": a web page titled “403 Forbidden”"),
        (b"<!DOCTYPE html><p>No", "", ": a web page"),
        (b"upstream connect error\r\n reset", "", "(HTTP 403): upstream connect error reset"),
        ("\ufeffnein, größer".encode(), "", "(HTTP 403): nein, größer"),
        (b"\xff\xfe\x00", "", "(HTTP 403): \ufffd\ufffd"),
        ({"limit": ["Too large."]}, "", '(HTTP 403): {"limit": ["Too large."]}'),
        ({"error_code": {}, "error_msg": None}, "", '(HTTP 403): {"error_code": {}'),
        ("Forbidden", "", '(HTTP 403): "Forbidden"'),
        ([], "", "(HTTP 403)."),
        ({}, "", "(HTTP 403)."),
        (b"", "", "(HTTP 403)."),
    ],
)
def test_code_and_message_are_found_in_every_shape_of_body(server, client, body, code, message):
    server.replies(reply(403, body))
    error = error_of(lambda: client.restores("i1"))
    assert error.code == code
    assert message in error.message
    assert type(error) is PermissionDenied


@given(ANY_JSON | st.binary(max_size=200))
def test_no_body_breaks_the_error_or_its_one_short_line(body):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = requests.Request("GET", "https://dcs.example").prepare()
    response = Response(request=request, status=403, headers={}, body=raw)
    error = error_from(response)
    assert type(error) is PermissionDenied
    assert error.message.isprintable() and len(error.message) < 450


@pytest.mark.parametrize("charset", ["utf-16", "gbk", "no-such", "undefined"])
def test_a_text_is_read_in_its_charset_and_an_unknown_one_breaks_nothing(server, client, charset):
    known = charset in ("utf-16", "gbk")
    body = "访问被拒绝".encode(charset if known else "utf-8")
    server.replies(reply(403, body, {"Content-Type": f"text/plain; charset={charset}"}))
    assert error_of(lambda: client.restores("i1")).message.endswith("(HTTP 403): 访问被拒绝")


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    "body",
    [
        "denied for {}",
        "<Error><Message>{}</Message></Error>",
        '{{"errors": [{{"detail": "{}"}}]}}',
        '{{"fault": "{}"}}',
        "<html><title>{}</title></html>",
    ],
)
def test_credentials_are_masked_in_every_shape_of_body(server, client, body, secret):
    server.replies(reply(403, body.format(secret).encode()))
    error = error_of(lambda: client.restores("i1"))
    assert "•••" in error.message and secret not in error.message


@pytest.mark.parametrize(
    "body",
    [
        b'not json: "p\\"w/ \\u00fc<1"',
        'not json: "p\\"w\\/ ü<1"'.encode(),
        "<p>p&quot;w/ ü&lt;1</p>".encode(),
        b"?password=p%22w%2F%20%C3%BC%3C1",
        b'{"message": "p\\"w/ \\u00fc<1"}',
    ],
)
def test_a_password_is_masked_however_the_body_spells_it(body):
    request = requests.Request("GET", "https://iam.example").prepare()
    response = Response(request=request, status=403, headers={}, body=body)
    assert "•••" in error_from(response, secrets=['p"w/ ü<1']).message


def test_the_providers_message_is_one_line_and_shortened(server, client):
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
