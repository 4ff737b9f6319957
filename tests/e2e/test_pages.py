import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

PATHS = [
    "/",
    "/restores/?size=10",
    "/restores/?status=failed&size=10",
    "/restores/?on=ended&size=10",
    "/restores/?from=Feb+30",
    "/restores/?q=nothing-is-called-this",
    "/facets/?status=failed",
    "/restores/histogram/?from=now-30d",
    "/restores/?from=2001-01-01&to=2001-01-02",
    "/instances/?size=10",
    "/reports/downtime/?from=now-30d",
    "/reports/downtime/?from=Feb+30",
    "/codes/",
    "/codes/dcs.08.0007/",
    "/codes/DCS.4097/",
    "/sync-status/",
    "/account/",
    "/account/tokens/",
]
# WCAG 2.2 asks for 320 px. Each scheme and each width once: contrast does not depend on the width.
WINDOWS = [(320, "light"), (1440, "dark")]
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def newest(page, css):
    return page.locator(css).first.get_attribute("href")


def assert_clean(page):
    found = Axe().run(page, options=RULES).response["violations"]
    assert not found, [(v["id"], [n["html"][:200] for n in v["nodes"]][:3]) for v in found]
    overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0, f"{overflow} px wider than the window"


# Every page in one of the windows, in turn, and by --long in both: axe takes seconds.
@pytest.mark.parametrize(
    ("path", "width", "scheme"),
    [
        pytest.param(path, *window, marks=() if (row + column) % 2 else pytest.mark.long)
        for row, path in enumerate(PATHS)
        for column, window in enumerate(WINDOWS)
    ],
)
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

    expect(page.get_by_role("list").filter(has_text="Created")).to_be_visible()
    assert_clean(page)
    assert not page.script_errors


def test_an_instance_s_page_is_clean_and_its_bars_lead_to_restores(open_page):
    window = {"width": 320, "height": 800}
    page = open_page("/instances/?sort=-last_restore", viewport=window)
    page.goto(newest(page, "main tbody a.go"))

    page.locator(".history summary").click()
    assert_clean(page)
    page.locator(".history-bars a").last.click()
    expect(page.get_by_role("heading", name="Provider record")).to_be_visible()
    assert not page.script_errors


def test_the_pages_work_without_javascript(open_page):
    failed = re.compile("status=failed")
    page = open_page("/restores/", java_script_enabled=False)
    page.get_by_role("link", name="Failed").first.click()
    expect(page).to_have_url(failed)
    page.locator("main tbody a[href^='/restores/']").first.click()
    expect(page).to_have_title(re.compile("^Failed"))
    page.get_by_role("navigation", name="Breadcrumb").get_by_role("link", name="failed").click()
    expect(page).to_have_url(failed)
    expect(page.locator("main table")).to_be_visible()
