"""Who may open what: every route of the URLconf, for every kind of reader, by GET and by POST.

What a page shows to whom is in test_visibility.py and in the tests of that page.
"""

import re
from http.cookies import SimpleCookie

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import get_resolver, path

from restores.models import Event, Instance, Membership
from tests.factories import make_instance, make_project, make_restore
from tests.views.test_visibility import text_of

pytestmark = pytest.mark.django_db

# The readers of what belongs to a project, in the order of the columns below. The last but one is
# admin of another project and no member of this one.
READERS = ("anonymous", "stranger", "viewer", "support", "admin", "other_admin", "superuser")


def by_reader(text):
    """What each reader gets: a status, or one of these words for 200 and for redirects."""
    outcomes = text.split()
    assert len(outcomes) == len(READERS)
    return dict(zip(READERS, outcomes, strict=True))


# fmt: off
#                          anonymous stranger viewer support admin other_admin superuser
PUBLIC        = by_reader("ok        ok       ok     ok      ok    ok          ok  ")
PAGE          = by_reader("login     ok       ok     ok      ok    ok          ok  ")
DATA          = by_reader("401       ok       ok     ok      ok    ok          ok  ")
ROW_PAGE      = by_reader("login     404      ok     ok      ok    404         ok  ")
ROW_DATA      = by_reader("401       404      ok     ok      ok    404         ok  ")
FOR_ADMINS    = by_reader("login     403      403    403     ok    ok          ok  ")
ADMIN_DATA    = by_reader("401       403      403    403     ok    ok          ok  ")
MANAGE        = by_reader("login     404      403    403     ok    404         ok  ")
MANAGE_DONE   = by_reader("login     404      403    403     done  404         done")
SYNC          = by_reader("login     404      403    done    done  404         done")
INVALID_FORM  = by_reader("login     400      400    400     400   400         400 ")
LEADS_ON      = by_reader("login     done     done   done    done  done        done")
SIGN_IN       = by_reader("ok        done     done   done    done  done        done")
SIGN_OUT      = by_reader("done      done     done   done    done  done        done")
EXPIRED       = by_reader("410       410      410    410     410   410         410 ")
SWITCHED_OFF  = by_reader("404       404      404    404     404   404         404 ")
NO_METHOD     = by_reader("405       405      405    405     405   405         405 ")
NO_METHOD_IN  = by_reader("login     405      405    405     405   405         405 ")
ADMIN_SITE    = by_reader("login     login    login  login   login login       any ")
ADMIN_LEAVE   = by_reader("login     done     done   done    done  done        any ")
ADMIN_SIGN_IN = by_reader("ok        403      403    403     403   403         done")
# fmt: on

# For each route, by its name or else by its path, what a GET and what a POST gets.
RULES = {
    **dict.fromkeys(
        (
            *("overview", "restore-list", "facets", "histogram", "instance-list", "downtime"),
            *("code-list", "code-detail", "sync-status"),
        ),
        (PAGE, NO_METHOD_IN),
    ),
    **dict.fromkeys(
        (
            *("overview-json", "restore-list-json", "time-range-json", "instance-list-json"),
            *("code-list-json", "code-detail-json", "downtime-json", "sync-status-json"),
            *("time-zones-json", "lookup-md"),
            *("restore-list-csv", "restore-list-xlsx", "restore-list-md"),
            *("instance-list-csv", "instance-list-xlsx", "downtime-csv", "downtime-xlsx"),
        ),
        (DATA, NO_METHOD),
    ),
    "lookup": (PAGE, LEADS_ON),
    "lookup-json": (DATA, DATA),
    "time-zone": (PAGE, LEADS_ON),
    # The reader's own; what belongs to others is in test_account.py.
    "account": (PAGE, NO_METHOD_IN),
    "change-password": (PAGE, INVALID_FORM),
    "new-token": (PAGE, INVALID_FORM),
    "end-session": (NO_METHOD_IN, LEADS_ON),
    "end-other-sessions": (NO_METHOD_IN, LEADS_ON),
    "revoke-token": (NO_METHOD_IN, LEADS_ON),
    # Of one project.
    "restore-detail": (ROW_PAGE, NO_METHOD_IN),
    "restore-detail-json": (ROW_DATA, NO_METHOD),
    "restore-detail-md": (ROW_DATA, NO_METHOD),
    "instance-detail": (ROW_PAGE, NO_METHOD_IN),
    "instance-detail-json": (ROW_DATA, NO_METHOD),
    "sync-now": (NO_METHOD_IN, SYNC),
    "project-members": (MANAGE, MANAGE_DONE),
    "change-role": (NO_METHOD_IN, MANAGE_DONE),
    "remove-member": (NO_METHOD_IN, MANAGE_DONE),
    # Of all projects that the reader is an admin of.
    "members": (FOR_ADMINS, NO_METHOD_IN),
    "audit": (FOR_ADMINS, NO_METHOD_IN),
    "audit-csv": (ADMIN_DATA, NO_METHOD),
    # Signing in and out.
    "login": (SIGN_IN, SIGN_IN),
    "login-once": (EXPIRED, EXPIRED),
    "logout": (NO_METHOD, SIGN_OUT),
    "admin/login/": (ADMIN_SIGN_IN, ADMIN_SIGN_IN),
    # For operators.
    "healthz": (PUBLIC, NO_METHOD),
    "readyz": (PUBLIC, NO_METHOD),
    "metrics": (SWITCHED_OFF, NO_METHOD),
}
# Every route of Django's admin site but these; "any" is anything but a sign-in or an error of ours.
ADMIN_ROUTES = {
    "admin:login": (ADMIN_SIGN_IN, ADMIN_SIGN_IN),
    "admin:logout": (ADMIN_LEAVE, ADMIN_LEAVE),
}
# What a route's path is filled with, by the name of the part; some are made by the fixture.
PARTS = {
    "restore_id": "r-ours",
    "instance_id": "i-ours",
    "code": "dcs.08.0007",
    "token": "stale",
    "pk": 1,
}
FORMS = {
    "sync-now": {"project": "ours-mark"},
    "project-members": {"username": "new", "role": "viewer"},
    "change-role": {"role": "support"},
    "lookup": {"text": "r-ours"},
    "lookup-json": {"text": "r-ours"},
    "time-zone": {"zone": "Berlin"},
}


def routes(patterns, prefix="", namespace=""):
    """Every route below these patterns: its name, or else its path; and its path."""
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            below = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from routes(pattern.url_patterns, route, below)
        else:
            yield (f"{namespace}{pattern.name}" if pattern.name else route), route


def rule_of(name, route):
    """What a GET and what a POST of a route gets; None if nobody has decided that."""
    if route.startswith("admin/") and name not in RULES:
        return ADMIN_ROUTES.get(name, (ADMIN_SITE, ADMIN_SITE))
    return RULES.get(name)


def without_rule(patterns):
    return [name for name, route in routes(patterns) if rule_of(name, route) is None]


def test_every_route_has_a_rule():
    assert without_rule(get_resolver().url_patterns) == [], "add them to RULES"


def test_a_new_route_without_a_rule_is_found():
    probe = path("probe/<int:pk>/", lambda request, pk: HttpResponse(), name="probe")
    unnamed = path("unnamed/", lambda request: HttpResponse())
    patterns = [*get_resolver().url_patterns, probe, unnamed]
    assert without_rule(patterns) == ["probe", "unnamed/"]


def test_every_rule_has_a_route():
    names = {name for name, _ in routes(get_resolver().url_patterns)}
    assert {*RULES, *ADMIN_ROUTES} <= names


@pytest.fixture
def parts():
    """The rows of two projects, a user for each reader, and what paths are filled with."""
    ours, theirs = make_project("ours-mark"), make_project("theirs", customer="Other")
    instance = make_instance("ours-mark", instance_id="i-ours", project=ours)
    make_restore("r-ours", instance=instance, backup_name="ours-mark")
    for role in ("viewer", "support", "admin"):
        user = User.objects.create_user(role)
        Membership.objects.create(user=user, project=ours, role=role)
    Membership.objects.create(
        user=User.objects.create_user("other_admin"), project=theirs, role="admin"
    )
    User.objects.create_user("stranger")
    User.objects.create_superuser("superuser")
    User.objects.create_user("new")
    member = User.objects.create_user("member")
    membership = Membership.objects.create(user=member, project=ours)
    return PARTS | {
        "project_pk": ours.pk,
        "user_pk": member.pk,
        "object_id": membership.pk,
        "id": member.pk,
        "content_type_id": 1,
        "app_label": "restores",
        "url": "nowhere",
    }


def url_of(route, parts):
    """The URL of a route, with its parts filled in by their names."""
    part = r"<(?:\w+:)?(\w+)>|\^?\(\?P<(\w+)>[^)]*\)"
    return "/" + re.sub(part, lambda match: str(parts[match[1] or match[2]]), route).rstrip("$")


def outcome_of(response):
    if response.status_code == 302:
        return "login" if "login/?next=" in response.headers["Location"] else "done"
    return "ok" if response.status_code == 200 else str(response.status_code)


def state():
    """What a POST could have changed."""
    return (
        list(Membership.objects.order_by("pk").values_list("user", "project", "role")),
        list(Instance.objects.values_list("pk", "next_sync_at")),
        list(User.objects.order_by("pk").values_list("pk", "password", "is_superuser")),
        Event.objects.exclude(what="sign-in failed").count(),
    )


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("reader", READERS)
def test_every_route_answers_each_reader_as_its_rule_says(parts, reader, method):
    signed_in, wrong = Client(), []
    if reader != "anonymous":
        signed_in.force_login(User.objects.get(username=reader))
    before = state()
    for name, route in routes(get_resolver().url_patterns):
        expected = rule_of(name, route)[method == "post"][reader]
        client = Client(raise_request_exception=False)
        client.cookies = SimpleCookie(signed_in.cookies.output(header=""))
        url = url_of(route, parts)
        with transaction.atomic():
            response = getattr(client, method)(url, FORMS.get(name, {}) if method == "post" else {})
            text, found = text_of(response), outcome_of(response)
            refused = found not in ("ok", "done")
            changed = refused and expected != "any" and state() != before
            transaction.set_rollback(True)
        fits = found != "login" and not found.startswith("5") if expected == "any" else False
        if not (fits or found == expected):
            wrong.append(f"{name}: {method} {url} is {found}, must be {expected}")
        if changed:
            wrong.append(f"{name}: {method} {url} is {found}, but it changed something")
        if reader in ("anonymous", "stranger", "other_admin") and "ours-mark" in text:
            wrong.append(f"{name}: {method} {url} shows something of a project without access")
    assert not wrong, "\n".join(wrong)
