"""The members of a project: what each role permits, and the page on which admins give roles."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client

from restores.models import Event, Instance, Membership
from restores.permissions import GRANTS, Role
from tests.factories import make_instance, make_project

pytestmark = pytest.mark.django_db
SYNC = "/instances/id-of-cart-prod/sync/"
INSTANCE = "/instances/id-of-cart-prod/"


@pytest.fixture
def project():
    return make_instance().project


def member(name, project, role):
    user = User.objects.create_user(name)
    Membership.objects.create(user=user, project=project, role=role)
    return user


@pytest.fixture
def ada(client, project):
    """The admin of the project, signed in."""
    ada = member("ada", project, "admin")
    client.force_login(ada)
    return ada


def roles(project):
    return dict(project.memberships.values_list("user__username", "role"))


def url(project, user=None, action="role"):
    return f"/members/{project.pk}/" + (f"{user.pk}/{action}/" if user else "")


def events(*fields):
    return list(Event.objects.order_by("id").values_list(*fields))


def test_every_role_grants_something_and_each_more_than_the_one_before():
    assert list(GRANTS) == list(Role)
    sizes = [len(GRANTS[role]) for role in Role]
    assert sizes[0] > 0 and sizes == sorted(set(sizes))


@pytest.mark.parametrize(("role", "allowed"), [("viewer", 0), ("support", 1), ("admin", 1)])
def test_sync_now_is_for_support_and_admins(client, project, role, allowed):
    client.force_login(member("mia", project, role))
    assert client.get(INSTANCE).content.decode().count(">Sync now</button>") == allowed
    response = client.post(SYNC, {"project": "shop-prod"})
    assert response.status_code == (302 if allowed else 403)
    assert Instance.objects.filter(next_sync_at=None).exists() == (not allowed)


def test_a_user_without_the_role_is_told_which_one_and_who_assigns_it(client, project):
    member("ada", project, "admin")
    User.objects.create_user("gone", is_active=False)
    Membership.objects.create(user=User.objects.get(username="gone"), project=project, role="admin")
    client.force_login(member("vic", project, "viewer"))
    page = " ".join(client.post(SYNC, {"project": "shop-prod"}).content.decode().split())
    assert (
        "To sync instances of shop-prod, you need the support or admin role there. "
        "Ask one of its admins: ada." in page
    )


def test_a_project_without_an_admin_leads_to_an_operator(client, project):
    client.force_login(member("vic", project, "viewer"))
    assert b"Ask an operator: it has no admin." in client.get(url(project)).content


def test_a_viewer_is_not_told_to_use_a_button_that_they_lack(client, project):
    Instance.objects.update(sync_error_kind="parked")
    client.force_login(member("vic", project, "viewer"))
    page = client.get(INSTANCE).content.decode()
    assert "Automatic sync is paused for this instance." in page
    assert "Use Sync now" not in page


def test_an_admin_adds_a_member(client, ada, project):
    User.objects.create_user("new")
    page = client.post(url(project), {"username": "new", "role": "support"}, follow=True)
    assert "Added new as support." in page.content.decode()
    assert roles(project) == {"ada": "admin", "new": "support"}
    assert events("username", "what", "subject", "projects") == [
        ("ada", "added a member", "new: support in shop-prod", project.pk)
    ]


@pytest.mark.parametrize(
    ("username", "role", "error"),
    [
        ("Nobody", "viewer", "No user is called “Nobody”."),
        ("closed", "viewer", "The account of “closed” is deactivated."),
        ("ada", "viewer", "“ada” is already a member."),
        ("", "viewer", "Enter a username."),
        ("n" * 151, "viewer", "A username can have at most 150 characters."),
        ("new", "boss", "“boss” is not a role. Choose one: viewer, support, admin."),
        ("new", "", "Choose a role: viewer, support, admin."),
        ("a\0", "viewer", "Null characters are not allowed."),
    ],
)
def test_an_invalid_member_is_refused_with_the_reason_and_the_input_is_kept(
    client, ada, project, username, role, error
):
    User.objects.create_user("new")
    User.objects.create_user("closed", is_active=False)
    page = client.post(url(project), {"username": username, "role": role})
    assert page.status_code == 400
    html = page.content.decode()
    assert error in html
    if "\0" not in username:
        assert f'value="{username}"' in html
    assert roles(project) == {"ada": "admin"} and not Event.objects.exists()


def test_an_admin_changes_a_role(client, ada, project):
    mia = member("mia", project, "viewer")
    page = client.post(url(project, mia), {"role": "admin"}, follow=True)
    assert "mia now has the admin role." in page.content.decode()
    assert roles(project)["mia"] == "admin"
    assert events("what", "subject") == [("changed a role", "mia: admin in shop-prod")]


def test_the_same_role_again_changes_nothing(client, ada, project):
    client.post(url(project, ada), {"role": "admin"})
    assert not Event.objects.exists()


def test_an_unknown_role_is_refused(client, ada, project):
    page = client.post(url(project, ada), {"role": "boss"})
    assert page.status_code == 400 and "“boss” is not a role." in page.content.decode()


def test_an_admin_removes_a_member_who_then_sees_nothing(client, ada, project):
    mia = member("mia", project, "support")
    page = client.post(url(project, mia, "remove"), follow=True)
    assert "Removed mia." in page.content.decode()
    assert roles(project) == {"ada": "admin"}
    assert events("what", "subject") == [("removed a member", "mia: support in shop-prod")]
    client.force_login(mia)
    assert client.get(INSTANCE).status_code == 404


@pytest.mark.parametrize(("action", "form"), [("role", {"role": "viewer"}), ("remove", {})])
def test_the_last_admin_is_only_removed_on_confirmation(client, ada, project, action, form):
    closed = User.objects.create_user("closed", is_active=False)
    Membership.objects.create(user=closed, project=project, role="admin")
    page = client.post(url(project, ada, action), form)
    assert page.status_code == 409
    assert "is the last admin of" in page.content.decode()
    assert roles(project)["ada"] == "admin" and not Event.objects.exists()
    assert client.post(url(project, ada, action), form | {"confirmed": "yes"}).status_code == 302
    assert roles(project).get("ada") == form.get("role")


@pytest.mark.django_db(transaction=True)
def test_two_admins_cannot_remove_each_other_at_the_same_time(project):
    ada, eve = (member(name, project, "admin") for name in ("ada", "eve"))

    def remove(who, whom):
        client = Client()
        client.force_login(who)
        try:
            return client.post(url(project, whom, "remove")).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        statuses = list(pool.map(remove, (ada, eve), (eve, ada)))
    # The second has lost the role, or is asked, being the last admin.
    assert statuses.count(302) == 1
    assert list(roles(project).values()) == ["admin"]


def test_one_of_two_admins_can_be_removed(client, ada, project):
    member("eve", project, "admin")
    response = client.post(url(project, ada, "remove"))
    assert response.headers["Location"] == "/"
    assert roles(project) == {"eve": "admin"}


def test_the_role_of_a_user_who_is_not_a_member_cannot_be_changed(client, ada, project):
    other = member("mia", make_project("other"), "viewer")
    for action in ("role", "remove"):
        assert client.post(url(project, other, action), {"role": "admin"}).status_code == 404


@pytest.mark.parametrize("key", [0, 10**30])
def test_an_unknown_project_is_not_found(web, key):
    assert web.get(f"/members/{key}/").status_code == 404
    assert web.post(f"/members/{make_project().pk}/{key}/remove/").status_code == 404


def test_the_list_has_the_projects_that_the_reader_manages(client, ada, project):
    other = make_project("other")
    Membership.objects.create(user=ada, project=other, role="support")
    member("mia", project, "viewer")
    page = client.get("/members/")
    (row,) = page.context["projects"]
    assert (row, row.members, row.admins) == (project, 2, 1)
    assert b"other" not in page.content


def test_the_account_page_leads_there_only_for_admins(client, ada, project):
    assert b'href="/members/"' in client.get("/account/").content
    client.force_login(member("mia", project, "support"))
    assert b'href="/members/"' not in client.get("/account/").content
    assert client.get("/members/").status_code == 403


def test_changes_in_the_admin_site_are_in_the_audit_log(web, root, project):
    mia = User.objects.create_user("mia")
    add = {"user": mia.pk, "project": project.pk, "role": "viewer"}
    assert web.post("/admin/restores/membership/add/", add).status_code == 302
    membership = Membership.objects.get()
    change = f"/admin/restores/membership/{membership.pk}/change/"
    assert web.post(change, {"role": "support"}).status_code == 302
    both = {"action": "delete_selected", "_selected_action": membership.pk, "post": "yes"}
    assert web.post("/admin/restores/membership/", both).status_code == 302
    assert not Membership.objects.exists()
    user = {"username": "mia", "is_active": "on", "is_superuser": "on"}
    dates = {"date_joined_0": "2026-11-01", "date_joined_1": "00:00:00"}
    assert web.post(f"/admin/auth/user/{mia.pk}/change/", user | dates).status_code == 302
    *members, (what, subject) = events("what", "subject")
    assert members == [
        ("added a member", "mia: viewer in shop-prod"),
        ("changed a role", "mia: support in shop-prod"),
        ("removed a member", "mia: support in shop-prod"),
    ]
    assert what == "changed a user" and "“mia”" in subject and "Superuser status" in subject
