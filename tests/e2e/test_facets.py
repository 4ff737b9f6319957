import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import STILL, refresh
from tests.e2e.test_pages import assert_clean


def counted(page, name):
    """The values of a facet on the page, with their counts."""
    page.wait_for_load_state()
    rows = page.locator(f'main [data-facet="{name}"] label').all()
    return {row.locator("bdi").first.inner_text(): row.locator("b").inner_text() for row in rows}


def box(page, project):
    return page.locator(f'main [data-facet="project"] input[type="checkbox"][value="{project}"]')


def open_pane(page, label):
    page.locator(".panes summary", has_text=label).click()


def apply_filters(page):
    page.get_by_role("button", name="Apply filters").click()


@pytest.mark.parametrize("javascript", [True, False])
def test_values_are_chosen_from_lists_with_counts(open_page, javascript):
    page = open_page(f"{STILL}&status=failed", java_script_enabled=javascript)
    assert counted(page, "project") == {}
    page.locator(".filter > summary").click()
    if not javascript:
        page.get_by_role("link", name="Show values with counts").click()
    open_pane(page, "Project")
    expect(page.locator('main [data-facet="project"] label').nth(2)).to_be_visible()
    if javascript:
        assert_clean(page)
    offered = counted(page, "project")
    (first, one), (second, two) = list(offered.items())[:2]
    box(page, first).check()
    box(page, second).check()
    apply_filters(page)

    expect(page.locator("a.chip.set")).to_have_count(2)
    assert page.url.split("?")[1].count("project=") == 2
    total = page.locator(".states [aria-current] b").inner_text()
    assert int(total) == int(one) + int(two)
    if javascript:
        page.locator(".filter > summary").click()
        expect(box(page, first)).to_be_checked()
        box(page, first).uncheck()
        apply_filters(page)
        expect(page.locator("a.chip.set")).to_have_count(1)
    assert not page.script_errors


def test_an_open_panel_keeps_what_was_checked_while_the_page_refreshes(open_page):
    page = open_page("/restores/")
    page.locator(".filter > summary").click()
    open_pane(page, "Region")
    region = page.locator('main [data-facet="region"] input').first
    region.check()
    refresh(page)
    expect(region).to_be_checked()
    assert not page.script_errors


def test_with_javascript_a_form_leads_to_the_canonical_url_without_a_redirect(open_page):
    page = open_page("/restores/?from=2024-01-01T00:00:00Z&sort=created")
    responses = []
    page.on(
        "response",
        lambda response: "/restores/" in response.url and responses.append(response.status),
    )
    page.locator(".filter > summary").click()
    open_pane(page, "Search")
    page.locator(".filter").get_by_label("Search", exact=True).fill("prod/1 ü,")
    open_pane(page, "Status")
    page.locator(".filter").get_by_label("Failed", exact=True).check()
    page.locator(".filter").get_by_label("Restoring").check()
    open_pane(page, "Region")
    page.locator('main [data-facet="region"] input').first.check()
    apply_filters(page)
    page.wait_for_url("**q=prod/1+%C3%BC,&from=2024-01-01T00:00:00Z*sort=created")
    assert 302 not in responses and 200 in responses
    assert "region=" in page.url.split("status=failed&status=restoring")[0]
    assert not page.script_errors


def test_without_javascript_a_form_is_redirected_to_the_canonical_url(open_page):
    page = open_page("/facets/?sort=created", java_script_enabled=False)
    open_pane(page, "Search")
    page.locator(".facets").get_by_label("Search", exact=True).fill("prod")
    apply_filters(page)
    page.wait_for_url("**/restores/?q=prod&sort=created")
