"""The list of instances, the page of one, and their JSON."""

from datetime import timedelta
from html import escape

import pytest
import time_machine
from django.urls import reverse

from restores.models import Backup
from tests.factories import NOW, make_account, make_instance, make_project, make_restore
from tests.views.test_restore_detail import ODD


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


def rows(web, query=""):
    """The names of the instances in the JSON."""
    return [row["instance_name"] for row in web.get(f"/instances.json{query}").json()["instances"]]


def page(web, url):
    response = web.get(url)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_an_instance_shows_its_sync_status_and_its_newest_restore(web):
    make_restore("r-old", created_at=NOW - timedelta(days=2))
    make_restore("r-new", status="failed")
    html = page(web, "/instances/")
    assert "Data complete up to" in html
    assert '<time datetime="2026-11-23T16:59:00Z">23 Nov 16:59</time>' in html
    assert "/restores/r-new/" in html
    assert "/restores/r-old/" not in html


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"single_node": True}, "Single-node (no restores)"),
        ({"deleted_at": NOW}, "Deleted by"),
        ({"complete_to": None}, "Not synced yet"),
        ({"sync_error_kind": "unreachable"}, "(Unreachable)"),
        ({"sync_error_kind": "brand_new"}, "(Brand new)"),
    ],
)
def test_an_instance_with_incomplete_data_says_why(web, given, text):
    make_instance(**given)
    assert text in page(web, "/instances/")


def test_a_removed_project_is_marked_and_an_accounts_error_shows_on_its_instances(web):
    make_instance("was", project=make_project("old", monitored=False))
    account = make_account("bank", sync_error_kind="credentials")
    make_instance("held", project=make_project("bank-core", account=account))
    html = page(web, "/instances/")
    assert "No longer monitored" in html
    assert "(Credentials rejected)" in html


def test_instances_are_searched_filtered_and_sorted(web):
    two = make_project("two")
    for name, proven in (("b", 1), ("a", 3), ("c", 2)):
        make_instance(name, complete_to=NOW - timedelta(minutes=proven))
    make_instance("d", project=two, complete_to=None)
    assert rows(web) == ["a", "b", "c", "d"]
    assert rows(web, "?sort=-name") == ["d", "c", "b", "a"]
    assert rows(web, "?sort=complete") == ["a", "c", "b", "d"]
    assert rows(web, "?sort=-complete") == ["b", "c", "a", "d"]
    assert rows(web, "?project=two") == ["d"]
    assert rows(web, "?q=ID-OF-C") == ["c"]


def test_customer_and_state_filter_the_instances(web):
    make_instance("good", project=make_project("one", customer="Shopwell"))
    make_instance("never", project=make_project("two", customer="Nimbus"), complete_to=None)
    assert rows(web, "?customer=Shopwell") == ["good"]
    assert rows(web, "?customer=Nimbus&state=never_synced") == ["never"]
    assert rows(web, "?state=complete&state=never_synced") == ["good", "never"]
    html = page(web, "/instances/?customer=Nimbus&state=never_synced")
    assert "<option selected>Nimbus</option>" in html
    assert 'value="never_synced" checked' in html


def test_an_invalid_value_links_to_the_nearest_valid_one(web):
    html = web.get("/instances/?q=cart&size=500").content.decode()
    assert '<a href="?q=cart&amp;size=200">Use “200” instead</a>' in html
    assert 'value="cart"' in html


def test_every_instance_is_on_exactly_one_page(web):
    for number in range(25):
        make_instance("same-name", instance_id=f"i-{number}")
    ids = []
    for number in (1, 2, 3):
        body = web.get(f"/instances.json?size=10&page={number}").json()
        ids += [row["instance_id"] for row in body["instances"]]
        assert body["total"] == 25
        assert bool(body["next"]) == (number < 3)
    assert len(set(ids)) == len(ids) == 25


def test_a_page_past_the_end_leads_to_the_last_one(web):
    make_instance()
    html = page(web, "/instances/?page=9")
    assert "This page doesn’t exist" in html
    assert "Back to last page" in html


UNREADABLE = [
    ("page=0", "page"),
    ("page=1000001", "page"),
    ("page=%D9%A9x", "page"),
    ("size=9", "size"),
    ("size=201", "size"),
    ("sort=nope", "sort"),
    ("q=" + "x" * 201, "q"),
    ("q=%00", "q"),
    ("page=1&page=2", "page"),
    ("project=" + "x" * 129, "project"),
    ("project=a%00b", "project"),
]


@pytest.mark.parametrize(
    ("path", "query", "param"),
    [
        (path, query, param)
        for path in ("/instances", "/sync-status")
        for query, param in UNREADABLE
        # Coverage has one order: trouble first.
        if (path, param) != ("/sync-status", "sort")
    ],
)
def test_an_invalid_value_is_400_with_the_reason_and_without_rows(web, path, query, param):
    make_instance("cart-prod")
    response = web.get(f"{path}/?{query}")
    assert response.status_code == 400
    assert "cart-prod" not in response.content.decode()
    response = web.get(f"{path}.json?{query}")
    assert response.status_code == 400
    assert [error["param"] for error in response.json()["errors"]] == [param]


def test_an_unknown_parameter_and_an_unknown_project_are_noted(web):
    make_instance()
    html = page(web, "/instances/?project=nope&statsu=1")
    assert "statsu" in html
    assert "No access or not found: <bdi>nope</bdi>" in html
    body = web.get("/instances.json?statsu=1&project=nope").json()
    assert body["ignored"] == ["statsu"]
    assert body["not_found"] == ["nope"]


@pytest.mark.parametrize(
    ("query", "canonical"),
    [
        ("?q=&project=", "/instances/"),
        ("?sort=name&size=50&page=1", "/instances/"),
        (
            "?size=20&page=2&q=a%20b&project=two&project=one&customer=c",
            "?project=one&project=two&customer=c&q=a+b&page=2&size=20",
        ),
        ("?foo=%zz&q=x", "?q=x&foo=%25zz"),
    ],
)
def test_one_view_has_one_url(web, query, canonical):
    response = web.get(f"/instances/{query}")
    assert response.status_code == 302
    assert response.headers["Location"].endswith(canonical)
    assert web.get(response.headers["Location"]).status_code == 200


def test_a_page_of_instances_takes_no_more_queries_with_more_rows(
    web, django_assert_max_num_queries
):
    for number in range(30):
        make_restore(instance=make_instance(f"i-{number}"))
    with django_assert_max_num_queries(14):
        page(web, "/instances/")


@pytest.mark.parametrize("url", ["/instances/id-of-cart-prod/", "/instances/id-of-cart-prod.json"])
def test_one_instance_takes_no_more_queries_with_more_restores(
    web, django_assert_max_num_queries, url
):
    for number in range(30):
        make_restore(created_at=NOW - timedelta(minutes=number), status="waiting")
    with django_assert_max_num_queries(10):
        assert web.get(url).status_code == 200


@pytest.mark.parametrize("instance_id", ODD)
def test_any_instance_id_has_a_page_and_json(web, instance_id):
    make_instance("odd", instance_id=instance_id)
    url = reverse("instance-detail", args=[instance_id])
    assert escape(instance_id) in page(web, url)
    body = web.get(reverse("instance-detail-json", args=[instance_id])).json()
    assert body["instance_id"] == instance_id


def test_an_instance_shows_its_details_restores_and_backups(web):
    instance = make_instance(engine="Redis 6.0")
    make_restore("r", instance=instance)
    Backup.objects.create(
        instance=instance,
        backup_id="b",
        backup_name="backup_1",
        size=2_684_354_560,
        created_at=NOW,
        first_seen_at=NOW,
        changed_at=NOW,
    )
    html = page(web, "/instances/id-of-cart-prod/")
    for text in ("Redis 6.0", "/restores/r/", "backup_1", "2.68 GB", ">–<"):
        assert text in html
    body = web.get("/instances/id-of-cart-prod.json").json()
    assert [row["restore_id"] for row in body["restores"]] == ["r"]
    assert [row["backup_name"] for row in body["backups"]] == ["backup_1"]


@pytest.mark.parametrize(
    ("given", "answer", "more"),
    [
        ({}, "No restores up to", "list was empty"),
        ({"sync_error_kind": "unreachable"}, "No restores up to", "later restores may be missing"),
        ({"complete_to": None}, "Can’t tell yet", "See sync status"),
        ({"single_node": True, "complete_to": None}, "Not monitored", "can’t be restored"),
        (
            {"deleted_at": NOW, "complete_to": None},
            "Not monitored",
            "was deleted by",
        ),
        ({"deleted_at": NOW}, "No restores up to", "was deleted by"),
    ],
)
def test_no_restores_is_explained_in_three_ways(web, given, answer, more):
    make_instance(**given)
    html = page(web, "/instances/id-of-cart-prod/")
    answers = (
        "No restores up to",
        "Can’t tell yet",
        "Not monitored",
    )
    assert [one for one in answers if one in html] == [one for one in answers if one in answer]
    assert more in html


def test_an_instance_of_a_removed_project_is_not_monitored(web):
    make_instance(project=make_project(monitored=False), complete_to=None)
    html = page(web, "/instances/id-of-cart-prod/")
    assert "Not monitored" in html
    assert "No restores up to" not in html


def test_an_instance_not_synced_yet_can_be_synced_now(web):
    make_instance(complete_to=None, next_sync_at=NOW + timedelta(minutes=9))
    assert page(web, "/instances/id-of-cart-prod/").count(">Sync now</button>") == 2


def test_an_id_in_two_projects_lists_both_until_one_is_chosen(web):
    for name in ("one", "two"):
        make_instance(name, instance_id="i", project=make_project(name))
    assert "2 instances share the ID" in page(web, "/instances/i/")
    assert len(web.get("/instances/i.json").json()["instances"]) == 2
    assert "<h1><bdi>two</bdi></h1>" in page(web, "/instances/i/?project=two")
