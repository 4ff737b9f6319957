"""Signing in by an identity provider: who may, what they see, and what goes wrong."""

import re
from html import unescape

import pytest

from tests.sign_in import servers

LINK = "/restores/?status=failed&q=a%26b"
ALL = ("bank", "shop-prod", "shop-test")
SHOP = {"shop-prod": "support", "shop-test": "support"}


def test_groups_decide_which_projects_somebody_sees_and_as_what(dashboard, provider, visitor):
    provider.add("anna", groups=["Shop support", "another"])
    page = visitor.sign_in_by_provider("anna")
    assert (page.status_code, page.url) == (200, f"{dashboard.url}/")
    assert visitor.projects() == {"shop-prod", "shop-test"}
    assert dashboard.roles("anna") == SHOP
    assert ("signed in", "Example") in dashboard.events("anna")
    assert ("roles set by groups", "shop-prod: support, shop-test: support") in dashboard.events(
        "anna"
    )


def test_the_highest_role_of_several_groups_counts(dashboard, provider, visitor):
    provider.add("both", groups=["readers", "Shop support"])
    visitor.sign_in_by_provider("both")
    assert dashboard.roles("both") == SHOP | {"bank": "viewer"}


def test_a_group_of_superusers_has_access_to_the_admin(dashboard, provider, visitor):
    provider.add("olga", groups=["operators"])
    page = visitor.sign_in_by_provider("olga", "/admin/")
    assert page.url == f"{dashboard.url}/admin/" and "Site administration" in page.text
    # Its pages would show what only its owner may know.
    assert visitor.get("/admin/mfa/authenticator/").status_code == 404
    provider.add("olga", groups=["readers"])
    visitor.sign_in_by_provider("olga")
    assert visitor.get("/admin/").status_code == 403


def test_signing_in_leads_back_to_the_requested_link(dashboard, provider, visitor):
    provider.add("lena", groups=["readers"])
    first = visitor.get(LINK)
    assert first.url.startswith(f"{dashboard.url}/login/?next=/restores/")
    assert visitor.sign_in_by_provider("lena", LINK).url == dashboard.url + LINK


@pytest.mark.parametrize(
    "elsewhere", ["https://elsewhere.example/", "//elsewhere.example/", "http://127.0.0.1/"]
)
def test_a_link_to_another_site_is_not_followed(dashboard, provider, visitor, elsewhere):
    provider.add("lena", groups=["readers"])
    assert visitor.sign_in_by_provider("lena", elsewhere).url == f"{dashboard.url}/"


def test_roles_follow_the_groups_at_each_sign_in(dashboard, provider, visitor):
    provider.add("max", groups=["Shop support"])
    visitor.sign_in_by_provider("max")
    provider.add("max", groups=["readers"])
    visitor.sign_in_by_provider("max")
    assert set(dashboard.roles("max").values()) == {"viewer"}


def test_h9_without_a_claim_users_keep_their_roles(dashboard, provider, visitor):
    provider.add("nora", groups=["Shop support"])
    visitor.sign_in_by_provider("nora")
    for claims in ({}, {"groups": None}, {"groups": [7]}, {"groups": {"shop": True}}):
        provider.add("nora", **claims)
        assert visitor.sign_in_by_provider("nora").url == f"{dashboard.url}/"
        assert dashboard.roles("nora") == SHOP


def test_a_user_who_left_every_group_loses_their_roles_at_once(dashboard, provider, visitor):
    provider.add("paul", groups=["Shop support"])
    visitor.sign_in_by_provider("paul")
    provider.add("paul", groups=[])
    with servers.Visitor(dashboard) as elsewhere:
        page = elsewhere.sign_in_by_provider("paul")
        assert page.status_code == 403 and "none of your groups has access" in page.text
    assert dashboard.roles("paul") == {} and visitor.projects() == set()


def test_a_single_group_may_be_sent_as_a_string(dashboard, provider, visitor):
    provider.add("olli", groups="Shop support")
    visitor.sign_in_by_provider("olli")
    assert dashboard.roles("olli") == SHOP


@pytest.mark.parametrize(
    ("name", "claims", "reason"),
    [
        ("eve", {"groups": ["another"]}, "none of your groups has access"),
        ("finn", {}, "Example didn’t say which groups you belong to"),
        ("mia", {"groups": ["readers"]}, "There’s already an account for <bdi>mia</bdi>"),
        ("MIA", {"groups": ["readers"]}, "There’s already an account for <bdi>MIA</bdi>"),
        (
            "mallory",
            {"groups": ["operators"], "email": "Mia@local.example", "email_verified": True},
            "or with your e-mail address",
        ),
    ],
)
def test_a_refused_user_is_told_why(dashboard, provider, visitor, name, claims, reason):
    provider.add(name, **claims)
    users = dashboard.rows("select count(*) from auth_user")
    page = visitor.sign_in_by_provider(name, LINK)
    assert page.status_code == 403 and reason in page.text and "Back to sign-in" in page.text
    assert visitor.get("/sync-status.json").status_code == 401
    assert dashboard.rows("select count(*) from auth_user") == users
    assert dashboard.events(name)[-1][0] == "sign-in failed"


def test_a_deactivated_user_stays_out(dashboard, provider, visitor):
    provider.add("ina", groups=["readers"])
    visitor.sign_in_by_provider("ina")
    pk = dashboard.rows("select id from auth_user where username = 'ina'")[0][0]
    provider.add("ivan", groups=["operators"])
    with servers.Visitor(dashboard) as admin:
        admin.sign_in_by_provider("ivan")
        admin.get(f"/admin/auth/user/{pk}/change/")
        values = {"username": "ina", "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
        admin.submit(f"/admin/auth/user/{pk}/change/", **values)
    page = visitor.sign_in_by_provider("ina")
    assert page.status_code == 403 and "is deactivated" in page.text
    assert dashboard.events("ina")[-1] == ("sign-in failed", "by Example: deactivated")


def test_a_user_who_cancels_at_the_provider_can_try_again(dashboard, provider, visitor):
    page = visitor.sign_in_by_provider("", LINK, deny="1")
    assert page.status_code == 403 and "The sign-in was canceled" in page.text
    assert "/login/?next=%2Frestores%2F%3Fstatus%3Dfailed" in page.text


def test_the_providers_reason_for_refusing_a_sign_in_is_shown(dashboard, visitor):
    page = visitor.sign_in_by_provider("nobody")
    assert page.status_code == 403 and "said “<bdi>login_required</bdi>”" in page.text


@pytest.mark.parametrize(
    "answer",
    [("", 503), ("<html>", 200), ("{}", 200), ("[]", 200), ('{"authorization_endpoint": 7}', 200)],
)
def test_h9_a_failing_provider_is_named_with_a_link_back(visitor, provider, answer):
    provider.broken = answer
    page = visitor.go_to_provider(LINK)
    assert page.status_code == 503 and "Example isn’t responding" in page.text
    assert "/login/?next=%2Frestores%2F%3Fstatus%3Dfailed" in page.text


def test_h9_a_provider_that_fails_after_its_sign_in_is_named_too(visitor, provider):
    provider.add("rosa", groups=["readers"])
    visitor.go_to_provider()
    back = visitor.post(visitor.page.url, data={"user": "rosa"}, allow_redirects=False)
    provider.broken = ("", 503)
    page = visitor.get(back.headers["Location"])
    assert page.status_code == 503 and "Example isn’t responding" in page.text


@pytest.mark.parametrize("query", ["", "?code=x", "?code=x&state=made-up", "?error=x&state[]=1"])
def test_h9_an_unsolicited_response_is_refused(visitor, query):
    page = visitor.get(f"/login/oidc/callback/{query}")
    assert page.status_code == 400 and "This sign-in has expired" in page.text


def test_a_response_is_valid_once_and_only_in_the_browser_that_asked(dashboard, provider, visitor):
    provider.add("sara", groups=["readers"])
    visitor.go_to_provider()
    back = visitor.post(visitor.page.url, data={"user": "sara"}, allow_redirects=False)
    with servers.Visitor(dashboard) as other:
        assert other.get(back.headers["Location"]).status_code == 400
    assert visitor.get(back.headers["Location"]).url == f"{dashboard.url}/"
    assert visitor.get(back.headers["Location"]).status_code == 400


def test_the_provider_never_takes_over_an_account_with_a_password(dashboard, provider, visitor):
    provider.add("tina", groups=["readers"])
    visitor.sign_in_by_password("tom")
    visitor.get("/account/mfa/")
    visitor.submit("/login/oidc/?process=connect&scope=admin", process="connect")
    link = re.search(r'href="(http[^"]+/authorize[^"]+)"', visitor.page.text)[1]
    visitor.get(unescape(link))
    visitor.post(visitor.page.url, data={"user": "tina"})
    assert visitor.projects() == set(ALL)
    connected = "select username from socialaccount_socialaccount join auth_user as user "
    assert ("tina",) in dashboard.rows(f"{connected} on user.id = user_id")
    assert ("tom",) not in dashboard.rows(f"{connected} on user.id = user_id")


def test_sign_in_by_the_provider_starts_with_a_post(visitor):
    assert visitor.get("/login/oidc/").status_code == 405
    forged = visitor.post("/login/oidc/", data={"next": "/"})
    assert forged.status_code == 403 and "This form has expired" in forged.text


@pytest.mark.parametrize("page", ["/login/", "/login/oidc/callback/"])
def test_no_page_lets_forms_go_to_another_site(visitor, page):
    policy = visitor.get(page).headers["Content-Security-Policy"]
    assert "form-action 'self';" in policy


def test_pages_of_django_allauth_that_are_not_ours_do_not_exist(visitor):
    visitor.sign_in_by_password("tom")
    for path in ("/signup/", "/3rdparty/", "/email/", "/password/reset/", "/accounts/login/"):
        assert visitor.get(path).status_code == 404
