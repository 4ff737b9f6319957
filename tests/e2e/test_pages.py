import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.factories import NOW, make_instance, make_project, make_restore

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


# Every page in one of the windows, in turn, and with --long in both: axe takes seconds.
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


@pytest.mark.parametrize(
    ("status", "width", "scheme"),
    [
        pytest.param(status, *window, marks=() if (row + column) % 2 else pytest.mark.long)
        for row, status in enumerate(["failed", "succeed", "restoring"])
        for column, window in enumerate(WINDOWS)
    ],
)
def test_a_restores_page_is_clean_in_every_state(open_page, status, width, scheme):
    page = open_page(
        f"/restores/?status={status}", viewport={"width": width, "height": 800}, color_scheme=scheme
    )
    page.goto(newest(page, "main tbody td.t a.go"))

    expect(page.get_by_role("list").filter(has_text="Created")).to_be_visible()
    assert_clean(page)
    assert not page.script_errors


def test_an_instances_page_is_clean_and_its_bars_lead_to_restores(open_page):
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


PHONE = {"viewport": {"width": 390, "height": 844}}


@pytest.fixture
def long_names():
    project = make_project("a-project-with-a-rather-long-name", customer="Versicherung " * 6)
    make_restore(instance=make_instance("cache" * 40, project=project), duration=36_000)


def test_on_a_phone_a_menu_is_a_sheet_and_the_search_box_has_room(visit, long_names):
    page = visit("anna", "UTC", "/restores/", **PHONE)
    assert page.locator(".find").bounding_box()["width"] > 150

    page.locator(".copy summary").click()
    panel = page.locator(".copy .panel").bounding_box()
    assert (panel["x"], panel["width"], panel["y"] + panel["height"]) == (0, 390, 844)
    assert page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("path", ["/", "/restores/", "/instances/", "/reports/downtime/"])
def test_on_a_phone_buttons_and_fields_are_as_tall_as_a_thumb(visit, long_names, path):
    page = visit("anna", "UTC", path, **PHONE)
    controls = page.locator(":is(.button, .states a, .group a, .top textarea):visible")
    heights = controls.evaluate_all("(all) => all.map((one) => one.getBoundingClientRect().height)")
    assert len(heights) >= 3 and min(heights) >= 40


def test_the_instance_list_shows_each_status_whole(visit):
    project = make_project("meridian-pay", region="ap-southeast-3", customer="Meridian Pay")
    name, identifier = "checkout-prod", "0b6cdc25-3acb-4961-9cc7-14dadf159567"
    instance = make_instance(name, instance_id=identifier, project=project, engine="Redis 6.0")
    make_restore(status="failed", instance=instance)
    make_instance("single", project=project, single_node=True)
    page = visit("anna", "UTC", "/instances/", viewport={"width": 1024, "height": 800})
    status = page.locator("main tbody .state").bounding_box()
    assert status["x"] + status["width"] <= 1024 - 20


def test_a_downtime_report_fits_on_a_phone_whatever_its_names(visit, long_names):
    page = visit("anna", "UTC", "/reports/downtime/?from=2026-11-01", **PHONE)
    expect(page.locator(".badge.live")).to_be_visible()
    assert page.locator(".sheet").evaluate("(sheet) => sheet.scrollWidth <= sheet.clientWidth")

    page = visit("anna", "UTC", f"/reports/downtime/?asof={NOW:%Y-%m-%dT%H:%M:%SZ}", **PHONE)
    expect(page.locator(".badge.snapshot")).to_contain_text("Snapshot 23 Nov 16:59:00 UTC")


def test_a_printed_list_has_every_column_whatever_its_names(visit, long_names):
    page = visit("anna", "UTC", "/restores/", viewport={"width": 720, "height": 900})
    page.emulate_media(media="print")
    sheet, table = (page.locator(css).bounding_box() for css in (".sheet", ".rows.fixed"))
    assert table["x"] + table["width"] <= sheet["x"] + sheet["width"]


def test_a_printed_page_says_its_whole_address(visit, long_names):
    page = visit("anna", "UTC", "/restores/")
    page.pdf()
    expect(page.locator("main")).to_have_attribute("data-permalink", page.url)
