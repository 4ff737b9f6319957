import re

from playwright.sync_api import expect

from restores.sessions import BACKGROUND_HEADER
from tests.e2e.conftest import refresh


def test_a_restore_appears_moves_and_ends_in_an_open_list_without_a_reload(stack, open_page):
    page = open_page("/restores/")
    page.evaluate("window.neverReloaded = true")

    restore = stack.begin(waiting=2, seconds=30)
    row = page.locator("tr", has=page.locator(f'a[href*="{restore["restore_id"]}"]'))
    expect(row).to_be_visible(timeout=15_000)
    expect(row).to_contain_text("Restoring", timeout=15_000)

    first = row.locator("progress").get_attribute("value")
    page.wait_for_function(
        "([id, was]) => { const bar = document.querySelector(`tr:has(a[href*='${id}']) progress`);"
        " return !bar || bar.getAttribute('value') !== was }",
        arg=[restore["restore_id"], first],
        timeout=15_000,
    )
    expect(row).to_contain_text("Succeeded", timeout=30_000 + 15_000)
    assert page.evaluate("window.neverReloaded")
    assert not page.script_errors


def test_a_restores_page_updates_by_itself_and_says_how_it_ended(stack, open_page):
    restore = stack.begin(waiting=1, seconds=30, code="dcs.08.0007")
    listed = open_page("/restores/")
    expect(listed.locator(f'a[href*="{restore["restore_id"]}"]').first).to_be_visible(
        timeout=15_000
    )

    page = open_page(f"/restores/{restore['restore_id']}/")
    page.evaluate("window.neverReloaded = true")
    expect(page.locator("main")).to_contain_text("Restoring", timeout=15_000)
    expect(page.locator("main")).to_contain_text("dcs.08.0007", timeout=30_000 + 15_000)
    expect(page.locator("#outcome")).to_contain_text("Failed · unresolved")
    expect(page).to_have_title(re.compile("^Failed · unresolved"))
    assert "favicons/failed" in page.locator("link[rel=icon]").get_attribute("href")
    assert page.evaluate("window.neverReloaded")
    assert not page.script_errors


def test_a_page_that_refreshes_itself_says_so(visit):
    page = visit("mia", "UTC", "/restores/")
    with page.expect_request(lambda request: request.resource_type == "fetch") as sent:
        refresh(page)
    assert sent.value.headers[BACKGROUND_HEADER.lower()]
