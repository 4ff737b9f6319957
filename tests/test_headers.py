"""Headers of every response, and hosts that aren't ours."""

import re

import pytest
from django.core.wsgi import get_wsgi_application
from django.http import StreamingHttpResponse
from django.test import Client
from django.urls import URLResolver, get_resolver

from dashboard.middleware import leave_out_bodies
from tests.factories import make_instance, make_restore

PATHS = ["/", "/restores/", "/restores.json", "/restores.csv", "/nowhere/", "/login/", "/login",
         "/admin/", "/healthz", "/readyz", "/static/dashboard.css", "/login/once/x/",
         "/metrics"]  # fmt: skip
HOSTS = ["evil.example", "evil.example:80", "testserver.evil.example", "127.0.0.1.evil.example",
         "evil.example@testserver", "testserver/", "[::", "", " ", "test server"]  # fmt: skip
# What every response has, of whatever status. For these the HTTP Observatory gives 150 points: 100
# because nothing is subtracted, 10 for the policy, 5 each for frame-ancestors and the referrer, and
# 10 for each Cross-Origin header. Cookies give 5 more.
HEADERS = {
    "Content-Security-Policy": re.compile(
        r"default-src 'none'; script-src 'self'; style-src 'self'; (?!.*unsafe-)(?!.*https?:)"
        r".*form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
    ),
    "Cross-Origin-Opener-Policy": re.compile("same-origin"),
    "Cross-Origin-Resource-Policy": re.compile("same-origin"),
    "Cross-Origin-Embedder-Policy": re.compile("require-corp"),
    "Permissions-Policy": re.compile(r"camera=\(\), .*"),
    "Referrer-Policy": re.compile("same-origin"),
    "Strict-Transport-Security": re.compile("max-age=63072000; includeSubDomains; preload"),
    "X-Content-Type-Options": re.compile("nosniff"),
    "X-Frame-Options": re.compile("DENY"),
    "X-Request-ID": re.compile("[0-9a-f]{32}"),
}
NAMED = {"restore_id": "r-1", "instance_id": "i-1", "app_label": "auth", "token": "x"}


def paths_of(resolver, prefix="/"):
    """A path for every route of the URLconf."""
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern).removeprefix("^").removesuffix("$")
        if isinstance(pattern, URLResolver):
            yield from paths_of(pattern, route)
        else:
            yield re.sub(
                r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>.*?\)(?=/|$)",
                lambda match: NAMED.get(match[1] or match[2], "1"),
                route,
            )


ROUTES = sorted({*paths_of(get_resolver()), "/nowhere/", "/static/nothing.css"})


@pytest.fixture
def production(settings):
    """The settings that follow from an ``https://`` BASE_URL."""
    settings.SECURE_HSTS_SECONDS = 63_072_000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = True
    settings.SECURE_SSL_REDIRECT = True
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True


def assert_secure(response, path):
    for name, pattern in HEADERS.items():
        assert pattern.fullmatch(response.headers.get(name, "")), f"{path}: {name}"
    assert not [name for name in response.headers if name.startswith("Access-Control-")], path
    for cookie in response.cookies.values():
        assert cookie["secure"] and cookie["httponly"] and cookie["samesite"] == "Lax", path


@pytest.mark.parametrize("path", ROUTES)
def test_every_route_has_every_security_header_whatever_it_answers(path, production, root):
    make_restore("r-1", instance=make_instance(instance_id="i-1"))
    known, unknown = Client(enforce_csrf_checks=True), Client(enforce_csrf_checks=True)
    known.force_login(root)
    for client in (known, unknown):
        client.raise_request_exception = False
        for method in ("get", "head", "post", "put"):
            assert_secure(getattr(client, method)(path, secure=True), f"{method} {path}")


def test_no_page_loads_a_script_or_a_style_from_elsewhere(production, web):
    for path in ("/", "/restores/", "/login/", "/admin/", "/nowhere/"):
        html = web.get(path, secure=True).content.decode()
        for url in re.findall(r"<(?:script|link|img)\b[^>]* (?:src|href)=\"([^\"]*)", html):
            assert re.match(r"/(?!/)|data:", url), f"{path}: {url}"


def test_http_is_redirected_to_https_on_the_same_host(production, web):
    for path in ("/", "/restores/?size=20", "/login/", "/admin/", "/static/dashboard.css"):
        response = web.get(path)
        assert response.status_code == 301
        assert response.headers["Location"] == f"https://testserver{path}"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["get", "head", "post", "put"])
def test_h6_another_host_gets_a_400_on_every_path(web, path, method):
    for host in HOSTS:
        response = getattr(web, method)(path, headers={"host": host})
        assert response.status_code == 400, host
        assert response.headers["Content-Security-Policy"]
        assert not response.headers.get("Location")


def test_h6_a_forwarded_host_is_not_believed(client, db):
    response = client.get("/restores/", headers={"x-forwarded-host": "evil.example"})
    assert response.headers["Location"] == "/login/?next=/restores/"


@pytest.mark.parametrize("path", ["/healthz", "/nowhere/", "/login", "/metrics", "/restores.csv"])
def test_a_response_to_head_has_no_body(path, db, rf):
    # Not by the test client, which drops bodies itself.
    application = get_wsgi_application()
    response = application(rf.head(path).environ, lambda status, headers: None)
    assert b"".join(response) == b""


class Parts:
    """A file that is streamed, which counts until it is closed."""

    made = closed = False

    def __iter__(self):
        self.made = True
        yield b"1,2,3"

    def close(self):
        self.closed = True


def test_a_file_is_not_made_for_head(rf, db):
    parts = Parts()
    respond = leave_out_bodies(lambda request: StreamingHttpResponse(parts))
    response = respond(rf.head("/restores.csv"))
    assert [*response] == []
    response.close()
    assert (parts.made, parts.closed) == (False, True)


def test_our_own_hosts_are_served(client, db, settings):
    settings.ALLOWED_HOSTS = ["dash.example", "127.0.0.1"]
    for host in ("dash.example", "dash.example:8443", "DASH.example.", "127.0.0.1:8000"):
        assert client.get("/healthz", headers={"host": host}).status_code == 200


def test_no_shared_cache_stores_pages_of_signed_in_users(web):
    make_restore("r-1")
    web.raise_request_exception = False
    for path in ("/", "/restores/", "/restores", "/restores/?size=50", "/restores/?size=x",
                 "/restores/r-1/", "/restores/unknown/", "/nowhere/", "/restores.json?size=x",
                 "/restores/unknown.json", "/restores.csv", "/login/", "/admin/", "/logout/",
                 "/instances/x/sync/", "/sync-status/?page=x"):  # fmt: skip
        header = web.get(path).headers["Cache-Control"]
        assert "private" in header or "no-store" in header, path
    strict = Client(enforce_csrf_checks=True)
    assert "private" in strict.post("/logout/").headers["Cache-Control"]
