import re
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import STILL, refresh

CURRENT = "tr[data-current]"


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def add_rows(page, count):
    """From now on every refresh brings new rows above all that are not in progress."""

    def with_more(route):
        if route.request.resource_type != "fetch" or "histogram" in route.request.url:
            return route.continue_()
        headers = {k: v for k, v in route.request.headers.items() if k != "if-none-match"}
        response = route.fetch(headers=headers)
        rows = [
            f'<tr id="r{n}"><td class="t"><a class="go" href="/restores/new-{n}/">new</a></td></tr>'
            for n in range(10**9, 10**9 + count)
        ]
        body = re.sub(r'<tbody>(\s*<tr class="day">.*?</tr>)', r"<tbody>\1" + "".join(rows),
                      response.text(), count=1, flags=re.S)  # fmt: skip
        return route.fulfill(response=response, body=body)

    page.route("**/restores/**", with_more)


def test_keys_move_through_rows_and_back_returns_to_the_same_place(listed):
    page = listed()
    press(page, *"jjj", "k")
    rows = page.locator("main tbody tr[id]")
    expect(page.locator(CURRENT)).to_have_id(rows.nth(1).get_attribute("id"))
    press(page, *"j" * 30)
    was, row = page.evaluate("scrollY"), page.locator(CURRENT).get_attribute("id")
    assert was > 0

    refresh(page)
    expect(page.locator(CURRENT)).to_have_id(row)
    press(page, "o")
    expect(page.get_by_role("heading", name="Provider record")).to_be_visible()
    page.go_back()

    expect(page.locator(CURRENT)).to_have_id(row)
    page.wait_for_function("(was) => Math.abs(scrollY - was) < 5", arg=was)
    assert not page.script_errors


def test_back_to_an_older_list_returns_to_the_same_place_and_is_live(listed):
    page = listed()
    page.wait_for_url("**asof=*")
    page.evaluate("scrollTo(0, 600)")
    then = (datetime.now(UTC) - timedelta(minutes=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
    press(page, "j", "j")
    row = page.locator(CURRENT).get_attribute("id")
    was = page.locator(CURRENT).bounding_box()["y"]
    page.evaluate(
        "(at) => history.replaceState({ live: true }, '',"
        " location.search.replace(/asof=[^&]*/, `asof=${at}`))",
        then,
    )
    press(page, "o")
    expect(page.get_by_role("heading", name="Provider record")).to_be_visible()
    page.go_back()

    expect(page.locator("main[data-live]")).to_be_visible()
    expect(page.locator(CURRENT)).to_have_id(row)
    assert abs(page.locator(CURRENT).bounding_box()["y"] - was) < 5


def test_slash_focuses_the_search_and_no_shortcut_acts_while_typing(listed):
    page = listed()
    press(page, "/")
    page.keyboard.type("jox?c")

    expect(page.locator(".find textarea")).to_have_value("jox?c")
    expect(page.locator(CURRENT)).to_have_count(0)
    expect(page.locator("#keys")).to_be_hidden()


def test_shortcuts_are_listed_and_can_be_switched_off(listed):
    page = listed()
    press(page, "?")
    page.get_by_label("Enable keyboard shortcuts in this browser").uncheck()
    page.get_by_role("button", name="Close").click()
    page.reload()
    expect(page.locator("[data-keys]")).not_to_have_attribute("hidden", "")

    press(page, "j", "?")
    expect(page.locator(CURRENT)).to_have_count(0)
    expect(page.locator("#keys")).to_be_hidden()
    page.locator(".menu.user summary").click()
    page.get_by_role("button", name="Keyboard shortcuts").click()
    expect(page.locator("#keys")).to_be_visible()


def test_selected_rows_survive_a_refresh_and_can_be_copied_and_listed(listed):
    page = listed(permissions=["clipboard-read", "clipboard-write"])
    press(page, "j", "x", "j")
    page.locator("main tbody tr[id]").nth(2).locator("td.t").first.click(modifiers=["Shift"])
    refresh(page)
    bar = page.get_by_role("complementary", name="Selected rows")
    expect(bar).to_contain_text("2 selected")
    expect(page.locator("tr[data-selected]")).to_have_count(2)
    links = page.locator("tr[data-selected] td.t a.go").evaluate_all(
        "all => all.map((a) => a.href)"
    )

    bar.get_by_role("button", name="Copy links").click()
    expect(page.locator("#announcement")).to_have_text("Copied 2 links")
    copied = page.evaluate("navigator.clipboard.readText()").split("\n")
    names = {link.split("?")[0] for link in links}
    assert {link.split("?")[0] for link in copied} == names

    bar.locator(".menu.copy > summary").click()
    bar.get_by_role("link", name="Markdown").click()
    expect(page.locator("#announcement")).to_have_text("Copied for the ticket (markdown)")
    table = page.evaluate("navigator.clipboard.readText()")
    assert len(re.findall(r"^\| \[", table, flags=re.MULTILINE)) == 2
    assert all(name.split("/")[-2] in unquote(table) for name in names)

    bar.get_by_role("link", name="Show selected only").click()
    expect(page.locator("main tbody tr[id]")).to_have_count(2)
    page.wait_for_url(lambda url: all(name.split("/")[-2] in unquote(url) for name in names))
    assert not page.script_errors


def test_a_customers_failure_of_last_week_is_opened_and_copied_in_few_presses(open_page):
    page = open_page("/", permissions=["clipboard-read", "clipboard-write"])
    presses = 0

    def press(*keys):
        nonlocal presses
        presses += len(keys)
        for key in keys:
            page.keyboard.press(key)

    press("g", "r")
    expect(page.locator("h1")).to_have_text("Restores")
    expect(page.locator("h1")).to_be_focused()
    expect(page.locator("[data-keys]")).not_to_have_attribute("hidden", "")
    press("f", *"shop")
    expect(page.get_by_role("checkbox", name="Shopwell")).to_be_visible()
    press("Enter", "Enter")
    page.wait_for_url("**customer=Shopwell**")
    failed = page.locator(".states a", has_text="Failed")
    tabs = page.locator(".states a").all_inner_texts()
    press(str(1 + next(n for n, text in enumerate(tabs) if text.startswith("Failed"))))
    page.wait_for_url("**status=failed**")
    assert "from=now-7d" in page.url
    expect(failed).to_have_attribute("aria-current", "true")
    press("j", "o")
    page.wait_for_url(re.compile(r"/restores/[^/?]+/"))
    press("y")
    expect(page.locator("#announcement")).to_contain_text("Copied")
    assert "/restores/" in page.evaluate("navigator.clipboard.readText()")
    assert presses <= 25

    press("u")
    page.wait_for_url("**status=failed**")
    assert not page.script_errors


def test_c_copies_the_link_of_the_row(listed):
    page = listed(permissions=["clipboard-read", "clipboard-write"])
    press(page, "j", "c")

    expect(page.locator("#announcement")).to_have_text("Copied the link to the row")
    link = page.locator(f"{CURRENT} a.go").first.evaluate("(a) => a.href")
    assert page.evaluate("navigator.clipboard.readText()").split("?")[0] == link.split("?")[0]


def test_new_rows_wait_while_somebody_reads_and_the_page_stays_in_place(listed):
    page = listed(f"{STILL}&size=100")
    page.evaluate("scrollTo(0, 900)")
    row = page.locator("main tbody tr[id]").nth(30)
    was, count = row.bounding_box()["y"], page.locator("main tbody tr[id]").count()
    add_rows(page, 3)
    refresh(page)
    refresh(page)

    show = page.get_by_role("button", name="Show 3 new restores")
    expect(show).to_be_visible()
    expect(page.locator("#r1000000000")).to_have_count(0)
    assert abs(row.bounding_box()["y"] - was) < 2
    assert page.locator("main tbody tr[id]").count() == count

    show.click()
    # A refresh may be running, and another one follows it.
    expect(page.locator("#r1000000000")).to_be_in_viewport(timeout=20_000)
    expect(show).to_have_count(0)
    assert not page.script_errors


def test_at_the_top_of_the_page_new_rows_appear_at_once_and_flash(listed):
    page = listed()
    add_rows(page, 2)
    # The first refresh with the rows; the next one, which may come at any time, ends the flash.
    page.evaluate(
        "document.addEventListener('refreshed', () => {"
        " document.body.dataset.flashed = document.querySelectorAll('[data-flash]').length"
        " }, { once: true })"
    )
    refresh(page)

    expect(page.locator("#r1000000000")).to_be_visible()
    expect(page.locator("body")).to_have_attribute("data-flashed", "2")
    expect(page.locator(".new-rows button")).to_have_count(0)


@pytest.mark.parametrize("javascript", [True, False])
def test_columns_are_chosen_by_a_plain_form_that_keeps_the_rest(open_page, javascript):
    page = open_page("/restores/?status=failed&size=25", java_script_enabled=javascript)
    page.locator("details.display summary").click()
    form = page.locator("details.display")
    form.get_by_label("Project").check()
    form.get_by_label("Backup taken").uncheck()
    form.get_by_role("button", name="Apply").click()

    expect(page.get_by_role("columnheader", name="Project")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Backup taken")).to_have_count(0)
    assert "status=failed" in page.url
    assert "size=25" in page.url
    assert "cols=created,status,instance,project" in page.url
