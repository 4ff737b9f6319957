"""While the sync is stalled, every page and JSON endpoint says since when."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext

from restores.models import Heartbeat, Membership
from tests.factories import NOW, make_instance, make_project, make_restore

PAGES = [
    "/",
    "/restores/",
    "/restores/?from=Feb+30",
    "/restores/r/",
    "/instances/",
    "/instances/?page=0",
    "/instances/id-of-cart-prod/",
    "/sync-status/",
]
ENDPOINTS = ["/overview.json", "/restores.json", "/sync-status.json"]
SENTENCE = "Data hasn’t been updated since"


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


def beat(seconds_ago):
    at = NOW - timedelta(seconds=seconds_ago)
    Heartbeat.objects.update_or_create(pk=1, defaults={"at": at})


@pytest.mark.parametrize("url", PAGES)
def test_every_page_says_since_when_and_what_to_do(web, url):
    make_restore("r")
    beat(600)
    html = web.get(url).content.decode()
    assert SENTENCE in html
    assert "23 Nov 2026, 16:49:00 UTC" in html
    assert "check that the worker, beat and broker are running" in html


@pytest.mark.parametrize("url", ENDPOINTS)
def test_every_json_endpoint_says_since_when(web, url):
    beat(600)
    assert web.get(url).json()["collector_stalled_since"] == "2026-11-23T16:49:00Z"


@pytest.mark.parametrize("seconds_ago", [0, 60, None])
@pytest.mark.parametrize("url", ["/", "/restores/", "/sync-status/"])
def test_nothing_is_said_while_ticks_finish_and_before_the_first(web, url, seconds_ago):
    if seconds_ago is not None:
        beat(seconds_ago)
    assert SENTENCE not in web.get(url).content.decode()


@pytest.mark.parametrize("url", ENDPOINTS)
def test_json_has_null_while_ticks_finish(web, url):
    beat(5)
    assert web.get(url).json()["collector_stalled_since"] is None


def test_it_is_in_the_part_that_a_page_refreshes(web):
    beat(600)
    html = web.get("/instances/").content.decode()
    assert SENTENCE in html.partition("<main")[2].partition("</main>")[0]


def test_an_unchanged_list_is_sent_again_for_it(web):
    make_restore("r")
    beat(5)
    tag = web.get("/restores/").headers["ETag"]
    assert web.get("/restores/", headers={"If-None-Match": tag}).status_code == 304
    beat(600)
    assert web.get("/restores/", headers={"If-None-Match": tag}).status_code == 200


def test_members_see_it_and_signed_out_visitors_do_not(client, django_user_model):
    beat(600)
    assert SENTENCE not in client.get("/login/").content.decode()
    user = django_user_model.objects.create_user("support")
    Membership.objects.create(user=user, project=make_project())
    client.force_login(user)
    make_instance()
    assert SENTENCE in client.get("/instances/").content.decode()


def test_the_stalled_notice_costs_a_page_one_query(web):
    beat(5)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        web.get("/instances/")
    heartbeat_queries = [query for query in queries if "heartbeat" in query["sql"]]
    assert len(heartbeat_queries) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 500, 503])
def test_error_pages_read_nothing_from_the_database(rf, status, django_assert_num_queries, db):
    beat(600)
    request = rf.get("/")
    with django_assert_num_queries(0):
        html = render_to_string(f"{status}.html", request=request)
    assert SENTENCE not in html


def lose_ticks(seconds_ago):
    at = NOW - timedelta(seconds=seconds_ago)
    Heartbeat.objects.update_or_create(pk=Heartbeat.TICKS_LOST, defaults={"at": at})


@pytest.mark.parametrize("url", ["/", "/restores/", "/sync-status/"])
def test_lost_ticks_make_updates_late_and_the_page_says_why(web, url):
    beat(50)
    lose_ticks(300)
    html = web.get(url).content.decode()
    assert SENTENCE not in html
    assert "Data updates have been late since" in html and "23 Nov 2026, 16:54:00 UTC" in html
    assert "give each deployment its own CELERY_PREFIX" in html
    assert web.get("/sync-status.json").json()["collector_stalled_since"] == "2026-11-23T16:54:00Z"


def test_a_sync_that_has_stopped_because_all_ticks_are_lost_says_both(web):
    beat(600)
    lose_ticks(300)
    html = web.get("/instances/").content.decode()
    assert SENTENCE in html and "give each deployment its own CELERY_PREFIX" in html


def test_lost_ticks_are_shown_even_if_no_tick_was_ever_finished(web):
    lose_ticks(300)
    assert "give each deployment its own CELERY_PREFIX" in web.get("/instances/").content.decode()
