import json
import pickle
import threading
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import pytest
import requests
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer
from hypothesis import example, given, settings
from hypothesis import strategies as st

from restores.dcs.auth import SignedAuth, TokenAuth
from restores.dcs.client import Client
from restores.dcs.errors import (
    AuthenticationError,
    DcsError,
    InvalidResponse,
    PermissionDenied,
    Unreachable,
)
from tests.dcs.conftest import reply

NOW = datetime(2026, 10, 6, 14, 3, tzinfo=UTC)
SECRETS = ("CANARY-AK", "CANARY-SK", "CANARY-TOKEN", "CANARY-PASSWORD")

PATH_PART = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
WORD = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
HEADER_NAME = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,8}", fullmatch=True).map("X-T-".__add__)
HEADER_VALUE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)


def signed(url, headers=None, method="GET", body=None, **own):
    request = requests.Request(method, "http://x", data=body).prepare()
    request.headers.update(headers or {})
    request.url = url
    return SignedAuth("CANARY-AK", "CANARY-SK", clock=lambda: NOW, **own)(request)


def signed_by_the_sdk(request):
    url = urlsplit(request.url)
    headers = {k: v for k, v in request.headers.items() if k not in ("Authorization", "Host")}
    theirs = SdkRequest(
        method=request.method,
        schema=url.scheme,
        host=url.netloc,
        resource_path=url.path,
        query_params=parse_qsl(url.query, keep_blank_values=True),
        header_params=headers,
        body=request.body,
    )
    return Signer(BasicCredentials("CANARY-AK", "CANARY-SK")).sign(theirs).header_params


@given(
    st.lists(PATH_PART, min_size=1, max_size=4),
    st.lists(st.tuples(WORD, WORD), max_size=5),
    st.dictionaries(HEADER_NAME, HEADER_VALUE, max_size=3),
    st.sampled_from(["", "CANARY-TOKEN"]),
)
@example(["v2", "p", "instances", "a b/../%2e", "restores"], [("k", "b"), ("k", "a")], {}, "")
@example(["ü", "中", "~", "+"], [("sp ace", "+&="), ("é", "~"), ("", "")], {"X-T": " ü  中 "}, "")
@settings(max_examples=150, deadline=None)
def test_any_request_is_signed_like_the_sdk_does(path, query, headers, token):
    url = "https://dcs.example/" + "/".join(quote(part, safe="") for part in path)
    request = signed(
        f"{url}?{urlencode(query, quote_via=quote)}" if query else url,
        headers,
        security_token=token,
        project_id="p1",
    )
    assert request.headers["Authorization"] == signed_by_the_sdk(request)["Authorization"]


def test_a_body_is_signed_like_the_sdk_does():
    headers = {"Content-Type": "application/json"}
    request = signed("https://dcs.example/v2", headers, "POST", '{"a": "ü"}')
    assert request.headers["Authorization"] == signed_by_the_sdk(request)["Authorization"]


def test_the_signature_covers_date_host_project_and_security_token():
    headers = signed("https://dcs.example:8443/v2", security_token="T", project_id="p1").headers
    assert "SignedHeaders=host;x-project-id;x-sdk-date;x-security-token," in str(headers)
    assert headers["X-Sdk-Date"] == "20261006T140300Z"
    assert headers["Host"] == "dcs.example:8443"


def test_signing_again_replaces_the_signature():
    once = signed("https://dcs.example/v2")
    auth = SignedAuth("CANARY-AK", "CANARY-SK", clock=lambda: NOW)
    first = once.headers["Authorization"]
    assert auth(once).headers["Authorization"] == first


def test_the_client_sends_what_was_signed(server, client):
    client.restores("a b/ü", begin=NOW)
    sent = server.requests[0]
    names = sent.headers["Authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    request = requests.Request("GET", "http://x").prepare()
    request.url = server.url + sent.path
    request.headers.clear()
    request.headers.update({k: v for k, v in sent.headers.items() if k.lower() in names})
    assert signed_by_the_sdk(request)["Authorization"] == sent.headers["Authorization"]
    assert unquote(sent.path.split("?")[0]) == "/v2/p1/instances/a b/ü/restores"


def token(name, life=timedelta(days=1), status=201):
    expires = f"{NOW + life:%Y-%m-%dT%H:%M:%S.000000Z}"
    return reply(status, {"token": {"expires_at": expires}}, {"X-Subject-Token": name})


@pytest.fixture
def iam(start_server):
    return start_server()


@pytest.fixture
def login(iam, session):
    return TokenAuth(session, iam.url, "Shop", "reader", "CANARY-PASSWORD", "p1")


@pytest.fixture
def token_client(server, session, login, rate_limiter):
    return Client(session, server.url, "p1", login, rate_limiter, timeout=3)


def test_a_login_requests_a_token_for_one_project(iam, token_client, server):
    iam.replies(token("T1"))
    token_client.restores("i1")
    body = json.loads(iam.requests[0].body)["auth"]
    user = body["identity"]["password"]["user"]
    assert iam.requests[0].path == "/v3/auth/tokens?nocatalog=true"
    assert user == {"name": "reader", "password": "CANARY-PASSWORD", "domain": {"name": "Shop"}}
    assert body["scope"] == {"project": {"id": "p1"}}
    assert server.requests[0].headers["X-Auth-Token"] == "T1"


def test_a_token_serves_many_calls_and_every_request_is_rate_limited(
    iam, token_client, rate_limiter
):
    iam.replies(token("T1"))
    for _ in range(3):
        token_client.restores("i1")
    assert len(iam.requests) == 1
    assert rate_limiter.calls == 4


def test_a_token_is_renewed_before_it_expires(iam, session):
    iam.replies(token("T1", timedelta(hours=1)), token("T2"))
    now = [NOW]
    auth = TokenAuth(session, iam.url, "d", "u", "p", "p1", clock=lambda: now[0])

    def token_sent():
        return auth(requests.Request("GET", "http://x").prepare()).headers["X-Auth-Token"]

    assert token_sent() == "T1"
    now[0] += timedelta(minutes=54)
    assert token_sent() == "T1"
    now[0] += timedelta(minutes=2)
    assert token_sent() == "T2"


def test_a_rejected_token_is_renewed_once_and_the_call_repeated(iam, server, token_client):
    iam.replies(token("T1"), token("T2"))
    server.replies(reply(401, {"error_code": "DCS.1002"}), reply(204))
    assert token_client.restores("i1").complete
    assert [r.headers["X-Auth-Token"] for r in server.requests] == ["T1", "T2"]


def test_a_second_rejection_is_final(iam, server, token_client):
    iam.replies(token("T1"), token("T2"), token("T3"))
    server.replies(reply(401, {"error_code": "DCS.1001"}))
    with pytest.raises(AuthenticationError, match=r"DCS\.1001"):
        token_client.restores("i1")
    assert (len(iam.requests), len(server.requests)) == (2, 2)


def test_a_rejected_key_is_not_retried(server, client):
    server.replies(reply(401, {"error_code": "APIGW.0301"}))
    with pytest.raises(AuthenticationError):
        client.restores("i1")
    assert len(server.requests) == 1


def in_parallel(count, call):
    barrier, outcomes = threading.Barrier(count), []

    def run():
        barrier.wait()
        try:
            outcomes.append(call())
        except DcsError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_twenty_threads_renew_a_token_with_one_login(iam, server, token_client, login):
    iam.replies(token("T1"), token("T2"))
    rejected = login(requests.Request("GET", server.url).prepare())
    in_parallel(20, lambda: login.renew_token(rejected))
    assert len(iam.requests) == 2


def test_twenty_threads_whose_token_was_rejected_share_one_login(iam, server, token_client, login):
    iam.replies(token("T1"), token("T2"))
    token_client.restores("i1")

    def accept_only_t2(handler):
        valid = handler.headers["X-Auth-Token"] == "T2"
        (reply(204) if valid else reply(401, {"error_code": "DCS.1002"}))(handler)

    server.replies(accept_only_t2)
    pages = in_parallel(20, lambda: token_client.restores("i1"))
    assert all(page.complete for page in pages)
    assert len(iam.requests) == 2


def test_threads_that_waited_for_a_rejected_login_do_not_repeat_it(iam, login):
    held = threading.Event()

    def slowly(handler):
        held.wait(2)
        reply(401, {"error": {"code": 401, "message": "wrong", "title": "Unauthorized"}})(handler)

    iam.replies(slowly)
    threading.Timer(0.3, held.set).start()
    outcomes = in_parallel(10, lambda: login.ensure_token())
    assert all(type(error) is AuthenticationError for error in outcomes)
    assert len(iam.requests) == 1


@pytest.mark.parametrize(
    ("response", "error_class"),
    [
        (reply(401, {"error": {"code": 401, "message": "wrong"}}), AuthenticationError),
        (reply(403, {"error": {"code": 403, "message": "locked"}}), PermissionDenied),
        (reply(400, {"error": {"code": 400, "message": "scope"}}), InvalidResponse),
        (reply(500), Unreachable),
        (reply(201, {"token": {}}), InvalidResponse),
        (token("two words"), InvalidResponse),
        (reply(200, b"<html>log in</html>"), InvalidResponse),
        (reply(302, b"", {"Location": "http://127.0.0.1:9/"}), InvalidResponse),
    ],
)
def test_a_failed_login_raises_the_error_named_by_its_remedy(
    iam, server, token_client, response, error_class
):
    iam.replies(response)
    with pytest.raises(DcsError) as raised:
        token_client.restores("i1")
    assert type(raised.value) is error_class
    assert not server.requests


@pytest.mark.parametrize("body", [b"{}", b"[1]", b"nonsense", b'{"token": {"expires_at": {}}}'])
def test_a_token_without_a_readable_expiry_is_still_used(iam, login, body):
    iam.replies(reply(201, body, {"X-Subject-Token": "T1"}))
    request = requests.Request("GET", "http://x").prepare()
    assert login(login(request)).headers["X-Auth-Token"] == "T1"
    assert len(iam.requests) == 1


def test_authentication_never_prints_or_pickles_its_credentials(login):
    key = SignedAuth("CANARY-AK", "CANARY-SK", "CANARY-TOKEN", "p1")
    for auth in (key, login):
        assert not any(secret in f"{auth!r} {auth}" for secret in SECRETS)
        with pytest.raises(TypeError) as raised:
            pickle.dumps(auth)
        assert not any(secret in str(raised.value) for secret in SECRETS)


def everything_printed_about(client):
    with pytest.raises(AuthenticationError) as raised:
        client.restores("i1")
    error = raised.value
    return f"{error} {error!r} {pickle.dumps(error)} {vars(error)}"


@pytest.mark.parametrize("field", ["error_msg", "error_code", "request_id"])
def test_a_credential_in_a_response_is_masked_in_the_error(
    iam, server, client, token_client, field
):
    def echo(handler):
        sent = [handler.headers[name] for name in ("X-Auth-Token", "Authorization")]
        reply(401, {"error_code": "APIGW.0301"} | {field: f"{sent} " * 9})(handler)

    server.replies(echo)
    iam.replies(token("CANARY-TOKEN"), reply(401, {field: "CANARY-PASSWORD" * 30}))
    shown = everything_printed_about(client) + everything_printed_about(token_client)
    assert not any(secret in shown for secret in SECRETS)
    assert "•••" in shown
