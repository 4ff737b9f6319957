"""Headers of every response, and hosts that aren't ours."""

import pytest
from django.test import Client

from tests.factories import make_restore

PATHS = ["/", "/restores/", "/restores.json", "/restores.csv", "/nowhere/", "/login/", "/login",
         "/admin/", "/healthz", "/readyz", "/static/dashboard.css", "/login/once/x/",
         "/metrics"]  # fmt: skip
HOSTS = ["evil.example", "evil.example:80", "testserver.evil.example", "127.0.0.1.evil.example",
         "evil.example@testserver", "testserver/", "[::", "", " ", "test server"]  # fmt: skip


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
