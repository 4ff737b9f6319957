"""The page of one restore, and its JSON."""

import re
from datetime import timedelta
from html import escape, unescape

import pytest
import time_machine
from django.http import QueryDict
from django.urls import reverse

from restores.models import Backup, Restore
from restores.views.navigation import list_query
from tests.factories import (
    NOW,
    make_account,
    make_instance,
    make_observation,
    make_project,
    make_restore,
)

ODD = ["../x", "a?b#c", "%2e", "..", ".", "a/b", "x" * 128, "恢复-🧊", "a b", "~", "x.json"]
HOSTILE = "<script>alert(1)</script>\n\"><img src=x onerror=alert(1)>\u202e'{{ 7 }}"
FAILED = {"status": "failed", "error_code": "dcs.08.0007", "progress": 63.0}


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


def page_of(web, restore_id, query=""):
    response = web.get(reverse("restore-detail", args=[restore_id]) + query)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def json_of(web, restore_id, query=""):
    return web.get(reverse("restore-detail-json", args=[restore_id]) + query).json()


def observe(restore, minutes, status, progress, after=None):
    at = restore.created_at + timedelta(minutes=minutes)
    seen_after = at - after if after else None
    make_observation(restore, at, seen_after=seen_after, status=status, progress=progress)


def test_a_failure_is_explained_with_advice_and_a_customer_message(web):
    make_restore("r", **FAILED)
    html = page_of(web, "r")
    assert "Failed on 23 Nov 2026 at 16:05:00 UTC after 6 min, during data synchronization" in html
    assert "What to do: verify the data before retrying" in html
    instruction = "Compare the key count and memory usage with the backup."
    assert f"<li><strong>{instruction}</strong> High severity: the instance may contain" in html
    assert "Data at risk <b>yes</b>" in html
    assert "The restore of your instance cart-prod did not complete; it" in html


def test_a_failure_counts_those_with_its_code_within_an_hour_and_links_to_them(web):
    failed = make_restore("r", **FAILED)
    for name, ended in (("near", 1), ("before", -59), ("next day", 24 * 60)):
        minutes = timedelta(minutes=ended)
        make_restore(
            name,
            created_at=failed.created_at + minutes,
            ended_at=failed.ended_at + minutes,
            **FAILED,
        )
    make_restore("another code", **FAILED | {"error_code": "dcs.08.0001"})
    html = page_of(web, "r")
    assert "<strong>2 more restores</strong> failed with this code within an hour" in html
    [query] = re.findall(r'href="/restores/([^"]*)">View them', html)
    listed = web.get("/restores.json" + unescape(query)).json()["restores"]
    assert {row["restore_id"] for row in listed} == {"r", "near", "before"}
    failed.ended_at += timedelta(hours=3)
    failed.save()
    assert "failed with this code within an hour" not in page_of(web, "r")


@pytest.mark.parametrize(
    ("given", "badge", "icon"),
    [
        (FAILED, "Failed · unresolved", "failed"),
        (FAILED | {"recovered_at": NOW}, "Failed → recovered 16:59", "recovered"),
        (FAILED | {"recovered_at": NOW + timedelta(days=1)}, "recovered 24 Nov 16:59", "recovered"),
        ({"status": "restoring", "stuck_at": None}, "Restoring", "running"),
        ({"status": "waiting", "stuck_at": NOW}, "Possibly stuck", "stuck"),
        ({"status": "rolling_back"}, "rolling_back", "unknown"),
        ({}, "Succeeded", "done"),
    ],
)
def test_the_head_the_title_and_the_favicon_state_the_outcome(web, given, badge, icon):
    make_restore("r", **given)
    html = page_of(web, "r")
    head = html[html.index('<div class="title">') : html.index("</ul>")]
    assert ">cart-prod<" in head and f"{badge}</bdi>" in head
    assert f"{badge} · cart-prod · DCS Restores</title>" in html
    assert re.search(rf'rel="icon" href="/static/favicons/{icon}[.\w]*svg"', html)
    # A change of this element is read aloud.
    assert re.search(rf'role="status" id="outcome">cart-prod: .*{badge}</p>', html)


def test_the_chips_lead_to_what_they_name(web):
    make_restore("r", backup_id="b", backup_taken_at=NOW - timedelta(hours=15))
    html = page_of(web, "r")
    for query in ("customer=Shopwell", "project=shop-prod", "region=eu-de", "ids=b"):
        assert f'href="/restores/?{query}&amp;asof=2026-11-23T16:59:00Z"' in html
    assert "<bdi>Backup 23 Nov 01:59</bdi>" in html
    assert 'data-copy-text="r"' in html


def test_the_providers_console_is_linked_if_the_project_has_one(web):
    make_restore("plain", **FAILED)
    url = "https://{region}.console.example/?p={project_id}#/{instance_id}"
    project = make_project("a&b", console_url=url, owner="Caching team", region="eu-de/")
    make_restore(
        "r", instance=make_instance("x", instance_id="1/2 {region}", project=project), **FAILED
    )
    html = page_of(web, "r")
    target = "https://eu-de%2F.console.example/?p=project-of-a%26b#/1%2F2%20%7Bregion%7D"
    assert f'href="{target}" rel="noreferrer">Provider’s console</a>' in html
    assert "Project owner <b><bdi>Caching team</bdi></b>" in html
    plain = page_of(web, "plain")
    assert "Provider’s console" not in plain and "Project owner" not in plain


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (FAILED, "at 63% progress."),
        ({"status": "succeed", "progress": 97.5}, "The provider still reports 97.5% progress."),
        ({"status": "restoring", "progress": None}, "no progress reported"),
        ({"status": "restoring", "progress": 42.0}, "42% complete"),
    ],
)
def test_the_summary_states_the_progress(web, given, text):
    make_restore("r", **given)
    assert text in page_of(web, "r")


def test_the_curve_is_drawn_only_if_progress_was_observed_to_rise(web):
    for restore_id, levels in {"rising": (25.0, 50.0), "flat": (0.0, 0.0)}.items():
        restore = make_restore(restore_id, status="restoring", progress=levels[-1])
        for minutes, progress in enumerate(levels, 1):
            observe(restore, minutes, "restoring", progress)
    assert '<figure class="curve">' in page_of(web, "rising")
    assert '<figure class="curve">' not in page_of(web, "flat")


def test_a_restore_is_compared_with_the_earlier_ones_of_its_instance(web):
    for number in range(1, 5):
        created = NOW - timedelta(days=number)
        make_restore(created_at=created, restoring_by=created + timedelta(seconds=5))
    make_restore(**FAILED, created_at=NOW - timedelta(days=9))
    created = NOW - timedelta(hours=1)
    make_restore("r", created_at=created, restoring_by=created + timedelta(seconds=20))
    html = page_of(web, "r")
    assert "6 min; usually takes 6 min" in html and "20 s; usually takes" in html
    assert "<dd>1 of 5</dd>" in html
    assert "Compared with usual" not in page_of(
        web, Restore.objects.earliest("created_at").restore_id
    )


def test_an_unknown_code_is_shown_verbatim_and_called_unknown(web):
    make_restore("r", status="failed", error_code="dcs.09.9999")
    html = page_of(web, "r")
    assert 'Unknown error code <bdi class="mono">dcs.09.9999</bdi>' in html


def test_an_unknown_status_is_shown_verbatim(web):
    make_restore("r", status="rolling_back", progress=12.0)
    html = page_of(web, "r")
    assert "<bdi>rolling_back</bdi>" in html
    assert "The provider reports an unknown status, “rolling_back”." in html


def test_absent_values_are_dashes(web):
    make_restore("r", restore_name="", progress=None, updated_at=None, ended_at=None, duration=None)
    html = page_of(web, "r")
    assert html.count(">–<") >= 5
    for nothing in ("None", "{}</", "null"):
        assert f">{nothing}<" not in html


def test_untrusted_text_is_escaped_isolated_and_keeps_its_lines(web):
    names = ("restore_name", "backup_name", "restore_remark", "backup_remark")
    instance = make_instance(HOSTILE, instance_id="i", engine=HOSTILE)
    hostile = dict.fromkeys((*names, "status", "error_code"), HOSTILE)
    make_restore("r", instance=instance, raw=HOSTILE, **hostile)
    make_restore("f", instance=instance, raw=HOSTILE, **hostile | {"status": "failed"})
    for restore_id in ("r", "f"):
        html = web.get(reverse("restore-detail", args=[restore_id])).content.decode()
        assert "<script>alert" not in html
        assert "<img" not in html
        assert f'<bdi class="text" id="restore-remark">{escape(HOSTILE)}</bdi>' in html
    assert "<script>alert" not in web.get(reverse("instance-detail", args=["i"])).content.decode()


def test_the_start_and_the_downtime_are_ranges_between_syncs(web):
    created = NOW - timedelta(hours=1)
    make_restore(
        "r",
        created_at=created,
        restoring_after=created + timedelta(seconds=19),
        restoring_by=created + timedelta(seconds=29),
    )
    html = page_of(web, "r")
    assert "<b>Queued 19–29 s</b>" in html and "<b>Restoring about 5 min</b>" in html
    assert "until 15:59:19 – 15:59:29" in " ".join(re.sub(r"<[^>]+>", "", html).split())
    assert "5 min 31 s – 5 min 41 s" in html
    assert "inferred from the restore, not measured" in html


def test_each_observation_states_the_syncs_it_fell_between(web):
    restore = make_restore("r")
    observe(restore, 1, "waiting", 0.0)
    observe(restore, 2, "restoring", 25.0, after=timedelta(seconds=9))
    observe(restore, 3, "restoring", 30.0, after=timedelta(days=1))
    html = page_of(web, "r")
    assert ">23 Nov, 16:00:00</time> </td>" in html
    assert "3 changes of status or progress" in html
    text = " ".join(re.sub(r"<[^>]+>", "", html).split())
    assert "23 Nov, 16:01:00 after 16:00:51" in text
    assert "23 Nov, 16:02:00 after 22 Nov 2026, 16:02:00" in text


def test_a_restore_without_observations_says_so(web):
    make_restore("r")
    assert "No changes observed" in page_of(web, "r")


def test_times_are_in_utc_and_in_the_customers_time_zone(web):
    project = make_project(time_zone="Asia/Tokyo")
    make_restore("r", instance=make_instance(project=project))
    html = page_of(web, "r")
    assert '<time datetime="2026-11-23T16:05:00Z">23 Nov 2026, 16:05:00 UTC</time>' in html
    assert "finished 24 Nov, 01:05:00 Tokyo" in html


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc", "", "UTC"])
def test_an_unknown_time_zone_shows_utc_only(web, zone):
    make_restore("r", instance=make_instance(project=make_project(time_zone=zone)))
    assert "Customer’s time" not in page_of(web, "r")


def test_the_recovery_point_comes_from_the_backup_and_never_from_its_name(web):
    make_restore("r", backup_name="backup_20261122020000")
    make_restore("s", backup_taken_at=NOW - timedelta(hours=15))
    assert "backup not found" in page_of(web, "r")
    html = page_of(web, "s")
    assert "01:59:00 UTC" in html
    assert "14 h before this restore" in html


def test_a_sync_error_says_since_when_why_and_how_old_the_data_is(web):
    account = make_account(
        sync_error_kind="credentials",
        sync_error_message="APIGW.0301",
        sync_error_since=NOW - timedelta(minutes=9),
    )
    instance = make_instance(
        project=make_project(account=account), complete_to=NOW - timedelta(minutes=10)
    )
    make_restore("r", instance=instance)
    html = page_of(web, "r")
    assert "Credentials rejected</strong> since" in html
    assert "16:50:00 UTC</time>: <bdi>APIGW.0301</bdi>. Showing data from" in html
    assert "16:49:00 UTC</time>" in html


def test_while_syncs_fail_the_summary_is_about_the_last_sync(web):
    instance = make_instance(
        complete_to=NOW - timedelta(minutes=30), sync_error_kind="unreachable", sync_error_since=NOW
    )
    make_restore("r", instance=instance, status="restoring", created_at=NOW - timedelta(minutes=33))
    assert "Running for 3 min" in page_of(web, "r")


def test_while_syncs_fail_every_page_and_export_is_about_the_last_sync(web):
    """It was seen waiting for three minutes; whether it still is can't be known."""
    asleep = make_instance(sync_error_kind="unreachable", complete_to=NOW - timedelta(minutes=30))
    created = NOW - timedelta(minutes=33)
    make_restore("r", instance=asleep, status="waiting", created_at=created, changed_at=created)
    assert "Queued for 3 min" in page_of(web, "r")
    assert "Queued for 3 min" in web.get("/restores/r.md").content.decode()
    for path in ("/restores/", "/", "/restores/r/", "/restores.md"):
        html = web.get(path).content.decode()
        assert "Still queued after" not in html and "<bdi>Possibly stuck" not in html, path
        assert "33:00" not in html and "data-since" not in html, path


def test_an_error_that_blocks_nothing_makes_no_restore_stale(web):
    make_restore("r", instance=make_instance(project=make_project(sync_error_kind="clock")))
    assert "Showing data from" not in page_of(web, "r")
    assert json_of(web, "r")["stale"] is False


def test_a_restore_that_ended_before_it_was_created_has_no_duration(web):
    created = NOW - timedelta(hours=1)
    make_restore("r", **FAILED, created_at=created, ended_at=created - timedelta(minutes=2),
                 restoring_after=created, duration=None)  # fmt: skip
    html = page_of(web, "r")
    assert "up to 0" not in html
    assert "the reported times are inconsistent" in html
    assert json_of(web, "r")["restoring_seconds_max"] is None


def test_a_failure_without_a_creation_time_is_compared_with_no_other(web):
    make_restore("later")
    make_restore("r", **FAILED, created_at=None)
    html = page_of(web, "r")
    assert "First recorded restore" not in html
    assert "restored successfully since" not in html
    assert "whether a later restore worked" in html


def test_a_recovered_failure_needs_no_action(web):
    make_restore("r", **FAILED, recovered_at=NOW)
    html = page_of(web, "r")
    assert "Why it failed: Data sync failed; data may be partial" in html
    assert "What to do:" not in html and "then retry" not in html
    assert "No action needed: a later restore succeeded." in html
    assert "Retry <b>" not in html


def test_fresh_data_is_dated_in_two_short_lines(web):
    seen, due = NOW - timedelta(minutes=9), NOW + timedelta(minutes=6)
    instance = make_instance(complete_to=seen, synced_at=seen, next_sync_at=due)
    make_restore("r", instance=instance)
    html = page_of(web, "r")
    line = html[html.index("<dt>Last synced") : html.index("</dl>")]
    text = " ".join(re.sub(r"<[^>]+>", "", line).split())
    assert text == "Last synced 16:50:00 UTC next 17:05:00 UTC"
    head = html[html.index('<ul class="sync-messages">') : html.index('<div class="actions">')]
    text = " ".join(re.sub(r"<[^>]+>", "", head).split())
    assert text == "Data complete up to 23 Nov 16:50 UTC"


def test_an_overdue_sync_is_mentioned_even_without_an_error(web):
    make_restore("r", instance=make_instance(complete_to=NOW - timedelta(minutes=31)))
    make_restore("s", instance=make_instance("fresh", complete_to=NOW - timedelta(minutes=29)))
    assert "Sync overdue" in page_of(web, "r")
    assert "Sync overdue" not in page_of(web, "s")


def test_a_restore_missing_from_the_latest_sync_is_marked(web):
    seen = NOW - timedelta(minutes=1)
    instance = make_instance(complete_to=seen, synced_at=seen)
    make_restore("r", instance=instance, missing_since=seen)
    assert "Missing from the latest sync. Showing data from" in page_of(web, "r")


def test_a_restore_removed_upstream_stays_and_says_since_when(web):
    make_restore("r", removed_upstream_at=NOW, missing_since=NOW - timedelta(minutes=15))
    html = page_of(web, "r")
    assert "No longer listed by the provider" in html
    assert "removed by" in html


def test_restores_of_the_same_instance_and_backup_are_linked(web):
    make_restore("r", backup_id="b")
    make_restore("elsewhere", backup_id="b", instance=make_instance("other"))
    make_restore("earlier", created_at=NOW - timedelta(days=1))
    html = page_of(web, "r")
    assert reverse("restore-detail", args=["elsewhere"]) in html
    instance = f'<a href="{reverse("instance-detail", args=["id-of-other"])}"> <bdi>other</bdi>'
    assert instance in " ".join(html.split())
    assert reverse("restore-detail", args=["earlier"]) in html
    assert "/restores/?project=shop-prod&amp;instance=id-of-cart-prod" in html


def test_the_back_link_leads_to_the_exact_list(web):
    make_restore("r")
    query = "?instance=id-of-cart-prod&status=failed&from=2026-11-20T00:00:00Z"
    anchored = f"{query}&asof=2026-11-23T16:59:00Z&page=3"
    assert f'href="/restores/{escape(anchored)}"' in page_of(web, "r", f"{query}&page=3")
    assert 'href="/restores/?asof=2026-11-23T16:59:00Z">Restores</a> </nav>' in page_of(web, "r")


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("?status=failed&from=now-24h", "last 24 hours, failed</bdi></a> · 2 of 3"),
        ("?status=failed&recovered=no&sort=created", "unresolved</bdi></a> · 2 of 3"),
        ("?q=r2&project=shop-prod", "shop-prod, “r2”</bdi></a> · 1 of 1"),
        ("?from=yesterdayish&status=failed", "back to your list</bdi></a> </nav>"),
        ("?status=waiting&status=restoring", "in progress</bdi></a> </nav>"),
        (
            "?on=ended&from=now-24h&code=any",
            "finished last 24 hours, any error code</bdi></a> · 2 of 3",
        ),
        ("?sort=created", ">Restores</a> </nav>"),
    ],
)
def test_the_back_link_names_the_filters_and_the_position(web, query, text):
    for number in range(4):
        created = NOW - timedelta(hours=number + 1)
        make_restore(f"r{number}", created_at=created, **FAILED if number else {})
    assert text in page_of(web, "r2", query)


def test_a_shared_id_lists_its_restores_and_each_choice_leads_to_one(web):
    make_restore("r", instance=make_instance(project=make_project("one")))
    make_restore("r", instance=make_instance(project=make_project("two")), **FAILED)
    html = page_of(web, "r", "?status=failed")
    assert "2 restores share the ID" in html
    chosen = "/restores/r/?status=failed&amp;instance=id-of-cart-prod&amp;project=two"
    assert f'href="{chosen}"' in html
    html = page_of(web, "r", "?status=failed&instance=id-of-cart-prod&project=two")
    assert "<bdi>Failed · unresolved</bdi>" in html
    assert 'href="/restores/?status=failed&amp;asof=2026-11-23T16:59:00Z"' in html
    assert 'rel="canonical" href="/restores/r/?instance=id-of-cart-prod&amp;project=two"' in html


def test_the_json_of_a_shared_id_lists_its_restores_until_one_is_chosen(web):
    make_restore("r", instance=make_instance(project=make_project("one")))
    make_restore("r", instance=make_instance(project=make_project("two")))
    assert [row["project"] for row in json_of(web, "r")["restores"]] == ["one", "two"]
    assert json_of(web, "r", "?project=two")["project"] == "two"


def test_a_choice_that_matches_nothing_is_a_filter_of_the_list(web):
    make_restore("r")
    assert "<bdi>Succeeded</bdi>" in page_of(web, "r", "?instance=another")
    assert list_query(QueryDict("instance=another&q=x"), shared=False) == "instance=another&q=x"


@pytest.mark.parametrize("restore_id", ODD)
def test_any_id_has_a_page_and_json(web, restore_id):
    make_restore(restore_id)
    assert escape(restore_id) in page_of(web, restore_id)
    assert json_of(web, restore_id)["restore_id"] == restore_id


def test_the_json_has_the_record_and_the_observations(web):
    restore = make_restore("r", raw='{"error_code": {}}', **FAILED)
    observe(restore, 2, "restoring", 25.0, after=timedelta(seconds=9))
    body = json_of(web, "r")
    assert body["raw"] == {"error_code": {}}
    assert body["observations"] == [
        {
            "seen_after": "2026-11-23T16:00:51Z",
            "seen_at": "2026-11-23T16:01:00Z",
            "status": "restoring",
            "progress": 25.0,
            "error_code": None,
        }
    ]


def test_an_unknown_id_is_not_found(web):
    response = web.get("/restores/nope/")
    assert response.status_code == 404
    assert "Page not found" in response.content.decode()
    response = web.get("/restores/nope.json")
    assert response.status_code == 404
    assert response.json()["errors"][0]["reason"]


def test_a_page_takes_no_more_queries_with_more_history(web, django_assert_max_num_queries):
    for number in range(30):
        restore = make_restore(created_at=NOW - timedelta(days=number), backup_id="b")
        observe(restore, 1, "restoring", 10.0)
    Backup.objects.create(
        instance=restore.instance, backup_id="b", first_seen_at=NOW, changed_at=NOW
    )
    with django_assert_max_num_queries(16):
        page_of(web, restore.restore_id)


def test_the_json_takes_no_more_queries_with_more_restores(web, django_assert_max_num_queries):
    for name in ("one", "two", "three"):
        account = make_account(name)
        make_restore("r", instance=make_instance(project=make_project(name, account=account)))
    with django_assert_max_num_queries(9):
        assert len(json_of(web, "r")["restores"]) == 3


def test_a_restore_in_progress_is_refreshed_every_five_seconds(web):
    make_restore("r", status="restoring", progress=42.0)
    make_restore("s")
    assert 'data-refresh="5"' in page_of(web, "r")
    assert 'data-refresh="15"' in page_of(web, "s")


def test_a_stuck_restore_says_why(web):
    make_project(reports_progress=True)
    make_restore(
        "r",
        status="restoring",
        progress=63.0,
        created_at=NOW - timedelta(minutes=45),
        unchanged_since=NOW - timedelta(minutes=40),
    )
    html = page_of(web, "r")
    assert "Possibly stuck: no progress for 40 min" in html
    # In the head and in the list of the instance's restores.
    assert html.count("<bdi>Possibly stuck</bdi>") == 2
    assert "What to do: escalate now" in html
