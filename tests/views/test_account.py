"""The account page: a user's own sessions, tokens and password, and nobody else's."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from restores.api_tokens import issue
from restores.models import ApiToken, Event, FailedSignIn, Membership, UserSession
from tests.factories import NOW, make_project

PASSWORD, NEW = "a long secret", "another long secret"
CHROME = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def mia(django_user_model, db):
    return django_user_model.objects.create_user("mia", password=PASSWORD)


@pytest.fixture
def here(client, mia):
    client.force_login(mia)
    return client


def sign_in(username="mia", password=PASSWORD):
    client = Client(headers={"user-agent": CHROME})
    given = {"username": username, "password": password}
    assert client.post("/login/", given, REMOTE_ADDR="203.0.113.9").status_code == 302
    return client


def signed_in(client):
    return client.get("/account/").status_code == 200


def html(client, path="/account/"):
    return " ".join(client.get(path).content.decode().split())


def change_password(client, old=PASSWORD, new=NEW, again=None):
    given = {"old_password": old, "new_password1": new, "new_password2": again or new}
    return client.post("/account/password/", given)


def test_every_page_leads_to_the_account_page(here):
    assert '<a class="item" href="/account/">Account</a>' in html(here, "/restores/")


def test_it_lists_the_sessions_of_the_user_and_which_is_this_one(here, root):
    sign_in()
    Client().force_login(root)
    page = html(here)
    rows = re.findall(r'<td class="s">(.*?)</td> <td class="wide fill">(.*?)</td>', page)
    assert sorted(rows) == [("Chrome on Windows", "203.0.113.9"), ("Unknown browser", "unknown")]
    assert page.count("This session") == 1
    assert page.count('aria-label="End the session of') == 1
    assert 'aria-label="End the session of Chrome on Windows"' in page
    assert page.count("23 Nov 16:59") == 4


def test_one_session_or_all_others_can_be_ended(here):
    one, two, three = sign_in(), sign_in(), sign_in()
    first = UserSession.objects.order_by("pk")[1]
    page = here.post(f"/account/sessions/{first.pk}/end/", follow=True)
    assert b"Session ended." in page.content
    assert [signed_in(client) for client in (one, two, three)] == [False, True, True]
    page = here.post("/account/sessions/end/", follow=True)
    assert b"All other sessions ended." in page.content
    assert not signed_in(two) and not signed_in(three) and signed_in(here)
    assert "End all other sessions" not in html(here)
    page = here.post(f"/account/sessions/{first.pk}/end/", follow=True)
    assert b"had already ended" in page.content


def test_ending_this_session_signs_out(here):
    session = UserSession.objects.get()
    assert here.post(f"/account/sessions/{session.pk}/end/").headers["Location"] == "/login/"
    assert not signed_in(here) and not UserSession.objects.exists()


def test_users_cannot_end_the_sessions_or_revoke_the_tokens_of_others(here, root):
    somebody = Client()
    somebody.force_login(root)
    theirs, _ = issue(root, "theirs", [], 90, NOW)
    session = UserSession.objects.get(user=root)
    here.post(f"/account/sessions/{session.pk}/end/")
    here.post("/account/sessions/end/")
    here.post(f"/account/tokens/{theirs.pk}/revoke/")
    assert somebody.get("/").status_code == 200
    assert ApiToken.objects.filter(pk=theirs.pk).exists()
    assert "theirs" not in html(here)


def test_a_new_token_is_shown_once_and_works(here, mia):
    response = here.post("/account/tokens/", {"name": "<b>Grafana", "days": "30"})
    (text,) = set(re.findall(r"dcs_[a-z0-9]{12}_[\w-]{43}", response.content.decode()))
    assert "no-store" in response.headers["Cache-Control"]
    found = Client().get("/restores.json", headers={"authorization": f"Bearer {text}"})
    assert found.status_code == 200
    page = html(here)
    assert "&lt;b&gt;Grafana" in page and text[:17] in page and text not in page
    assert "All that you can see" in page and "23 Dec 16:59" in page
    token = ApiToken.objects.get()
    assert token.user == mia and text not in str(vars(token))


def test_a_token_is_limited_to_the_projects_that_were_chosen(here, mia):
    ours = [make_project(name) for name in ("p-a", "p-b", "p-c", "p-d", "p-e")]
    make_project("secret-project")
    Membership.objects.bulk_create(Membership(user=mia, project=one) for one in ours)
    form = html(here, "/account/tokens/")
    assert "p-a" in form and "secret-project" not in form
    for chosen in (ours[:2], ours[:4]):
        given = {"name": "x", "days": "1", "projects": [one.pk for one in chosen]}
        assert here.post("/account/tokens/", given).status_code == 200
        assert set(ApiToken.objects.first().projects.all()) == set(chosen)
    page = html(here)
    assert "p-a, p-b" in page and "4 projects" in page
    Membership.objects.all().delete()
    page = html(here)
    assert "None that you can still see" in page and "p-a" not in page


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "x" * 101}, "Ensure this value has at most 100 characters"),
        ({"days": ""}, "This field is required."),
        ({"days": "0"}, "Ensure this value is greater than or equal to 1."),
        ({"days": "366"}, "Ensure this value is less than or equal to 365."),
        ({"days": "9" * 5000}, "Enter a whole number."),
        ({"days": "ten"}, "Enter a whole number."),
        ({"projects": "hidden"}, "“hidden” is not a valid value."),
        ({"projects": "999"}, "999 is not one of the available choices."),
    ],
)
def test_a_malformed_form_makes_no_token_and_says_why(here, mia, given, reason):
    Membership.objects.create(user=mia, project=make_project())
    response = here.post("/account/tokens/", {"name": "x", "days": "90"} | given)
    assert response.status_code == 400 and reason in response.content.decode()
    assert not ApiToken.objects.exists()


def test_a_token_cannot_be_made_for_a_project_without_access(here):
    hidden = make_project("secret-project")
    response = here.post("/account/tokens/", {"name": "x", "days": "1", "projects": hidden.pk})
    assert response.status_code == 400 and not ApiToken.objects.exists()


def test_a_revoked_token_is_gone_and_an_expired_one_can_be_removed(here, mia):
    for made, label in ((NOW, "Revoke"), (NOW - timedelta(days=1), "Remove")):
        token, text = issue(mia, "x", [], 1, made)
        assert f'aria-label="{label} x"' in html(here)
        page = here.post(f"/account/tokens/{token.pk}/revoke/", follow=True)
        assert b"Token revoked." in page.content
        used = Client().get("/restores.json", headers={"authorization": f"Bearer {text}"})
        assert used.status_code == 401
        page = here.post(f"/account/tokens/{token.pk}/revoke/", follow=True)
        assert b"had already been revoked" in page.content


def test_changing_the_password_requires_the_current_one(here, mia):
    page = here.post("/account/password/", {"old_password": "wrong"})
    assert page.status_code == 400
    assert "Your old password was entered incorrectly" in page.content.decode()
    for new, again, reason in (("short", "short", "at least 12"), (NEW, f"{NEW}x", "didn’t match")):
        page = change_password(here, new=new, again=again)
        assert page.status_code == 400 and reason in page.content.decode()
    assert change_password(here).headers["Location"] == "/account/"
    assert "Password changed." in html(here)
    sign_in(password=NEW)


def test_wrong_old_passwords_count_like_failed_sign_ins(here, mia):
    for _ in range(10):
        assert change_password(here, old="wrong").status_code == 400
    assert FailedSignIn.objects.count() == 10
    refused = change_password(here)
    assert refused.status_code == 429 and refused.headers["Retry-After"] == "900"
    assert "Try again in 15 minutes." in refused.content.decode()
    mia.refresh_from_db()
    assert mia.check_password(PASSWORD)


def test_a_user_without_a_password_cannot_change_it(web, root):
    assert "Change password" not in html(web)
    assert "Your account has no password" in html(web, "/account/password/")
    assert change_password(web, old="").status_code == 400
    root.refresh_from_db()
    assert not root.has_usable_password()


@pytest.mark.parametrize(
    "path",
    ["/account/sessions/1/end/", "/account/sessions/end/", "/account/tokens/1/revoke/"],
)
def test_changes_require_a_post_with_a_csrf_token(here, mia, path):
    assert here.get(path).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(mia)
    assert strict.post(path).status_code == 403
    assert Client().post(path).headers["Location"].startswith("/login/")


@pytest.mark.parametrize("pk", ["9" * 30, "9" * 5000, "x", "-1"])
def test_a_malformed_number_in_a_url_changes_nothing(here, pk):
    assert here.post(f"/account/sessions/{pk}/end/").status_code in (302, 404)
    assert here.post(f"/account/tokens/{pk}/revoke/").status_code in (302, 404)
    assert signed_in(here)


def test_what_a_user_changes_is_in_the_audit_log(here, mia):
    project = make_project()
    Membership.objects.create(user=mia, project=project)
    for _ in range(2):
        sign_in()
    Event.objects.all().prune(NOW + timedelta(days=1))
    session = UserSession.objects.first()
    here.post(f"/account/sessions/{session.pk}/end/")
    here.post("/account/sessions/end/")
    here.post("/account/tokens/", {"name": "Cron", "days": "1", "projects": project.pk})
    token = ApiToken.objects.get()
    here.post(f"/account/tokens/{token.pk}/revoke/")
    change_password(here)
    shown = f"Cron (dcs_{token.public_id}_…)"
    fields = ("username", "what", "subject", "projects")
    assert list(Event.objects.order_by("pk").values_list(*fields)) == [
        ("mia", "ended a session", str(session), None),
        ("mia", "ended all other sessions", "", None),
        ("mia", "created an API token", shown, project.pk),
        ("mia", "revoked an API token", shown, project.pk),
        ("mia", "changed their password", "", None),
    ]
