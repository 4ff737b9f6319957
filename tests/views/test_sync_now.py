"""The "Sync now" button: it makes the instance due and nothing else; the page says what follows."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from restores.models import Event, Instance
from restores.sync import scheduling
from restores.views.sync_now import request_sync
from tests.factories import NOW, make_account, make_instance, make_project, make_restore
from tests.views.test_restore_detail import ODD

LATER = NOW + timedelta(minutes=7)
IDLE = {"next_sync_at": LATER, "synced_at": NOW - timedelta(minutes=3)}


def seconds(number):
    return timedelta(seconds=number)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def post(web, instance, **given):
    form = {"project": instance.project.name, "next": "/restores/"} | given
    return web.post(reverse("sync-now", args=[instance.instance_id]), form)


def page(web, url="/instances/id-of-cart-prod/"):
    response = web.get(url)
    assert response.status_code == 200
    return response.content.decode()


def sentence(web, url="/instances/id-of-cart-prod/"):
    """The sentence about syncing."""
    html = page(web, url)
    text = html.partition('id="sync-state"')[2].partition(">")[2].partition("</li>")[0]
    return " ".join("".join(part.rpartition(">")[2] for part in text.split("<")).split())


def test_a_request_makes_the_instance_due_returns_and_is_audited(web, root):
    instance = make_instance(**IDLE)
    response = post(web, instance)
    assert (response.status_code, response.headers["Location"]) == (302, "/restores/")
    instance.refresh_from_db()
    assert instance.next_sync_at == NOW
    event = Event.objects.get()
    assert (event.user, event.what) == (root, "requested a sync")
    assert event.subject == "shop-prod/id-of-cart-prod"


def test_the_next_tick_finds_the_requested_sync(web):
    instance = make_instance(**IDLE)
    assert instance not in scheduling.due_instances(NOW)
    post(web, instance)
    assert instance in scheduling.due_instances(NOW)


def test_the_page_shows_requested_then_syncing_then_synced(web, clock):
    instance = make_instance(**IDLE)
    row = Instance.objects.filter(pk=instance.pk)
    assert "aria-disabled" not in page(web)
    post(web, instance)
    assert sentence(web) == "Sync requested at 16:59:00 UTC; starting shortly"
    assert 'data-refresh="5"' in page(web)
    row.update(lease_until=NOW + scheduling.LEASE)
    assert sentence(web) == "Syncing…"
    row.update(lease_until=None, synced_at=NOW + seconds(4), next_sync_at=LATER)
    clock.move_to(NOW + seconds(5))
    assert sentence(web) == "Synced at 16:59:04 UTC. You can sync again in 9 s."
    clock.move_to(NOW + seconds(15))
    assert sentence(web) == "Synced at 16:59:04 UTC"
    assert "aria-disabled" not in page(web)


def test_a_failed_sync_says_so(web):
    make_instance(next_sync_at=LATER, synced_at=NOW - seconds(20), sync_error_kind="unreachable")
    assert sentence(web) == "Last sync failed at 16:58:40 UTC"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"next_sync_at": LATER, "synced_at": NOW - seconds(9)}, "You can sync again in 1 s."),
        ({"next_sync_at": NOW - seconds(3)}, "Sync requested at"),
        ({"next_sync_at": NOW - seconds(90)}, "waiting in the queue"),
        ({"next_sync_at": LATER, "lease_until": NOW + seconds(60)}, "Syncing…"),
    ],
)
def test_a_request_that_is_not_needed_changes_nothing_and_says_why(web, given, words):
    instance = make_instance(**given)
    assert post(web, instance).status_code == 302
    instance.refresh_from_db()
    assert instance.next_sync_at == given["next_sync_at"]
    assert not Event.objects.exists()
    assert words in sentence(web)
    assert 'aria-disabled="true"' in page(web)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"single_node": True}, "Not synced: single-node"),
        ({"deleted_at": NOW}, "the instance has been deleted"),
        ({"monitored": False}, "this project is no longer monitored"),
    ],
)
def test_sync_now_is_not_offered_for_instances_that_are_not_synced(web, given, reason):
    project = make_project("old", monitored=given.pop("monitored", True))
    instance = make_instance(project=project, next_sync_at=LATER, **given)
    make_restore("r", instance=instance)
    for url in ("/instances/id-of-cart-prod/", "/restores/r/"):
        assert "Sync now" not in page(web, url)
        assert reason in sentence(web, url)
    post(web, instance)
    instance.refresh_from_db()
    assert instance.next_sync_at == LATER
    assert not Event.objects.exists()


def test_an_instance_with_paused_syncs_is_retried_alone(web):
    instance = make_instance(
        next_sync_at=NOW - timedelta(days=1),
        attempts=3,
        sync_error_kind="parked",
        sync_error_message="x",
    )
    assert sentence(web) == "Automatic sync is paused for this instance. Use Sync now to retry."
    post(web, instance)
    assert "Sync requested at" in sentence(web)
    other = make_instance("other", next_sync_at=NOW)
    claimed = [scheduling.claim_instances(NOW), scheduling.claim_instances(NOW)]
    assert sorted(map(len, claimed)) == [1, 1]
    assert {instance, other} == {row for rows in claimed for row in rows}


def test_other_errors_stay_until_a_sync_clears_them(web):
    instance = make_instance(**IDLE, sync_error_kind="bad_answer")
    post(web, instance)
    instance.refresh_from_db()
    assert (instance.sync_error_kind, instance.next_sync_at) == ("bad_answer", NOW)


@pytest.mark.parametrize("where", ["project", "account"])
def test_while_its_project_is_unreachable_a_due_sync_says_so(web, where):
    account = make_account("bank", sync_error_kind="credentials" if where == "account" else "")
    kind = "unreachable" if where == "project" else ""
    instance = make_instance(
        project=make_project("core", account=account, sync_error_kind=kind), **IDLE
    )
    post(web, instance)
    assert "waiting until the project can be synced" in sentence(web)


def test_an_error_that_blocks_nothing_delays_no_sync(web):
    post(web, make_instance(project=make_project("core", sync_error_kind="clock"), **IDLE))
    assert "starting shortly" in sentence(web)


def test_a_restore_in_progress_is_synced_every_few_seconds_anyway(web):
    instance = make_instance(next_sync_at=NOW + seconds(4), synced_at=NOW - seconds(5))
    make_restore("r", instance=instance, status="restoring")
    assert sentence(web, "/restores/r/") == "Updating every few seconds while a restore is running"


def test_the_page_of_a_restore_offers_it_and_is_returned_to(web):
    make_restore("r", instance=make_instance(**IDLE))
    html = page(web, "/restores/r/?status=failed&asof=2026-11-23T16:58:30Z")
    assert 'action="/instances/id-of-cart-prod/sync/"' in html
    assert 'name="next" value="/restores/r/?status=failed"' in html


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "restores/",
        "\x00/",
        "",
    ],
)
def test_sync_now_returns_to_our_own_pages_only(web, url):
    response = post(web, make_instance(**IDLE), next=url)
    assert response.headers["Location"] == "/instances/id-of-cart-prod/?project=shop-prod"


def test_of_two_instances_with_one_id_only_the_named_projects_is_synced(web):
    rows = [make_instance(instance_id="i", project=make_project(p), **IDLE) for p in ("one", "two")]
    post(web, rows[1])
    assert list(Instance.objects.filter(next_sync_at=NOW)) == [rows[1]]
    assert post(web, rows[0], project="").status_code == 404
    assert post(web, rows[0], project="three").status_code == 404


@pytest.mark.parametrize("instance_id", ODD)
def test_any_instance_id_can_be_synced(web, instance_id):
    instance = make_instance(instance_id=instance_id, **IDLE)
    post(web, instance)
    assert Instance.objects.filter(pk=instance.pk, next_sync_at=NOW).exists()


def test_sync_now_requires_a_post_a_csrf_token_and_a_signed_in_user(web, root, client):
    instance = make_instance(**IDLE)
    url = reverse("sync-now", args=[instance.instance_id])
    assert web.get(url).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(root)
    assert strict.post(url, {"project": "shop-prod"}).status_code == 403
    client.logout()
    assert client.post(url, {"project": "shop-prod"}).headers["Location"].startswith("/login/")
    instance.refresh_from_db()
    assert instance.next_sync_at == LATER


def test_many_instances_are_requested_in_few_queries(root, django_assert_max_num_queries):
    for number in range(30):
        make_instance(f"i-{number}", **IDLE)
    with django_assert_max_num_queries(8):
        assert request_sync(Instance.objects.visible_to(root), NOW) == 30


def test_the_web_process_loads_neither_celery_nor_redis():
    # What dashboard.wsgi loads; it would refuse to start without collected assets.
    code = (
        "import sys; from django.core.wsgi import get_wsgi_application; get_wsgi_application();"
        " import dashboard.urls; print({'celery', 'redis'} & {*sys.modules})"
    )
    keep = {name: os.environ[name] for name in ("PATH", "SECRET_KEY")}
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        env=keep | {"DJANGO_SETTINGS_MODULE": "dashboard.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "set()\n"
