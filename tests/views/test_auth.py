"""Signing in and out, one-time links, and the error pages."""

from datetime import timedelta

import pytest
import time_machine
from django.template.loader import render_to_string

from restores.login_links import issue, redeem
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


def test_a_wrong_password_says_no_more_than_that(client, mia):
    wrong, unknown = sign_in(client, password="x"), sign_in(client, username="nobody")
    assert b"Incorrect username or password." in wrong.content
    assert b"Incorrect username or password." in unknown.content


def test_signing_out_requires_a_post(web):
    assert web.get("/logout/").status_code == 405
    assert web.post("/logout/").headers["Location"] == "/login/"
    assert web.get("/restores/").status_code == 302


def test_a_link_signs_in_once(client, mia):
    url = f"/login/once/{issue(mia)}/"
    assert client.get(url).headers["Location"] == "/"
    assert client.get("/restores/").status_code == 200
    client.logout()
    again = client.get(url)
    assert again.status_code == 410
    assert b"This sign-in link has expired" in again.content
    assert b'href="/login/"' in again.content


def test_a_link_checker_does_not_use_up_a_link(client, mia):
    url = f"/login/once/{issue(mia)}/"
    assert client.head(url).status_code == 405
    assert client.get(url).status_code == 302


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


def test_any_other_sign_in_uses_up_a_link(client, mia):
    token = issue(mia)
    sign_in(client)
    assert redeem(token) is None


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
