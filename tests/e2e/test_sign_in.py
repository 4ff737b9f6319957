"""Signing in by an identity provider and with a passkey, in a browser under the strict policy."""

import re

import pytest
from playwright.sync_api import expect

from tests.sign_in import servers


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory):
    with servers.dashboard(tmp_path_factory.mktemp("sign_in"), "mia") as dashboard:
        yield dashboard


@pytest.fixture
def page(chromium, dashboard):
    """A new browser window; it must not complain about the dashboard's pages."""
    expect.set_options(timeout=30_000)  # a machine may be busy
    context = chromium.new_context(base_url=dashboard.url)
    page, problems = context.new_page(), []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "console",
        lambda message: (
            message.type == "error"
            and message.location["url"].startswith(dashboard.url)
            and problems.append(message.text)
        ),
    )
    yield page
    context.close()
    assert problems == []


def sign_in(page, link="/login/"):
    page.goto(link)
    page.get_by_label("Username").fill("mia")
    page.get_by_label("Password").fill(servers.PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def sign_out(page):
    page.locator(".user > summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/login/"))


def test_a_link_leads_by_the_provider_to_its_page_in_the_projects_of_the_groups(page, dashboard):
    dashboard.provider.add("anna", groups=["Shop support"])
    page.goto("/sync-status/?q=-")
    expect(page).to_have_url(re.compile("/login/"))
    page.get_by_role("button", name="Sign in with Example").click()
    expect(page).to_have_url(re.compile(f"^{dashboard.provider.url}/authorize"))
    page.get_by_label("User").fill("anna")
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(f"{dashboard.url}/sync-status/?q=-")
    expect(page.get_by_role("main")).to_contain_text("shop-prod")
    expect(page.get_by_role("main")).to_contain_text("shop-test")
    expect(page.get_by_role("main")).not_to_contain_text("bank")


def test_the_way_to_the_provider_and_back_needs_no_scripts(chromium, dashboard):
    dashboard.provider.add("anna", groups=["Shop support"])
    context = chromium.new_context(base_url=dashboard.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/login/")
    page.get_by_role("button", name="Sign in with Example").click()
    page.get_by_label("User").fill("anna")
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(f"{dashboard.url}/")
    context.close()


def test_a_passkey_is_a_second_step_until_it_is_removed(page, dashboard):
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    authenticator = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": authenticator})
    sign_in(page)
    page.locator(".user > summary").click()
    page.get_by_role("link", name="Account").click()
    page.get_by_role("link", name="Two-step verification").click()
    page.get_by_role("link", name="Add passkey").click()
    page.get_by_label("Password").fill(servers.PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Name").fill("Laptop")
    page.get_by_role("button", name="Add passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_text("Laptop")).to_be_visible()
    sign_out(page)

    sign_in(page, "/login/?next=/codes/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(f"{dashboard.url}/codes/")
    page.goto("/account/mfa/")
    page.get_by_role("link", name="Remove", exact=True).click()
    page.get_by_label("Password").fill(servers.PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Remove passkey").click()
    expect(page.get_by_text("protected by its password only")).to_be_visible()
    sign_out(page)

    sign_in(page)
    expect(page).to_have_url(f"{dashboard.url}/")


def test_the_key_of_an_app_is_shown_as_a_picture(page):
    sign_in(page, "/login/?next=/account/mfa/app/add/")
    expect(page.get_by_role("heading", name="Confirm it’s you")).to_be_visible()
    page.get_by_label("Password").fill(servers.PASSWORD)
    page.get_by_role("button", name="Continue").click()
    picture = page.get_by_alt_text("QR code of the key below")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
