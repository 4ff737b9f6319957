"""Sessions: every request reads them from the database; none is cached."""

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.contrib.sessions.models import Session

from tests.factories import NOW


@pytest.fixture
def mia(django_user_model, client, db):
    user = django_user_model.objects.create_user("mia", password="a long secret")
    client.force_login(user)
    return user


def signed_in(client):
    page = client.get("/restores/")
    assert page.status_code == 200 or page.headers["Location"].startswith("/login/")
    return page.status_code == 200


def test_a_session_belongs_to_one_user(client, mia, root):
    assert signed_in(client)
    assert b"<bdi>mia</bdi>" in client.get("/restores/").content
    client.force_login(root)
    assert b"<bdi>mia</bdi>" not in client.get("/restores/").content


@pytest.mark.parametrize(
    "end",
    [
        lambda user: Session.objects.all().delete(),
        lambda user: user.delete(),
        lambda user: setattr(user, "is_active", False) or user.save(),
        lambda user: user.set_password("another secret") or user.save(),
    ],
    ids=["session deleted", "user deleted", "account closed", "password changed"],
)
def test_a_session_that_is_revoked_ends_at_once(client, mia, end):
    assert signed_in(client)
    end(mia)
    assert not signed_in(client)


def test_a_session_ends_by_itself(client, mia):
    over = timedelta(seconds=settings.SESSION_COOKIE_AGE)
    with time_machine.travel(NOW, tick=False):
        client.force_login(mia)
    with time_machine.travel(NOW + over - timedelta(seconds=1), tick=False):
        assert signed_in(client)
    with time_machine.travel(NOW + over, tick=False):
        assert not signed_in(client)


@pytest.mark.parametrize(
    "cookie", [r'"\000aaaaaaaaaaaaaaaa"', r'"\303\251aaaaaaaaaaaaaa"', "x" * 7, "x" * 5000, "", '"']
)
def test_a_cookie_without_a_valid_session_signs_nobody_in(client, db, cookie):
    page = client.get("/restores/", headers={"cookie": f"{settings.SESSION_COOKIE_NAME}={cookie}"})
    assert page.status_code == 302
    assert page.headers["Location"].startswith("/login/")


def test_signing_in_over_a_broken_cookie_works(client, mia):
    client.logout()
    broken = {"cookie": f'{settings.SESSION_COOKIE_NAME}="\\000aaaaaaaaaaaaaaaa"'}
    given = {"username": "mia", "password": "a long secret"}
    assert client.post("/login/", given, headers=broken).status_code == 302
    assert signed_in(client)
