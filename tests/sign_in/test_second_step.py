"""TOTP and recovery codes, for users who sign in with a password."""

import hmac
import re
import struct
import time
from base64 import b32decode

import pytest

from restores.failed_sign_ins import LIMITS
from tests.sign_in.servers import PASSWORD, Visitor

LINK = "/restores/?status=failed&q=a%26b"
PAGES = [
    "/account/mfa/", "/account/mfa/password/", "/account/mfa/app/add/", "/account/mfa/app/remove/",
    "/account/mfa/passkeys/add/", "/account/mfa/passkeys/1/remove/",
    "/account/mfa/recovery-codes/", "/account/mfa/recovery-codes/new/",
]  # fmt: skip


class Clock:
    """The dashboard's clock, which moves on only by whole periods of a code."""

    def __init__(self, dashboard):
        self.dashboard, self.now = dashboard, time.time() // 30 * 30 + 10
        dashboard.set_clock(self.now)

    def next_code(self):
        self.now += 30
        self.dashboard.set_clock(self.now)


class App:
    """An authenticator app: the key, and the code that it shows (RFC 6238)."""

    def __init__(self, clock, key):
        self.clock, self.key = clock, b32decode(key)

    @property
    def code(self):
        counter = struct.pack(">Q", int(self.clock.now // 30))
        digest = hmac.digest(self.key, counter, "sha1")
        [number] = struct.unpack_from(">I", digest, digest[-1] & 15)
        return f"{(number & 0x7FFFFFFF) % 1_000_000:06}"

    @property
    def wrong_code(self):
        return f"{(int(self.code) + 1) % 1_000_000:06}"


@pytest.fixture
def clock(dashboard):
    yield Clock(dashboard)
    (dashboard.folder / "clock").unlink()


def set_up(visitor, clock, name):
    """Sign in, set an app up, and return it and the recovery codes."""
    visitor.sign_in_by_password(name)
    page = visitor.get("/account/mfa/app/add/")
    assert page.url.endswith("/account/mfa/password/?next=%2Faccount%2Fmfa%2Fapp%2Fadd%2F")
    page = visitor.submit(page.url, password=PASSWORD, next="/account/mfa/app/add/")
    app = App(clock, re.search(r"Key: <code>(\w+)</code>", page.text)[1])
    assert "Incorrect code" in visitor.submit(page.url, code=app.wrong_code).text
    page = visitor.submit(page.url, code=app.code)
    codes = re.findall(r"<li><code>(\d+)</code></li>", page.text)
    assert page.url.endswith("/account/mfa/recovery-codes/") and len(codes) == 10
    visitor.sign_out()
    clock.next_code()
    return app, codes


def test_after_the_password_a_code_leads_to_the_page_that_was_asked_for(dashboard, clock, visitor):
    app, _ = set_up(visitor, clock, "ada")
    page = visitor.sign_in_by_password("ada", LINK)
    assert page.url.endswith("/login/code/") and "Second step" in page.text
    assert visitor.get("/sync-status.json").status_code == 401
    visitor.get("/login/code/")
    assert "Incorrect code" in visitor.submit("/login/code/", code=app.wrong_code).text
    assert visitor.submit("/login/code/", code=app.code).url == dashboard.url + LINK
    assert ("signed in", "password and second step") in dashboard.events("ada")
    # Somebody who sees it being typed can't use it too.
    with Visitor(dashboard) as other:
        other.sign_in_by_password("ada")
        assert "already used" in other.submit("/login/code/", code=app.code).text
        clock.next_code()
        assert other.submit("/login/code/", code=app.code).url == f"{dashboard.url}/"


def test_a_recovery_code_works_once_and_is_shown_once(dashboard, clock, visitor):
    _, codes = set_up(visitor, clock, "bea")
    visitor.sign_in_by_password("bea")
    assert visitor.submit("/login/code/", code=codes[3]).url == f"{dashboard.url}/"
    assert "9 recovery codes left" in visitor.get("/account/mfa/").text
    page = visitor.get("/account/mfa/recovery-codes/")
    page = visitor.submit(page.url, password=PASSWORD, next="/account/mfa/recovery-codes/")
    assert "were shown when they were created" in page.text and codes[0] not in page.text
    with Visitor(dashboard) as other:
        other.sign_in_by_password("bea")
        assert "Incorrect code" in other.submit("/login/code/", code=codes[3]).text


def test_the_admin_sign_in_requires_the_second_step_too(dashboard, clock, visitor):
    app, _ = set_up(visitor, clock, "cleo")
    page = visitor.sign_in_by_password("cleo", path="/admin/login/")
    assert page.url.endswith("/login/code/")
    assert visitor.get("/admin/").url.startswith(f"{dashboard.url}/admin/login/")
    visitor.get("/login/code/")
    assert visitor.submit("/login/code/", code=app.code).url == f"{dashboard.url}/admin/"


def test_codes_cannot_be_guessed_even_with_the_password(dashboard, clock, visitor):
    app, _ = set_up(visitor, clock, "dora")
    for _ in range(LIMITS["account"]):
        visitor.sign_in_by_password("dora")
        assert "Incorrect code" in visitor.submit("/login/code/", code=app.wrong_code).text
    visitor.sign_in_by_password("dora")
    assert "Try again in 15 min." in visitor.submit("/login/code/", code=app.code).text
    assert visitor.get("/sync-status.json").status_code == 401
    blocked = ("sign-ins blocked", "limit of wrong codes per account reached")
    assert blocked in dashboard.events("dora")


def test_only_the_password_changes_the_second_step(dashboard, clock, visitor):
    app, _ = set_up(visitor, clock, "emma")
    visitor.sign_in_by_password("emma")
    visitor.submit("/login/code/", code=app.code)
    visitor.get("/account/mfa/")
    page = visitor.submit("/account/mfa/app/remove/")
    assert page.url.startswith(f"{dashboard.url}/account/mfa/password/")
    target = {"next": "/account/mfa/app/remove/"}
    page = visitor.submit(page.url, password="wrong", **target)
    assert "Incorrect password" in page.text
    # Then it goes on with the requested action.
    page = visitor.submit(page.url, password=PASSWORD, **target)
    assert "protected by its password only" in page.text
    visitor.sign_out()
    assert visitor.sign_in_by_password("emma").url == f"{dashboard.url}/"
    assert [event for event in dashboard.events("emma") if event[0].endswith("second step")] == [
        ("added a second step", "authenticator app"),
        ("added a second step", "recovery codes"),
        ("removed a second step", "authenticator app"),
        ("removed a second step", "recovery codes"),
    ]


def test_a_sign_in_link_works_for_a_user_who_lost_every_second_step(dashboard, clock, visitor):
    set_up(visitor, clock, "fay")
    link = dashboard.command("login_link", "fay")
    visitor.get(link)
    assert visitor.submit(link).url == f"{dashboard.url}/"
    assert ("signed in", "one-time link") in dashboard.events("fay")
    page = visitor.get("/account/mfa/app/remove/")
    page = visitor.submit(page.url, password=PASSWORD, next="/account/mfa/app/remove/")
    assert "protected by its password only" in visitor.submit(page.url).text


def test_users_of_the_provider_have_no_second_step_here(provider, visitor):
    provider.add("gina", groups=["readers"])
    visitor.sign_in_by_provider("gina")
    assert "Two-step verification" not in visitor.get("/account/").text
    assert "You don’t sign in with a password" in visitor.get("/account/mfa/").text
    page = visitor.get("/account/mfa/app/add/")
    assert page.status_code == 403 and "Access denied" in page.text


def test_signed_out_users_see_none_of_the_pages(dashboard, visitor):
    for path in (*PAGES, "/login/code/"):
        assert visitor.get(path).url.startswith(f"{dashboard.url}/login/"), path
        assert visitor.page.status_code == 200 and "Password" in visitor.page.text
