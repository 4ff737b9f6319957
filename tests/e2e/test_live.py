from playwright.sync_api import expect


def test_a_restore_appears_moves_and_ends_in_an_open_list_without_a_reload(stack, open_page):
    page = open_page("/restores/")
    page.evaluate("window.neverReloaded = true")

    begun = stack.begin(waiting=2, seconds=45)
    row = page.locator("tr", has=page.locator(f'a[href*="{begun["restore_id"]}"]'))
    expect(row).to_be_visible(timeout=15_000)
    expect(row).to_contain_text("Restoring", timeout=15_000)

    first = row.locator("progress").get_attribute("value")
    page.wait_for_function(
        "([id, was]) => { const bar = document.querySelector(`tr:has(a[href*='${id}']) progress`);"
        " return !bar || bar.getAttribute('value') !== was }",
        arg=[begun["restore_id"], first],
        timeout=15_000,
    )
    expect(row).to_contain_text("Succeeded", timeout=45_000 + 15_000)
    assert page.evaluate("window.neverReloaded")
    assert not page.troubles


def test_a_restore_s_page_moves_by_itself_and_says_how_it_ended(stack, open_page):
    begun = stack.begin(waiting=1, seconds=40, code="dcs.08.0007")
    listed = open_page("/restores/")
    expect(listed.locator(f'a[href*="{begun["restore_id"]}"]').first).to_be_visible(timeout=15_000)

    page = open_page(f"/restores/{begun['restore_id']}/")
    page.evaluate("window.neverReloaded = true")
    expect(page.locator("main")).to_contain_text("Restoring", timeout=15_000)
    expect(page.locator("main")).to_contain_text("dcs.08.0007", timeout=40_000 + 15_000)
    expect(page.locator("h1")).to_contain_text("failed")
    assert page.evaluate("window.neverReloaded")
    assert not page.troubles
