"""The sync status page: what is complete up to when, and what to do about the rest."""

import re
from datetime import timedelta

import pytest
import time_machine

from restores.sync_errors import describe_kind
from tests.factories import NOW, make_account, make_instance, make_project


def page(web, query=""):
    response = web.get(f"/sync-status/{query}")
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def json_of(web, query=""):
    return web.get(f"/sync-status.json{query}").json()


def test_both_delays_are_stated(web):
    html = page(web)
    assert "within 15 seconds" in html
    assert "next sync</strong>" in html


def test_a_sync_error_has_a_label_a_time_advice_and_the_request_id(web):
    make_instance(
        sync_error_kind="bad_answer",
        sync_error_message="total_num is <b>-1</b>",
        sync_error_since=NOW,
        sync_error_request_id="req-1",
    )
    html = page(web)
    for text in ("Invalid response", "total_num is &lt;b&gt;-1", "req-1", "16:59:00 UTC"):
        assert text in html
    assert "Send the message and the request ID to the provider" in html


@pytest.mark.parametrize(
    "kind",
    [
        "credentials",
        "permission",
        "throttled",
        "unreachable",
        "bad_answer",
        "gone",
        "not_offered",
        "clock",
        "parked",
        "never_heard_of",
    ],
)
def test_every_kind_of_sync_error_has_a_label_and_advice(kind):
    words = describe_kind(kind)
    assert words.label
    assert "_" not in words.label
    assert words.advice.endswith(".")


def test_problems_come_first(web):
    make_instance("a-good")
    make_instance("b-late", complete_to=NOW - timedelta(hours=1))
    make_instance("c-never_synced", complete_to=None)
    make_instance("d-bad", sync_error_kind="unreachable")
    make_instance("e-single", single_node=True, complete_to=None)
    names = [row["instance_name"] for row in json_of(web)["instances"]]
    assert names == ["d-bad", "c-never_synced", "b-late", "a-good", "e-single"]


def test_an_accounts_error_shows_on_its_projects_and_instances(web):
    account = make_account(
        "bank", sync_error_kind="credentials", sync_error_message="no", sync_error_since=NOW
    )
    make_instance(project=make_project("bank-core", account=account))
    error = {"class": "credentials", "since": "2026-11-23T16:59:00Z", "text": "no"}
    for part in ("accounts", "projects", "instances"):
        assert json_of(web)[part][0]["sync_error"] == error | {"request_id": None}


@pytest.mark.parametrize(
    ("instances", "complete_to"),
    [
        ([{}, {"complete_to": NOW - timedelta(minutes=5)}], "2026-11-23T16:54:00Z"),
        ([{}, {"complete_to": None}], None),
        ([{}, {"complete_to": None, "single_node": True}], "2026-11-23T16:59:00Z"),
        ([{}, {"complete_to": None, "deleted_at": NOW}], "2026-11-23T16:59:00Z"),
        (
            [{}, {"complete_to": NOW - timedelta(hours=2), "sync_error_kind": "bad_answer"}],
            "2026-11-23T16:59:00Z",
        ),
        ([{"complete_to": NOW, "sync_error_kind": "bad_answer"}], None),
        ([{"complete_to": NOW + timedelta(minutes=9)}], "2026-11-23T16:59:00Z"),
    ],
)
def test_a_project_is_complete_to_the_oldest_of_its_healthy_instances(web, instances, complete_to):
    for number, given in enumerate(instances):
        make_instance(f"i-{number}", **given)
    assert json_of(web)["projects"][0]["complete_to"] == complete_to


def test_a_project_whose_instances_were_never_listed_is_not_complete(web):
    make_project(listed_at=None)
    assert json_of(web)["projects"][0]["complete_to"] is None
    assert "Not synced yet" in page(web)


def test_a_project_removed_from_the_projects_file_stays_and_is_marked(web):
    make_instance(project=make_project("old", monitored=False))
    assert "No longer monitored" in page(web)
    monitored = {row["name"]: row["monitored"] for row in json_of(web)["projects"]}
    assert monitored["old"] is False


def test_single_node_instances_are_counted_separately(web):
    make_instance("a")
    make_instance("b", single_node=True)
    assert "1 <small>(+1 single-node, not synced)</small>" in page(web)
    project = json_of(web)["projects"][0]
    assert (project["instances"], project["single_node_instances"]) == (1, 1)


def test_instances_can_be_filtered_by_project(web):
    make_instance("mine", project=make_project("one"))
    make_instance("other", project=make_project("two"))
    assert [row["instance_name"] for row in json_of(web, "?project=one")["instances"]] == ["mine"]


def test_the_page_works_without_any_project(web):
    assert "You don’t have access to any projects yet" in page(web)


def states(web, query):
    return {row["instance_name"] for row in json_of(web, query)["instances"]}


def test_instances_can_be_filtered_by_state(web):
    make_instance("good")
    make_instance("never", complete_to=None)
    make_instance("bad", sync_error_kind="unreachable")
    make_instance("single", single_node=True)
    account = make_account("bank", sync_error_kind="credentials")
    make_instance("held", project=make_project("core", account=account))
    assert states(web, "?state=complete") == {"good"}
    assert states(web, "?state=never_synced") == {"never"}
    assert states(web, "?state=problem") == {"bad", "held"}
    assert states(web, "?state=problem&state=never_synced&project=core") == {"held"}
    assert states(web, "?state=") == {"good", "never", "bad", "single", "held"}


def test_a_filtered_page_has_one_url_and_shows_the_filter(web):
    make_instance("bad", sync_error_kind="unreachable")
    response = web.get("/sync-status/?state=never_synced&state=problem&state=problem&q=")
    assert response.headers["Location"] == "/sync-status/?state=never_synced&state=problem"
    html = page(web, "?state=problem")
    assert 'name="state" value="problem" checked' in html
    assert 'name="state" value="complete">' in html


def test_an_unknown_state_is_400_with_the_valid_ones(web):
    make_instance("cart-prod")
    assert web.get("/sync-status/?state=problem&state=%3Cb%3E").status_code == 400
    response = web.get("/sync-status.json?state=nope")
    assert response.status_code == 400
    error = response.json()["errors"][0]
    assert error["param"] == "state"
    assert "problem, never_synced, complete" in error["reason"]
    assert web.get("/instances/?state=problem").status_code == 200


def test_an_account_shows_its_queue_of_calls(web):
    with time_machine.travel(NOW, tick=False):
        soon, rest = NOW + timedelta(seconds=2.1), NOW + timedelta(minutes=5)
        make_project("a", account=make_account("busy", reserved_until=soon))
        make_project("b", account=make_account("idle", reserved_until=NOW, paused_until=NOW))
        make_project("c", account=make_account("refused", paused_until=rest, refusals=2))
        html, (busy, idle, refused) = page(web), json_of(web)["accounts"]
    for text in (
        "3 s <small>(until",
        "Queue:</span> none </td>",
        "Queue:</span> paused </td>",
        "paused until",
    ):
        assert html.count(text) == 1
    assert busy["booked_until"] == "2026-11-23T16:59:02.100Z"
    assert idle["booked_until"] is idle["paused_until"] is None
    assert (refused["refusals"], refused["paused_until"]) == (2, "2026-11-23T17:04:00Z")


def test_each_request_id_has_its_own_copy_button(web):
    error = {"sync_error_kind": "bad_answer", "sync_error_request_id": "req-1"}
    account = make_account("bank", **error)
    make_instance(project=make_project("core", account=account, **error), **error)
    html = page(web)
    names = re.findall(r'data-copy="(request-[a-z]+-\d+)"', html)
    assert len(names) == len(set(names)) == 3
    assert all(html.count(f'id="{name}">req-1<') == 1 for name in names)
