import pytest
from playwright.sync_api import expect

OPEN = "details.menu[open]"


@pytest.mark.parametrize(
    "menu", [".time-range .menu", ".menu.filter", ".menu.zone", ".menu.user", ".menu.display"]
)
def test_opening_a_menu_moves_the_focus_in_and_escape_moves_it_back(listed, menu):
    page = listed()
    summary = page.locator(f"{menu} > summary")
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.locator(f"{menu} > .panel :focus")).to_be_visible()

    page.keyboard.press("Escape")

    expect(page.locator(OPEN)).to_have_count(0)
    expect(summary).to_be_focused()
    assert not page.script_errors


def test_one_menu_is_open_at_a_time(listed):
    page = listed()
    for menu in (".time-range .menu", ".menu.filter", ".menu.user", ".menu.copy"):
        # By the keyboard: an open menu may cover the next one.
        page.locator(f"{menu} > summary").first.focus()
        page.keyboard.press("Enter")
        expect(page.locator(OPEN)).to_have_count(1)
        expect(page.locator(f"{menu}[open]")).to_have_count(1)
    page.keyboard.press("f")
    expect(page.locator(OPEN)).to_have_count(1)
    expect(page.locator(".menu.filter[open]")).to_have_count(1)


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_the_menu_of_selected_rows_is_in_the_window(listed, width, height):
    page = listed(viewport={"width": width, "height": height})
    page.locator("main tbody .pick input").first.check()

    page.locator(".selection .copy > summary").click()

    expect(page.locator(".selection .copy :focus")).to_be_visible()
    panel = page.locator(".selection .copy .panel").bounding_box()
    assert panel["x"] >= 0 and panel["x"] + panel["width"] <= width
    assert panel["y"] >= 0 and panel["y"] + panel["height"] <= height


def test_a_click_elsewhere_closes_a_menu_and_one_inside_does_not(listed):
    page = listed()
    page.locator(".menu.filter > summary").click()
    page.locator(".menu.filter > .panel").click(position={"x": 3, "y": 3})
    expect(page.locator(".menu.filter[open]")).to_be_visible()

    page.locator("h1").click()

    expect(page.locator(OPEN)).to_have_count(0)


def test_a_panel_that_explains_an_unreadable_value_stays_open(listed):
    page = listed("/restores/?from=nonsense")
    page.locator("h1").click()
    page.keyboard.press("Escape")
    expect(page.locator(".time-range details[open]")).to_be_visible()


def test_after_back_the_ticks_of_the_filter_are_those_of_the_address(listed):
    page = listed()
    page.locator(".menu.filter > summary").click()
    page.locator(".panes summary", has_text="Status").click()
    page.get_by_label("Failed", exact=True).check()
    page.get_by_role("button", name="Apply filters").click()
    page.wait_for_url("**status=failed**")

    page.go_back()

    page.wait_for_url(lambda url: "status=" not in url)
    page.locator(".menu.filter > summary").click()
    expect(page.get_by_label("Failed", exact=True)).not_to_be_checked()
