"""The list of restores: what it shows, counts and refuses, and what it says is unknown."""

import re
from datetime import datetime, timedelta
from html import unescape
from urllib.parse import urlencode

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from restores.filters import ORDER, Scope
from restores.models import Instance, Membership, Restore
from restores.sync.project_state import mark_changed
from tests.factories import (
    NOW,
    make_account,
    make_instance,
    make_observation,
    make_project,
    make_restore,
    update_instances,
)

URL = "/restores/"
HOSTILE = '"><script>alert(1)</script>\u202e{{7*7}}<img src=x onerror=alert(2)>'


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


def shown(response):
    """The ids of the restores on a page, in order."""
    text = response.content.decode()
    return re.findall(r'<td class="t"><a class="go" href="/restores/([^/]+)/', text)


def words(response):
    """The text of a page without its tags."""
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"\s+", " ", unescape(text))


def opened(web, params):
    """The page for some parameters, after the redirect to its canonical URL."""
    response = web.get(URL, params)
    return web.get(response.headers["Location"]) if response.status_code == 302 else response


def ids(web, **params):
    return shown(opened(web, params))


def make_many(count, **given):
    instance = make_instance()
    rows = [
        Restore(
            instance=instance,
            project=instance.project,
            restore_id=f"many-{number:05}",
            created_at=NOW - timedelta(minutes=number + 10),
            first_seen_at=NOW,
            changed_at=NOW,
            **({"status": "succeed"} | given),
        )
        for number in range(count)
    ]
    Restore.objects.bulk_create(rows, batch_size=1000)


def test_a_range_without_changes_says_only_that_none_was_seen(web):
    """A restore that changed only before the first sync was never seen to change."""
    make_instance(complete_to=NOW)
    time_range = "from=2026-11-20T00:00:00Z&to=2026-11-21T00:00:00Z"
    html = web.get(f"{URL}?on=changed&{time_range}").content.decode()
    assert "No restores changed in this time range" in html
    assert "fully synced" not in html
    assert "fully synced" in web.get(f"{URL}?{time_range}").content.decode()


@pytest.mark.parametrize("path", ["/restores/~00/", "/restores/a~00b.json", "/instances/~00/"])
def test_no_page_has_a_nul_in_its_address(web, path):
    assert web.get(path).status_code == 404


def test_signing_in_returns_to_the_list(client, db):
    response = client.get(URL, {"status": "failed"})
    assert response.headers["Location"] == "/login/?next=/restores/%3Fstatus%3Dfailed"


def test_restores_in_progress_come_first_then_the_newest(web):
    make_restore("old", created_at=NOW - timedelta(days=2))
    make_restore("new")
    make_restore("in-progress", status="restoring", created_at=NOW - timedelta(days=1))
    assert ids(web) == ["in-progress", "new", "old"]


def test_ten_in_progress_come_first_the_stuck_ones_then_the_oldest(web):
    slow = make_instance("slow", usual_p10=9000, usual_p90=9999, usual_count=9)
    for number in range(9):
        created = NOW - timedelta(minutes=100 - number)
        make_restore(f"m{number}", instance=slow, status="waiting", created_at=created)
    for minutes in (35, 45):
        created = NOW - timedelta(minutes=minutes)
        make_restore(f"stuck-{minutes}", status="waiting", created_at=created)
    make_restore("between", created_at=NOW - timedelta(minutes=95))
    response = web.get(URL)
    pinned = ["stuck-45", "stuck-35", *(f"m{number}" for number in range(8))]
    assert shown(response) == [*pinned, "m8", "between"]
    assert "In progress · 11 Show all" in words(response)
    assert "1–12 of 12" in words(response)
    # The next page follows a page that ends with them, too.
    first = web.get("/restores.json?size=10").json()
    assert [row["restore_id"] for row in first["restores"]] == pinned
    assert [row["restore_id"] for row in web.get(first["next"]).json()["restores"]] == shown(
        response
    )[10:]


def test_what_is_possibly_stuck_has_a_tab_and_a_filter(web):
    make_restore("fine", status="restoring", created_at=NOW - timedelta(minutes=9))
    assert "Stuck" not in words(web.get(URL)).replace("Possibly stuck", "")
    assert web.get("/restores.json?stuck=yes").json()["restores"] == []
    make_restore("stuck", status="restoring", progress=73, created_at=NOW - timedelta(hours=1))
    html = web.get(URL).content.decode()
    assert "All 2 Stuck 1 Unresolved 0" in words(web.get(URL))
    assert 'href="?stuck=yes&amp;asof=' in html and "<bdi>Possibly stuck</bdi>" in html
    assert ids(web, stuck="yes") == ["stuck"]
    # The tab says so, so no chip repeats it.
    assert "chip set" not in opened(web, {"stuck": "yes"}).content.decode()
    rows = web.get("/restores.json").json()["restores"]
    assert {row["restore_id"]: row["stuck"] for row in rows} == {"stuck": True, "fine": False}
    assert "possibly stuck" in web.get("/restores.md?stuck=yes").content.decode().lower()
    # Nothing is known about the time after the last sync.
    Instance.objects.update(complete_to=NOW - timedelta(minutes=31))
    assert ids(web, stuck="yes") == []


def test_what_does_not_fit_a_list_by_end_is_only_what_may_still_end(web):
    """Not a record of last year with a status that we don't know."""
    year = timedelta(days=365)
    make_restore("old", status="Paused", created_at=NOW - year, changed_at=NOW - year)
    assert "not finished yet" not in words(web.get(f"{URL}?on=ended"))
    make_restore("new", status="Paused")
    make_restore("running", status="restoring")
    assert "Not shown: 2 not finished yet" in words(web.get(f"{URL}?on=ended"))
    response = web.get(URL)
    assert 'name="status" value="other"' in re.sub(r"\s+", " ", response.content.decode())
    text = words(response)
    assert "In progress 1" in text and "Other 2" in text and "Stuck 1" in text
    assert set(ids(web, status="other")) == {"old", "new"}


def test_a_snapshot_has_those_whose_status_was_another_one_then(web):
    then, since = NOW - timedelta(hours=2), NOW - timedelta(hours=1)
    for before, after in (("Paused", "succeed"), ("restoring", "Paused")):
        moved = {"created_at": then, "first_seen_at": then, "moved_at": since, "changed_at": since}
        restore = make_restore(f"{before}-{after}", status=after, **moved)
        make_observation(restore, then, status=before)
        make_observation(restore, since, status=after)
    assert ids(web, status="other") == ["restoring-Paused"]
    asof = f"{since - timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"
    assert ids(web, status="other", asof=asof) == ["Paused-succeed"]


def test_pages_neither_lose_nor_repeat_a_row(web):
    make_many(33)
    for number in range(8):
        make_restore(f"m{number}", status="waiting", created_at=NOW - timedelta(minutes=number * 5))
    make_restore("untimed", created_at=None)
    pages = [ids(web, size="10", page=str(number)) for number in range(1, 6)]
    rows = [row for page in pages for row in page]
    assert [len(page) for page in pages] == [10, 10, 10, 10, 2]
    assert len(set(rows)) == 42
    assert rows[-1] == "untimed"


@pytest.mark.parametrize("sort", ["created", "duration", "-duration", "status", "code", "-ended"])
def test_rows_without_a_value_come_last_in_both_orders(web, sort):
    make_restore("with", error_code="dcs.08.0001", status="failed")
    empty = {"created_at": None, "duration": None, "progress": None, "ended_at": None}
    make_restore("without", status="failed", **empty)
    assert ids(web, sort=sort) == ["with", "without"]


def test_ties_are_broken_the_same_way_on_every_page(web):
    for number in range(12):
        make_restore(f"t{number:02}")
    rows = ids(web, size="10", sort="created") + ids(web, size="10", sort="created", page="2")
    assert rows == [f"t{number:02}" for number in range(12)]


@pytest.mark.parametrize("on", ["created", "ended", "changed"])
def test_a_time_range_includes_its_start_and_not_its_end(web, on):
    start, end, step = NOW - timedelta(hours=2), NOW - timedelta(hours=1), timedelta(milliseconds=1)
    edges = {"early": start - step, "first": start, "last": end - step, "late": end}
    for name, at in edges.items():
        make_restore(name, created_at=at, ended_at=at, changed_at=at)
    response = opened(web, {"on": on, "from": "2026-11-23T14:59Z", "to": "2026-11-23T15:59Z"})
    assert sorted(shown(response)) == ["first", "last"]
    assert "1–2 of 2" in words(response)


def test_running_means_active_at_some_time_in_the_range(web):
    hour = timedelta(hours=1)
    start, end = NOW - 3 * hour, NOW - 2 * hour
    make_restore("before", created_at=start - hour, ended_at=start)
    make_restore("into", created_at=start - hour, ended_at=start + timedelta(milliseconds=1))
    make_restore("within", created_at=start, ended_at=start)
    make_restore("after", created_at=end, ended_at=end + hour)
    make_restore("open", created_at=start - 9 * hour, status="restoring")
    make_restore("odd", created_at=start - 9 * hour, status="aborting")
    make_restore("odd-and-old", created_at=start - 30 * hour, status="aborting")
    params = {"on": "running", "from": "2026-11-23T13:59:00Z", "to": "2026-11-23T14:59:00Z"}
    assert set(ids(web, **params)) == {"into", "within", "open", "odd"}


def test_a_list_by_end_has_no_restores_without_an_end(web):
    make_restore("done")
    make_restore("in-progress", status="restoring")
    assert ids(web, on="ended") == ["done"]


@pytest.fixture
def mixed(db):
    """Restores of two projects in every state."""
    other = make_instance("geo", project=make_project("maps", region="eu-nl", customer="Mapster"))
    make_restore("ok")
    make_restore("lost", status="failed", error_code="dcs.08.0007", restore_remark="Before 412")
    make_restore("recovered", status="failed", error_code="dcs.08.0002", recovered_at=NOW)
    make_restore("in-progress", status="restoring", progress=42.0, instance=other)
    make_restore("odd", status="Aborted", instance=other, backup_id="b-1")


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"status": "failed"}, {"lost", "recovered"}),
        ({"status": ["failed", "restoring"]}, {"lost", "recovered", "in-progress"}),
        ({"status": "Aborted"}, {"odd"}),
        ({"status": "failed", "recovered": "no"}, {"lost"}),
        ({"recovered": "no"}, {"lost"}),
        ({"recovered": "yes"}, {"recovered"}),
        ({"code": "any"}, {"lost", "recovered"}),
        ({"code": "dcs.08.0002"}, {"recovered"}),
        ({"project": "maps"}, {"in-progress", "odd"}),
        ({"customer": "Mapster"}, {"in-progress", "odd"}),
        ({"region": "eu-nl"}, {"in-progress", "odd"}),
        ({"instance": "geo"}, {"in-progress", "odd"}),
        ({"instance": "id-of-geo"}, {"in-progress", "odd"}),
        ({"q": "412 BEFORE"}, {"lost"}),
        ({"q": "geo"}, {"in-progress", "odd"}),
        ({"ids": "b-1,ok"}, {"odd", "ok"}),
        ({"ids": "id-of-geo"}, {"in-progress", "odd"}),
        ({"project": "maps", "status": "Aborted"}, {"odd"}),
        ({"status": ["other", "failed"]}, {"odd", "lost", "recovered"}),
    ],
)
def test_filters_apply_to_rows_counts_and_json_alike(web, mixed, params, expected):
    response = opened(web, params)
    as_json = web.get("/restores.json", params).json()
    assert set(shown(response)) == expected
    assert [row["restore_id"] for row in as_json["restores"]] == shown(response)
    assert f"1–{len(expected)} of {len(expected)}" in words(response)
    assert as_json["total"] == len(expected)


def test_statuses_are_counted_within_the_other_filters(web, mixed):
    everything = words(web.get(URL))
    assert "All 5 Stuck 1 Unresolved 1 Failed 2 In progress 1 Succeeded 1 Other 1" in everything
    maps = words(web.get(URL, {"project": "maps", "status": "Aborted"}))
    assert "All 2 Stuck 1 Unresolved 0 Failed 0 In progress 1 Succeeded 0 Other 1" in maps


def test_counts_stop_at_ten_thousand(web):
    make_many(10_001)
    make_restore("lost", status="failed", created_at=NOW)
    make_restore("odd", status="Aborted", created_at=NOW)
    text = words(web.get(URL))
    assert "All 10,000+ Unresolved 1 Failed 1 In progress 0 Succeeded 10,000+ Other 1" in text
    assert "1–50 of 10,000+" in text


def test_a_row_says_what_happened(web, mixed):
    text = words(web.get(URL))
    assert "Data sync failed; data may be partial dcs.08.0007" in text
    assert "Failed · unresolved cart-prod" in text
    assert "Failed → recovered 16:59" in text
    assert "42%" in text
    assert "Monday 23 November" in text
    assert "15:59:00 , restore of cart-prod 1 h ago" in text
    snapshot = words(web.get(URL, {"asof": "2026-11-23T16:30:00Z"}))
    assert " ago" not in snapshot


def test_a_success_is_compared_with_what_is_usual_and_has_its_remark(web):
    instance = make_instance(usual_p10=60, usual_p90=120, usual_count=9)
    make_restore(instance=instance, duration=100.0, restore_remark="before release 412")
    make_restore(instance=instance, duration=252.0)
    make_restore(instance=make_instance("new"), duration=252.0)
    instant = make_instance("instant", usual_p10=0, usual_p90=0, usual_count=9)
    make_restore(instance=instant, duration=0.3)

    html = web.get(URL).content.decode()

    assert html.count('<svg class="usual') == 2
    assert 'aria-label="1 min 40 s; usually takes 1–2 min"' in html
    assert "before release 412" in html
    assert re.findall(r'<b class="slow">([^<]*)<', html) == ["2.1× the usual"]
    # What was usual at that time isn't stored.
    assert "usual" not in web.get(URL, {"asof": "2026-11-23T16:30:00Z"}).content.decode()


def test_a_long_name_keeps_its_end_and_leads_to_its_instance(web):
    make_restore(instance=make_instance("customer-analytics-session-cache-prod-blue-02"))
    html = web.get(URL).content.decode()
    assert "<span>customer-analytics-session-cache-pr</span><span>od-blue-02</span>" in html
    url = "/instances/id-of-customer-analytics-session-cache-prod-blue-02/"
    assert f'<a class="name" href="{url}"' in html
    only = web.get(URL, {"cols": "instance"}).content.decode()
    assert '<a class="go" href="/restores/' in only


def test_a_restore_in_progress_says_how_long_it_will_probably_take(web):
    """A snapshot knows what was usual then, not what is usual now."""
    instance = make_instance(usual_p10=900, usual_p90=960, usual_count=30)
    instance.project.reports_progress = True
    instance.project.save()
    for hours in (3, 4, 5):
        make_restore(instance=instance, created_at=NOW - timedelta(hours=hours))
    running = make_restore(
        instance=instance,
        status="restoring",
        progress=50,
        created_at=NOW - timedelta(minutes=6),
        first_seen_at=NOW - timedelta(minutes=6),
        unchanged_since=NOW - timedelta(minutes=5),
    )
    make_observation(running, NOW - timedelta(minutes=5), status="restoring", progress=50)
    html = web.get(URL).content.decode()
    assert "50% · 6–10 min left" in html and "based on 30 earlier restores" in html

    at = f"{NOW - timedelta(minutes=2):%Y-%m-%dT%H:%M:%SZ}"
    html = web.get(f"{URL}?asof={at}").content.decode()
    assert "50% · 2–4 min left" in html and "based on 3 earlier restores" in html


def test_an_unknown_status_and_code_are_shown_verbatim(web):
    make_restore("odd", status="rolled_back")
    make_restore("new-code", status="failed", error_code="dcs.08.0099")
    text = words(web.get(URL))
    assert "rolled_back" in text
    assert "Unknown error code dcs.08.0099" in text


def test_a_restore_removed_upstream_is_marked(web):
    make_restore("removed", removed_upstream_at=NOW)
    assert "Removed from provider’s list" in words(web.get(URL))


def test_a_row_links_to_the_restore_and_keeps_the_list(web):
    make_restore("../x?#", status="failed")
    assert (
        b'href="/restores/..~2Fx~3F~23/?status=failed&amp;asof=2026-11-23T16:59:00Z"'
        in web.get(URL, {"status": "failed"}).content
    )


def test_a_filter_is_removed_one_at_a_time(web, mixed):
    response = web.get(URL, {"project": ["maps", "shop-prod"], "q": "o"})
    html = response.content.decode()
    asof = "&amp;asof=2026-11-23T16:59:00Z"
    assert f'class="chip set" href="/restores/?project=maps&amp;q=o{asof}"' in html
    assert f'class="chip set" href="/restores/?project=maps&amp;project=shop-prod{asof}"' in html
    assert "Search o" in words(response)


@pytest.mark.parametrize("field", ["restore_name", "restore_remark", "status", "error_code"])
def test_hostile_text_stays_text(web, field):
    make_restore(**({"status": "failed"} | {field: HOSTILE}))
    html = web.get(URL, {"cols": "created,status,restore,outcome"}).content.decode()
    assert "<script>alert" not in html
    assert "<img" not in html


def test_hostile_names_and_parameters_stay_text(web):
    project = make_project(HOSTILE, customer=HOSTILE, region=HOSTILE, time_zone=HOSTILE)
    account = make_account("shop")
    account.sync_error_kind = account.sync_error_message = HOSTILE[:20]
    account.save()
    make_restore(instance=make_instance(HOSTILE, project=project))
    for params in ({}, {"q": HOSTILE}, {"project": HOSTILE}, {"size": HOSTILE}, {HOSTILE: HOSTILE}):
        html = opened(web, params).content.decode()
        assert "<script>alert" not in html
        assert "<img" not in html


def test_an_invalid_time_range_is_not_called_any_time(web):
    html = web.get(f"{URL}?from=banana").content.decode()
    assert "<b>Invalid time range</b>" in html
    presets = html[html.index('<nav class="presets"') :]
    assert 'aria-current="true"' not in presets[: presets.index("</nav>")]


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ("from=2026-02-30", 'value="2026-02-30"', "doesn’t exist (February 2026 has 28 days)"),
        ("tz=Mars/Base", 'value="Mars/Base"', "unknown time zone"),
        ("q=" + "x" * 201, 'name="q"', "longer than 200"),
        ("project=" + "y" * 129, 'name="project"', "longer than 128"),
        ("recovered=maybe", "“<bdi>maybe</bdi>”", "must be one of yes, no"),
        ("stuck=no", "“<bdi>no</bdi>”", "must be yes"),
        ("size=9", "“<bdi>9</bdi>”", "must be a whole number from 10 to 200"),
        ("page=x", "“<bdi>x</bdi>”", "must be a whole number"),
        ("sort=x", "“<bdi>x</bdi>”", "must be one of created"),
        ("after=x", "“<bdi>x</bdi>”", "valid page link"),
        ("asof=2027-01-01T00:00:00Z", "2027-01-01", "is in the future"),
    ],
)
def test_an_invalid_value_is_named_at_its_field_and_gives_no_rows(web, query, field, message):
    make_restore()
    response = web.get(f"{URL}?{query}")
    html = response.content.decode()
    assert response.status_code == 400
    assert field in html
    assert message in html
    assert shown(response) == []


def test_a_suggestion_is_one_click_away(web):
    html = web.get(f"{URL}?tz=Europe/Berln&status=failed").content.decode()
    assert 'href="/restores/?status=failed&amp;tz=Europe/Berlin"' in html


def test_a_parameter_given_twice_shows_both_values(web):
    assert "page “ 1, 2 ” can only be given once" in words(web.get(f"{URL}?page=1&page=2"))


def test_a_url_that_is_too_long_is_refused_with_a_short_page(web):
    response = web.get(f"{URL}?{'project=x&' * 900}foo={'x' * 100_000}")
    assert response.status_code == 400
    assert len(response.content) < 50_000


def test_a_valid_url_is_redirected_to_its_canonical_form(web):
    response = web.get(f"{URL}?page=01&status=FAILED&from=2026-11-23&foo=1&q=")
    assert response.status_code == 302
    assert response.headers["Location"] == (
        "/restores/?status=failed&from=2026-11-23T00:00:00Z&foo=1"
    )


def test_an_unknown_parameter_is_named_with_a_suggestion(web):
    response = web.get(f"{URL}?statsu=failed")
    assert response.status_code == 200
    assert "Unknown parameter ignored: statsu . Did you mean status ?" in words(response)


@pytest.mark.parametrize("query", ["project=nope", "instance=nope", "code=nope"])
def test_what_does_not_exist_is_named_and_gives_no_rows(web, mixed, query):
    response = web.get(f"{URL}?{query}")
    assert response.status_code == 200
    assert shown(response) == []
    assert f"No access or not found: {query.replace('=', ' ')}" in words(response)
    assert "No results" in words(response)


def test_a_page_past_the_end_links_to_the_last(web):
    make_many(25)
    response = web.get(f"{URL}?size=10&page=99")
    assert response.status_code == 200
    assert "This page doesn’t exist" in words(response)
    assert 'href="?asof=2026-11-23T16:59:00Z&amp;size=10&amp;page=3"' in response.content.decode()


def url_until(end):
    return f"{URL}?from=2026-11-01T00:00:00Z&to={end}"


def test_none_is_claimed_only_if_the_last_sync_was_after_the_range(web):
    make_instance()
    text = words(web.get(url_until("2026-11-23T16:00:00Z")))
    assert "No restores were created in this time range" in text
    assert "fully synced at 16:59 UTC or later, after this time range ended" in text


def test_a_range_that_ends_after_the_last_sync_is_not_known_yet(web):
    make_instance(complete_to=NOW - timedelta(hours=2))
    text = words(web.get(url_until("2026-11-23T16:00:00Z")))
    assert "Can’t tell yet" in text
    assert "last full sync was at 14:59 UTC, before the range ends at 16:00 UTC" in text


def test_an_instance_never_synced_leaves_the_range_unknown(web):
    make_instance(complete_to=None)
    text = words(web.get(url_until("2026-11-23T16:00:00Z")))
    assert "Can’t tell yet" in text
    assert "1 of 1 instances hasn’t been synced yet" in text


def test_a_sync_error_leaves_the_range_unknown_and_is_named(web):
    make_instance()
    ago = timedelta(minutes=9)
    make_instance(
        "feed", complete_to=NOW - ago, sync_error_kind="throttled", sync_error_since=NOW - ago
    )
    text = words(web.get(url_until("2026-11-23T16:55:00Z")))
    assert "Can’t tell yet" in text
    assert "feed in shop-prod: rate-limited by the provider since 16:50 UTC" in text


def test_a_sync_error_of_another_project_leaves_the_range_known(web):
    make_instance()
    project = make_project("maps", sync_error_kind="unreachable", sync_error_since=NOW)
    make_instance("geo", project=project)
    url = f"{URL}?project=shop-prod&from=2026-11-01T00:00:00Z&to=2026-11-23T16:00:00Z"
    assert "No restores were created in this time range" in words(web.get(url))


def test_without_an_end_none_is_known_as_of_the_last_sync_only(web):
    make_instance()
    assert "No restores match (data complete up to 16:59 UTC)" in words(
        web.get(f"{URL}?status=failed")
    )


def test_where_nothing_is_monitored_nothing_is_claimed(web):
    assert "Nothing is monitored here" in words(web.get(URL))


def test_a_list_by_end_starts_with_the_last_that_ended(web):
    for name, minutes in (("first", 5), ("last", 50), ("middle", 20)):
        make_restore(name, ended_at=NOW - timedelta(minutes=60 - minutes))
    assert shown(web.get(f"{URL}?on=ended")) == ["last", "middle", "first"]
    # Another order is kept, and the default one is left out of the canonical URL.
    created = web.get(f"{URL}?on=ended&sort=-created")
    assert (created.status_code, shown(created)) == (200, ["middle", "last", "first"])
    assert web.get(f"{URL}?on=ended&sort=-ended").headers["Location"] == f"{URL}?on=ended"


def test_two_letters_search_the_newest_restores_only_and_the_page_says_so(web, monkeypatch):
    monkeypatch.setattr("restores.search.SHORT_SCANNED", 2)
    for hours, remark in enumerate(["zq", "other", "zq"]):
        make_restore(f"r{hours}", restore_remark=remark, created_at=NOW - timedelta(hours=hours))
    response, as_json = web.get(f"{URL}?q=zq"), web.get("/restores.json?q=zq").json()
    assert shown(response) == ["r0"]
    assert "Only the newest 2 restores were searched" in words(response)
    assert (as_json["total"], as_json["searched"]) == (1, 2)
    assert "newest 2 restores" in web.get("/restores.csv?q=zq").headers["X-Searched"]
    assert (
        "only the newest 2 restores were searched" in web.get("/restores.md?q=zq").content.decode()
    )
    nothing = words(web.get(f"{URL}?q=xx"))
    assert nothing.count("newest 2 restores") == 1
    assert "None of the newest 2 restores match" in nothing
    assert "fully synced" not in nothing


def test_two_letters_search_everything_if_there_are_few_restores(web):
    make_restore("only", restore_remark="zq")
    response = web.get(f"{URL}?q=zq")
    assert shown(response) == ["only"]
    assert "restores were searched" not in words(response)


@pytest.mark.parametrize("sort", ["progress", "-progress"])
def test_an_old_link_sorted_by_progress_says_so_and_shows_the_default_order(web, sort):
    make_restore("old", created_at=NOW - timedelta(hours=3))
    make_restore("new")
    response = web.get(f"{URL}?sort={sort}")
    assert (response.status_code, shown(response)) == (200, ["new", "old"])
    assert "Restores can no longer be sorted by progress" in words(response)
    assert web.get(f"/restores.json?sort={sort}").json()["ignored"] == ["sort"]


def test_headers_show_the_sort_order_and_reverse_it(web):
    make_restore()
    html = web.get(f"{URL}?sort=-duration").content.decode()
    assert '<th scope="col" aria-sort="descending" class="' in html
    assert 'href="?asof=2026-11-23T16:59:00Z&amp;sort=duration"' in html


def test_two_members_see_only_their_own_restores(client, django_user_model, mixed):
    for name, project in (("mia", "maps"), ("sam", "shop-prod")):
        user = django_user_model.objects.create_user(name)
        Membership.objects.create(user=user, project=make_project(project))
        client.force_login(user)
        response, as_json = client.get(URL), client.get("/restores.json").json()
        expected = {"mia": {"in-progress", "odd"}, "sam": {"ok", "lost", "recovered"}}[name]
        assert set(shown(response)) == expected
        assert {row["restore_id"] for row in as_json["restores"]} == expected
        assert as_json["total"] == len(expected)
        assert f"All {len(expected)}" in words(response)
        other = {"mia": "shop-prod", "sam": "maps"}[name]
        assert other not in response.content.decode()
        assert "No access or not found" in words(client.get(URL, {"project": other}))
        assert client.get("/restores.json", {"project": other}).json()["not_found"] == [other]


def test_an_unchanged_list_gets_a_304_with_fresh_times(web):
    restore = make_restore()
    type(restore.project).objects.update(next_sync_at=NOW + timedelta(seconds=10))
    first = web.get(URL)
    line = "Synced 0 s ago · next sync in 10 s Data complete up to 16:59 UTC"
    assert line in words(first)
    again = web.get(URL, headers={"if-none-match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["X-Complete-To"] == "2026-11-23T16:59:00Z"
    assert again.headers["X-Synced-At"] == "2026-11-23T16:59:00Z"
    assert again.headers["X-Next-Sync-At"] == "2026-11-23T16:59:10Z"
    assert first.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize(
    "change",
    [
        lambda restore: mark_changed(restore.project_id),
        lambda restore: update_instances(Instance.objects.all(), sync_error_kind="throttled"),
        lambda restore: type(restore.project).objects.update(sync_error_kind="unreachable"),
        lambda restore: make_instance("new", complete_to=None),
    ],
)
def test_every_visible_change_makes_a_new_response(web, change):
    restore = make_restore()
    tag = web.get(URL).headers["ETag"]
    change(restore)
    assert web.get(URL, headers={"if-none-match": tag}).status_code == 200


def test_what_is_stored_while_a_page_is_rendered_makes_a_new_response_next_time(web, monkeypatch):
    late = make_instance("late", complete_to=NOW - timedelta(hours=2))
    ours = Scope.sync_status

    def read(scope):
        found = ours(scope)
        if not Restore.objects.exists():
            make_restore("found-late", instance=late)
            update_instances(Instance.objects.all(), complete_to=NOW)
            mark_changed(late.project_id)
        return found

    monkeypatch.setattr(Scope, "sync_status", read)
    first = web.get(URL)
    assert first.headers["X-Complete-To"] == "2026-11-23T14:59:00Z"
    assert "found-late" in first.content.decode()
    again = web.get(URL, headers={"if-none-match": first.headers["ETag"]})
    assert (again.status_code, again.headers["X-Complete-To"]) == (200, "2026-11-23T16:59:00Z")


@pytest.mark.parametrize("url", ["/restores.json", "/restores.md", "/restores.csv"])
def test_no_export_claims_to_be_newer_than_its_rows(web, monkeypatch, url):
    def read(scope, ours=Scope.sync_status):
        found = ours(scope)
        make_restore("found-late")
        return found

    monkeypatch.setattr(Scope, "sync_status", read)
    response = web.get(url)
    body = b"".join(response.streaming_content) if response.streaming else response.content
    assert b"found-late" in body


def test_two_users_never_share_a_cached_list(client, django_user_model, web):
    tag = web.get(URL).headers["ETag"]
    other = django_user_model.objects.create_superuser("other")
    client.force_login(other)
    assert client.get(URL, headers={"if-none-match": tag}).status_code == 200


def test_a_range_relative_to_now_does_not_stay_unchanged(web):
    make_restore()
    tag = web.get(f"{URL}?from=now-2h").headers["ETag"]
    with time_machine.travel(NOW + timedelta(minutes=2)):
        again = web.get(f"{URL}?from=now-2h", headers={"if-none-match": tag})
    assert again.status_code == 200


def test_a_page_sends_the_same_queries_however_many_rows(web, django_assert_max_num_queries):
    make_many(60)
    for number in range(9):
        make_restore(status="restoring", created_at=NOW - timedelta(minutes=number))
    with django_assert_max_num_queries(20):
        web.get(f"{URL}?size=200")


def test_only_get_and_head_are_allowed(web):
    assert web.post(URL).status_code == 405


names = st.sampled_from([*ORDER, "around", "win", "x"])
odd = ["\0", "\u202e", "now-24h", "2026-11-23", "-ended", "10", "any", "٣", "%", "'", "9" * 5000]
values = st.one_of(st.text(max_size=20), st.sampled_from(odd))


@settings(
    max_examples=75, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(names, values), max_size=6))
def test_no_query_string_breaks_the_page_or_its_json(web, mixed, pairs):
    query = urlencode(pairs, errors="replace")
    assert web.get(f"{URL}?{query}").status_code in (200, 302, 400)
    assert web.get(f"/restores.json?{query}").status_code in (200, 400)


def test_times_are_shown_in_the_zone_of_the_link(web):
    make_restore(created_at=datetime.fromisoformat("2026-11-23T15:30:00+00:00"))
    text = words(web.get(f"{URL}?tz=Asia/Shanghai"))
    assert "Created Shanghai" in text
    assert "23:30:00" in text
