"""From a pasted ticket to its answer in two interactions: paste, Enter."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.test_pages import WINDOWS, assert_clean

TICKET = """From: ops@customer.example
On Mon, 23 Nov 2026 at 15:26, Anna Schmidt wrote:
> Hello, since 2026-11-23 14:05 UTC our cache is empty. The console says dcs.08.0007
> and 10.99.0.1:6379 is refused. Please have a look at these, and tell us what you see: {}
"""


class Browser:
    """A window that counts what somebody does in it."""

    def __init__(self, page):
        self.page, self.interactions = page, 0

    def paste(self, text):
        """Paste text into the search box, line breaks included."""
        self.interactions += 1
        self.page.locator(".find textarea").fill(text)

    def press(self, key):
        self.interactions += 1
        self.page.keyboard.press(key)

    def click(self, name):
        self.interactions += 1
        self.page.get_by_role("button", name=name, exact=True).click()


@pytest.fixture
def browser(open_page):
    return Browser(open_page("/"))


def rows(browser, path):
    """What the JSON endpoint of a list has; this doesn't count as an interaction."""
    return browser.page.request.get(path).json()


def row(browser, name):
    return browser.page.locator(".finds li").filter(has_text=name)


def test_the_state_of_twelve_ids_takes_two_interactions(browser):
    restores = rows(browser, "/restores.json?size=12&to=now-2d/d")["restores"]
    browser.paste(TICKET.format("\n> ".join(one["restore_id"].upper() for one in restores)))
    browser.press("Enter")

    expect(browser.page.locator("h1")).to_have_text("Lookup")
    for one in restores:
        word = {"failed": "Failed", "succeed": "Succeeded"}.get(one["status"], one["status"])
        expect(row(browser, one["restore_id"])).to_contain_text(word)
    expect(browser.page.locator("main")).to_contain_text("10.99.0.1:6379")
    assert browser.interactions == 2 and not browser.page.script_errors


def test_whether_a_project_and_an_instance_are_monitored_takes_two_interactions(browser):
    one = rows(browser, "/restores.json?size=10")["restores"][0]
    browser.paste(TICKET.format(f"{one['project_id']}, {one['instance_id']}"))
    browser.press("Enter")

    expect(row(browser, one["project_id"])).to_contain_text("Monitored")
    expect(row(browser, one["instance_id"])).to_contain_text("Monitored")
    assert browser.interactions == 2


def test_whether_a_backup_was_restored_takes_two_interactions(browser):
    one = rows(browser, "/restores.json?size=10&status=succeed&to=now-2d/d")["restores"][0]
    browser.paste(TICKET.format(f"{one['backup_id'][:14]}\n> {one['backup_id'][14:]}"))
    browser.press("Enter")

    expect(row(browser, one["backup_id"])).to_contain_text("Restored")
    assert browser.interactions == 2


def test_whether_a_restore_is_unresolved_takes_two_interactions(browser):
    one = rows(browser, "/restores.json?size=10&recovered=no")["restores"][0]
    browser.paste(TICKET.format(one["restore_id"]))
    browser.press("Enter")

    expect(row(browser, one["restore_id"])).to_contain_text("unresolved")
    assert browser.interactions == 2


def test_whether_one_was_running_at_a_time_takes_three_interactions(browser):
    one = rows(browser, "/restores.json?size=10&status=succeed&to=now-2d/d")["restores"][0]
    at = one["created_at"].replace("T", " ").replace("Z", " UTC")
    browser.paste(f"> {one['instance_id']} was down at {at}, was that a restore?")
    browser.press("Enter")
    browser.interactions += 1
    browser.page.get_by_role("link", name="Show those running then").click()

    expect(browser.page.locator(f"main a[href*='{one['restore_id']}']").first).to_be_visible()
    ids = {row["instance_id"] for row in rows(browser, _json_of(browser.page.url))["restores"]}
    assert ids == {one["instance_id"]}
    assert browser.interactions == 3


def test_whether_a_code_is_platform_wide_takes_two_interactions(browser):
    one = rows(browser, "/restores.json?size=10&code=any")["restores"][0]
    browser.paste(f"it says {one['error_code'].upper()}")
    browser.press("Enter")

    expect(browser.page).to_have_url(re.compile(rf"/codes/{one['error_code']}/"))
    expect(browser.page.get_by_role("region", name="How often")).to_contain_text("Last 24 hours")
    assert browser.interactions == 2


def test_last_weeks_failures_are_a_link_in_four_interactions(open_page):
    page = open_page("/restores/", permissions=["clipboard-read", "clipboard-write"])
    browser = Browser(page)
    page.locator(".time-range details > summary").click()
    page.get_by_role("link", name="Last 7 days").click()
    page.wait_for_url("**from=now-7d**")
    page.locator(".states").get_by_role("link", name="Failed").click()
    page.wait_for_url("**status=failed**")
    expect(page.locator("[data-keys]")).not_to_have_attribute("hidden", "")
    page.keyboard.press("y")

    expect(page.locator(".toast")).to_have_text("Copied the link to this snapshot")
    link = page.evaluate("navigator.clipboard.readText()")
    assert "asof=" in link and "from=now-7d" in link
    found = rows(browser, _json_of(link))["restores"]
    assert found and {row["status"] for row in found} == {"failed"}


def _json_of(url):
    return url.replace("/restores/?", "/restores.json?")


def test_an_id_leads_to_its_page(browser):
    one = rows(browser, "/restores.json?size=10&status=failed")["restores"][0]
    browser.paste(f" {one['restore_id'].upper()}\n")
    browser.press("Enter")

    expect(browser.page).to_have_url(re.compile(rf"/restores/{one['restore_id']}/"))
    assert browser.interactions == 2


def test_words_lead_to_the_list(browser):
    browser.paste("cart timeout")
    browser.press("Enter")

    expect(browser.page).to_have_url(re.compile(r"/restores/\?q=cart\+timeout"))


def test_a_lookup_needs_no_javascript(open_page):
    browser = Browser(open_page("/", java_script_enabled=False))
    one = rows(browser, "/restores.json?size=10&recovered=no")["restores"][0]
    browser.paste(TICKET.format(one["restore_id"]))
    browser.click("Look up")
    expect(row(browser, one["restore_id"])).to_contain_text("unresolved")
    browser.page.get_by_role("link", name="Link to these results").click()

    expect(row(browser, one["restore_id"])).to_contain_text("unresolved")
    expect(browser.page).to_have_url(re.compile("/lookup/[?]q="))


def test_what_was_found_is_copied_for_the_ticket(open_page):
    page = open_page("/", permissions=["clipboard-read", "clipboard-write"])
    browser = Browser(page)
    one = rows(browser, "/restores.json?size=10&recovered=no")["restores"][0]
    browser.paste(TICKET.format(one["restore_id"]))
    browser.press("Enter")
    page.get_by_role("link", name="Copy all for the ticket").click()
    expect(page.get_by_text("Copied all for the ticket").first).to_be_visible()

    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("Lookup: 2 found, 1 not found") and one["restore_id"] in copied


@pytest.mark.parametrize(("width", "scheme"), WINDOWS)
def test_the_page_is_clean(open_page, width, scheme):
    page = open_page("/lookup/", viewport={"width": width, "height": 800}, color_scheme=scheme)
    assert_clean(page)
    one = page.request.get("/restores.json?size=10&recovered=no").json()["restores"][0]
    text = TICKET.format(
        ", ".join(one[name] for name in ("restore_id", "instance_id", "project_id"))
    )
    page.locator(".find textarea").fill(text)
    page.keyboard.press("Enter")
    expect(page.locator(".finds").first).to_be_visible()
    assert_clean(page)
    assert not page.script_errors
