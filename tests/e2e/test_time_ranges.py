import re
from urllib.parse import parse_qs, unquote, urlsplit

from playwright.sync_api import expect


def asked(page, *without):
    """The parameters in the address bar, once the page they lead to is there."""
    page.wait_for_load_state()
    query = parse_qs(urlsplit(page.url).query)
    return {name: values for name, values in query.items() if name not in without}


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def test_brackets_go_to_the_previous_and_the_next_period(listed):
    page = listed("/restores/?from=now-1d/d&to=now-1d/d")
    press(page, "[")
    page.wait_for_url(re.compile("from=20.*to=20"))
    before = asked(page, "asof")
    expect(page.locator(".exact")).to_contain_text(" – ")
    press(page, "[")
    page.wait_for_url(lambda url: f"from={before['from'][0]}" not in unquote(url))
    assert asked(page)["to"] == before["from"]
    press(page, "]")
    page.wait_for_url(lambda url: f"to={before['to'][0]}" in unquote(url))
    assert asked(page, "asof") == before
    assert not page.troubles


def test_keys_zoom_out_and_pin_the_time_range(listed):
    page = listed("/restores/?from=2026-11-20T12:00:00Z&to=2026-11-20T14:00:00Z")
    press(page, "t", "z")
    page.wait_for_url(lambda url: "from=2026-11-20T11:00:00Z&to=2026-11-20T15:00:00Z" in url)
    expect(page.locator("[data-keys]")).not_to_have_attribute("hidden", "")
    page.goto("/restores/?from=now-1h")
    expect(page.locator("[data-keys]")).not_to_have_attribute("hidden", "")
    press(page, "a")
    expect(page.get_by_role("navigation", name="This range")).to_be_hidden()
    press(page, "t")
    expect(page.locator("[data-step=pin]")).to_be_visible()
    assert "from=now-1h" in page.url
    press(page, "a")
    page.wait_for_url(re.compile("from=20.*to=20"))
    assert not page.troubles


def test_a_time_range_is_chosen_by_keys_alone(listed):
    page = listed("/restores/?status=failed")
    press(page, "t")
    expect(page.get_by_role("navigation", name="Quick ranges")).to_be_visible()
    press(page, "Escape")
    expect(page.get_by_role("navigation", name="Quick ranges")).to_be_hidden()
    press(page, "t", "Tab")
    expect(page.get_by_role("link", name="Last hour")).to_be_focused()
    for _ in range(20):
        if page.locator("#from:focus").count():
            break
        press(page, "Tab")
    page.keyboard.type("yesterday 14:05")
    press(page, "Enter")
    page.wait_for_url(re.compile("from=20"))
    expect(page.locator(".exact")).to_contain_text("since")
    assert asked(page)["status"] == ["failed"]
    assert not page.troubles


def test_a_search_and_a_restore_are_reached_by_keys_alone(listed):
    page = listed()
    press(page, "f")
    expect(page.locator('main [data-facet="project"] input[type="checkbox"]').first).to_be_visible()
    press(page, "Tab")
    page.keyboard.type("prod")
    press(page, "Enter")
    page.wait_for_url("**q=prod**")
    expect(page.locator("[data-keys]")).not_to_have_attribute("hidden", "")
    listed_at = asked(page, "asof")
    press(page, "j", "j", "Enter")
    expect(page.locator("h1")).to_contain_text("– restore")
    page.go_back()
    expect(page.locator("tr[data-current]")).to_have_count(1)
    assert asked(page, "asof") == listed_at
    assert not page.troubles


def test_each_key_is_listed(listed):
    page = listed()
    press(page, "?")
    keys = page.locator("#keys kbd").all_inner_texts()
    assert keys == ["/", "j", "k", "o", "Enter", "c", "x", "Ctrl", "Shift", "[", "]", "t", "f",
                    "t", "z", "t", "a",
                    "Esc", "?"]  # fmt: skip


def test_a_tooltip_gives_a_time_in_utc_and_in_the_readers_zone(listed):
    page = listed(timezone_id="Asia/Kolkata")
    time = page.locator("main tbody td.t time").first
    time.hover()
    expect(time).to_have_attribute("title", re.compile(r"20\d\d-.* UTC · .*GMT\+5:30"))


def test_times_in_another_zone_are_one_click_from_the_readers_own(listed):
    page = listed("/restores/?from=now-7d&tz=America/New_York", timezone_id="Asia/Tokyo")
    expect(page.locator(".exact")).to_contain_text("New York (UTC")
    page.get_by_role("link", name="Show in my time zone").click()
    expect(page.locator(".exact")).to_contain_text("Tokyo (UTC+9)")
    assert asked(page, "asof") == {"from": ["now-7d"], "tz": ["Asia/Tokyo"]}
    expect(page.get_by_role("link", name="Show in my time zone")).to_have_count(0)
    assert not page.troubles


def test_everything_works_without_javascript(open_page):
    page = open_page("/restores/?size=10&sort=created", java_script_enabled=False)
    menu = page.locator(".time-range details summary")
    menu.click()
    page.get_by_role("link", name="Last 30 days").click()
    assert asked(page, "asof") == {"from": ["now-30d"], "size": ["10"], "sort": ["created"]}
    page.get_by_role("link", name="Previous period").click()
    expect(page.locator(".exact")).to_contain_text(" – ")
    page.get_by_role("link", name="Next period").click()
    menu.click()
    page.get_by_role("navigation", name="Time zone").get_by_text("Asia/Kolkata").click()
    expect(page.locator(".exact")).to_contain_text("Kolkata (UTC+5:30)")
    menu.click()
    page.get_by_label("From", exact=True).fill("04/05/2026 09:00")
    page.get_by_role("button", name="Apply").first.click()
    suggestions = page.locator(".note.bad a")
    expect(suggestions).to_have_count(2)
    suggestions.first.click()
    expect(page.locator(".time-range summary")).to_contain_text("2026")
    assert asked(page)["tz"] == ["Asia/Kolkata"]

    page.goto("/restores/?size=10&sort=created&status=succeed&tz=Asia/Kolkata")
    page.get_by_role("link", name="Next").click()
    kept = {"size": ["10"], "sort": ["created"], "status": ["succeed"], "tz": ["Asia/Kolkata"]}
    assert asked(page, "asof") == kept | {"page": ["2"]}
    page.locator("tbody tr[id] a").first.click()
    expect(page.locator("h1")).to_contain_text("– restore")
    page.locator(".crumbs a").last.click()
    assert asked(page, "asof") == kept | {"page": ["2"]}
