"""The coverage page: what is known until when, and what to do about the rest."""

import re
from datetime import timedelta

import pytest
import time_machine

from restores.formatting import format_interval
from restores.sync_errors import describe_kind
from tests.factories import NOW, make_account, make_instance, make_project


def page(web, query=""):
    response = web.get(f"/sync-status/{query}")
    assert response.status_code == 200
    return response.content.decode()


def twin(web, query=""):
    return web.get(f"/sync-status.json{query}").json()


def test_both_promises_are_stated(web):
    html = page(web)
    assert "within 15 seconds" in html
    assert "next sync</strong>" in html


def test_a_fault_comes_with_words_since_when_what_to_do_and_the_request_id(web):
    make_instance(
        sync_error_kind="bad_answer",
        sync_error_message="total_num is <b>-1</b>",
        sync_error_since=NOW,
        sync_error_request_id="req-1",
    )
    html = page(web)
    for said in ("Invalid response", "total_num is &lt;b&gt;-1", "req-1", "16:59:00 UTC"):
        assert said in html
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
def test_every_kind_of_fault_has_a_word_and_advice(kind):
    words = describe_kind(kind)
    assert words.label
    assert "_" not in words.label
    assert words.advice.endswith(".")


def test_trouble_comes_first(web):
    make_instance("a-good")
    make_instance("b-late", complete_to=NOW - timedelta(hours=1))
    make_instance("c-never_synced", complete_to=None)
    make_instance("d-bad", sync_error_kind="unreachable")
    make_instance("e-single", single_node=True, complete_to=None)
    names = [row["instance_name"] for row in twin(web)["instances"]]
    assert names == ["d-bad", "c-never_synced", "b-late", "a-good", "e-single"]


def test_an_accounts_fault_is_told_of_its_projects_and_instances(web):
    account = make_account(
        "bank", sync_error_kind="credentials", sync_error_message="no", sync_error_since=NOW
    )
    make_instance(project=make_project("bank-core", account=account))
    fault = {"class": "credentials", "since": "2026-11-23T16:59:00Z", "text": "no"}
    for part in ("accounts", "projects", "instances"):
        assert twin(web)[part][0]["sync_error"] == fault | {"request_id": None}


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
def test_a_project_is_complete_to_the_oldest_proof_of_its_healthy_instances(
    web, instances, complete_to
):
    for number, given in enumerate(instances):
        make_instance(f"i-{number}", **given)
    assert twin(web)["projects"][0]["complete_to"] == complete_to


def test_a_project_whose_instances_were_never_listed_is_complete_to_nothing(web):
    make_project(listed_at=None)
    assert twin(web)["projects"][0]["complete_to"] is None
    assert "Not synced yet" in page(web)


def test_a_project_removed_from_the_file_stays_and_says_so(web):
    make_instance(project=make_project("old", monitored=False))
    assert "No longer monitored" in page(web)
    monitored = {row["name"]: row["monitored"] for row in twin(web)["projects"]}
    assert monitored["old"] is False


def test_single_node_instances_are_counted_apart(web):
    make_instance("a")
    make_instance("b", single_node=True)
    assert "1 <small>(+1 single-node, not synced)</small>" in page(web)
    project = twin(web)["projects"][0]
    assert (project["instances"], project["single_node_instances"]) == (1, 1)


def test_the_page_can_be_narrowed_to_a_project(web):
    make_instance("mine", project=make_project("one"))
    make_instance("other", project=make_project("two"))
    assert [row["instance_name"] for row in twin(web, "?project=one")["instances"]] == ["mine"]


def test_with_nothing_to_watch_the_page_still_answers(web):
    assert "You don’t have access to any projects yet" in page(web)


def test_intervals_are_written_as_in_the_projects_file():
    assert [format_interval(seconds) for seconds in (90, 900, 3600, 7200)] == [
        "90 s",
        "15 min",
        "1 h",
        "2 h",
    ]


def states(web, query):
    return {row["instance_name"] for row in twin(web, query)["instances"]}


def test_instances_can_be_narrowed_to_how_far_they_are_known(web):
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


def test_a_narrowed_coverage_has_one_address_and_shows_what_is_chosen(web):
    make_instance("bad", sync_error_kind="unreachable")
    response = web.get("/sync-status/?state=never_synced&state=problem&state=problem&q=")
    assert response.headers["Location"] == "/sync-status/?state=never_synced&state=problem"
    html = page(web, "?state=problem")
    assert 'name="state" value="problem" checked' in html
    assert 'name="state" value="complete">' in html


def test_a_state_that_nobody_knows_is_400_with_what_is_allowed(web):
    make_instance("cart-prod")
    assert web.get("/sync-status/?state=problem&state=%3Cb%3E").status_code == 400
    response = web.get("/sync-status.json?state=nope")
    assert response.status_code == 400
    error = response.json()["errors"][0]
    assert error["param"] == "state"
    assert "problem, never_synced, complete" in error["reason"]
    assert web.get("/instances/?state=problem").status_code == 200


def test_an_account_says_how_its_calls_are_used(web):
    with time_machine.travel(NOW, tick=False):
        soon, rest = NOW + timedelta(seconds=2.1), NOW + timedelta(minutes=5)
        make_project("a", account=make_account("busy", reserved_until=soon))
        make_project("b", account=make_account("idle", reserved_until=NOW, paused_until=NOW))
        make_project("c", account=make_account("refused", paused_until=rest, refusals=2))
        html, (busy, idle, refused) = page(web), twin(web)["accounts"]
    for said in ("3 s <small>(until", "\nnone\n", "\npaused\n", "paused until"):
        assert html.count(said) == 1
    assert busy["booked_until"] == "2026-11-23T16:59:02.100Z"
    assert idle["booked_until"] is idle["paused_until"] is None
    assert (refused["refusals"], refused["paused_until"]) == (2, "2026-11-23T17:04:00Z")


def test_a_request_id_can_be_copied_and_each_has_its_own_name(web):
    fault = {"sync_error_kind": "bad_answer", "sync_error_request_id": "req-1"}
    account = make_account("bank", **fault)
    make_instance(project=make_project("core", account=account, **fault), **fault)
    html = page(web)
    names = re.findall(r'data-copy="(request-[a-z]+-\d+)"', html)
    assert len(names) == len(set(names)) == 3
    assert all(html.count(f'id="{name}">req-1<') == 1 for name in names)
