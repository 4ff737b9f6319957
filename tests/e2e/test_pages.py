import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

PATHS = [
    "/",
    "/restores/?size=25",
    "/restores/?status=failed&size=25",
    "/restores/?on=ended&size=25",
    "/restores/?from=Feb+30",
    "/restores/?q=nothing-is-called-this",
    "/facets/?status=failed",
    "/restores/?from=2001-01-01&to=2001-01-02",
    "/instances/",
    "/sync-status/",
]
# Each scheme once and each width once: contrast does not depend on the width.
WINDOWS = [(360, "light"), (1440, "dark")]
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def newest(page, css):
    return page.locator(css).first.get_attribute("href")


def assert_clean(page):
    found = Axe().run(page, options=RULES).response["violations"]
    assert not found, [(v["id"], [n["html"][:200] for n in v["nodes"]][:3]) for v in found]
    overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0, f"{overflow} px wider than the window"


@pytest.mark.parametrize(("width", "scheme"), WINDOWS)
@pytest.mark.parametrize("path", PATHS)
def test_axe_finds_nothing_and_nothing_overflows(open_page, path, width, scheme):
    page = open_page(path, viewport={"width": width, "height": 800}, color_scheme=scheme)

    assert_clean(page)


@pytest.mark.parametrize(("width", "scheme"), WINDOWS)
@pytest.mark.parametrize("status", ["failed", "succeed", "restoring"])
def test_a_restore_s_page_is_clean_in_every_state(open_page, status, width, scheme):
    page = open_page(
        f"/restores/?status={status}", viewport={"width": width, "height": 800}, color_scheme=scheme
    )
    page.goto(newest(page, "main tbody td.t a.go"))

    expect(page.locator("h1")).to_contain_text("restore")
    assert_clean(page)
    assert not page.troubles


def test_the_pages_work_without_javascript(open_page):
    failed = re.compile("status=failed")
    page = open_page("/restores/", java_script_enabled=False)
    page.get_by_role("link", name="Failed").first.click()
    expect(page).to_have_url(failed)
    page.locator("main tbody a[href^='/restores/']").first.click()
    expect(page.locator("h1")).to_contain_text("failed")
    page.get_by_role("navigation", name="Breadcrumb").get_by_role("link", name="failed").click()
    expect(page).to_have_url(failed)
    expect(page.locator("main table")).to_be_visible()
