"""Permalinks: what a page shows to anyone who opens its link later."""

import re
from datetime import timedelta
from html import unescape

import pytest
import time_machine
from django.urls import reverse

from restores.models import Observation, Restore
from restores.timerange import to_iso
from tests.factories import NOW, make_instance, make_observation, make_project, make_restore

URL = "/restores/"
THEN = NOW - timedelta(hours=1)
ASOF = to_iso(THEN)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def moved(db):
    """A restore that was seen restoring before THEN, and failed after."""
    restore = make_restore(
        "moved",
        status="failed",
        progress=63.0,
        error_code="dcs.08.0007",
        created_at=THEN - timedelta(minutes=10),
        ended_at=THEN + timedelta(minutes=2),
        first_seen_at=THEN - timedelta(minutes=9),
        changed_at=THEN + timedelta(minutes=3),
        moved_at=THEN + timedelta(minutes=3),
    )
    for minutes, status, progress, code in (
        (-9, "waiting", 0.0, ""),
        (-1, "restoring", 42.0, ""),
        (3, "failed", 63.0, "dcs.08.0007"),
    ):
        recorded_at = THEN + timedelta(minutes=minutes)
        make_observation(restore, recorded_at, status=status, progress=progress, error_code=code)
    return restore


def words(response):
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"\s+", " ", unescape(text))


def links(response):
    """Every link of the page's own part into the list or to a restore."""
    html = response.content.decode()
    main = html[html.index("<main") : html.index("</main>")]
    return [unescape(one) for one in re.findall(r'<a[^>]* href="(/restores[^"]*)"', main)]


def test_an_old_link_shows_the_status_then_and_the_current_one_next_to_it(web, moved):
    make_restore("still", created_at=THEN - timedelta(hours=2))
    response = web.get(f"{URL}?asof={ASOF}")
    text = words(response)
    assert "Snapshot 23 Nov 15:59:00 UTC · Back to live Statuses as of that time" in text
    assert "badge live" not in response.content.decode() and "Synced" not in text
    assert "Restoring" in text
    assert "42%" in text
    assert "Now: Failed dcs.08.0007 at 16:01" in text
    assert text.count("Now:") == 1
    assert response.content.decode().count('class="changed"') == 1


def test_durations_stand_still_in_a_snapshot(web, moved):
    html = web.get(f"{URL}?asof={ASOF}").content.decode()
    assert '<td class="num took">10:00</td>' in html
    assert "data-since" not in html


def test_a_restore_first_seen_later_is_not_in_the_snapshot(web):
    make_restore("r-unseen", created_at=THEN - timedelta(minutes=1), first_seen_at=NOW)
    response = web.get(f"{URL}?asof={ASOF}")
    assert "r-unseen" not in response.content.decode()
    assert "No restores recorded by 15:59 UTC" in words(response)
    assert "in this time range" not in words(response)


@pytest.mark.parametrize(
    ("params", "there"),
    [("status=restoring", True), ("status=failed", False), ("code=any", False), ("q=moved", True)],
)
def test_filters_apply_to_the_status_then_in_rows_counts_and_json(web, moved, params, there):
    page = web.get(f"{URL}?{params}&asof={ASOF}")
    body = web.get(f"/restores.json?{params}&asof={ASOF}").json()
    assert ("/restores/moved/" in page.content.decode()) is there
    assert [row["restore_id"] for row in body["restores"]] == ["moved"] * there
    assert body["total"] == int(there)


def test_the_json_has_the_values_then_and_what_differs_now(web, moved):
    [row] = web.get(f"/restores.json?asof={ASOF}").json()["restores"]
    assert (row["status"], row["progress"], row["error_code"]) == ("restoring", 42.0, None)
    assert (row["ended_at"], row["duration_seconds"]) == (None, None)
    assert row["now"]["status"] == "failed"
    assert row["now"]["error_code"] == "dcs.08.0007"
    assert "restore_id" not in row["now"]


def test_a_success_recorded_later_recovers_nothing_in_the_snapshot(web):
    make_restore("lost", status="failed", created_at=THEN - timedelta(hours=2), recovered_at=THEN)
    make_restore("healing", created_at=THEN - timedelta(hours=1), first_seen_at=NOW)
    text = words(web.get(f"{URL}?asof={ASOF}"))
    assert "Unresolved 1" in text
    assert "Now: recovered at 15:59" in text
    [row] = web.get(f"/restores.json?recovered=no&asof={ASOF}").json()["restores"]
    assert (row["recovered_at"], row["now"]["recovered_at"]) == (None, to_iso(THEN))


def test_a_code_recorded_later_is_not_found_in_the_snapshot(web, moved):
    Restore.objects.filter(pk=moved.pk).update(search="moved restore_moved dcs.08.0007")
    make_restore("coded", created_at=THEN - timedelta(hours=1), restore_remark="not DCS.08.0007",
                 search="coded not dcs.08.0007")  # fmt: skip
    for words_asked, found in (
        ("dcs.08.0007", ["coded"]),
        ("moved", ["moved"]),
        ("moved dcs.08", []),
    ):
        query = {"q": words_asked, "asof": ASOF}
        rows = web.get("/restores.json", query).json()["restores"]
        assert [row["restore_id"] for row in rows] == found, words_asked
    rows = web.get("/restores.json", {"q": "dcs.08.0007"}).json()["restores"]
    assert {row["restore_id"] for row in rows} == {"coded", "moved"}


def test_a_time_range_of_changes_has_what_has_changed_again_since(web, moved):
    for minutes, there in ((-20, []), (-2, ["moved"]), (2, ["moved"]), (10, [])):
        start, end = (to_iso(THEN + timedelta(minutes=minutes + more)) for more in (0, 3))
        for asof in ("", to_iso(THEN + timedelta(minutes=30))):
            query = {"on": "changed", "from": start, "to": end, "asof": asof}
            rows = web.get("/restores.json", query).json()["restores"]
            assert [row["restore_id"] for row in rows] == there, (minutes, asof)


@pytest.mark.parametrize(("days", "there"), [(-50, ["moved"]), (0, [])])
def test_a_wide_time_range_of_changes_has_what_has_changed_again_since(web, moved, days, there):
    Restore.objects.update(changed_at=THEN + timedelta(days=90))
    start, end = (to_iso(THEN + timedelta(days=days + more)) for more in (1, 50))
    query = {"on": "changed", "from": start, "to": end}
    rows = web.get("/restores.json", query).json()["restores"]
    assert [row["restore_id"] for row in rows] == there


@pytest.mark.parametrize("micro", [0, 1, 400_000])
def test_what_a_page_shows_was_recorded_by_the_asof_of_its_links(web, moved, micro):
    recorded = NOW + timedelta(microseconds=micro)
    Restore.objects.update(moved_at=recorded, changed_at=recorded)
    Observation.objects.filter(status="failed").update(recorded_at=recorded)
    with time_machine.travel(recorded + timedelta(microseconds=100), tick=False):
        html = web.get("/restores/").content.decode()
        asof = re.search(r'data-permalink="/restores/\?asof=([^"]+)"', html)[1]
    with time_machine.travel(NOW + timedelta(minutes=10), tick=False):
        [row] = web.get(f"/restores.json?asof={asof}").json()["restores"]
    assert (row["status"], asof) == ("failed", to_iso(NOW + timedelta(seconds=1)))


@pytest.mark.parametrize("seconds", [0, 119])
def test_a_recent_link_is_live(web, moved, seconds):
    asof = to_iso(NOW - timedelta(seconds=seconds))
    make_restore("newest", created_at=NOW, first_seen_at=NOW)
    html = web.get(f"{URL}?asof={asof}").content.decode()
    assert '<span class="badge live">Live</span>' in html and "Back to live" not in html
    assert "/restores/newest/" in html
    assert 'data-live="/restores/"' in html
    assert f'data-permalink="/restores/?asof={to_iso(NOW)}"' in html


def test_every_link_carries_asof_live_and_in_a_snapshot(web, moved):
    make_restore("another", created_at=THEN - timedelta(hours=1), backup_id="b")
    for query, asof in (("", to_iso(NOW)), (f"?asof={ASOF}", ASOF)):
        for path in (URL, reverse("restore-detail", args=["moved"])):
            there = [one for one in links(web.get(path + query)) if "format=" not in one]
            free = [one for one in there if f"asof={asof}" not in one]
            # “Back to live” and the live link of the Copy menu.
            live = {path, f"{path}?"}
            assert len(there) > 3
            assert set(free) <= live, path + query


def test_a_recent_asof_keeps_the_etag(web, moved):
    tag = web.get(URL).headers["ETag"]
    young = web.get(f"{URL}?asof={to_iso(NOW - timedelta(seconds=9))}")
    old = web.get(f"{URL}?asof={ASOF}")
    assert young.headers["ETag"] == tag != old.headers["ETag"]


def test_the_page_of_a_restore_is_a_snapshot_too(web, moved):
    text = words(web.get(f"/restores/moved/?asof={ASOF}"))
    assert "cart-prod Restoring Now: Failed dcs.08.0007" in text
    assert "Snapshot 23 Nov 15:59:00 UTC · Back to live" in text
    assert "What to do" not in text
    assert "16:02:00" not in text
    body = web.get(f"/restores/moved.json?asof={ASOF}").json()
    assert body["status"] == "restoring"
    assert body["now"]["status"] == "failed"
    assert [one["status"] for one in body["observations"]] == ["waiting", "restoring"]


def test_a_snapshot_of_a_restore_is_not_recovered_by_a_later_success(web, moved):
    make_restore("lost", status="failed", created_at=THEN - timedelta(hours=2), recovered_at=NOW,
                 first_seen_at=THEN - timedelta(hours=2))  # fmt: skip
    Restore.objects.filter(pk=moved.pk).update(status="succeed", error_code="")
    for path in ("/restores/lost/", "/restores/lost.md", "/restores/lost.json"):
        then, now = (words(web.get(path + query)) for query in (f"?asof={ASOF}", ""))
        assert "succeeded at" not in then, path
        assert "no changes since" not in then, path
        assert now != then, path
    assert web.get(f"/restores/lost.json?asof={ASOF}").json()["recovered_at"] is None


def test_the_customer_message_is_current_however_old_the_link(web, moved):
    for path in (
        f"/restores/moved/?asof={ASOF}",
        f"/restores/moved.md?asof={ASOF}&format=customer",
    ):
        text = words(web.get(path))
        assert "did not complete" in text, path
        assert "is unavailable until" not in text, path


def test_restores_that_share_an_id_are_listed_as_of_then(web, moved):
    other = make_instance("other", project=make_project("maps"))
    make_restore("moved", instance=other, created_at=NOW, first_seen_at=NOW)
    text = words(web.get(f"/restores/moved/?asof={ASOF}"))
    assert "Some of these restores weren’t recorded yet" in text
    assert "Restoring" in text and "Failed" not in text
    assert [row["instance_name"] for row in web.get(f"/restores/moved.json?asof={ASOF}").json()
            ["restores"]] == ["cart-prod"]  # fmt: skip
    assert web.get("/restores/moved/?asof=rubbish").status_code == 400


def test_a_snapshot_from_before_a_restore_was_recorded_says_so(web, moved):
    early = to_iso(THEN - timedelta(hours=5))
    for kind in ("json", "md"):
        assert web.get(f"/restores/moved.{kind}?asof={early}").status_code == 404
    text = words(web.get(f"/restores/moved/?asof={early}"))
    assert "wasn’t recorded yet at 23 Nov 2026, 10:59:00 UTC" in text
    assert "failed" in text


def test_an_invalid_asof_of_a_restore_is_named(web, moved):
    response = web.get("/restores/moved/?asof=yesterdayish")
    assert response.status_code == 400
    assert "yesterdayish" in words(response)
    response = web.get("/restores/moved.json?asof=yesterdayish")
    assert (response.status_code, response.json()["errors"][0]["param"]) == (400, "asof")


def neighbors(web, restore_id, query=""):
    """The ids of the restores before and after one in its list."""
    html = " ".join(web.get(f"/restores/{restore_id}/{query}").content.decode().split())
    found = [re.search(rf'rel="{way}" href="/restores/([^/]+)/', html) for way in ("prev", "next")]
    return tuple(match and match[1] for match in found)


@pytest.mark.parametrize("query", ["", "?sort=created", "?sort=-duration", "?sort=status"])
def test_previous_and_next_follow_the_order_of_the_list(web, query):
    for number, status in enumerate(["succeed", "restoring", "failed", "waiting", "succeed"]):
        created = NOW - timedelta(minutes=9 * number + 9)
        make_restore(f"n{number}", status=status, created_at=created)
    make_restore("untimed", created_at=None, duration=None)
    html = web.get(URL + query, follow=True).content.decode()
    order = re.findall(r'<td class="t"><a class="go" href="/restores/([^/]+)/', html)
    assert len(order) == 6
    around = [None, *order, None]
    for place, restore_id in enumerate(order):
        assert neighbors(web, restore_id, query) == (around[place], around[place + 2])


def test_previous_and_next_stay_in_the_filtered_list(web):
    for number in range(4):
        status = "failed" if number % 2 else "succeed"
        make_restore(f"n{number}", status=status, created_at=NOW - timedelta(minutes=number))
    assert neighbors(web, "n1", "?status=failed") == (None, "n3")


def test_a_change_that_the_providers_slow_clock_dates_back_is_dated_by_ours(web, moved):
    Observation.objects.update(seen_at=THEN - timedelta(hours=9))
    Restore.objects.update(ended_at=THEN - timedelta(minutes=9))
    assert "Now: Failed" in words(web.get(f"{URL}?asof={ASOF}"))
