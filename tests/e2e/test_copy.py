import pytest
from playwright.sync_api import expect

CLIPBOARD = ["clipboard-read", "clipboard-write"]


@pytest.fixture
def copying(listed):
    """A list, and how to copy from its menu: returns what the toast says, and the clipboard."""
    page = listed(permissions=CLIPBOARD)

    def copy(entry):
        page.locator("main .menu.copy > summary").click()
        page.locator("main .menu.copy").get_by_role("link", name=entry).click()
        expect(page.locator(".toast")).to_be_visible()
        return page.locator(".toast").inner_text(), page.evaluate("navigator.clipboard.readText()")

    return page, copy


def test_the_copied_link_is_a_snapshot_and_the_live_link_is_not(copying):
    page, copy = copying
    said, link = copy("Link to this snapshot")
    assert said == "Copied the link to this snapshot" and "asof=" in link
    said, link = copy("Live link")
    assert said == "Copied the live link"
    assert link.startswith("http") and "asof=" not in link and "to=now-2d/d" in link
    expect(page.locator("details.menu[open]")).to_have_count(0)


def test_the_ticket_is_copied_in_the_format_that_was_last_used(copying):
    page, copy = copying
    said, _ = copy("Jira")
    assert said == "Copied for the ticket (jira)"
    page.reload()
    said, text = copy("For the ticket")
    assert said == "Copied for the ticket (jira)"
    assert text.startswith("*Restores created before")


def test_a_list_of_several_customers_says_why_it_is_not_copied_for_one(copying):
    _, copy = copying
    said, _ = copy("For the customer")
    assert said == (
        "Couldn’t copy – these restores belong to several customers; select one of them first"
    )


def test_the_restore_id_is_copied_from_its_page(listed):
    page = listed(permissions=CLIPBOARD)
    page.locator("main tbody tr[id] a.go").first.click()
    expect(page.get_by_role("heading", name="Provider record")).to_be_visible()
    page.locator("main .menu.copy > summary").click()
    page.locator("main .menu.copy").get_by_role("button", name="Restore ID").click()
    expect(page.locator(".toast")).to_have_text("Copied the restore ID")
    assert page.evaluate("navigator.clipboard.readText()") in page.url
