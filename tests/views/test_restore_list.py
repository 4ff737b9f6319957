"""The list of restores: what it shows, counts, refuses and admits not to know."""

import re
from datetime import datetime, timedelta
from html import unescape
from urllib.parse import urlencode

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from restores import sync_status
from restores.filters import ORDER, Scope
from restores.models import Membership, Restore
from tests.factories import NOW, make_account, make_instance, make_project, make_restore

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
    """The page that some parameters lead to, by way of its canonical address."""
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


def test_of_changes_no_more_is_claimed_than_that_none_was_seen(web):
    """What changed before the first look, and then no more, nobody has seen to change."""
    make_instance(complete_to=NOW)
    window = "from=2026-11-20T00:00:00Z&to=2026-11-21T00:00:00Z"
    html = web.get(f"{URL}?on=changed&{window}").content.decode()
    assert "No restores changed in this time range" in html
    assert "fully synced" not in html
    assert "fully synced" in web.get(f"{URL}?{window}").content.decode()


@pytest.mark.parametrize("path", ["/restores/~00/", "/restores/a~00b.json", "/instances/~00/"])
def test_no_page_has_a_nul_in_its_address(web, path):
    assert web.get(path).status_code == 404


def test_a_signed_out_visitor_is_led_back_after_signing_in(client, db):
    response = client.get(URL, {"status": "failed"})
    assert response.headers["Location"] == "/login/?next=/restores/%3Fstatus%3Dfailed"


def test_newest_first_after_what_is_in_progress(web):
    make_restore("old", created_at=NOW - timedelta(days=2))
    make_restore("new")
    make_restore("moving", status="restoring", created_at=NOW - timedelta(days=1))
    assert ids(web) == ["moving", "new", "old"]


def test_five_in_progress_stand_first_and_the_others_in_their_place(web):
    for number in range(7):
        make_restore(f"m{number}", status="waiting", created_at=NOW - timedelta(hours=number))
    make_restore("between", created_at=NOW - timedelta(hours=5, minutes=30))
    response = web.get(URL)
    assert shown(response) == ["m0", "m1", "m2", "m3", "m4", "m5", "between", "m6"]
    assert "In progress · 7 Show all" in words(response)
    assert "1–8 of 8" in words(response)


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


@pytest.mark.parametrize("sort", ["created", "duration", "-duration", "progress", "code", "-ended"])
def test_what_has_no_value_comes_last_both_ways(web, sort):
    make_restore("with", error_code="dcs.08.0001", status="failed")
    nothing = {"created_at": None, "duration": None, "progress": None, "ended_at": None}
    make_restore("without", status="failed", **nothing)
    assert ids(web, sort=sort) == ["with", "without"]


def test_ties_are_broken_the_same_way_on_every_page(web):
    for number in range(12):
        make_restore(f"t{number:02}")
    rows = ids(web, size="10", sort="created") + ids(web, size="10", sort="created", page="2")
    assert rows == [f"t{number:02}" for number in range(12)]


@pytest.mark.parametrize("on", ["created", "ended", "changed"])
def test_a_window_takes_its_first_instant_in_and_leaves_its_last_out(web, on):
    start, end, step = NOW - timedelta(hours=2), NOW - timedelta(hours=1), timedelta(milliseconds=1)
    edges = {"early": start - step, "first": start, "last": end - step, "late": end}
    for name, at in edges.items():
        make_restore(name, created_at=at, ended_at=at, changed_at=at)
    response = opened(web, {"on": on, "from": "2026-11-23T14:59Z", "to": "2026-11-23T15:59Z"})
    assert sorted(shown(response)) == ["first", "last"]
    assert "1–2 of 2" in words(response)


def test_in_progress_during_a_window_means_overlap(web):
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


def test_ended_leaves_out_what_has_not_ended(web):
    make_restore("done")
    make_restore("moving", status="restoring")
    assert ids(web, on="ended") == ["done"]


@pytest.fixture
def mixed(db):
    """Restores of two projects in every state."""
    other = make_instance("geo", project=make_project("maps", region="eu-nl", customer="Mapster"))
    make_restore("ok")
    make_restore("lost", status="failed", error_code="dcs.08.0007", restore_remark="Before 412")
    make_restore("healed", status="failed", error_code="dcs.08.0002", recovered_at=NOW)
    make_restore("moving", status="restoring", progress=42.0, instance=other)
    make_restore("odd", status="Aborted", instance=other, backup_id="b-1")


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"status": "failed"}, {"lost", "healed"}),
        ({"status": ["failed", "restoring"]}, {"lost", "healed", "moving"}),
        ({"status": "Aborted"}, {"odd"}),
        ({"status": "failed", "recovered": "no"}, {"lost"}),
        ({"recovered": "no"}, {"lost"}),
        ({"recovered": "yes"}, {"healed"}),
        ({"code": "any"}, {"lost", "healed"}),
        ({"code": "dcs.08.0002"}, {"healed"}),
        ({"project": "maps"}, {"moving", "odd"}),
        ({"customer": "Mapster"}, {"moving", "odd"}),
        ({"region": "eu-nl"}, {"moving", "odd"}),
        ({"instance": "geo"}, {"moving", "odd"}),
        ({"instance": "id-of-geo"}, {"moving", "odd"}),
        ({"q": "412 BEFORE"}, {"lost"}),
        ({"q": "geo"}, {"moving", "odd"}),
        ({"ids": "b-1,ok"}, {"odd", "ok"}),
        ({"ids": "id-of-geo"}, {"moving", "odd"}),
        ({"project": "maps", "status": "Aborted"}, {"odd"}),
    ],
)
def test_filters_narrow_and_rows_counts_and_twin_agree(web, mixed, params, expected):
    response = opened(web, params)
    as_json = web.get("/restores.json", params).json()
    assert set(shown(response)) == expected
    assert [row["restore_id"] for row in as_json["restores"]] == shown(response)
    assert f"1–{len(expected)} of {len(expected)}" in words(response)
    assert as_json["total"] == len(expected)


def test_states_are_counted_within_the_other_filters(web, mixed):
    everything = words(web.get(URL))
    assert "All 5 Unresolved 1 Failed 2 In progress 1 Succeeded 1 Other: Aborted 1" in everything
    maps = words(web.get(URL, {"project": "maps", "status": "Aborted"}))
    assert "All 2 Unresolved 0 Failed 0 In progress 1 Succeeded 0 Other: Aborted 1" in maps


def test_counts_stop_at_ten_thousand(web):
    make_many(10_001)
    make_restore("lost", status="failed", created_at=NOW)
    make_restore("odd", status="Aborted", created_at=NOW)
    text = words(web.get(URL))
    assert (
        "All 10,000+ Unresolved 1 Failed 1 In progress 0 Succeeded 10,000+ Other: Aborted 1" in text
    )
    assert "1–50 of 10,000+" in text


def test_a_row_says_what_happened(web, mixed):
    text = words(web.get(URL))
    assert "Data sync failed; data may be partial dcs.08.0007" in text
    assert "Unresolved" in text
    assert "Recovered 16:59" in text
    assert "42%" in text
    assert "Monday 23 November" in text


def test_an_unknown_status_and_code_are_shown_verbatim(web):
    make_restore("odd", status="rolled_back")
    make_restore("new-code", status="failed", error_code="dcs.08.0099")
    text = words(web.get(URL))
    assert "rolled_back" in text
    assert "Unknown error code dcs.08.0099" in text


def test_what_the_cloud_no_longer_lists_is_marked(web):
    make_restore("gone", removed_upstream_at=NOW)
    assert "Removed from provider’s list" in words(web.get(URL))


def test_a_row_leads_to_the_restore_and_keeps_the_list(web):
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


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ("from=2026-02-30", 'value="2026-02-30"', "doesn’t exist (February 2026 has 28 days)"),
        ("tz=Mars/Base", 'value="Mars/Base"', "unknown time zone"),
        ("q=" + "x" * 201, 'name="q"', "longer than 200"),
        ("project=" + "y" * 129, 'name="project"', "longer than 128"),
        ("recovered=maybe", "“<bdi>maybe</bdi>”", "must be one of yes, no"),
        ("size=9", "“<bdi>9</bdi>”", "must be a whole number from 10 to 200"),
        ("page=x", "“<bdi>x</bdi>”", "must be a whole number"),
        ("sort=x", "“<bdi>x</bdi>”", "must be one of created"),
        ("after=x", "“<bdi>x</bdi>”", "valid page link"),
        ("asof=2027-01-01T00:00:00Z", "2027-01-01", "is in the future"),
    ],
)
def test_an_unreadable_value_is_refused_at_its_field_without_rows(web, query, field, message):
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


def test_a_value_too_many_shows_both(web):
    assert "“ 1, 2 ”: can only be given once" in words(web.get(f"{URL}?page=1&page=2"))


def test_an_address_that_is_too_long_is_refused_in_few_words(web):
    response = web.get(f"{URL}?{'project=x&' * 900}foo={'x' * 100_000}")
    assert response.status_code == 400
    assert len(response.content) < 50_000


def test_a_readable_address_is_redirected_to_its_canonical_form(web):
    response = web.get(f"{URL}?page=01&status=FAILED&from=2026-11-23&foo=1&q=")
    assert response.status_code == 302
    assert response.headers["Location"] == (
        "/restores/?status=failed&from=2026-11-23T00:00:00Z&foo=1"
    )


def test_an_unknown_parameter_is_named_with_a_guess(web):
    response = web.get(f"{URL}?statsu=failed")
    assert response.status_code == 200
    assert "Unknown parameter ignored: statsu . Did you mean status ?" in words(response)


@pytest.mark.parametrize("query", ["project=nope", "instance=nope", "code=nope", "ids=nope"])
def test_what_does_not_exist_is_named_and_gives_no_rows(web, mixed, query):
    response = web.get(f"{URL}?{query}")
    assert response.status_code == 200
    assert shown(response) == []
    assert f"No access or not found: {query.replace('=', ' ')}" in words(response)
    assert "No results" in words(response)


def test_a_page_past_the_end_leads_to_the_last(web):
    make_many(25)
    response = web.get(f"{URL}?size=10&page=99")
    assert response.status_code == 200
    assert "This page doesn’t exist" in words(response)
    assert 'href="?asof=2026-11-23T16:59:00Z&amp;size=10&amp;page=3"' in response.content.decode()


def window_of(end):
    return f"{URL}?from=2026-11-01T00:00:00Z&to={end}"


def test_none_is_claimed_only_when_the_last_look_was_after_the_window(web):
    make_instance()
    text = words(web.get(window_of("2026-11-23T16:00:00Z")))
    assert "No restores were created in this time range" in text
    assert "fully synced at 16:59 UTC or later, after this time range ended" in text


def test_before_the_last_look_it_is_not_known_yet(web):
    make_instance(complete_to=NOW - timedelta(hours=2))
    text = words(web.get(window_of("2026-11-23T16:00:00Z")))
    assert "Can’t tell yet" in text
    assert "last full sync was at 14:59 UTC, before the range ends at 16:00 UTC" in text


def test_an_instance_never_looked_at_leaves_it_unknown(web):
    make_instance(complete_to=None)
    text = words(web.get(window_of("2026-11-23T16:00:00Z")))
    assert "Can’t tell yet" in text
    assert "1 of 1 instances hasn’t been synced yet" in text


def test_a_failed_look_leaves_it_unknown_and_is_named(web):
    make_instance()
    ago = timedelta(minutes=9)
    make_instance(
        "feed", complete_to=NOW - ago, sync_error_kind="throttled", sync_error_since=NOW - ago
    )
    text = words(web.get(window_of("2026-11-23T16:55:00Z")))
    assert "Can’t tell yet" in text
    assert "feed in shop-prod: rate-limited by the provider since 16:50 UTC" in text


def test_a_fault_elsewhere_does_not_spoil_what_is_known_here(web):
    make_instance()
    project = make_project("maps", sync_error_kind="unreachable", sync_error_since=NOW)
    make_instance("geo", project=project)
    url = f"{URL}?project=shop-prod&from=2026-11-01T00:00:00Z&to=2026-11-23T16:00:00Z"
    assert "No restores were created in this time range" in words(web.get(url))


def test_without_an_end_none_is_only_known_as_of_the_last_look(web):
    make_instance()
    assert "No restores match (data complete up to 16:59 UTC)" in words(
        web.get(f"{URL}?status=failed")
    )


def test_nothing_watched_claims_nothing(web):
    assert "Nothing is monitored here" in words(web.get(URL))


def test_heads_say_how_the_table_is_sorted_and_turn_it_round(web):
    make_restore()
    html = web.get(f"{URL}?sort=-duration").content.decode()
    assert '<th scope="col" aria-sort="descending" class="' in html
    assert 'href="?asof=2026-11-23T16:59:00Z&amp;sort=duration"' in html


def test_two_members_see_only_their_own(client, django_user_model, mixed):
    for name, project in (("mia", "maps"), ("sam", "shop-prod")):
        user = django_user_model.objects.create_user(name)
        Membership.objects.create(user=user, project=make_project(project))
        client.force_login(user)
        response, as_json = client.get(URL), client.get("/restores.json").json()
        expected = {"mia": {"moving", "odd"}, "sam": {"ok", "lost", "healed"}}[name]
        assert set(shown(response)) == expected
        assert {row["restore_id"] for row in as_json["restores"]} == expected
        assert as_json["total"] == len(expected)
        assert f"All {len(expected)}" in words(response)
        other = {"mia": "shop-prod", "sam": "maps"}[name]
        assert other not in response.content.decode()
        assert "No access or not found" in words(client.get(URL, {"project": other}))
        assert client.get("/restores.json", {"project": other}).json()["not_found"] == [other]


def test_an_unchanged_list_is_answered_in_a_word_with_fresh_times(web):
    make_restore()
    first = web.get(URL)
    again = web.get(URL, headers={"if-none-match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["X-Complete-To"] == "2026-11-23T16:59:00Z"
    assert again.headers["X-Synced-At"] == "2026-11-23T16:59:00Z"
    assert first.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize(
    "change",
    [
        lambda restore: Restore.objects.update(changed_at=NOW - timedelta(seconds=1)),
        lambda restore: make_restore("another", changed_at=NOW - timedelta(days=3)),
        lambda restore: type(restore.instance).objects.update(sync_error_kind="throttled"),
        lambda restore: type(restore.project).objects.update(sync_error_kind="unreachable"),
        lambda restore: make_instance("new", complete_to=None),
    ],
)
def test_every_change_that_shows_makes_a_new_answer(web, change):
    restore = make_restore()
    tag = web.get(URL).headers["ETag"]
    change(restore)
    assert web.get(URL, headers={"if-none-match": tag}).status_code == 200


def test_what_commits_while_faults_are_summed_up_is_not_hidden(web, monkeypatch):
    make_instance("bad", sync_error_kind="unreachable")
    late = make_instance("late", complete_to=NOW - timedelta(hours=2))
    tag = web.get(URL).headers["ETag"]

    def read(instances, projects, ours=sync_status._count_instances):
        make_restore("found-late", instance=late)
        type(late).objects.filter(pk=late.pk).update(complete_to=NOW)
        return ours(instances, projects)

    monkeypatch.setattr(sync_status, "_count_instances", read)
    answer = web.get(URL, headers={"if-none-match": tag})
    assert answer.headers["X-Complete-To"] == "2026-11-23T16:59:00Z"
    assert (answer.status_code, "found-late" in answer.content.decode()) == (200, True)


@pytest.mark.parametrize("url", ["/restores.json", "/restores.md", "/restores.csv"])
def test_no_twin_tells_of_a_moment_that_its_rows_do_not_hold(web, monkeypatch, url):
    def read(scope, ours=Scope.sync_status):
        found = ours(scope)
        make_restore("found-late")
        return found

    monkeypatch.setattr(Scope, "sync_status", read)
    answer = web.get(url)
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    assert b"found-late" in body


def test_two_readers_never_share_a_copy(client, django_user_model, web):
    tag = web.get(URL).headers["ETag"]
    other = django_user_model.objects.create_superuser("other")
    client.force_login(other)
    assert client.get(URL, headers={"if-none-match": tag}).status_code == 200


def test_a_window_relative_to_now_is_not_unchanged_for_ever(web):
    make_restore()
    tag = web.get(f"{URL}?from=now-2h").headers["ETag"]
    with time_machine.travel(NOW + timedelta(minutes=2)):
        again = web.get(f"{URL}?from=now-2h", headers={"if-none-match": tag})
    assert again.status_code == 200


def test_a_page_costs_the_same_queries_however_many_rows(web, django_assert_max_num_queries):
    make_many(60)
    for number in range(9):
        make_restore(status="restoring", created_at=NOW - timedelta(minutes=number))
    with django_assert_max_num_queries(20):
        web.get(f"{URL}?size=200")


def test_only_get_and_head(web):
    assert web.post(URL).status_code == 405


names = st.sampled_from([*ORDER, "around", "win", "x"])
odd = ["\0", "\u202e", "now-24h", "2026-11-23", "-ended", "10", "any", "٣", "%", "'", "9" * 5000]
values = st.one_of(st.text(max_size=20), st.sampled_from(odd))


@settings(
    max_examples=75, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(names, values), max_size=6))
def test_no_query_string_breaks_the_page_or_its_twin(web, mixed, pairs):
    query = urlencode(pairs, errors="replace")
    assert web.get(f"{URL}?{query}").status_code in (200, 302, 400)
    assert web.get(f"/restores.json?{query}").status_code in (200, 400)


def test_times_are_shown_in_the_zone_of_the_link(web):
    make_restore(created_at=datetime.fromisoformat("2026-11-23T15:30:00+00:00"))
    text = words(web.get(f"{URL}?tz=Asia/Shanghai"))
    assert "Created Shanghai" in text
    assert "23:30:00" in text
