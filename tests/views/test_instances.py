"""The list of instances, the page of one, and their JSON."""

import re
from datetime import timedelta
from html import escape, unescape

import pytest
import time_machine
from django.urls import reverse

from restores.models import Backup, Instance
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


def test_an_instance_shows_its_newest_restore(web):
    make_restore("r-old", created_at=NOW - timedelta(days=2))
    make_restore("r-new", status="failed")
    html = page(web, "/instances/")
    assert "/restores/r-new/" in html and "/restores/r-old/" not in html
    assert '<time datetime="2026-11-23T15:59:00Z">23 Nov 15:59</time>' in html
    assert "<bdi>Failed · unresolved</bdi>" in html


def test_the_last_restore_of_an_instance_is_shown_as_possibly_stuck(web):
    running = {"status": "restoring", "created_at": NOW - timedelta(hours=2)}
    make_restore(instance=make_instance("stuck"), stuck_at=NOW - timedelta(minutes=1), **running)
    make_restore(instance=make_instance("fine"), stuck_at=NOW + timedelta(minutes=1), **running)
    html = page(web, "/instances/")
    assert html.count("<bdi>Possibly stuck</bdi>") == html.count("<bdi>Restoring</bdi>") == 1
    assert "<bdi>Possibly stuck, 100%</bdi>" in page(web, "/instances/id-of-stuck/")


def test_no_restores_of_an_instance_is_not_claimed_before_its_first_sync(web):
    make_instance("synced")
    assert page(web, "/instances/").count(">None</span>") == 1
    make_instance("never", complete_to=None)
    assert page(web, "/instances/").count(">None</span>") == 1


def test_how_fresh_the_data_is_has_a_column_only_if_something_is_behind(web):
    make_instance("good", complete_to=NOW - timedelta(minutes=29))
    assert "Data complete up to (UTC)" not in page(web, "/instances/")
    assert "23 Nov 16:30" in page(web, "/instances/?sort=complete")
    make_instance("late", complete_to=NOW - timedelta(minutes=31))
    html = page(web, "/instances/")
    assert "Data complete up to (UTC)" in html
    assert "23 Nov 16:28" in html and "23 Nov 16:30" not in html
    assert html.count('class="sync-badge late"') == 1


def test_the_newest_restore_has_no_time_only_if_none_has(web):
    make_restore("r-dated", instance=make_instance("a"), created_at=NOW - timedelta(days=9))
    make_restore("r-undated", instance=make_instance("a"), created_at=None)
    make_restore("r-first", instance=make_instance("b"), created_at=None)
    make_restore("r-only", instance=make_instance("b"), created_at=None)
    html = page(web, "/instances/")
    assert "/restores/r-dated/" in html and "/restores/r-undated/" not in html
    assert "/restores/r-only/" in html and "/restores/r-first/" not in html


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
    for name, status, hours in (("a", "failed", 1), ("b", "succeed", 3), ("d", "failed", 2)):
        instance = Instance.objects.get(name=name)
        make_restore(instance=instance, status=status, created_at=NOW - timedelta(hours=hours))
    assert rows(web, "?sort=last_restore") == ["b", "d", "a", "c"]
    assert rows(web, "?sort=-last_restore") == ["a", "d", "b", "c"]
    assert rows(web, "?sort=last_status") == ["a", "d", "b", "c"]
    assert rows(web, "?sort=-last_status") == ["b", "d", "a", "c"]
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


def test_a_correction_keeps_what_else_is_wrong_to_be_asked_about_next(web):
    html = web.get("/instances/?state=problme&size=500").content.decode()
    assert '<a href="?state=problem&amp;size=500">Use “problem” instead</a>' in html
    assert '<a href="?state=problme&amp;size=200">Use “200” instead</a>' in html


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
        # The sync status has one order: problems first.
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
    with django_assert_max_num_queries(16):
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
        backup_type="auto",
        remark="before <b>",
        created_at=NOW,
        first_seen_at=NOW,
        changed_at=NOW,
    )
    html = page(web, "/instances/id-of-cart-prod/")
    for text in ("Redis 6.0", "/restores/r/", "backup_1", "2.68 GB", ">–<"):
        assert text in html
    for text in ("automatic", "before &lt;b&gt;", "never restored", 'id="backup-id-'):
        assert text in html
    body = web.get("/instances/id-of-cart-prod.json").json()
    assert [row["restore_id"] for row in body["restores"]] == ["r"]
    assert [row["backup_name"] for row in body["backups"]] == ["backup_1"]


def test_the_figures_of_an_instance_count_the_rows_they_lead_to(web):
    recovered = {"status": "failed", "recovered_at": NOW - timedelta(days=10)}
    make_restore(created_at=NOW - timedelta(days=91), **recovered)
    for number, minutes in enumerate((1, 2, 3, 4, 60)):
        created = NOW - timedelta(days=10, hours=number)
        make_restore(created_at=created, ended_at=created + timedelta(minutes=minutes))
    make_restore("r-again", created_at=NOW - timedelta(days=20), **recovered)
    make_restore("r-bad", status="failed", created_at=NOW - timedelta(days=2))
    make_restore("r-undated", status="failed", created_at=None)
    html = page(web, "/instances/id-of-cart-prod/")
    assert "<b>71.4<small>%</small></b>" in html and ">5 of 7 restores</a>" in html
    assert "<b>3:00</b>" in html and "8 in 10 take 1:24–37:36" in html
    assert "2 failures in 90 d" in html and "all recovered" not in html
    for count, text in ((7, "5 of 7"), (2, ">2</a></b>"), (9, "View all 9")):
        (url,) = re.findall(rf'href="([^"]+)">(?:{text}|{text.strip("></ab")}<)', html)
        listed = unescape(url).replace("/restores/?", "/restores.json?")
        assert web.get(listed).json()["total"] == count


def test_the_rate_is_rounded_down_and_unknown_without_restores_that_ended(web):
    make_restore(status="restoring")
    assert "no restores </small>" in page(web, "/instances/id-of-cart-prod/")
    for number in range(24):
        make_restore(created_at=NOW - timedelta(hours=number + 1))
    assert "<b>100<small>%</small></b>" in page(web, "/instances/id-of-cart-prod/")


def test_the_newest_fifty_restores_are_bars_with_links_and_the_same_in_words(web):
    for number in range(51):
        make_restore(f"r-{number}", created_at=NOW - timedelta(days=number + 1))
    make_restore("r-bad", status="failed", created_at=NOW - timedelta(hours=1))
    html = page(web, "/instances/id-of-cart-prod/")
    bars, words = html.split('class="history-bars"')[1].split("</svg>", 1)
    words = words.split("</ol>")[0]
    assert bars.count("<title>") == 50
    assert '<rect class="failed"' in bars and '<line class="median"' in bars
    assert "23 Nov 2026, 15:59:00 UTC, failed and unresolved, 6:00" in bars
    for name, shown in (("r-bad", True), ("r-0", True), ("r-48", True), ("r-49", False)):
        assert (f"/restores/{name}/" in bars) is shown
        assert (f'href="/restores/{name}/?project=' in words) is shown
    assert "49 succeeded, 1 failed and unresolved" in html


def test_one_long_restore_does_not_flatten_the_bars_of_others(web):
    for number in range(4):
        make_restore(created_at=NOW - timedelta(days=number + 1))
    make_restore(created_at=NOW - timedelta(days=6), ended_at=NOW - timedelta(days=5))
    html = page(web, "/instances/id-of-cart-prod/")
    assert "(cut at 24:00)" in html
    assert html.count('height="14.0"') == 4


def test_the_ten_newest_restores_are_listed_as_in_the_list(web):
    for number in range(12):
        make_restore(f"r-{number}", created_at=NOW - timedelta(hours=number + 1))
    html = page(web, "/instances/id-of-cart-prod/")
    listed = html.split('id="restores"')[1].split("</section>")[0]
    assert "10 newest" in listed and "View all 12" in listed
    assert listed.count('class="go"') == 10
    assert "Backup taken" in listed


def test_a_restore_in_progress_is_named_at_the_top_with_its_progress(web):
    make_restore("r-now", status="restoring", progress=81.0, created_at=NOW - timedelta(minutes=1))
    head = page(web, "/instances/id-of-cart-prod/").split('class="cols')[0]
    assert 'href="/restores/r-now/?project=' in head and "<bdi>Restoring, 81%</bdi>" in head


def test_an_instance_leads_to_its_customer_project_and_region(web):
    make_instance(project=make_project("shop & co", customer="Bankhaus Köhler"))
    html = page(web, "/instances/id-of-cart-prod/")
    for url in (
        "/instances/?customer=Bankhaus+K%C3%B6hler",
        "/instances/?project=shop+%26+co",
        "/restores/?region=eu-de",
    ):
        assert f'href="{url}"' in html
        assert web.get(url).status_code == 200
    assert 'data-copy="instance-id"' in html


@pytest.mark.parametrize(
    ("given", "expected", "more"),
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
def test_no_restores_is_explained_in_three_ways(web, given, expected, more):
    make_instance(**given)
    html = page(web, "/instances/id-of-cart-prod/")
    explanations = (
        "No restores up to",
        "Can’t tell yet",
        "Not monitored",
    )
    assert [one for one in explanations if one in html] == [
        one for one in explanations if one in expected
    ]
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
