"""Requests that no browser sends: each gets a page, whatever its path."""

from io import BytesIO
from wsgiref.util import setup_testing_defaults

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"
PART = b'--b\r\nContent-Disposition: form-data; name="a%d"%s\r\n\r\n1\r\n'
# A registered name, a codec that isn't a text encoding, one that always fails.
CHARSETS = ("utf-7", "utf-16", "latin-1", "hex", "rot13", "idna", "undefined")
UNREADABLE = {
    **{f"form in {name}": (f"{FORM}; charset={name}", b"a=+AGE-") for name in CHARSETS},
    **{f"parts in {name}": (f"{MULTIPART}; charset={name}", PART % (1, b"")) for name in CHARSETS},
    "too many fields": (FORM, b"&".join(b"a%d=1" % n for n in range(1001))),
    "too many parts": (MULTIPART, b"".join(PART % (n, b"") for n in range(1001)) + b"--b--\r\n"),
    "too many files": (
        MULTIPART,
        b"".join(PART % (n, b'; filename="x"') for n in range(101)) + b"--b--\r\n",
    ),
    "no boundary": ("multipart/form-data", b"x"),
    "an endless boundary": (f"multipart/form-data; boundary={'x' * 300}", b"x"),
    "a boundary that is not ASCII": ("multipart/form-data; boundary=é", b"x"),
    "an endless part header": (MULTIPART, b"--b\r\n" + b"X" * 20_000 + b"\r\n\r\nx\r\n--b--\r\n"),
    "a form that is too large": (FORM, b"a=" + b"x" * 2_621_440),
    "parts that are too large": (MULTIPART, PART % (1, b"") + b"x" * 2_621_440),
}
PATHS = (
    "/", "/login/", "/logout/", "/login/once/x/", "/restores/", "/restores.json", "/restores.csv",
    "/restores/r-1/", "/instances/i-1/sync/", "/admin/login/", "/admin/auth/user/add/", "/nowhere/",
    "/healthz", "/static/nothing.css", "/reports/downtime/",
)  # fmt: skip
LARGE_FORMS = ("/lookup/", "/lookup.json")


@pytest.fixture(params=["signed in", "signed out"])
def browser(request, db):
    """A client whose forms are checked for a CSRF token, as in real life."""
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    if request.param == "signed in":
        client.force_login(User.objects.create_superuser("root"))
    client.cookies["csrf"] = "x" * 32
    return client


@pytest.mark.parametrize("kind", UNREADABLE)
def test_h4_a_form_that_cannot_be_read_is_a_400_on_every_path(browser, kind):
    content_type, body = UNREADABLE[kind]
    # A pasted ticket may be larger than other forms.
    for path in (*PATHS, *(() if "too large" in kind else LARGE_FORMS)):
        response = browser.generic("POST", path, body, content_type=content_type)
        assert response.status_code == 400, path
        assert "<h1>Bad request</h1>" in response.content.decode(), path


class Body(BytesIO):
    """A body that knows how many bytes of it were read."""

    taken = 0

    def read(self, *args):
        found = super().read(*args)
        self.taken += len(found)
        return found

    def readline(self, *args):
        found = super().readline(*args)
        self.taken += len(found)
        return found


LARGE = {
    "a large field": (FORM, b"text=" + b"%41" * 5_000_000),
    "many pairs": (FORM, b"a&" * 7_000_000),
    "a large part": (MULTIPART, PART % (1, b"") + b"x" * 15_000_000),
    "a large file": (MULTIPART, PART % (1, b'; filename="x"') + b"x" * 15_000_000),
    "many parts": (MULTIPART, (PART % (1, b"")) * 200_000),
    "a little too large": (FORM, b"text=" + b"x" * 65_536),
    "no form at all": ("application/json", b"[" * 3_000_000),
}


@pytest.mark.parametrize("kind", LARGE)
@pytest.mark.parametrize("session", ["", "forged"])
def test_h4_of_a_large_form_nothing_is_read_before_somebody_has_signed_in(db, kind, session):
    content_type, content = LARGE[kind]
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    if session:
        client.cookies[settings.SESSION_COOKIE_NAME] = session
    for path in (*PATHS, *LARGE_FORMS, "/login/second-step/", "/admin/"):
        body = Body(content)
        environ = {"CONTENT_TYPE": content_type, "CONTENT_LENGTH": str(len(content))}
        response = client.post(path, **environ, **{"wsgi.input": body})
        expected = {"/lookup/": 302, "/lookup.json": 401}.get(path, 400)
        assert (response.status_code, body.taken) == (expected, 0), path
        if path == "/lookup/":
            assert response.headers["Location"] == "/login/?next=/lookup/"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_h4_other_methods_ignore_a_malformed_body(browser, method):
    for content_type, body in UNREADABLE.values():
        if len(body) <= 2_621_440:
            for path in ("/login/", "/nowhere/", "/restores.json"):
                response = browser.generic(method, path, body, content_type=content_type)
                assert response.status_code < 500, (path, content_type)


def respond(method, path, query, charset):
    """The status line and the page that the WSGI application responds with."""
    from dashboard.wsgi import application  # it requires collected static files

    body = b"a=1"
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path.encode().decode("latin-1"),
        "QUERY_STRING": query,
        "CONTENT_TYPE": f"{FORM}; charset={charset}",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
    }
    setup_testing_defaults(environ)
    answers = []
    page = b"".join(application(environ, lambda *answer: answers.append(answer)))
    return answers[0][0], page


@pytest.mark.parametrize("charset", [*CHARSETS, "none", ""])
@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("POST", 400)])
def test_h4_a_charset_does_not_decode_the_query_string(db, charset, method, status):
    answer, page = respond(method, "/login/", "next=/restores/%3Fq%3D%C3%A9", charset)
    # An unknown charset is ignored, and the form lacks its CSRF token.
    status = 403 if status == 400 and charset in ("none", "") else status
    assert answer.startswith(str(status))
    assert status != 200 or 'value="/restores/?q=é"'.encode() in page


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize(("method", "status"), [("GET", "404"), ("POST", "400")])
def test_h4_a_charset_breaks_no_path_of_any_script(db, charset, method, status):
    for path in ("/é/", "/中/"):
        answer, _ = respond(method, path, "a=1", charset)
        assert answer.startswith(status), path


@pytest.mark.parametrize("text", [b"%00", b"a%00b", b"%ED%A0%80", b"%FF", b"%E2%80%AE", b"%"])
def test_h4_odd_characters_in_a_form_are_invalid_and_not_fatal(browser, text):
    body = b"username=%b&password=%b&next=%b&csrfmiddlewaretoken=%b" % ((text,) * 4)
    for path in PATHS:
        assert browser.generic("POST", path, body, content_type=FORM).status_code < 500, path
    free = Client(raise_request_exception=False)
    for path in ("/login/", "/admin/login/"):
        assert free.generic("POST", path, body, content_type=FORM).status_code == 200


@examples(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    path=st.sampled_from(PATHS + LARGE_FORMS),
    content_type=st.sampled_from([FORM, MULTIPART, "", "text/plain", "multipart/mixed"]),
    parameter=st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=20),
    body=st.binary(max_size=200) | st.binary(max_size=50).map(lambda body: b"--b\r\n" + body),
)
def test_h4_no_form_of_any_kind_causes_a_server_error(browser, path, content_type, parameter, body):
    content_type = f"{content_type}; charset={parameter}"
    assert browser.generic("POST", path, body, content_type=content_type).status_code < 500


@pytest.mark.parametrize("query", ["_to_field", "_to_field=", "_to_field=nowhere", "_popup=x"])
def test_h4_no_query_of_an_admin_page_causes_a_server_error(browser, query):
    for model in admin.site._registry:
        place = model._meta.label_lower.replace(".", "/")
        for page in ("change", "delete", "history"):
            path = f"/admin/{place}/é/{page}/?{query}"
            assert browser.get(path).status_code < 500, path
