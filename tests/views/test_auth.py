"""Signing in and out, one-time links, and the error pages."""

import io
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from urllib.parse import unquote, urlencode

import pytest
import time_machine
from django.db import connection, connections
from django.template.loader import render_to_string
from django.test import Client

from dashboard.logs import HideSignInTokens
from restores.login_links import find_user, issue, redeem
from restores.models import Event
from tests.factories import NOW


@pytest.fixture
def mia(django_user_model, db):
    return django_user_model.objects.create_user("mia", password="a long secret")


def sign_in(client, password="a long secret", **given):
    return client.post("/login/", {"username": "mia", "password": password} | given)


def test_a_password_signs_in_and_is_audited(client, mia):
    assert sign_in(client).headers["Location"] == "/"
    assert client.get("/restores/").status_code == 200
    assert Event.objects.get().what == "signed in"


def test_signing_in_leads_to_the_requested_page(client, mia):
    target = "/restores/?status=failed"
    assert target.replace("=", "=") in client.get("/login/", {"next": target}).content.decode()
    assert sign_in(client, next=target).headers["Location"] == target


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "javascript:alert(1)"]
)
def test_signing_in_never_leads_elsewhere(client, mia, target):
    assert sign_in(client, next=target).headers["Location"] == "/"


def test_a_wrong_password_gets_the_same_message_as_an_unknown_user(client, mia):
    wrong, unknown = sign_in(client, password="x"), sign_in(client, username="nobody")
    assert b"Incorrect username or password." in wrong.content
    assert b"Incorrect username or password." in unknown.content


def test_signing_out_requires_a_post(web):
    assert web.get("/logout/").status_code == 405
    assert web.post("/logout/").headers["Location"] == "/login/"
    assert web.get("/restores/").status_code == 302


def link_for(user):
    return f"/login/once/{issue(user)}/"


def is_signed_in(client):
    return client.get("/restores/").status_code == 200


def test_a_link_signs_in_once(client, mia):
    url = link_for(mia)
    assert client.post(url).headers["Location"] == "/"
    assert is_signed_in(client)
    assert Event.objects.get().subject == "one-time link"
    client.logout()
    again = client.post(url)
    assert again.status_code == 410
    assert b"This sign-in link has expired" in again.content
    assert b'href="/login/"' in again.content
    assert not is_signed_in(client)


@pytest.mark.django_db(transaction=True)
def test_of_two_that_confirm_a_link_at_once_one_is_signed_in(django_user_model):
    token = issue(django_user_model.objects.create_user("mia"))
    both_have_read = Barrier(2, timeout=10)

    def wait(execute, sql, *rest):
        if sql.startswith("UPDATE"):
            both_have_read.wait()
        return execute(sql, *rest)

    def confirm(_):
        try:
            with connection.execute_wrapper(wait):
                return redeem(token)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        assert sum(user is not None for user in pool.map(confirm, range(2))) == 1


@pytest.mark.parametrize("method", ["get", "head"])
def test_h1_opening_a_link_shows_whom_it_signs_in_and_changes_nothing(client, mia, method):
    url = link_for(mia)
    for _ in range(3):
        page = getattr(client, method)(url)
        assert page.status_code == 200 and "no-store" in page.headers["Cache-Control"]
        assert not page.cookies.get("session") and not is_signed_in(client)
    assert method == "head" or b"Sign in as mia?" in page.content
    assert not Event.objects.exists()
    assert client.post(url).status_code == 302


@pytest.mark.parametrize("end", ["", ".", ")", ">", "/.", "//", "/&quot;", ".)", "/%20"])
@pytest.mark.parametrize("query", ["", "?next=/restores/%3Fsort%3Dcreated%26page%3D2"])
def test_a_link_that_a_chat_program_has_damaged_is_repaired(client, mia, end, query):
    url = link_for(mia)
    repaired = client.get(url.rstrip("/") + end + query).headers["Location"]
    assert unquote(repaired.partition("?")[0]) == url
    page = client.get(repaired)
    assert b"Sign in as mia?" in page.content
    assert page.context["next"] == ("/restores/?sort=created&page=2" if query else "")


def test_a_link_needs_the_form_of_its_own_page(mia):
    client = Client(enforce_csrf_checks=True)
    url = link_for(mia)
    assert client.post(url).status_code == 403
    token = client.get(url).context["csrf_token"]
    assert client.post(url, {"csrfmiddlewaretoken": token}).status_code == 302


@pytest.mark.parametrize(
    "header",
    [
        {"Sec-Purpose": "prefetch"},
        {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
        {"X-Purpose": "preview"},
        {"X-Moz": "prefetch"},
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["get", "head", "post"])
def test_h1_a_link_is_not_for_prefetching(client, mia, header, method):
    url = link_for(mia)
    assert getattr(client, method)(url, headers=header).status_code == 403
    assert not is_signed_in(client)
    assert client.post(url).status_code == 302


@pytest.mark.parametrize(
    ("target", "leads_to"),
    [
        ("/restores/?status=failed", "/restores/?status=failed"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/\\evil.example", "/"),
        ("overview", "/"),
        ("nowhere", "/"),
        ("\0", "/"),
        ("", "/"),
    ],
)
def test_a_link_keeps_the_requested_page_if_it_is_ours(client, mia, target, leads_to):
    url = f"{link_for(mia)}?{urlencode({'next': target})}"
    form = client.get(url)
    given = form.context["next"]
    assert client.post(url, {"next": given}).headers["Location"] == leads_to
    expired = client.get(url).context["next"]
    assert expired == given == ("" if leads_to == "/" else leads_to)


def test_a_link_signs_a_reader_out_of_another_account(web, mia):
    url = link_for(mia)
    page = web.get(url)
    assert b"signed in as root" in page.content
    web.post(url)
    assert b"<bdi>mia</bdi>" in web.get("/restores/").content


@pytest.fixture
def log():
    """What the log says, through the filter that the settings give to each handler."""
    handler = logging.StreamHandler(io.StringIO())
    handler.addFilter(HideSignInTokens())
    logging.getLogger().addHandler(handler)
    yield handler.stream
    logging.getLogger().removeHandler(handler)


def test_h1_the_token_of_a_link_is_in_no_log(mia, log, caplog):
    for name in ("django.request", "django.security.csrf"):
        caplog.set_level(logging.WARNING, name)
    token = issue(mia)
    client = Client(enforce_csrf_checks=True)
    client.post(f"/login/once/{token}/")
    client.put(f"/login/once/{token}/")
    client.get(f"/login/once/{token}/elsewhere")
    try:
        raise ValueError(f"/login/once/{token}/")
    except ValueError:
        logging.getLogger("gunicorn.access").exception("%(r)s", {"r": f"GET /login/once/{token}"})
    logged = log.getvalue()
    assert logged.count("/login/once/…") >= 5
    assert token not in logged


def test_every_log_hides_tokens(settings):
    assert all("tokens" in each["filters"] for each in settings.LOGGING["handlers"].values())
    # Django's own handlers would print and mail addresses as they are.
    assert not logging.getLogger("django").handlers


def test_a_page_that_shows_a_sign_in_link_sends_it_in_no_referrer(client, mia):
    assert client.get(link_for(mia)).headers["Referrer-Policy"] == "strict-origin"


def test_a_link_works_for_ten_minutes(mia):
    with time_machine.travel(NOW, tick=False):
        token = issue(mia)
    with time_machine.travel(NOW + timedelta(minutes=9, seconds=59), tick=False):
        assert redeem(token) == mia
    with time_machine.travel(NOW, tick=False):
        mia.refresh_from_db()
        token = issue(mia)
    with time_machine.travel(NOW + timedelta(minutes=10, seconds=1), tick=False):
        assert redeem(token) is None


def test_a_link_of_a_disabled_user_or_with_a_wrong_byte_is_invalid(mia):
    token = issue(mia)
    assert redeem(token[:-1] + ("A" if token[-1] != "A" else "B")) is None
    assert redeem("nonsense") is None
    mia.is_active = False
    mia.save()
    assert redeem(token) is None


def test_any_other_sign_in_expires_a_link(client, mia):
    token = issue(mia)
    sign_in(client)
    assert redeem(token) is None


def test_h1_a_change_of_password_expires_a_link(mia):
    token = issue(mia)
    mia.set_password("another long secret")
    mia.save()
    assert find_user(token) is None and redeem(token) is None


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "500", "503"])
def test_error_pages_need_neither_request_nor_database(name):
    assert "<h1>" in render_to_string(f"{name}.html")


def test_an_unknown_url_has_a_page_of_its_own(web, client):
    response = web.get("/nowhere/")
    assert response.status_code == 404
    assert b"Page not found" in response.content


def test_too_many_parameters_are_refused(web):
    response = web.get("/restores/?" + "&".join(f"a{n}=1" for n in range(1001)))
    assert response.status_code == 400
