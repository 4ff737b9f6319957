"""The time zone of the pages: chosen in the header, kept in a cookie, overridden by a URL."""

import re
from datetime import timedelta
from html import unescape

import pytest
import time_machine

from restores.models import Project
from tests.factories import NOW, make_instance, make_project, make_restore

TOKYO = "23:30:00 Tokyo"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


def choose(web, zone, page="/"):
    return web.post("/time-zone/", {"zone": zone, "next": page})


def text_of(response):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def make_failure():
    """A restore of 14:30 UTC, 23:30 in Tokyo, of a customer in Berlin."""
    restore = make_restore(
        "r-1",
        status="failed",
        error_code="dcs.08.0007",
        created_at=NOW.replace(hour=14, minute=30, second=0),
        ended_at=NOW.replace(hour=14, minute=32, second=0),
    )
    Project.objects.update(customer="Acme", time_zone="Europe/Berlin")
    return restore


def test_every_page_shows_its_times_in_the_chosen_zone(web):
    restore = make_failure()
    instance = restore.instance
    instance.complete_to = instance.synced_at = NOW - timedelta(hours=1)
    instance.save()
    pages = {
        "/restores/": ["Created Tokyo", "23:30:00"],
        "/restores/r-1/": [
            "Failed on 23 Nov 2026 at 23:32:00 Tokyo",
            TOKYO,
        ],
        f"/instances/{instance.instance_id}/": ["Created Tokyo", "23 Nov 23:30"],
        "/": ["Created (Tokyo)", "23 Nov 23:30"],
        "/instances/": ["Data complete up to (Tokyo)", "24 Nov 00:59"],
        "/sync-status/": ["Next sync (Tokyo)"],
        "/codes/": ["Newest (Tokyo)", "23 Nov 23:30"],
        "/lookup/?q=r-1+2026-11-23T14:30Z": ["23 Nov 23:30 Tokyo", "23 Nov 2026, 23:30:00 Tokyo"],
        "/reports/downtime/?from=2026-11-22T16:59:00Z&to=2026-11-23T16:59:00Z": [
            "23 Nov, 01:59 – 24 Nov, 01:59 Tokyo (UTC+9)"
        ],
    }
    before = {page: text_of(web.get(page)) for page in pages}
    assert choose(web, "Tokyo").status_code == 302
    for page, texts in pages.items():
        for text in texts:
            assert text not in before[page] and text in text_of(web.get(page)), (page, text)


def test_advice_gives_its_time_in_the_chosen_zone(web):
    make_restore("r-1", status="restoring", progress=10.0, created_at=NOW - timedelta(minutes=1))
    assert " UTC" in text_of(web.get("/restores/r-1/")).split("What to do")[1]
    choose(web, "Asia/Kolkata")
    assert re.search("check again at 2[23]:.. Kolkata", text_of(web.get("/restores/r-1/")))


def test_a_zone_in_the_url_wins_over_the_chosen_one(web):
    make_failure()
    choose(web, "Asia/Tokyo")
    assert "Created Berlin" in text_of(web.get("/restores/?tz=Europe/Berlin"))
    assert "at 15:32:00 Berlin" in text_of(web.get("/restores/r-1/?tz=Europe/Berlin"))
    assert "Created UTC" in text_of(web.get("/restores/?tz=UTC"))


def test_the_chosen_zone_changes_what_a_range_is_called_but_not_the_range(web):
    choose(web, "Asia/Tokyo")
    page = web.get("/restores/?from=now/d&to=now/d").content.decode()
    assert "23 Nov, 09:00 – 24 Nov, 09:00 Tokyo (UTC+9)" in page
    assert 'name="from"' in page and 'value="23 Nov 2026 09:00"' in page
    # What is typed is read in the zone that is shown, so the form sends it.
    assert 'value="Asia/Tokyo"' in page
    assert "?from=now/d&amp;to=now/d&amp;tz=Asia/Tokyo" in page


def test_json_and_files_stay_in_utc(web):
    make_failure()
    paths = ("/restores.json", "/restores.csv", "/restores/r-1.json", "/overview.json")
    before = [b"".join(web.get(path)) for path in paths]
    choose(web, "Asia/Tokyo")
    assert [b"".join(web.get(path)) for path in paths] == before


def test_copied_texts_have_the_zone_of_the_page_with_utc(web):
    make_failure()
    choose(web, "Asia/Tokyo")
    text = web.get("/restores/r-1.md").content.decode()
    assert "2026-11-23 23:30:00+09:00 (14:30:00 UTC)" in text
    text = web.get("/restores.md").content.decode()
    assert "2026-11-23 23:30:00+09:00 (14:30:00 UTC)" in text
    assert "Created (Tokyo time)" in text


def test_another_zone_is_another_version_of_a_list(web):
    make_failure()
    tag = web.get("/restores/").headers["ETag"]
    assert web.get("/restores/", headers={"If-None-Match": tag}).status_code == 304
    choose(web, "Asia/Tokyo")
    assert web.get("/restores/", headers={"If-None-Match": tag}).status_code == 200


def test_the_customers_zone_is_shown_where_a_page_is_about_one_customer(web):
    restore = make_failure()
    choose(web, "customer")
    assert "Failed on 23 Nov 2026 at 15:32:00 Berlin" in text_of(web.get("/restores/r-1/"))
    instance_page = text_of(web.get(f"/instances/{restore.instance.instance_id}/"))
    assert "Created Berlin Status" in instance_page
    assert "Created Berlin" in text_of(web.get("/restores/?customer=Acme"))
    other = make_project("other", customer="Brio", time_zone="Asia/Tokyo")
    make_restore("r-2", instance=make_instance("i-2", project=other))
    assert "Created UTC" in text_of(web.get("/restores/"))
    assert "Created Berlin" in text_of(web.get("/restores/?customer=Acme"))


@pytest.mark.parametrize("value", ["Mars/Olympus", "\0", "../../etc/passwd", "UTC+99", "x" * 3000])
def test_a_cookie_that_names_no_zone_means_utc_and_the_page_says_so(web, settings, value):
    make_failure()
    web.cookies[settings.ZONE_COOKIE_NAME] = value
    page = web.get("/restores/")
    assert page.status_code == 200
    assert "can’t be read, so times are in UTC" in text_of(page)
    assert "Created UTC" in text_of(page)


@pytest.mark.parametrize(
    ("written", "shown"),
    [("berlin", "Berlin"), ("Japan", "Japan"), ("UTC+8", "UTC+8"), ("東京", "Tokyo")],
)
def test_a_zone_is_chosen_by_city_country_or_offset(web, written, shown):
    assert choose(web, written, "/codes/").headers["Location"] == "/codes/"
    assert f'data-zone-name="{shown}"' in web.get("/codes/").content.decode()


def test_an_unknown_zone_is_named_and_an_ambiguous_one_offers_choices(web, settings):
    response = choose(web, "Atlantis", "/codes/")
    assert response.status_code == 400
    assert "“ Atlantis ” is an unknown time zone" in text_of(response)
    response = choose(web, "CST", "/codes/")
    assert response.status_code == 400
    assert "“ CST ” is ambiguous. Choose one." in text_of(response)
    assert 'value="Asia/Shanghai"' in response.content.decode()
    assert settings.ZONE_COOKIE_NAME not in web.cookies


def test_a_choice_leads_back_to_the_page_in_that_zone(web):
    location = choose(web, "Tokyo", "/restores/?from=now/d&to=now/d&tz=Europe/Berlin")["Location"]
    assert location == "/restores/?from=now/d&to=now/d&tz=Asia/Tokyo"
    location = choose(web, "customer", "/restores/?from=now-7d&tz=Asia/Tokyo")["Location"]
    assert location == "/restores/?from=now-7d"


@pytest.mark.parametrize("page", ["https://evil.example/", "//evil.example", "/\\evil.example", ""])
def test_a_choice_leads_to_no_page_but_ours(web, page):
    assert choose(web, "UTC", page).headers["Location"] == "/"


def test_zones_are_suggested_by_the_beginning_of_their_name(web):
    zones = web.get("/time-zones.json?q=tok").json()["time_zones"]
    assert zones[0] == {
        "value": "Asia/Tokyo",
        "city": "Tokyo",
        "offset": "UTC+9",
        "clock": "01:59",
    }
    assert web.get("/time-zones.json?q=zzz").json()["time_zones"] == []


def test_a_range_is_said_in_words_before_it_is_applied(web):
    query = {"from": "22 Nov 14:05", "to": "23 Nov", "tz": "Asia/Tokyo"}
    assert web.get("/time-range.json", query).json() == {
        "words": "33 h 55 min · 22 Nov, 05:05 – 23 Nov, 15:00 UTC",
        "days": ["2026-11-22", "2026-11-23"],
    }
    response = web.get("/time-range.json", {"from": "yesterday 2pm", "to": "nonsense"})
    assert response.json()["wrong"].startswith("“nonsense” isn’t a valid date or time.")
