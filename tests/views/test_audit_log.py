"""The audit log: who reads what of it, its filters and pages, and the same as CSV."""

import csv
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import RequestFactory

from restores.audit import Kind, record
from restores.models import Event, Membership
from restores.views import audit_log
from tests.factories import NOW, make_instance, make_project

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def add(kind=Kind.EXPORTED, user="mia", projects=(), about="", ago=HOUR):
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.7")
    with time_machine.travel(NOW - ago, tick=False):
        record(request, kind, username=user, projects=[one.pk for one in projects], about=about)


def abouts(client, query=""):
    """What the events of the page are about, and those of the CSV, which must be the same."""
    page = client.get(f"/audit/{query}")
    rows = [record.about for record, _ in page.context["table"].body()]
    lines = client.get(f"/audit.csv{query}").getvalue().decode().splitlines()
    in_file = [row["about"] for row in csv.DictReader(lines)]
    assert [about for about in in_file if not about.startswith("/audit.csv")] == rows
    return rows


@pytest.fixture
def ada(client):
    """An admin of the project "ours", signed in, who is in support of "theirs"."""
    ada = User.objects.create_user("ada")
    Membership.objects.create(user=ada, project=make_project("ours"), role="admin")
    Membership.objects.create(user=ada, project=make_project("theirs"), role="support")
    client.force_login(ada)
    return client


def test_the_audit_log_shows_who_did_what_where_when_and_from_where(web):
    add(Kind.REQUESTED_SYNC, projects=[make_project()], about="shop-prod/i-1")
    html = " ".join(web.get("/audit/").content.decode().split())
    for text in (
        *("mia", "requested a sync", "shop-prod/i-1", ">shop-prod<", "192.0.2.7"),
        "23 Nov 2026, 15:59:00 UTC",
    ):
        assert text in html


def test_the_newest_come_first_in_pages(web):
    for number in range(12):
        add(about=f"{number}", ago=number * HOUR)
    page = web.get("/audit/?size=10")
    assert [row.about for row, _ in page.context["table"].body()][:2] == ["0", "1"]
    html = page.content.decode()
    assert "1–10 of 12" in html and 'href="?size=10&amp;page=2"' in html
    rest = web.get("/audit/?size=10&page=2")
    assert [row.about for row, _ in rest.context["table"].body()] == ["10", "11"]
    assert "This page doesn’t exist" in web.get("/audit/?page=9").content.decode()


def test_pages_end_at_a_limit_and_say_how_to_see_more(web, monkeypatch):
    monkeypatch.setattr(audit_log, "MAX_LISTED", 20)
    for number in range(21):
        add(about=f"{number}", ago=number * HOUR)
    assert "1–10 of 20+" in web.get("/audit/?size=10").content.decode()
    last = web.get("/audit/?size=10&page=2").content.decode()
    assert "Choose an earlier time range" in last and "page=3" not in last
    assert "This page doesn’t exist" in web.get("/audit/?size=10&page=3").content.decode()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["late", "early", "failed"]),
        ("?what=exported", ["late", "early"]),
        ("?user=eve", ["early"]),
        ("?project=other", ["early"]),
        ("?project=project-of-other", ["early"]),
        ("?project=nothing-like-it", []),
        ("?from=2026-11-23T15:00:00Z", ["late"]),
        ("?to=2026-11-23T15:00:00Z", ["early", "failed"]),
        ("?user=mia&from=2026-11-23T00:00:00Z&to=2026-11-23T16:00:00Z", ["late", "failed"]),
    ],
)
def test_filters_by_kind_user_project_and_time(web, query, found):
    shop, other = make_project(), make_project("other")
    add(projects=[shop], about="late")
    add(user="eve", projects=[shop, other], about="early", ago=2 * HOUR)
    add(Kind.SIGN_IN_FAILED, about="failed", ago=3 * HOUR)
    assert abouts(web, query) == found


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("?what=exportet", "exported"),
        ("?user=a&user=b", "can only be given once"),
        ("?from=yesterdayish", "from"),
        ("?page=0", "must be a whole number"),
    ],
)
def test_an_invalid_filter_gets_the_reason_and_no_rows(web, query, error):
    add(about="kept back")
    for url in (f"/audit/{query}", f"/audit.csv{query}"):
        response = web.get(url)
        assert response.status_code == 400
        assert error in response.content.decode() and b"kept back" not in response.content


def test_an_unknown_parameter_is_ignored_with_a_note(web):
    assert b"Unknown parameter ignored" in web.get("/audit/?color=red").content


def test_an_admin_reads_only_what_is_about_their_projects(ada):
    ours, theirs = make_project("ours"), make_project("theirs")
    add(projects=[ours], about="/restores.csv?project=ours")
    add(projects=[theirs], about="/restores.csv?project=theirs", ago=2 * HOUR)
    add(Kind.SIGNED_IN, about="password", ago=3 * HOUR)
    add(projects=[ours, theirs], about="/restores.csv?q=theirs", ago=4 * HOUR)
    assert abouts(ada) == ["/restores.csv?project=ours", "/restores.csv"]
    page = ada.get("/audit/").content.decode()
    assert "theirs" not in page and "ours and others" in page
    assert abouts(ada, "?project=theirs") == []
    assert b"No access or not found" in ada.get("/audit/?project=theirs").content


@pytest.mark.parametrize("role", ["viewer", "support"])
def test_users_without_access_are_told_who_can_read_the_audit_log(client, role):
    mia = User.objects.create_user("mia")
    Membership.objects.create(user=mia, project=make_project(), role=role)
    client.force_login(mia)
    for url in ("/audit/", "/audit.csv"):
        response = client.get(url)
        assert response.status_code == 403
        assert "you need the admin role in a project" in response.content.decode()
    assert b"Audit log" not in client.get("/account/").content


def test_the_account_page_leads_to_it(ada):
    assert b'href="/audit/">Audit log</a>' in ada.get("/account/").content


def test_exporting_the_audit_log_is_an_event_too(web):
    assert web.get("/audit.csv?what=exported").getvalue()
    event = Event.objects.get()
    assert (event.username, event.what) == ("root", "exported")
    assert event.subject == "/audit.csv?what=exported"


@pytest.mark.parametrize(
    ("url", "projects"),
    [
        ("/restores.csv", {"ours", "theirs"}),
        ("/restores.xlsx?project=ours", {"ours"}),
        ("/restores.md?project=theirs", {"theirs"}),
        ("/instances.csv?project=ours", {"ours"}),
        ("/instances.xlsx", {"ours", "theirs"}),
        ("/reports/downtime.csv?project=ours&from=now-7d", {"ours"}),
    ],
)
def test_an_export_is_about_the_projects_that_it_has_rows_of(ada, url, projects):
    for name in ("ours", "theirs", "hidden"):
        make_instance(f"cache-of-{name}", project=make_project(name))
    assert ada.get(url).getvalue()
    event = Event.objects.get()
    assert event.subject == url
    assert set(event.projects.values_list("name", flat=True)) == projects


def test_signing_in_and_out_is_recorded(client):
    User.objects.create_user("mia", password="a long secret")
    client.post("/login/", {"username": "mia", "password": "wrong"})
    client.post("/login/", {"username": "mia", "password": "a long secret"})
    client.post("/logout/")
    assert list(Event.objects.order_by("id").values_list("username", "what", "address")) == [
        ("mia", "sign-in failed", "127.0.0.1"),
        ("mia", "signed in", "127.0.0.1"),
        ("mia", "signed out", "127.0.0.1"),
    ]
