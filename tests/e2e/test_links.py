"""Links in a real browser: what is copied shows later what it showed when it was copied."""

import os
import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from playwright.sync_api import expect

from restores.models import Observation, Restore
from tests.factories import make_instance, make_restore

# The browser's driver runs a loop in our thread, so Django takes the tests for coroutines.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

THEN = datetime(2026, 11, 23, 14, 3, tzinfo=UTC)
LATER = THEN + timedelta(hours=1)
STEP = timedelta(seconds=30)


@pytest.fixture
def visit(live_server, chromium, django_user_model):
    """Open a path as somebody, in some time zone."""
    contexts = []

    def visited(name, zone, url):
        user, _ = django_user_model.objects.get_or_create(username=name, is_superuser=True)
        client = Client()
        client.force_login(user)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        context = chromium.new_context(timezone_id=zone, base_url=live_server.url)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}]
        )
        contexts.append(context)
        page = context.new_page()
        page.goto(url)
        return page

    yield visited
    for context in contexts:
        context.close()


@pytest.fixture
def moving(transactional_db):
    """A restore that is restoring at THEN, and one that ended before."""
    make_restore("before", created_at=THEN - timedelta(hours=1))
    restore = make_restore(
        "moving",
        instance=make_instance("cart-prod"),
        status="restoring",
        progress=42.0,
        created_at=THEN - STEP,
        first_seen_at=THEN - STEP,
        changed_at=THEN - STEP,
    )
    observe(restore, THEN - STEP, "restoring", 42.0, "")
    return restore


def observe(restore, at, status, progress, code):
    Observation.objects.create(
        restore=restore,
        seen_at=at,
        recorded_at=at,
        status=status,
        progress=progress,
        error_code=code,
    )


def fail(restore):
    """The restore fails a few minutes later, and another one begins."""
    at = THEN + timedelta(minutes=5)
    changes = {"status": "failed", "error_code": "dcs.08.0007", "progress": 63.0}
    times = {"ended_at": at, "updated_at": at, "changed_at": at, "moved_at": at}
    Restore.objects.filter(pk=restore.pk).update(**changes, **times)
    observe(restore, at, "failed", 63.0, "dcs.08.0007")
    make_restore("after", created_at=at, first_seen_at=at)


def copied(page):
    """A link from the address bar, from the copy menu and from the row."""
    page.wait_for_url("**asof=*")
    row = page.locator("tr", has_text="cart-prod").locator("a").first.get_attribute("href")
    page.get_by_text("Copy for ticket").click()
    page.get_by_role("link", name="Plain text").click()
    expect(page.locator("#announcement")).to_have_text("Copied to clipboard")
    text = page.evaluate("navigator.clipboard.readText()")
    button = re.search(r"https?://[^/\s]+(/restores/\?\S*asof=\S+)", text)[1]
    return {"bar": page.url, "button": button, "row": row}


@pytest.mark.parametrize("query", ["", "?status=restoring&status=waiting", "?from=now-2h"])
def test_whatever_was_copied_shows_the_same_an_hour_later_to_somebody_elsewhere(
    visit, moving, query
):
    with time_machine.travel(THEN, tick=True):
        sent = visit("sam", "Europe/Berlin", f"/restores/{query}")
        expect(sent.locator("main")).to_contain_text("Restoring")
        links = copied(sent)
        listed = sent.locator("tbody tr[id]").count()
    fail(moving)

    with time_machine.travel(LATER, tick=True):
        for way, link in links.items():
            page = visit("kim", "Asia/Kolkata", link)
            main = page.locator("main")
            expect(main).to_contain_text("Snapshot from 23 Nov 2026, 14:03:")
            expect(main).to_contain_text("Restoring")
            expect(main).to_contain_text("Now: Failed dcs.08.0007 at 14:08")
            expect(main).not_to_contain_text("restore_after")
            if way != "row":
                assert page.locator("tbody tr[id]").count() == listed, way
            page.get_by_role("link", name="Back to live").click()
            expect(main).not_to_contain_text("Snapshot from")


def test_a_page_that_stays_open_stays_live_and_keeps_its_address_fresh(visit, moving):
    with time_machine.travel(THEN, tick=True) as clock:
        page = visit("sam", "UTC", "/restores/")
        page.wait_for_url("**asof=2026-11-23T14:03*")
        clock.shift(timedelta(minutes=10))
        fail(moving)
        page.wait_for_url("**asof=2026-11-23T14:13*", timeout=15_000)
        main = page.locator("main")
        expect(main).to_contain_text("dcs.08.0007", timeout=15_000)
        expect(main).not_to_contain_text("Snapshot from")
        links = main.locator("a[href*='asof=']").evaluate_all(
            "all => all.map(a => decodeURIComponent(a.href))"
        )
        assert links
        assert [link for link in links if "asof=2026-11-23T14:13" not in link] == []
        clock.shift(timedelta(minutes=10))
        page.reload()
        expect(main).not_to_contain_text("Snapshot from")


def test_without_javascript_the_bar_stays_live_and_the_links_are_anchored(
    visit, moving, live_server, chromium
):
    with time_machine.travel(THEN, tick=True):
        page = visit("sam", "UTC", "about:blank")
        state = page.context.storage_state()
        plain = chromium.new_context(storage_state=state, java_script_enabled=False)
        page = plain.new_page()
        page.goto(f"{live_server.url}/restores/")
        assert page.url.endswith("/restores/")
        row = page.locator("tr", has_text="cart-prod").locator("a").first
        assert "asof=2026-11-23T14:03" in row.get_attribute("href")
        plain.close()
