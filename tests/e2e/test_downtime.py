"""The downtime report in a browser: how soon it is found, how it prints, the sum of a selection."""

import re

from playwright.sync_api import expect

from tests.e2e.conftest import STILL

FOUND = "main .summary strong"


def test_the_minutes_of_a_customers_month_take_five_interactions(open_page):
    page = open_page("/restores/", java_script_enabled=False)
    page.get_by_role("link", name="Downtime").click()
    page.locator(".time-range summary").click()
    page.get_by_role("link", name="Last month").click()
    customer = page.locator("select[name=customer] option").nth(1).inner_text()
    page.get_by_label("Customer").select_option(customer)
    page.get_by_role("button", name="Apply").click()

    expect(page).to_have_url(re.compile(r"\?customer=.*from=now-1M/M&to=now-1M/M"))
    expect(page.locator(FOUND).or_(page.locator(".empty")).first).to_be_visible()
    # The report on another range of the same customer takes one more.
    page.locator(".time-range summary").click()
    page.get_by_role("link", name="Last 30 days").click()
    expect(page.locator(FOUND)).to_have_count(2)


def test_a_report_prints_on_one_page(open_page):
    for audience in ("", "&audience=customer"):
        page = open_page("/instances/")
        customer = page.locator("#customer option").nth(1).inner_text()
        page.goto(f"/reports/downtime/?customer={customer}&from=now-30d{audience}")
        expect(page.locator("main tbody tr").nth(3)).to_be_visible()
        pdf = page.pdf(format="A4")
        assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1
        assert not page.script_errors


def test_the_bar_of_selected_rows_has_the_sum_of_their_downtime(listed):
    page = listed(f"{STILL}&cols=created,status,instance,downtime")
    for key in ("j", "x", "j", "x"):
        page.keyboard.press(key)
    bar = page.locator(".selection")
    link = bar.get_by_role("link", name=re.compile(r"Downtime [\d.,–]+ min"))
    expect(link).to_be_visible()
    sum_of_both = link.inner_text()

    link.click()
    expect(page.locator(FOUND)).to_have_count(2)
    least, most = page.locator(FOUND).all_inner_texts()
    shown = re.findall(r"[\d.]+", sum_of_both)
    assert [shown[0], shown[-1]] == [least.replace(",", ""), most.split()[0].replace(",", "")]
    assert not page.script_errors


def test_without_the_column_the_bar_has_no_downtime(listed):
    page = listed()
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator(".selection")).to_contain_text("1 selected")
    expect(page.locator(".selection").get_by_text("Downtime")).to_be_hidden()
