"""The layout of the list: what is visible at which width."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from playwright.sync_api import expect

from restores.filters.params import COLUMNS
from tests.factories import make_instance, make_project, make_restore

NOW = datetime(2026, 11, 23, 14, 3, tzinfo=UTC)
WEEK = "/restores/?from=now-7d"
LONG = "customer-analytics-session-cache-prod-blue-02"
CLIPPED_HEADERS = """() => [...document.querySelectorAll("main thead th")]
  .filter((th) => th.scrollWidth > th.clientWidth)
  .map((th) => th.textContent.trim())"""
ROWS_IN_SIGHT = """() => [...document.querySelectorAll("main tbody tr[id]")]
  .filter((row) => row.getBoundingClientRect().bottom <= innerHeight).length"""


@pytest.fixture
def rows(transactional_db):
    """Five restores in progress, a failure with a code, and successes, with a long name."""
    project = make_project(customer="Versicherungsverbund Süd-West Kommunal a.G.")
    instance = make_instance(LONG, project=project)
    for number in range(30):
        status = "restoring" if number < 5 else "failed" if number == 5 else "succeed"
        make_restore(
            instance=instance,
            status=status,
            error_code="dcs.08.0007" if status == "failed" else "",
            created_at=NOW - timedelta(minutes=number),
        )
    with time_machine.travel(NOW, tick=True):
        yield


def top_of_rows(page):
    return page.locator("main tbody tr[id]").first.bounding_box()["y"]


def overlap(one, other):
    return all(
        one[start] < other[start] + other[size] and other[start] < one[start] + one[size]
        for start, size in (("x", "width"), ("y", "height"))
    )


def test_rows_begin_near_the_top_below_a_histogram_that_can_be_switched_off(visit, rows):
    page = visit("sam", "UTC", WEEK)
    expect(page.locator(".drawn .bars a")).not_to_have_count(0)
    assert top_of_rows(page) <= 310
    assert page.evaluate(ROWS_IN_SIGHT) >= 15

    page.locator(".display > summary").click()
    page.get_by_label("Histogram").uncheck()

    expect(page.locator("[data-histogram]")).to_have_count(0)
    assert top_of_rows(page) <= 240
    page.reload()
    expect(page.locator("main tbody tr[id]").first).to_be_visible()
    assert page.locator("[data-histogram]").count() == 0


def test_dragging_over_the_histogram_chooses_the_time_range_of_its_bars(visit, rows):
    page = visit("sam", "UTC", WEEK)
    bars = page.locator(".drawn .bars a")
    expect(bars).not_to_have_count(0)
    first, last = (parse_qs(urlsplit(bars.nth(n).get_attribute("href")).query) for n in (10, 20))
    boxes = [bars.nth(n).locator(".hit").bounding_box() for n in (20, 10)]
    # From right to left, too.
    (right, y), (left, _) = [(box["x"] + box["width"] / 2, box["y"] + 20) for box in boxes]
    page.mouse.move(right, y)
    page.mouse.down()
    page.mouse.move(left, y, steps=20)
    expect(page.locator(".bars .dragged")).to_have_count(11)
    page.mouse.up()

    page.wait_for_url("**/restores/?from=*&to=*")
    chosen = parse_qs(urlsplit(page.url).query)
    assert (chosen["from"], chosen["to"]) == (first["from"], last["to"])


def test_on_a_phone_rows_are_cards_near_the_top_and_pages_at_the_thumb(visit, rows):
    page = visit("sam", "UTC", WEEK, viewport={"width": 390, "height": 844}, has_touch=True)
    expect(page.locator(".drawn .bars a")).not_to_have_count(0)
    assert top_of_rows(page) <= 340
    box, time = page.locator("main tbody .pick input").first, page.locator("main tbody td.t").first
    expect(box).to_be_visible()
    assert not overlap(box.bounding_box(), time.bounding_box())
    assert page.get_by_role("link", name="Restores", exact=True).bounding_box()["y"] > 780
    assert page.evaluate("document.documentElement.scrollWidth") == 390

    page.locator("main tbody .pick label").first.tap(position={"x": 4, "y": 4})

    expect(box).to_be_checked()

    page.locator(".filter > summary").click()

    button = page.get_by_role("button", name="Apply filters")
    expect(button).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("width", [1440, 1024])
def test_no_header_is_narrower_than_its_text_whatever_the_columns(visit, rows, width):
    window = {"width": width, "height": 800}
    page = visit("sam", "UTC", WEEK, viewport=window)
    assert page.evaluate(CLIPPED_HEADERS) == []
    code = page.locator("main tbody a.mono")
    name = page.locator("main tbody .named a").first
    tail = name.locator("span").last
    expect(tail).to_have_text("od-blue-02")
    expect(code).to_have_text("dcs.08.0007")
    for one in (tail, code):
        cell, text = one.locator("xpath=ancestor::td").bounding_box(), one.bounding_box()
        assert text["x"] + text["width"] <= cell["x"] + cell["width"]

    page.goto(f"{WEEK}&cols={','.join(COLUMNS)}")

    assert page.evaluate(CLIPPED_HEADERS) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    created = page.locator("main tbody td.t").first
    before = created.bounding_box()["x"]
    created.hover()
    page.mouse.wheel(900, 0)
    page.wait_for_function("() => document.querySelector('.across').scrollLeft > 0")
    assert created.bounding_box()["x"] == before


def test_the_filter_fits_the_window_and_takes_a_value_by_its_first_letters(visit, rows):
    page = visit("sam", "UTC", WEEK, viewport={"width": 1440, "height": 700})
    page.keyboard.press("f")
    option = page.locator("[data-facet=customer] label")
    expect(option).to_be_visible()
    expect(page.get_by_role("button", name="Apply filters")).to_be_in_viewport(ratio=1)

    page.keyboard.type("nobody")
    expect(option).to_be_hidden()
    for _ in "nobody":
        page.keyboard.press("Backspace")
    page.keyboard.type("kommunal")
    page.keyboard.press("Enter")
    expect(option.locator("input")).to_be_checked()
    page.keyboard.press("Enter")

    page.wait_for_url("**customer=Versicherungsverbund**")
    expect(page.locator(".filter > summary")).to_have_text("Filter · 1")


def test_a_row_is_selected_by_its_checkbox(visit, rows):
    page = visit("sam", "UTC", WEEK)
    row = page.locator("main tbody tr[id]").first
    row.hover()
    row.get_by_role("checkbox").check()
    expect(page.locator(".selection")).to_contain_text("1 selected")
    page.keyboard.press("x")
    expect(row.get_by_role("checkbox")).not_to_be_checked()
