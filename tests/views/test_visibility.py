"""Users see only their projects; a new route must be listed here."""

import io
import zipfile
from datetime import timedelta

import pytest
from django.urls import reverse

from restores.models import Backup, Event, Instance, Membership
from restores.urls import urlpatterns
from tests.factories import (
    NOW,
    make_account,
    make_instance,
    make_observation,
    make_project,
    make_restore,
)

CANARY = "xcanaryx"
OPEN = {"login", "login-once"}  # for people who are not signed in yet
POST_ONLY = {"logout", "sync-now", "end-session", "end-other-sessions", "revoke-token"}
TAKES_TEXT = {"lookup", "lookup-json"}  # it is only read
KEEPS_A_COOKIE = {"time-zone"}
# What they show to whom is in tests/views/test_access.py.
FOR_ADMINS = {"members", "project-members", "change-role", "remove-member", "audit", "audit-csv"}
OWN_FORMS = {"change-password", "new-token"}  # tests/views/test_account.py
PATHS = {
    "restore-detail": ["r-shared"],
    "restore-detail-json": ["r-shared"],
    "restore-detail-md": ["r-shared"],
    "instance-detail": ["i-shared"],
    "instance-detail-json": ["i-shared"],
    "sync-now": ["i-shared"],
    "code-detail": ["visible"],
    "code-detail-json": ["visible"],
}
HIDDEN = {
    "restore-detail": ["r-hidden"],
    "restore-detail-json": ["r-hidden"],
    "restore-detail-md": ["r-hidden"],
    "instance-detail": ["i-hidden"],
    "instance-detail-json": ["i-hidden"],
    "sync-now": ["i-hidden"],
}
# They explain any code; tests/views/test_codes.py has what they say to whom.
EXPLAIN_ANYTHING = {"code-detail", "code-detail-json"}
GUARDED = [route.name for route in urlpatterns if route.name not in OPEN | POST_ONLY | FOR_ADMINS]


def text_of(response):
    """The whole body, streamed or not; of a file for Excel, what is packed in it."""
    content = response.getvalue() if response.streaming else response.content
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            return "".join(file.read(name).decode() for name in file.namelist())
    return content.decode()


def url_of(name, args=PATHS):
    route = next(route for route in urlpatterns if route.name == name)
    assert name in args or not route.pattern.converters, (
        f"say in PATHS and HIDDEN what {name} needs"
    )
    return reverse(name, args=args.get(name))


def fill(project, mark, shared):
    """A project's rows, with ``mark`` in every text that any page could print."""
    error = {
        "sync_error_kind": "unreachable",
        "sync_error_message": mark,
        "sync_error_request_id": mark,
    }
    texts = dict.fromkeys(("engine", "spec", "az", "ip", "domain", "status"), mark)
    instance = make_instance(mark, instance_id="i-shared", project=project, **texts, **error)
    Backup.objects.create(
        instance=instance, backup_id=mark, backup_name=mark, first_seen_at=NOW, changed_at=NOW
    )
    for number, status in enumerate(("failed", "restoring", mark)):
        restore = make_restore(
            "r-shared" if number == 0 else f"r-{mark}-{number}",
            instance=instance,
            status=status,
            error_code=mark,
            restore_remark=mark,
            backup_name=mark,
            backup_id="b-shared",
            raw=f'{{"restore_id": "{mark}"}}',
        )
        make_observation(restore, NOW, status=mark, error_code=mark)
    make_instance(f"{mark}-2", instance_id=f"i-{shared}", project=project, **texts)
    make_restore(f"r-{shared}", instance=instance)


@pytest.fixture
def support(client, django_user_model):
    """A client signed in as a member of one of two projects, which share ids."""
    theirs = make_project("theirs", customer="Shopwell", account=make_account("shop"))
    hidden = make_project(
        f"{CANARY}-project",
        customer=CANARY,
        region=CANARY,
        account=make_account(
            f"{CANARY}-account", sync_error_kind="credentials", sync_error_message=CANARY
        ),
        sync_error_kind="throttled",
        sync_error_message=CANARY,
    )
    fill(theirs, "visible", "seen")
    fill(hidden, CANARY, "hidden")
    user = django_user_model.objects.create_user("support")
    Membership.objects.create(user=user, project=theirs)
    client.force_login(user)
    return client


@pytest.mark.parametrize("name", GUARDED)
def test_a_member_sees_their_project_and_nothing_of_another(support, name):
    response = support.get(url_of(name))
    assert response.status_code == 200
    assert CANARY not in text_of(response)


@pytest.mark.parametrize(
    "name", ["overview", "restore-list", "instance-list", "downtime", "sync-status"]
)
def test_a_member_sees_the_rows_of_their_own_project(support, name):
    assert "visible" in support.get(reverse(name)).content.decode()


@pytest.mark.parametrize("name", [name for name in HIDDEN if name not in POST_ONLY])
def test_a_row_without_access_is_not_found_like_one_that_does_not_exist(support, name):
    unknown = support.get(reverse(name, args=["no-such-id"]))
    hidden = support.get(url_of(name, HIDDEN))
    assert hidden.status_code == unknown.status_code == 404
    assert hidden.content == unknown.content


@pytest.mark.parametrize(
    "query", ["q=r-hidden", "ids=b-shared", "instance=i-hidden", "status=failed", "code=any"]
)
@pytest.mark.parametrize(
    "name", ["restore-list", "restore-list-json", "instance-list", "sync-status"]
)
def test_no_filter_reaches_beyond_the_project(support, name, query):
    response = support.get(f"{reverse(name)}?{query}", follow=True)
    assert CANARY not in text_of(response)


def test_a_project_without_access_is_not_found_like_one_that_does_not_exist(support):
    for name in ("instance-list-json", "sync-status-json"):
        responses = [
            support.get(f"{reverse(name)}?project={project}").json()
            for project in (f"{CANARY}-project", "no-such-project")
        ]
        assert responses[0]["not_found"] == [f"{CANARY}-project"]
        assert responses[0]["instances"] == responses[1]["instances"] == []


@pytest.mark.parametrize("instance_id", ["i-hidden", "i-shared", "no-such-id"])
def test_an_instance_without_access_cannot_be_synced(support, instance_id):
    Instance.objects.update(next_sync_at=NOW + timedelta(days=365))
    url = reverse("sync-now", args=[instance_id])
    response = support.post(url, {"project": f"{CANARY}-project", "next": "/"})
    assert response.status_code == 404
    assert CANARY not in text_of(response)
    assert set(Instance.objects.values_list("next_sync_at", flat=True)) == {
        NOW + timedelta(days=365)
    }
    assert not Event.objects.exists()


def test_the_numbers_of_the_overview_count_only_visible_rows(support):
    response = support.get(reverse("overview-json")).json()
    assert response["in_progress"] == 1


def test_a_shared_id_finds_the_visible_row_only(support):
    response = support.get(reverse("restore-detail-json", args=["r-shared"])).json()
    assert response["project"] == "theirs"


@pytest.mark.parametrize("name", GUARDED)
def test_signed_out_pages_redirect_to_sign_in_and_json_answers_401(client, db, name):
    url = url_of(name)
    response = client.get(url)
    if name.endswith("-json"):
        assert response.status_code == 401
        assert response.json()["errors"][0]["reason"]
    elif name.endswith(("-csv", "-xlsx", "-md")):
        assert response.status_code == 401
    else:
        assert response.status_code == 302
        assert response.headers["Location"] == f"{reverse('login')}?next={url}"


def test_a_cached_list_is_sent_again_once_a_membership_ends(support):
    for query in ("", "?asof=2026-11-01T00:00:00Z"):
        tag = support.get(f"/restores/{query}").headers["ETag"]
        known = {"If-None-Match": tag}
        assert support.get(f"/restores/{query}", headers=known).status_code == 304
        left = Membership.objects.get()
        Membership.objects.all().delete()
        assert support.get(f"/restores/{query}", headers=known).status_code == 200
        left.save(force_insert=True)


@pytest.mark.parametrize("name", [name for name in GUARDED if name not in EXPLAIN_ANYTHING])
def test_a_user_without_any_project_gets_pages_without_rows(client, django_user_model, name):
    fill(make_project("theirs"), "visible", "seen")
    client.force_login(django_user_model.objects.create_user("new"))
    response = client.get(url_of(name))
    assert response.status_code == (404 if name in PATHS else 200)
    assert "visible" not in text_of(response).replace("visible to", "")


@pytest.mark.parametrize("name", sorted({*GUARDED} - TAKES_TEXT - KEEPS_A_COOKIE - OWN_FORMS))
def test_pages_are_read_only(web, name):
    assert web.post(url_of(name)).status_code == 405
