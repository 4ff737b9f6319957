"""The sync status page: how current everything is, and what to do about problems."""

import re
from datetime import timedelta

import pytest
import time_machine

from restores.models import Heartbeat, Project
from restores.sync_errors import describe_kind
from tests.factories import NOW, make_account, make_instance, make_project


def page(web, query=""):
    response = web.get(f"/sync-status/{query}")
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def json_of(web, query=""):
    return web.get(f"/sync-status.json{query}").json()


def test_both_delays_are_stated(web):
    make_instance()
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


def problems(web):
    """The titles of the cards, the worst first, without white space."""
    return re.findall(r'<h2 id="problem-\d+">.*?<bdi>(.*?)</bdi>', page(web))


def test_problems_are_cards_the_worst_first_and_each_once(web):
    refused = make_account("bank", sync_error_kind="credentials", sync_error_since=NOW)
    core = {"account": refused, "sync_error_kind": "credentials"}
    make_instance("held", project=make_project("core", **core), sync_error_kind="credentials")
    make_instance("kept", project=make_project("books", account=refused))
    unreachable = {"sync_error_kind": "unreachable", "sync_error_since": NOW}
    for name in ("pay", "cash"):
        make_instance(name, project=make_project(name, **unreachable))
    make_instance("a", sync_error_kind="parked", sync_error_since=NOW)
    make_instance("b", sync_error_kind="bad_answer")
    make_instance("c", sync_error_kind="bad_answer")
    make_project("new", listed_at=None)
    clock = make_account("late", sync_error_kind="clock")
    make_instance("fine", project=make_project("fine", account=clock))
    make_instance("old", project=make_project("old", monitored=False, **unreachable))
    assert problems(web) == [
        "Credentials rejected: account bank",
        "Unreachable: 2 projects of account shop",
        "Invalid response: 2 instances of project shop-prod",
        "Syncs paused: instance a",
        "Instances not loaded yet: project new",
        "Clock skew: account late",
    ]


def test_a_problem_says_what_is_affected_since_when_and_who_is_to_act(web):
    account = make_account(
        "bank",
        sync_error_kind="credentials",
        sync_error_message="password is <wrong>",
        sync_error_since=NOW - timedelta(minutes=32),
        sync_error_request_id="req-1",
    )
    for name, owner in (("core", "Platform"), ("books", "DBA"), ("p3", ""), ("p4", "DBA")):
        project = make_project(name, account=account, owner=owner)
        make_instance(name, project=project, complete_to=NOW - timedelta(hours=1))
    make_instance("new", project=Project.objects.get(name="core"), complete_to=None)
    with time_machine.travel(NOW, tick=False):
        html = page(web)
    lines = [
        "Credentials rejected: account bank",
        "Since: 23 Nov 2026, 16:27:00 UTC (32 min)",
        "Affected: 5 instances in 4 projects: books, core, p3 and 1 more. Data complete only up to "
        "23 Nov 2026, 15:59:00 UTC: later restores may be missing. 1 instance has never been "
        "synced.",
        "Message: password is &lt;wrong&gt;",
        "Request ID: req-1",
        f"What to do: {describe_kind('credentials').advice}",
        "Owner: DBA, Platform",
        "/sync-status/?project=books&amp;project=core&amp;project=p3&amp;project=p4&amp;state=problem",
    ]
    (text,) = re.findall(r'<pre id="problem-text-1"[^>]*>(.*?)</pre>', html)
    at = [text.find(line) for line in lines]
    assert at == sorted(at) and -1 not in at, text
    assert 'data-copy="problem-text-1"' in html
    assert "since 23 Nov 2026, 16:27:00 UTC (32 min)" in html


def test_a_problem_leads_to_the_instances_that_it_is_about(web):
    make_instance("good")
    make_instance("bad-1", sync_error_kind="unreachable")
    make_instance("bad-2", sync_error_kind="unreachable")
    (url,) = re.findall(r'href="(\?[^"]+)#instances">Show the instances', page(web))
    assert states(web, url.replace("&amp;", "&")) == {"bad-1", "bad-2"}
    assert 'id="instances" open' in page(web, url.replace("&amp;", "&"))


def test_paging_and_filtering_the_instances_stay_at_them(web):
    for number in range(21):
        make_instance(f"i-{number}")
    html = page(web, "?page=2&size=10")
    for query in ("?size=10", "?page=3&amp;size=10"):
        assert f'href="{query}#instances"' in html
    assert 'action="#instances"' in html and 'id="instances" open' in html


def test_thousands_of_errors_are_few_cards_and_few_queries(web, django_assert_max_num_queries):
    for number in range(30):
        account = make_account(f"account-{number}")
        for kind in ("unreachable", "bad_answer"):
            project = make_project(f"{kind}-{number}", account=account)
            make_instance(f"{kind}-{number}", project=project, sync_error_kind=kind)
    with django_assert_max_num_queries(16):
        assert len(problems(web)) == 20
    assert "and 40 more problems: see the instances" in page(web)


def test_what_is_up_to_date_is_one_line(web):
    for name, minutes in (("a", 2), ("b", 5)):
        at = NOW - timedelta(minutes=minutes)
        make_instance(name, project=make_project(name), complete_to=at)
    make_instance("never", project=make_project("c"), complete_to=None)
    make_instance("bad", project=make_project("d"), sync_error_kind="unreachable")
    make_project("old", monitored=False)
    html = page(web)
    # The fifth has no instances.
    assert "3 of 5 projects up to date" in html
    assert "2 instances, all complete up to" in html and "16:54:00 UTC</time>" in html
    assert "· 1 not synced yet · 1 no longer monitored" in html


def test_without_problems_the_page_says_so(web):
    make_instance()
    assert "No problems" in page(web) and not problems(web)
    Heartbeat.objects.create(pk=Heartbeat.TICK_FINISHED, at=NOW)
    html = page(web)
    assert "No problems" not in html and ">Stopped</span>" in html


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


def test_without_any_project_the_page_says_what_to_do(web, client, django_user_model):
    html = page(web)
    assert "No projects yet" in html and "projects file" in html
    client.force_login(django_user_model.objects.create_user("new"))
    assert "You don’t have access to any projects yet" in page(client)


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
    for text in ("queue: 3 s (until", "paused until", "2 rejected logins in a row"):
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
