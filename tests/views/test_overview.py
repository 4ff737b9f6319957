"""The overview and its JSON."""

from datetime import timedelta

import pytest
import time_machine

from tests.factories import NOW, make_instance, make_project, make_restore


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


def page(web):
    response = web.get("/")
    assert response.status_code == 200
    return response.content.decode()


def json_of(web):
    return web.get("/overview.json").json()


def test_the_numbers_count_restores_in_progress_failed_and_unresolved(web):
    make_restore(status="restoring", progress=42.0)
    make_restore(status="waiting", progress=0.0)
    make_restore(status="failed")
    make_restore(status="failed", recovered_at=NOW)
    make_restore(status="failed", created_at=NOW - timedelta(days=3))
    make_restore(status="failed", created_at=NOW - timedelta(days=8))
    numbers = json_of(web)
    assert numbers["in_progress"] == 2
    assert numbers["still_failed_7_days"] == 2
    assert numbers["failed_24_hours"] == 2


def test_each_number_leads_to_the_list_it_counts(web):
    html = page(web)
    for query in (
        "status=restoring&amp;status=waiting",
        "status=failed&amp;recovered=no&amp;from=now-7d",
        "status=failed&amp;from=now-24h",
    ):
        assert f'href="/restores/?{query}"' in html


def test_restores_in_progress_and_unresolved_are_listed_with_details(web):
    make_restore("running", status="restoring", progress=42.0)
    make_restore("queued", status="waiting", created_at=NOW - timedelta(minutes=1))
    make_restore("left", status="waiting", created_at=NOW - timedelta(hours=3))
    make_restore("broken", status="failed", error_code="dcs.08.0002")
    html = page(web)
    assert '<progress max="100" value="42"' in html
    assert "Timed out; data state unknown" in html
    assert "Queued" in html
    assert "Still queued after 3 h" in html
    assert "1:00:00" in html


def test_a_day_is_the_utc_day_of_creation_even_at_its_edge(web):
    today = NOW.replace(hour=0, minute=0, second=0)
    make_restore(created_at=today)
    make_restore(created_at=today - timedelta(milliseconds=1))
    make_restore(status="failed", created_at=today)
    make_restore(created_at=today - timedelta(days=14))
    days = json_of(web)["days"]
    assert len(days) == 14
    assert days[-1] == {"day": "2026-11-23", "succeeded": 1, "failed": 1}
    assert days[-2] == {"day": "2026-11-22", "succeeded": 1, "failed": 0}
    assert sum(day["succeeded"] for day in days) == 2


def test_the_bars_are_also_a_table(web):
    make_restore()
    html = page(web)
    assert "<details" in html
    assert "23 Nov 2026: 1 succeeded, 0 failed" in html


def test_none_is_said_only_if_the_data_is_complete(web):
    make_instance(complete_to=NOW - timedelta(minutes=5))
    html = page(web)
    for text in ("No restores in progress", "No unresolved failures"):
        assert f"{text} as of <time" in html
    assert html.count(">23 Nov 2026, 16:54:00 UTC<") == 2


def test_without_a_sync_of_every_instance_it_can_not_tell_yet(web):
    make_instance("good")
    make_instance("other", complete_to=None)
    html = page(web)
    assert html.count("Can’t tell yet") == 2
    assert "No restores in progress" not in html


def test_with_a_project_never_listed_it_can_not_tell_yet(web):
    make_instance("good")
    make_project("new", listed_at=None)
    assert page(web).count("Can’t tell yet") == 2
    assert json_of(web)["complete_to"] is None


def test_after_failed_syncs_none_is_said_of_the_time_before(web):
    make_instance("good")
    old = NOW - timedelta(hours=2)
    make_instance("other", complete_to=old, sync_error_kind="unreachable")
    html = page(web)
    assert html.count(">23 Nov 2026, 14:59:00 UTC<") == 2
    assert html.count("Syncs have failed since then") == 2


def test_an_instance_deleted_before_its_last_sync_is_named(web):
    make_instance("good")
    make_instance("lost", deleted_at=NOW - timedelta(days=1), complete_to=None)
    html = page(web)
    assert "lost was deleted before its last restores could be synced" in html
    assert "No restores in progress as of" in html


def test_without_a_monitored_instance_nothing_is_claimed(web):
    make_instance(single_node=True)
    html = page(web)
    assert html.count("Not monitored") == 2
    assert "No restores in progress" not in html


def test_a_long_table_is_cut_and_links_to_the_whole_list(web):
    instance = make_instance()
    for _ in range(25):
        make_restore(instance=instance, status="waiting")
    html = page(web)
    assert html.count("/restores/r-") == 20
    assert ">View all 25</a>" in html


def test_the_page_takes_no_more_queries_with_more_rows(web, django_assert_max_num_queries):
    for number in range(20):
        make_restore(instance=make_instance(f"i-{number}"), status="failed")
        make_restore(instance=make_instance(f"i-{number}"), status="waiting")
    with django_assert_max_num_queries(17):
        page(web)
