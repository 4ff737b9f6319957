"""The overview and its JSON."""

import re
from datetime import timedelta
from html import unescape

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from restores.models import Restore
from tests.factories import NOW, make_instance, make_project, make_restore


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


def page(web, query=""):
    response = web.get(f"/{query}")
    assert response.status_code == 200
    return response.content.decode()


def words(web, query=""):
    return " ".join(re.sub(r"<[^>]*>", " ", page(web, query)).split())


def json_of(web, query=""):
    return web.get(f"/overview.json{query}").json()


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


def test_a_figure_says_how_it_has_changed_since_the_week_before(web):
    week = timedelta(days=7)
    make_restore(status="restoring")
    for _ in range(3):
        make_restore(status="failed")
    make_restore(ended_at=NOW - timedelta(minutes=50))
    make_restore(created_at=NOW - week - timedelta(hours=2))
    early = NOW - week - timedelta(hours=2)
    make_restore(status="failed", created_at=early, recovered_at=NOW)
    make_restore(status="failed", created_at=early, recovered_at=early + timedelta(hours=1))
    text = words(web)
    assert "In progress 1 1 restoring · 0 queued" in text
    # One of the two had recovered by then.
    assert "Unresolved, 7 d 3 +2 from 1 a week earlier" in text
    assert "Failed, 24 h 3 +1 from 2 a week earlier" in text
    assert "Failure rate, 7 d 75.0 % +8.3 from 66.7% a week earlier" in text
    assert "Median duration, 7 d 10:00 min +4 min from 6:00 a week earlier" in text


def test_a_longer_range_is_compared_with_the_same_weekdays_before(web):
    make_restore(status="failed", created_at=NOW - timedelta(days=36))
    assert "Unresolved, 30 d 0 −1 from 1, 5 weeks earlier" in words(web, "?from=now-30d")


def test_restores_in_progress_and_unresolved_are_listed_with_details(web):
    make_restore("running", status="restoring", progress=42.0)
    make_restore("queued", status="waiting", created_at=NOW - timedelta(minutes=1))
    make_restore("left", status="waiting", created_at=NOW - timedelta(hours=3))
    make_restore("broken", status="failed", error_code="dcs.08.0002")
    html = page(web)
    assert re.search(r'<progress\s+class="stuck"\s+max="100"\s+value="42"', html)
    assert "Timed out; data state unknown" in html
    assert "Queued" in html
    assert "Still queued after 3 h" in html
    assert "1:00:00" in html
    shown = re.findall(r'href="/restores/(left|running|queued|broken)/"', html)
    assert shown == ["left", "running", "queued", "broken"]
    assert html.count('<a href="/instances/id-of-cart-prod/">') == 4


def test_what_is_possibly_stuck_has_a_number_and_comes_first(web):
    make_restore("fine", status="restoring", created_at=NOW - timedelta(minutes=9))
    assert "Possibly stuck" not in page(web)
    make_restore("stuck", status="waiting", created_at=NOW - timedelta(minutes=31))
    make_restore("newer", status="restoring", created_at=NOW - timedelta(minutes=8))
    html = page(web)
    assert 'href="/restores/?stuck=yes&amp;asof=' in html
    assert json_of(web)["stuck"] == 1 and "Stuck 1 cart-prod" in words(web)
    places = [html.index(f"/restores/{name}/") for name in ("stuck", "fine", "newer")]
    assert places == sorted(places)
    assert "<bdi>Possibly stuck</bdi>" in html


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


def test_the_default_range_has_no_parameter_and_other_spellings_lead_to_it(web):
    make_instance()
    html = page(web)
    assert '<a href="/" aria-current="true">7 d</a>' in html
    assert "last 7 days" in html
    for query, canonical in (
        ("?from=now-7d", "/"),
        ("?tz=europe/berlin&from=now-14d", "/?from=now-14d&tz=Europe/Berlin"),
        ("?from=yesterday", "/?from=now-1d/d"),
    ):
        assert web.get(f"/{query}").headers["Location"] == canonical


def test_the_range_and_the_zone_are_kept_by_the_lists_it_leads_to(web):
    make_restore(status="failed", error_code="dcs.08.0007")
    url = "/restores/?customer=Shopwell&status=failed&from=now-30d&tz=Asia/Tokyo"
    assert f'href="{url}' in page(web, "?from=now-30d&tz=Asia/Tokyo").replace("&amp;", "&")


def test_days_begin_by_the_clock_of_the_zone_that_the_reader_has_chosen(web, settings):
    make_restore(created_at=NOW.replace(day=22, hour=15))
    assert "Sun 22 Nov 1 1 0 0 0 complete" in words(web)
    web.cookies[settings.ZONE_COOKIE_NAME] = "Asia/Tokyo"
    assert "Mon 23 Nov 1 1 0 0 0 complete" in words(web)
    assert "Sun 22 Nov 1 1 0 0 0 complete" in words(web, "?tz=UTC")


@pytest.mark.parametrize(
    ("query", "reason", "suggestion"),
    [
        ("?from=Feb+30", "isn’t a valid date or time", None),
        ("?tz=Berln", "is an unknown time zone", "/?tz=Europe/Berlin"),
        ("?from=now-1y", "is too early: the overview covers up to 93 days", "/?from=now-93d"),
        (
            "?to=2026-11-20",
            "is needed: the overview covers up to 93 days",
            "/?from=2026-11-14T00:00:00Z&to=2026-11-20",
        ),
    ],
)
def test_a_range_that_cannot_be_shown_is_refused_with_a_suggestion(web, query, reason, suggestion):
    response = web.get(f"/{query}")
    assert response.status_code == 400
    html = unescape(response.content.decode())
    assert reason in html and "View all" not in html
    if suggestion:
        assert f'href="{suggestion[1:]}"' in html
        assert web.get(suggestion).status_code != 400
    errors = web.get(f"/overview.json{query}")
    assert errors.status_code == 400 and reason in errors.json()["errors"][0]["reason"]


def test_a_day_is_hatched_until_its_data_is_complete(web):
    make_instance(complete_to=NOW - timedelta(days=2))
    text, html = words(web), page(web)
    assert "Sat 21 Nov 0 0 0 0 0 not complete yet" in text
    assert "Fri 20 Nov 0 0 0 0 0 complete" in text
    assert re.sub(r"\s+", " ", html).count('<rect class="incomplete" fill="url(#hatch)" x=') == 3


def test_a_failure_without_a_code_or_a_customer_is_counted_without_a_link(web):
    instance = make_instance(project=make_project(customer=""))
    make_restore(status="failed", error_code="", instance=instance)
    make_restore(status="failed", error_code="any", instance=instance)
    html = page(web)
    assert "No customer" in html
    assert "code=" not in html and "customer=" not in html
    codes = json_of(web)["failures_by_code"]
    assert [row["code"] for row in codes] == [None, "any"]


def test_failures_with_codes_that_are_not_listed_are_added_up(web):
    instance = make_instance()
    for number in range(8):
        make_restore(status="failed", error_code=f"dcs.09.000{number}", instance=instance)
    assert "Others 2" in words(web)


def test_projects_that_are_behind_are_named_with_the_reason(web):
    make_instance("good", project=make_project("good"))
    late = make_project("late", sync_error_kind="unreachable", sync_error_since=NOW)
    make_instance("old", project=late, complete_to=NOW - timedelta(hours=3))
    make_instance("new", project=make_project("new"), complete_to=None)
    text = words(web)
    assert "late eu-de 23 Nov 13:59 · unreachable" in text
    assert "new eu-de 1 instance not synced yet" in text
    assert "2 other projects" in text


def test_without_a_project_it_says_what_to_do(web, client, django_user_model):
    assert "No projects yet" in words(web) and "check_projects" in words(web)
    client.force_login(django_user_model.objects.create_user("mia"))
    assert "Ask an administrator" in words(client)


def test_no_restores_is_claimed_only_if_the_data_is_complete(web):
    make_instance(complete_to=NOW - timedelta(minutes=5))
    html = page(web)
    for text in ("No restores in progress", "No unresolved failures"):
        assert f"{text} as of <time" in html
    assert html.count(">23 Nov 2026, 16:54:00 UTC<") == 2


def test_without_a_sync_of_every_instance_the_overview_cannot_tell_yet(web):
    make_instance("good")
    make_instance("other", complete_to=None)
    html = page(web)
    assert html.count("Can’t tell yet") == 2
    assert "No restores in progress" not in html


def test_with_a_project_never_listed_the_overview_cannot_tell_yet(web):
    make_instance("good")
    make_project("new", listed_at=None)
    assert page(web).count("Can’t tell yet") == 2
    assert json_of(web)["complete_to"] is None


def test_after_failed_syncs_no_restores_is_claimed_for_the_time_before(web):
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


def counts_of(html):
    """Every count of the page with the link to what it counts."""
    for pattern in (
        # A figure, a cell of the table or the rest of a card, the sum of an outcome, a row of
        # failures, a part of a bar.
        r'<a href="([^"]*)">\s*<span>[^<]*</span>\s*<b[^>]*>\s*([\d,]+)\s*</b>',
        r'<a href="([^"]*)">(?:View all )?([\d,]+)</a>',
        r'<a href="([^"]*)">\s*<svg(?:(?!</a>).)*<b>([\d,]+)</b>',
        r'<a href="([^"]*)"><bdi>[^<]*</bdi></a>(?:(?!</li>).)*</svg>\s*<b>([\d,]+)</b>',
        r'<a href="([^"]*)" tabindex="-1">\s*<title>[^<]*: ([\d,]+) ',
    ):
        found = re.findall(pattern, html, re.DOTALL)
        assert found or not Restore.objects.exists() or "No failures found" in html, pattern
        yield from found


RESTORES = st.lists(
    st.tuples(
        st.timedeltas(min_value=timedelta(hours=-3), max_value=timedelta(days=16)),
        st.sampled_from(["succeed", "failed", "failed", "restoring", "waiting", "paused"]),
        st.booleans(),
        st.sampled_from(["dcs.08.0007", "DCS.1 "]),
        st.sampled_from(["shop", "lab"]),
    ),
    max_size=6,
)
STARTS = st.sampled_from(["now-24h", "now-14d", "now/d", "2026-11-20", "2026-11-22T13:37:11Z"])
ENDS = st.sampled_from(["", "now", "2026-11-23T10:10:10Z", "2026-12-05"])
ZONES = st.sampled_from(
    ["UTC", "America/St_Johns", "Asia/Kathmandu", "Asia/Kolkata", "Europe/Berlin", "UTC+14"]
)


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(restores=RESTORES, start=STARTS, end=ENDS, zone=ZONES)
def test_every_count_is_the_total_of_the_list_it_leads_to(web, restores, start, end, zone):
    Restore.objects.all().delete()
    for age, status, recovered, code, place in restores:
        project = make_project(place, customer=place.title())
        make_restore(
            status=status,
            created_at=NOW - age,
            error_code=code if status == "failed" else "",
            recovered_at=NOW if recovered else None,
            instance=make_instance(place, project=project),
        )
    make_project("shop")
    url = f"/?from={start}&to={end}&tz={zone.replace('+', '%2B')}"
    canonical = web.get(url).headers.get("Location", url)
    counts = set(counts_of(page(web, canonical.lstrip("/"))))
    # Most are zero: of these, one of each kind of link.
    zero = {re.sub(r"from=[^&]*|to=[^&]*", "", url): (url, n) for url, n in counts if n == "0"}
    for url, number in {one for one in counts if one[1] != "0"} | set(zero.values()):
        listed = web.get(unescape(url).replace("/restores/", "/restores.json")).json()
        assert listed["total"] == int(number), url
