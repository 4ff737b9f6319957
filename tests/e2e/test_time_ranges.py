import re
from urllib.parse import parse_qs, unquote, urlsplit

from playwright.sync_api import expect

from tests.e2e.conftest import refresh


def params_of(page, *without):
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
    before = params_of(page, "asof")
    expect(page.locator(".exact")).to_contain_text(" – ")
    press(page, "[")
    page.wait_for_url(lambda url: f"from={before['from'][0]}" not in unquote(url))
    assert params_of(page)["to"] == before["from"]
    press(page, "]")
    page.wait_for_url(lambda url: f"to={before['to'][0]}" in unquote(url))
    assert params_of(page, "asof") == before
    assert not page.script_errors


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
    assert not page.script_errors


def test_a_time_range_is_chosen_by_keys_alone(listed):
    page = listed("/restores/?status=failed")
    press(page, "t")
    expect(page.get_by_role("navigation", name="Quick ranges")).to_be_visible()
    press(page, "Escape")
    expect(page.get_by_role("navigation", name="Quick ranges")).to_be_hidden()
    press(page, "t")
    expect(page.get_by_role("link", name="Last 15 minutes")).to_be_focused()
    for _ in range(20):
        if page.locator("#from:focus").count():
            break
        press(page, "Tab")
    page.keyboard.type("yesterday 14:05")
    press(page, "Enter")
    page.wait_for_url(re.compile("from=20"))
    expect(page.locator(".exact")).to_contain_text("Since")
    assert params_of(page)["status"] == ["failed"]
    assert not page.script_errors


def test_a_search_and_a_restore_are_reached_by_keys_alone(listed):
    page = listed()
    press(page, "f")
    expect(
        page.locator('main [data-facet="customer"] input[type="checkbox"]').first
    ).to_be_visible()
    page.locator(".panes summary", has_text="Search").focus()
    press(page, "Enter", "Tab")
    page.keyboard.type("prod")
    press(page, "Enter")
    page.wait_for_url("**q=prod**")
    expect(page.locator("[data-keys]")).not_to_have_attribute("hidden", "")
    listed_at = params_of(page, "asof")
    press(page, "j", "j", "Enter")
    expect(page.get_by_role("heading", name="Provider record")).to_be_visible()
    page.go_back()
    expect(page.locator("tr[data-current]")).to_have_count(1)
    assert params_of(page, "asof") == listed_at
    assert not page.script_errors


def test_each_key_is_listed(listed):
    page = listed()
    press(page, "?")
    keys = page.locator("#keys kbd").all_inner_texts()
    assert keys == [
        *("/", "g", *"oricds", "u", "1", "9", *"jk", "o", "Enter", "c", "y"),
        *("x", "Ctrl", "Shift", "[", "]", *"tftzta", "Esc", "?"),
    ]


def test_a_tooltip_gives_a_time_in_utc_and_in_the_readers_zone(listed):
    page = listed(timezone_id="Asia/Kolkata")
    time = page.locator("main tbody td.t time").first
    time.hover()
    expect(time).to_have_attribute("title", re.compile(r"20\d\d-.* UTC · .*GMT\+5:30"))


def test_the_readers_own_zone_is_chosen_in_the_header_for_every_page(listed):
    page = listed("/restores/?from=now-7d&tz=America/New_York", timezone_id="Asia/Tokyo")
    expect(page.locator(".exact")).to_contain_text("New York (UTC")
    page.locator(".zone > summary").click()
    page.get_by_role("button", name="My time zone").click()
    expect(page.locator(".exact")).to_contain_text("Tokyo (UTC+9)")
    assert params_of(page, "asof") == {"from": ["now-7d"], "tz": ["Asia/Tokyo"]}
    page.goto("/codes/")
    expect(page.locator("thead").first).to_contain_text("Newest (Tokyo)")

    page.locator(".zone > summary").click()
    page.get_by_label("Show times in").fill("são")
    page.get_by_role("button", name="Sao Paulo UTC-3").click()
    expect(page.locator("thead").first).to_contain_text("Newest (Sao Paulo)")
    assert not page.script_errors


def test_a_zone_that_the_browser_does_not_know_breaks_nothing(listed):
    page = listed("/restores/?to=now-2d/d&tz=UTC%2B13:45")
    page.evaluate("document.documentElement.dataset.zone = 'Mars/Olympus'")
    refresh(page)
    expect(page.get_by_role("columnheader", name="Created")).to_contain_text("UTC+13:45")
    assert not page.script_errors

    page.context.set_offline(True)
    page.evaluate("document.dispatchEvent(new Event('refresh-now'))")
    last = re.compile(r"Last refreshed at \d\d:\d\d:\d\d UTC; retrying")
    expect(page.locator("#stale")).to_have_text(last)


def test_a_range_is_chosen_in_the_calendar_and_said_in_words_before_it_is_applied(listed):
    page = listed("/restores/?from=2026-06-10T00:00:00Z&to=2026-06-11T00:00:00Z&tz=Asia/Tokyo")
    page.locator(".time-range summary").click()
    expect(page.get_by_role("button", name="10 Jun 2026")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Previous month").click()
    page.get_by_role("button", name="12 May 2026").click()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_label("From", exact=True)).to_have_value("12 May 2026")
    expect(page.get_by_label("To", exact=True)).to_have_value("19 May 2026")
    words = page.locator("[data-words]")
    expect(words).to_have_text("8 d · 11 May, 15:00 – 19 May, 15:00 UTC")
    page.get_by_role("textbox", name="Time zone").fill("berl")
    page.get_by_role("button", name="Berlin UTC+").click()
    expect(words).to_have_text("8 d · 11 May, 22:00 – 19 May, 22:00 UTC")
    page.get_by_label("To", exact=True).fill("nonsense")
    expect(words).to_contain_text("“nonsense” isn’t a valid date or time")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".time-range details[open]")).to_have_count(0)

    page.goto("/restores/?from=now-7d&status=failed")
    page.locator(".time-range summary").click()
    page.get_by_role("link", name=re.compile("^10 Jun 2026, 09:00")).click()
    expect(page.locator(".exact")).to_contain_text("10 Jun, 09:00 – 11 Jun, 09:00 Tokyo")
    assert params_of(page)["status"] == ["failed"]
    assert not page.script_errors


def test_everything_works_without_javascript(open_page):
    page = open_page("/restores/?size=10&sort=created", java_script_enabled=False)
    menu = page.locator(".time-range details summary")
    menu.click()
    page.get_by_role("link", name="Last 30 days").click()
    assert params_of(page, "asof") == {"from": ["now-30d"], "size": ["10"], "sort": ["created"]}
    page.get_by_role("link", name="Previous period").click()
    expect(page.locator(".exact")).to_contain_text(" – ")
    page.get_by_role("link", name="Next period").click()
    menu.click()
    page.get_by_role("navigation", name="Time zone").get_by_text("Kolkata").click()
    expect(page.locator(".exact")).to_contain_text("Kolkata (UTC+5:30)")
    menu.click()
    page.get_by_label("From", exact=True).fill("04/05/2026 09:00")
    page.get_by_role("button", name="Apply").first.click()
    suggestions = page.locator(".note.bad a")
    expect(suggestions).to_have_count(2)
    suggestions.first.click()
    expect(page.locator(".time-range summary")).to_contain_text("2026")
    assert params_of(page)["tz"] == ["Asia/Kolkata"]
    menu.click()
    page.get_by_label("First day").fill("2026-05-04")
    page.get_by_label("Last day").fill("2026-05-05")
    page.get_by_role("button", name="Show these days").click()
    expect(menu).to_contain_text("4–5 May 2026")
    page.locator(".zone > summary").click()
    page.get_by_label("Show times in").fill("Japan")
    page.keyboard.press("Enter")
    expect(page.locator(".exact")).to_contain_text("Japan (UTC+9)")

    page.goto("/restores/?size=10&sort=created&status=succeed&tz=Asia/Kolkata")
    page.get_by_role("link", name="Next").click()
    kept = {"size": ["10"], "sort": ["created"], "status": ["succeed"], "tz": ["Asia/Kolkata"]}
    assert params_of(page, "asof") == kept | {"page": ["2"]}
    page.locator("tbody tr[id] a").first.click()
    expect(page.get_by_role("heading", name="Provider record")).to_be_visible()
    page.locator(".crumbs a").last.click()
    assert params_of(page, "asof") == kept | {"page": ["2"]}


def test_around_a_time_replaces_the_range_and_keeps_the_rest(listed):
    page = listed("/restores/?status=failed&from=now-30d&tz=Asia/Tokyo")
    page.locator(".time-range details summary").click()
    expect(page.get_by_label("From", exact=True)).to_have_value("now-30d")
    page.locator("label", has_text="Running").click()
    page.get_by_label("Around a time").fill("gestern 14.05 Uhr")
    page.locator("label", has_text="± 2 h").click()
    page.get_by_role("button", name="Apply").first.click()
    page.wait_for_url(re.compile("from=20.*to=20"))
    params = params_of(page, "asof", "from", "to")
    assert params == {"on": ["running"], "status": ["failed"], "tz": ["Asia/Tokyo"]}
    expect(page.locator(".exact")).to_contain_text("12:05 – ")
    page.locator(".time-range details summary").click()
    expect(page.get_by_label("From", exact=True)).to_have_value(re.compile(r" 12:05$"))
    expect(page.get_by_label("To", exact=True)).to_have_value(re.compile(r" 16:05$"))
    assert not page.script_errors


def test_a_time_with_several_meanings_is_asked_once(listed):
    page = listed("/restores/?on=running")
    page.locator(".time-range details summary").click()
    page.get_by_label("Around a time").fill("2026-06-23 15:26 CST")
    page.get_by_role("button", name="Apply").first.click()
    note = page.get_by_role("alert")
    expect(note).to_contain_text("is ambiguous")
    expect(page.get_by_label("Around a time")).to_have_value("2026-06-23 15:26 CST")
    note.get_by_role("link").last.click()
    page.wait_for_url(re.compile("from=2026-06-23T06:56:00Z&to=2026-06-23T07:56:00Z"))
    assert params_of(page)["on"] == ["running"]
