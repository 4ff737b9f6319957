"""Links in a real browser: what is copied shows later what it showed when it was copied."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from playwright.sync_api import expect

from restores.models import Restore
from tests.factories import make_instance, make_observation, make_restore

THEN = datetime(2026, 11, 23, 14, 3, tzinfo=UTC)
LATER = THEN + timedelta(hours=1)
STEP = timedelta(seconds=30)


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
    make_observation(restore, at, status=status, progress=progress, error_code=code)


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
    page.locator("main .menu.copy > summary").click()
    page.get_by_role("link", name="Plain text").click()
    expect(page.locator("#announcement")).to_have_text("Copied for the ticket (plain text)")
    text = page.evaluate("navigator.clipboard.readText()")
    button = re.search(r"https?://[^/\s]+(/restores/\?\S*asof=\S+)", text)[1]
    return {"bar": page.url, "button": button, "row": row}


@pytest.mark.parametrize("query", ["", "?status=restoring&status=waiting", "?from=now-2h"])
def test_a_copied_link_shows_the_same_an_hour_later_in_another_time_zone(visit, moving, query):
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
            expect(main).to_contain_text("Snapshot 23 Nov 14:03:")
            expect(main).to_contain_text("Restoring")
            expect(main).to_contain_text("Now: Failed dcs.08.0007 at 14:08")
            expect(main).not_to_contain_text("restore_after")
            if way != "row":
                assert page.locator("tbody tr[id]").count() == listed, way
            page.locator("[data-go-live]").click()
            expect(page.locator("[data-go-live]")).to_have_count(0)


def test_an_open_page_stays_live_and_its_address_stays_current(visit, moving):
    with time_machine.travel(THEN, tick=True) as clock:
        page = visit("sam", "UTC", "/restores/")
        page.wait_for_url("**asof=2026-11-23T14:03*")
        clock.shift(timedelta(minutes=10))
        fail(moving)
        page.wait_for_url("**asof=2026-11-23T14:13*", timeout=15_000)
        main = page.locator("main")
        expect(main).to_contain_text("dcs.08.0007", timeout=15_000)
        expect(page.locator(".badge")).to_have_text("Live")
        links = main.locator("a[href*='asof=']").evaluate_all(
            "all => all.map(a => decodeURIComponent(a.getAttribute('href')))"
        )
        assert links
        assert [link for link in links if "asof=2026-11-23T14:13" not in link] == []
        clock.shift(timedelta(minutes=10))
        page.reload()
        expect(page.locator(".badge")).to_have_text("Live")


def test_without_javascript_the_address_stays_live_and_links_have_asof(
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


@pytest.mark.django_db(transaction=True)
def test_more_ids_than_an_address_can_hold_are_not_sent(visit):
    page = visit("mia", "UTC", "/restores/")
    field = page.locator("textarea[name=ids]")
    page.get_by_text("Filter", exact=True).click()
    page.locator(".panes summary", has_text="IDs").click()
    field.fill(",".join(f"{number:036d}" for number in range(230)))
    page.get_by_role("button", name="Apply filters").click()
    assert field.evaluate("field => field.validationMessage").startswith("Too long for a link.")
    field.fill("r-1")
    page.get_by_role("button", name="Apply filters").click()
    expect(page).to_have_url(re.compile(r"\?ids=r-1"))
