from playwright.sync_api import expect


def test_a_click_anywhere_in_a_row_opens_its_restore(listed):
    page = listed()
    page.locator("main tbody tr[id] td.num").first.click()
    expect(page.get_by_role("heading", name="Provider record")).to_be_visible()


def test_selecting_text_in_a_row_opens_nothing(listed):
    page = listed()
    cell = page.locator("main tbody tr[id] td:nth-child(3)").first.bounding_box()
    page.mouse.move(cell["x"] + 2, cell["y"] + cell["height"] / 2)
    page.mouse.down()
    page.mouse.move(cell["x"] + cell["width"] - 2, cell["y"] + cell["height"] / 2)
    page.mouse.up()

    assert page.evaluate("getSelection().toString()")
    expect(page.locator("h1")).to_have_text("Restores")


def test_forced_colors_keep_bars_dots_and_the_current_tab(stack, open_page):
    stack.begin()
    page = open_page("/restores/", forced_colors="active")
    expect(page.locator("main tbody progress").first).to_be_visible(timeout=20_000)

    drawn = page.evaluate(
        """() => {
          const style = (css, part) => getComputedStyle(document.querySelector(css), part);
          return {
            bar: style(".rows progress").forcedColorAdjust,
            dot: style(".sync-messages li", "::before").backgroundColor,
            page: style("body").backgroundColor,
            tab: style(".states [aria-current]").outlineStyle,
          };
        }"""
    )

    assert drawn["bar"] == "none"
    assert drawn["dot"] != drawn["page"]
    assert drawn["tab"] == "solid"
