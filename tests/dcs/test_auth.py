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


def by_the_official_signer(request):
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
@settings(max_examples=150)
def test_any_request_carries_the_signature_of_the_official_signer(path, query, headers, token):
    url = "https://dcs.example/" + "/".join(quote(part, safe="") for part in path)
    request = signed(
        f"{url}?{urlencode(query, quote_via=quote)}" if query else url,
        headers,
        security_token=token,
        project_id="p1",
    )
    assert request.headers["Authorization"] == by_the_official_signer(request)["Authorization"]


def test_a_body_is_signed_as_the_official_signer_does():
    headers = {"Content-Type": "application/json"}
    request = signed("https://dcs.example/v2", headers, "POST", '{"a": "ü"}')
    assert request.headers["Authorization"] == by_the_official_signer(request)["Authorization"]


def test_a_signature_covers_date_host_project_and_security_token():
    headers = signed("https://dcs.example:8443/v2", security_token="T", project_id="p1").headers
    assert "SignedHeaders=host;x-project-id;x-sdk-date;x-security-token," in str(headers)
    assert headers["X-Sdk-Date"] == "20261006T140300Z"
    assert headers["Host"] == "dcs.example:8443"


def test_signing_twice_is_signing_once():
    once = signed("https://dcs.example/v2")
    auth = SignedAuth("CANARY-AK", "CANARY-SK", clock=lambda: NOW)
    first = once.headers["Authorization"]
    assert auth(once).headers["Authorization"] == first


def test_what_the_client_sends_is_what_was_signed(cloud, client):
    client.restores("a b/ü", begin=NOW)
    seen = cloud.requests[0]
    names = seen.headers["Authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    request = requests.Request("GET", "http://x").prepare()
    request.url = cloud.url + seen.path
    request.headers.clear()
    request.headers.update({k: v for k, v in seen.headers.items() if k.lower() in names})
    assert by_the_official_signer(request)["Authorization"] == seen.headers["Authorization"]
    assert unquote(seen.path.split("?")[0]) == "/v2/p1/instances/a b/ü/restores"


def token(name, life=timedelta(days=1), status=201):
    expires = f"{NOW + life:%Y-%m-%dT%H:%M:%S.000000Z}"
    return reply(status, {"token": {"expires_at": expires}}, {"X-Subject-Token": name})


@pytest.fixture
def iam(clouds):
    return clouds()


@pytest.fixture
def login(iam, session):
    return TokenAuth(session, iam.url, "Shop", "reader", "CANARY-PASSWORD", "p1")


@pytest.fixture
def by_token(cloud, session, login, slots):
    return Client(session, cloud.url, "p1", login, lambda: slots.append(1), timeout=3)


def test_a_login_asks_for_the_token_of_one_project(iam, by_token, cloud):
    iam.says(token("T1"))
    by_token.restores("i1")
    asked = json.loads(iam.requests[0].body)["auth"]
    user = asked["identity"]["password"]["user"]
    assert iam.requests[0].path == "/v3/auth/tokens?nocatalog=true"
    assert user == {"name": "reader", "password": "CANARY-PASSWORD", "domain": {"name": "Shop"}}
    assert asked["scope"] == {"project": {"id": "p1"}}
    assert cloud.requests[0].headers["X-Auth-Token"] == "T1"


def test_a_token_serves_many_calls_and_each_request_waits_for_its_slot(iam, by_token, slots):
    iam.says(token("T1"))
    for _ in range(3):
        by_token.restores("i1")
    assert len(iam.requests) == 1
    assert len(slots) == 4


def test_a_token_is_renewed_before_it_ends(iam, session):
    iam.says(token("T1", timedelta(hours=1)), token("T2"))
    now = [NOW]
    auth = TokenAuth(session, iam.url, "d", "u", "p", "p1", clock=lambda: now[0])

    def sent():
        return auth(requests.Request("GET", "http://x").prepare()).headers["X-Auth-Token"]

    assert sent() == "T1"
    now[0] += timedelta(minutes=54)
    assert sent() == "T1"
    now[0] += timedelta(minutes=2)
    assert sent() == "T2"


def test_a_refused_token_is_renewed_once_and_the_call_repeated(iam, cloud, by_token):
    iam.says(token("T1"), token("T2"))
    cloud.says(reply(401, {"error_code": "DCS.1002"}), reply(204))
    assert by_token.restores("i1").complete
    assert [r.headers["X-Auth-Token"] for r in cloud.requests] == ["T1", "T2"]


def test_a_second_refusal_is_final(iam, cloud, by_token):
    iam.says(token("T1"), token("T2"), token("T3"))
    cloud.says(reply(401, {"error_code": "DCS.1001"}))
    with pytest.raises(AuthenticationError, match=r"DCS\.1001"):
        by_token.restores("i1")
    assert (len(iam.requests), len(cloud.requests)) == (2, 2)


def test_a_refused_key_is_not_tried_again(cloud, client):
    cloud.says(reply(401, {"error_code": "APIGW.0301"}))
    with pytest.raises(AuthenticationError):
        client.restores("i1")
    assert len(cloud.requests) == 1


def at_once_in_threads(count, call):
    barrier, outcomes = threading.Barrier(count), []

    def run():
        barrier.wait()
        try:
            outcomes.append(call())
        except DcsError as fault:
            outcomes.append(fault)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_twenty_threads_renew_a_token_with_one_login(iam, cloud, by_token, login):
    iam.says(token("T1"), token("T2"))
    refused = login(requests.Request("GET", cloud.url).prepare())
    at_once_in_threads(20, lambda: login.renew_token(refused))
    assert len(iam.requests) == 2


def test_twenty_threads_whose_token_died_share_one_login(iam, cloud, by_token, login):
    iam.says(token("T1"), token("T2"))
    by_token.restores("i1")

    def judged(handler):
        alive = handler.headers["X-Auth-Token"] == "T2"
        (reply(204) if alive else reply(401, {"error_code": "DCS.1002"}))(handler)

    cloud.says(judged)
    pages = at_once_in_threads(20, lambda: by_token.restores("i1"))
    assert all(page.complete for page in pages)
    assert len(iam.requests) == 2


def test_threads_that_waited_for_a_refused_login_do_not_repeat_it(iam, login):
    held = threading.Event()

    def slowly(handler):
        held.wait(2)
        reply(401, {"error": {"code": 401, "message": "wrong", "title": "Unauthorized"}})(handler)

    iam.says(slowly)
    threading.Timer(0.3, held.set).start()
    outcomes = at_once_in_threads(10, lambda: login.ensure_token())
    assert all(type(fault) is AuthenticationError for fault in outcomes)
    assert len(iam.requests) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
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
def test_a_login_that_fails_names_its_remedy(iam, cloud, by_token, answer, kind):
    iam.says(answer)
    with pytest.raises(DcsError) as raised:
        by_token.restores("i1")
    assert type(raised.value) is kind
    assert not cloud.requests


@pytest.mark.parametrize("body", [b"{}", b"[1]", b"nonsense", b'{"token": {"expires_at": {}}}'])
def test_a_token_without_a_readable_end_is_still_used(iam, login, body):
    iam.says(reply(201, body, {"X-Subject-Token": "T1"}))
    request = requests.Request("GET", "http://x").prepare()
    assert login(login(request)).headers["X-Auth-Token"] == "T1"
    assert len(iam.requests) == 1


def test_nothing_that_holds_a_credential_prints_pickles_or_copies_it(login):
    key = SignedAuth("CANARY-AK", "CANARY-SK", "CANARY-TOKEN", "p1")
    for auth in (key, login):
        assert not any(secret in f"{auth!r} {auth}" for secret in SECRETS)
        with pytest.raises(TypeError) as raised:
            pickle.dumps(auth)
        assert not any(secret in str(raised.value) for secret in SECRETS)


def said_about(caller):
    with pytest.raises(AuthenticationError) as raised:
        caller.restores("i1")
    fault = raised.value
    return f"{fault} {fault!r} {pickle.dumps(fault)} {vars(fault)}"


@pytest.mark.parametrize("field", ["error_msg", "error_code", "request_id"])
def test_a_cloud_that_repeats_a_credential_does_not_bring_it_into_the_fault(
    iam, cloud, client, by_token, field
):
    def echo(handler):
        sent = [handler.headers[name] for name in ("X-Auth-Token", "Authorization")]
        reply(401, {"error_code": "APIGW.0301"} | {field: f"{sent} " * 9})(handler)

    cloud.says(echo)
    iam.says(token("CANARY-TOKEN"), reply(401, {field: "CANARY-PASSWORD" * 30}))
    shown = said_about(client) + said_about(by_token)
    assert not any(secret in shown for secret in SECRETS)
    assert "•••" in shown
