import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import STILL, reread
from tests.e2e.test_pages import assert_clean


def counted(page, name):
    """The values of a facet on the page, with their counts."""
    page.wait_for_load_state()
    rows = page.locator(f'main [data-slot="{name}"] label').all()
    return {row.locator("bdi").first.inner_text(): row.locator("b").inner_text() for row in rows}


def box(page, project):
    return page.locator(f'main [data-slot="project"] input[type="checkbox"][value="{project}"]')


def narrow(page):
    page.get_by_role("button", name="Narrow").click()


@pytest.mark.parametrize("javascript", [True, False])
def test_values_are_chosen_from_lists_with_counts(open_page, javascript):
    page = open_page(f"{STILL}&status=failed", java_script_enabled=javascript)
    assert counted(page, "project") == {}
    page.get_by_text("+ Filter").click()
    if not javascript:
        page.get_by_role("link", name="Choose from lists with counts").click()
    expect(page.locator('main [data-slot="code"] label').nth(2)).to_be_visible()
    if javascript:
        assert_clean(page)
    offered = counted(page, "project")
    (first, one), (second, two) = list(offered.items())[:2]
    box(page, first).check()
    box(page, second).check()
    narrow(page)

    expect(page.locator("a.chip.set")).to_have_count(2)
    assert page.url.split("?")[1].count("project=") == 2
    total = page.locator(".states [aria-current] b").inner_text()
    assert int(total) == int(one) + int(two)
    if javascript:
        page.get_by_text("+ Filter").click()
        expect(box(page, first)).to_be_checked()
        box(page, first).uncheck()
        narrow(page)
        expect(page.locator("a.chip.set")).to_have_count(1)
    assert not page.troubles


def test_an_open_panel_keeps_what_was_checked_while_the_page_is_read_again(open_page):
    page = open_page("/restores/")
    page.get_by_text("+ Filter").click()
    region = page.locator('main [data-slot="region"] input').first
    region.check()
    reread(page)
    expect(region).to_be_checked()
    assert not page.troubles
