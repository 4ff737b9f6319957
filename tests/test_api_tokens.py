"""API tokens: what they open and what they don't, and how they end."""

import json
import re
from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from restores import audit
from restores.api_tokens import PER_MINUTE, issue, viewer_of
from restores.audit import Kind, visible_events
from restores.models import ApiToken, Event, Membership
from restores.permissions import Permission, may
from restores.urls import urlpatterns
from tests.factories import NOW, make_instance, make_project, make_restore
from tests.views.test_visibility import text_of

FOR_SCRIPTS = re.compile(r"-(json|csv|xlsx|md)$")
# What the addresses hold; keys of rows are 1.
NAMED = {"restore_id": "r-one", "instance_id": "i-one", "code": "dcs.1", "token": "x"}
URLS = {
    route.name: reverse(
        route.name, kwargs={name: NAMED.get(name, 1) for name in route.pattern.converters}
    )
    for route in urlpatterns
}
ENDPOINTS = {name: url for name, url in URLS.items() if FOR_SCRIPTS.search(name)}
PAGES = [url for name, url in URLS.items() if name not in ENDPOINTS]


@pytest.fixture(autouse=True)
def clock(db):
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def projects():
    made = [make_project(f"p-{name}", customer=name) for name in ("one", "two", "three")]
    for project in made:
        instance = make_instance(project.customer, instance_id=f"i-{project.customer}",
                                 project=project)  # fmt: skip
        make_restore(f"r-{project.customer}", instance=instance)
    return made


@pytest.fixture
def mia(django_user_model, projects):
    """An admin of the first two of three projects."""
    user = django_user_model.objects.create_user("mia", password="a long secret", is_staff=True)
    Membership.objects.bulk_create(
        Membership(user=user, project=one, role="admin") for one in projects[:2]
    )
    return user


def make_token(user, projects=(), days=90):
    return issue(user, "Nightly report", projects, days, NOW)[1]


def get(text, path="/restores.json", client=None, **options):
    headers = {"authorization": f"Bearer {text}"}
    return (client or Client()).get(path, headers=headers, **options)


def restores(response):
    assert response.status_code == 200, response.content
    return {row["restore_id"] for row in response.json()["restores"]}


def assert_refused(response, status, text):
    """Check an error: it is JSON, says why and does not repeat the token."""
    assert response.status_code == status
    (error,) = response.json()["errors"]
    assert error["reason"] and text[-43:] not in response.content.decode() + str(response.headers)


def test_a_token_reads_what_its_user_sees(mia):
    text = make_token(mia)
    assert restores(get(text)) == {"r-one", "r-two"}
    assert get(text, "/restores/r-three.json").status_code == 404


@pytest.mark.parametrize("name", ENDPOINTS)
def test_every_endpoint_for_scripts_takes_a_token_and_keeps_to_its_projects(
    name, mia, root, projects
):
    # A superuser is no member: with a token they have no role, where one is needed.
    for user, statuses in ((mia, {200}), (root, {200, 403})):
        response = get(make_token(user, projects[:1]), ENDPOINTS[name])
        assert response.status_code in statuses
        assert "Authorization" in response.headers["Vary"]
        content = text_of(response)
        assert not [name for name in ("r-two", "r-three", "p-two", "i-two") if name in content]


@pytest.mark.parametrize("name", ENDPOINTS)
def test_a_token_whose_projects_its_user_no_longer_sees_reads_nothing(name, mia, projects):
    text = make_token(mia, projects[:1])
    Membership.objects.filter(project=projects[0]).delete()
    response = get(text, ENDPOINTS[name])
    assert response.status_code == 404 or "r-one" not in text_of(response)


def test_a_token_never_sees_more_than_its_user_does_now(mia, projects):
    text = make_token(mia, projects)
    everything = make_token(mia)
    assert restores(get(text)) == restores(get(everything)) == {"r-one", "r-two"}
    Membership.objects.filter(project=projects[1]).delete()
    assert restores(get(text)) == restores(get(everything)) == {"r-one"}
    Membership.objects.create(user=mia, project=projects[2])
    assert restores(get(text)) == restores(get(everything)) == {"r-one", "r-three"}


def test_a_token_gives_no_role_beyond_its_projects(mia, root, projects):
    audit.record(None, Kind.EXPORTED, projects=[projects[1].pk])
    assert visible_events(mia).exists() and may(mia, Permission.MANAGE_MEMBERS, projects[1])
    for user in (mia, root):
        make_token(user, projects[:1])
        viewer = viewer_of(ApiToken.objects.get(user=user))
        assert not may(viewer, Permission.MANAGE_MEMBERS, projects[1])
        assert not visible_events(viewer).exists()


def test_a_token_takes_precedence_over_a_session(mia, root, projects, client):
    client.force_login(root)
    text = make_token(mia, projects[:1])
    assert restores(get(text, client=client)) == {"r-one"}
    assert get("x", client=client).status_code == 401


def test_a_token_gives_no_access_to_pages(mia, client):
    text = make_token(mia)
    client.force_login(mia)
    for url in (*PAGES, "/admin/", "/admin/auth/user/", "/healthz"):
        assert_refused(get(text, url), 403, text)
        assert_refused(get(text, url, client=client), 403, text)
    assert ApiToken.objects.get().last_used_at is None


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_a_token_only_reads(method, mia, client):
    text = make_token(mia)
    headers = {"authorization": f"Bearer {text}"}
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(mia)
    for url in (*ENDPOINTS.values(), *PAGES):
        for sender in (client, strict):
            response = getattr(sender, method)(url, headers=headers)
            assert response.status_code in (403, 405), url
            assert text[-43:] not in response.content.decode()
    assert not Event.objects.exists()


def test_the_response_to_a_write_names_the_allowed_methods(mia):
    text = make_token(mia)
    # As from a script, which has no CSRF token.
    strict = Client(enforce_csrf_checks=True, headers={"authorization": f"Bearer {text}"})
    for url in ENDPOINTS.values():
        for method in (strict.post, strict.put, strict.patch, strict.delete):
            response = method(url)
            assert_refused(response, 405, text)
            assert response.headers["Allow"] == "GET, HEAD"


def test_unknown_wrong_expired_and_revoked_tokens_and_those_of_inactive_users_get_the_same_401(
    mia, django_user_model, clock
):
    gone = django_user_model.objects.create_user("gone")
    inactive, expired, revoked = make_token(gone), make_token(mia, days=1), make_token(mia)
    right = make_token(mia)
    wrong = right[:-1] + ("B" if right.endswith("A") else "A")
    gone.is_active = False
    gone.save()
    ApiToken.objects.get(public_id=revoked[4:16]).delete()
    clock.shift(timedelta(days=1))
    answers = set()
    for text in (inactive, expired, revoked, wrong, f"dcs_{'a' * 12}_{'b' * 43}"):
        response = get(text)
        assert_refused(response, 401, text)
        headers = {**response.headers} | {"X-Request-ID": ""}  # each response has its own
        answers.add((response.content, str(sorted(headers.items()))))
    assert len(answers) == 1
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="DCS Restores"'


def test_a_token_is_valid_until_it_expires(mia, clock):
    text = make_token(mia, days=1)
    clock.shift(timedelta(days=1, seconds=-1))
    assert get(text).status_code == 200
    clock.shift(timedelta(seconds=1))
    assert get(text).status_code == 401


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer {}x",
        "Bearer {}, Bearer {}",
        "Bearer x{}",
        "Bearer \x00",
        "Bearer déjà",
        "Bearer " + "x" * 5000,
        "bearer {}\x00",
        "Token {}",
        "Basic {}",
        "{}",
    ],
)
def test_a_header_that_holds_no_token_gets_a_clear_error(header, mia):
    text = make_token(mia)
    response = Client().get("/restores.json", headers={"authorization": header.format(text, text)})
    assert_refused(response, 401, text)
    assert 'must be "Authorization: Bearer"' in response.json()["errors"][0]["reason"]
    assert response.headers["WWW-Authenticate"]


def test_the_scheme_may_have_any_case(mia):
    headers = {"authorization": f"bearer {make_token(mia)}"}
    assert Client().get("/restores.json", headers=headers).status_code == 200


@pytest.mark.parametrize("header", ["Basic dXNlcjpwYXNz", "Bearer of-another-program"])
def test_an_authorization_header_of_another_kind_changes_nothing_on_pages(header, web):
    assert web.get("/restores/", headers={"authorization": header}).status_code == 200


def test_a_header_of_a_proxy_changes_nothing_on_endpoints(web):
    headers = {"authorization": "Basic dXNlcjpwYXNz"}
    assert web.get("/restores.json", headers=headers).status_code == 200


def test_without_a_token_an_endpoint_says_how_to_sign_in(client):
    for url in ENDPOINTS.values():
        response = client.get(url)
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="DCS Restores"'


def test_the_last_use_is_shown_to_the_minute_and_written_once_in_it(mia, clock):
    text = make_token(mia)
    clock.move_to(NOW + timedelta(seconds=5))
    get(text)
    for seconds in (20, 59):
        clock.move_to(NOW + timedelta(seconds=seconds))
        get(text)
    assert ApiToken.objects.get().last_used_at == NOW
    clock.move_to(NOW + timedelta(seconds=61))
    get(text)
    assert ApiToken.objects.get().last_used_at == NOW + timedelta(minutes=1)


def test_a_token_has_a_limit_per_minute(mia, root, clock):
    text, other = make_token(mia), make_token(root)
    clock.move_to(NOW + timedelta(seconds=20))
    get(text)
    ApiToken.objects.filter(user=mia).update(requests=PER_MINUTE - 1)
    assert get(text).status_code == 200
    for _ in range(2):
        refused = get(text)
        assert_refused(refused, 429, text)
        assert refused.headers["Retry-After"] == "40"
    assert get(other).status_code == 200
    clock.shift(timedelta(seconds=39))
    assert get(text).status_code == 429
    clock.shift(timedelta(seconds=1))
    assert get(text).status_code == 200


def test_the_clock_of_another_host_that_is_behind_does_not_reset_the_count(mia, clock):
    text = make_token(mia)
    get(text)
    get(text)
    clock.shift(timedelta(seconds=-30))
    get(text)
    token = ApiToken.objects.get()
    assert (token.requests, token.last_used_at) == (3, NOW)


def test_the_database_never_stores_the_secret_of_a_token(mia):
    text = make_token(mia)
    token = ApiToken.objects.get()
    assert token.public_id == text[4:16]
    assert re.fullmatch("[0-9a-f]{64}", token.digest)
    assert text[-43:] not in json.dumps(list(ApiToken.objects.values()), default=str)


OLD, CURRENT = "a-former-key-" * 3, "a-current-key-" * 3


@pytest.mark.parametrize("keep", [True, False])
def test_a_token_that_was_used_while_the_former_key_was_kept_outlives_it(settings, mia, keep):
    settings.TOKEN_KEY = OLD
    used, unused = make_token(mia), make_token(mia)
    settings.TOKEN_KEY, settings.TOKEN_KEY_FALLBACKS = CURRENT, [OLD] if keep else []
    assert get(used).status_code == (200 if keep else 401)
    settings.TOKEN_KEY_FALLBACKS = []
    assert get(used).status_code == (200 if keep else 401)
    assert get(unused).status_code == 401


def create(*args):
    out = StringIO()
    call_command("create_token", *args, stdout=out)
    return out.getvalue().strip()


def test_the_command_prints_a_token(mia, clock):
    text = create("mia", "--project", "p-one", "--days", "7", "--name", "Cron")
    assert restores(get(text)) == {"r-one"}
    assert restores(get(create("mia"))) == {"r-one", "r-two"}
    assert restores(get(create("mia", "--project", "p-one", "project-of-p-two"))) == {
        "r-one",
        "r-two",
    }
    token = ApiToken.objects.get(name="Cron")
    event = Event.objects.earliest("pk")
    assert (event.what, event.subject) == ("created an API token", f"{token} of mia")
    assert [one.name for one in event.projects.all()] == ["p-one"]
    assert token.expires_at == NOW + timedelta(days=7)
    assert ApiToken.objects.filter(expires_at=NOW + timedelta(days=90)).count() == 2


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (["nobody"], "User 'nobody' not found"),
        (["gone"], "User 'gone' is deactivated"),
        (["mia", "--project", "p-three"], "Project 'p-three' not found among those"),
        (["mia", "--project", "p-one", "--project", "x"], "Project 'x' not found"),
        (["mia", "--days", "366"], "'366' is not a number of days from 1 to 365"),
        (["mia", "--days", "0"], "'0' is not a number of days"),
        (["mia", "--days", "soon"], "'soon' is not a number of days"),
        (["mia", "--name", " "], "is not a name of 1 to 100 characters"),
    ],
)
def test_the_command_says_what_is_wrong_and_makes_nothing(args, reason, mia, django_user_model):
    django_user_model.objects.create_user("gone", is_active=False)
    with pytest.raises(CommandError, match=re.escape(reason)):
        create(*args)
    assert not ApiToken.objects.exists()


def test_an_administrator_can_delete_the_token_of_another_but_make_or_change_none(web, mia):
    text = make_token(mia)
    token = ApiToken.objects.get()
    page = web.get("/admin/restores/apitoken/").content.decode()
    assert "Nightly report" in page and token.digest not in page
    assert web.get("/admin/restores/apitoken/add/").status_code == 403
    page = web.get(f"/admin/restores/apitoken/{token.pk}/change/").content.decode()
    assert 'name="_save"' not in page and token.digest not in page
    web.post(f"/admin/restores/apitoken/{token.pk}/delete/", {"post": "yes"})
    assert get(text).status_code == 401
    event = Event.objects.latest("pk")
    assert (event.username, event.what) == ("root", "revoked an API token")
    assert event.subject == f"{token} of mia"
