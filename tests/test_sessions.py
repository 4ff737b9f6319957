"""Sessions: when they end, on their own or on request, and what users are told about theirs."""

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from restores import tasks
from restores.browsers import browser_name
from restores.models import UserSession
from restores.sessions import BACKGROUND_HEADER, INTERVAL, LONGEST, LONGEST_IDLE
from tests.factories import NOW

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
IN_BACKGROUND = {BACKGROUND_HEADER: "1"}


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


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def here(clock, mia, client):
    """A client that has signed in just now."""
    client.force_login(mia)
    return client


def listed(user):
    """When the sessions of a user began and were last active, as time since NOW."""
    rows = UserSession.objects.filter(user=user)
    return [(row.signed_in_at - NOW, row.active_at - NOW) for row in rows]


def test_a_session_ends_eight_hours_after_the_last_activity(here, clock):
    clock.move_to(NOW + LONGEST_IDLE - SECOND)
    assert signed_in(here)
    clock.shift(MINUTE)
    assert signed_in(here)
    clock.shift(LONGEST_IDLE)
    assert not signed_in(here)


def test_a_session_that_is_not_used_ends_after_eight_hours(here, clock):
    clock.move_to(NOW + LONGEST_IDLE)
    assert not signed_in(here)


def test_a_session_ends_twelve_hours_after_signing_in_whatever_its_activity(here, clock):
    assert timedelta(hours=12) == LONGEST
    for hours in range(12):
        clock.move_to(NOW + timedelta(hours=hours))
        assert signed_in(here)
    clock.move_to(NOW + LONGEST - SECOND)
    here.post("/account/sessions/end/")  # what it stores in the session must not prolong it
    assert signed_in(here)
    clock.move_to(NOW + LONGEST)
    assert not signed_in(here)


def test_automatic_refreshes_do_not_count_as_activity(here, clock):
    for hours in range(1, 8):
        clock.move_to(NOW + timedelta(hours=hours))
        assert here.get("/restores/", headers=IN_BACKGROUND).status_code == 200
    clock.move_to(NOW + LONGEST_IDLE)
    page = here.get("/restores/", headers=IN_BACKGROUND)
    assert page.headers["Location"].startswith("/login/")


def test_activity_is_written_every_ten_minutes_at_most(here, clock, mia):
    clock.move_to(NOW + INTERVAL - SECOND)
    with CaptureQueriesContext(connection) as captured:
        assert signed_in(here)
    assert not [query for query in captured.captured_queries if "UPDATE" in query["sql"]]
    assert listed(mia) == [(timedelta(), timedelta())]
    clock.move_to(NOW + INTERVAL)
    assert signed_in(here)
    assert listed(mia) == [(timedelta(), INTERVAL)]


def test_the_browser_keeps_its_cookie_for_as_long_as_the_session_lasts(here, clock):
    clock.move_to(NOW + timedelta(hours=1))
    assert signed_in(here)
    assert here.cookies[settings.SESSION_COOKIE_NAME]["max-age"] == LONGEST_IDLE.total_seconds()
    clock.move_to(NOW + timedelta(hours=8))
    assert signed_in(here)
    assert here.cookies[settings.SESSION_COOKIE_NAME]["max-age"] == 4 * 3600


def test_signing_in_again_starts_a_new_session(here, clock, mia):
    clock.move_to(NOW + timedelta(hours=7))
    here.force_login(mia)
    clock.move_to(NOW + timedelta(hours=14))
    assert signed_in(here)
    assert listed(mia) == [(timedelta(hours=7), timedelta(hours=14))]


def test_another_user_who_signs_in_gets_their_own_session(here, mia, root):
    here.force_login(root)
    assert listed(mia) == [] and len(listed(root)) == 1


def test_signing_out_and_ending_a_session_leave_no_row(here, clock, mia):
    here.post("/logout/")
    assert listed(mia) == []
    here.force_login(mia)
    clock.shift(LONGEST)
    tasks.clear_sessions()
    assert listed(mia) == []


def test_a_session_from_before_it_was_listed_is_listed_with_its_next_request(here, clock, mia):
    session = here.session
    for name in ("signed_in_at", "active_at", "key"):
        del session[name]
    session.save()
    UserSession.objects.all().delete()
    clock.shift(MINUTE)
    assert here.get("/restores/", headers=IN_BACKGROUND).status_code == 200
    assert listed(mia) == [(MINUTE, MINUTE)]


def test_housekeeping_deletes_rows_whose_session_an_older_version_deleted(here, mia):
    # As the older version does, which knows nothing of the other table.
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_session")
    assert len(listed(mia)) == 1
    tasks.clear_sessions()
    assert listed(mia) == []


def test_pages_can_be_read_while_activity_cannot_be_written(here, clock):
    clock.move_to(NOW + INTERVAL)

    def disk_full(execute, sql, *args):
        if sql.startswith(("INSERT", "UPDATE")):
            raise DatabaseError("database or disk is full")
        return execute(sql, *args)

    with connection.execute_wrapper(disk_full):
        assert signed_in(here)


@pytest.mark.parametrize("path", ["/account/password/", "/admin/password_change/"])
def test_changing_the_password_ends_all_other_sessions(here, mia, root, path):
    mia.is_staff = True
    mia.save()
    elsewhere, somebody = Client(), Client()
    elsewhere.force_login(mia)
    somebody.force_login(root)
    new = {"new_password1": "a longer secret", "new_password2": "a longer secret"}
    assert here.post(path, {"old_password": "a long secret"} | new).status_code == 302
    assert len(listed(mia)) == 1 and Session.objects.count() == 2
    assert signed_in(here) and not signed_in(elsewhere) and signed_in(somebody)


def test_a_changed_key_of_a_session_does_not_make_it_another_one(here, clock, mia, settings):
    """Django changes it during a rotation of the secret key, with the request that comes first."""
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "new-key-" * 8
    clock.shift(MINUTE)
    assert here.get("/restores/", headers=IN_BACKGROUND).status_code == 200
    assert listed(mia) == [(timedelta(), timedelta())]
    clock.move_to(NOW + LONGEST_IDLE)
    assert not signed_in(here)


def test_an_administrator_ends_all_sessions_of_a_user_by_deactivating_them(here, mia, root):
    admin = Client()
    admin.force_login(root)
    form = {"username": "mia", "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    assert admin.post(f"/admin/auth/user/{mia.pk}/change/", form).status_code == 302
    mia.refresh_from_db()
    assert not mia.is_active
    assert listed(mia) == [] and Session.objects.count() == 1
    mia.is_active = True
    mia.save()
    assert not signed_in(here)


_ENGINE = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_ENGINE} Chrome/142.0.0.0 Safari/537.36",
         "Chrome on Windows"),
        (f"Mozilla/5.0 (Windows NT 10.0) {_ENGINE} Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
         "Edge on Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
         "Firefox on Linux"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.6 Safari/605.1.15",
         "Safari on macOS"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) CriOS/142.0 Safari/604.1",
         "Chrome on iPhone"),
        (f"Mozilla/5.0 (Linux; Android 10; K) {_ENGINE} SamsungBrowser/29.0 Chrome/136.0 "
         "Mobile Safari/537.36", "Samsung Internet on Android"),
        ("curl/8.5.0", "curl"),
        ("", "Unknown browser"),
        ("<script>" * 1000, "Unknown browser"),
    ],
)  # fmt: skip
def test_a_browser_is_named_in_words(user_agent, name):
    assert browser_name(user_agent) == name


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
