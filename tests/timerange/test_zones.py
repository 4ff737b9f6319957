"""Time zones by their offset from UTC."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restores.timerange import zones
from restores.timerange.parse import parse
from restores.timerange.ranges import InvalidTimeRange, to_iso, to_params
from tests.factories import make_restore

NOW = datetime(2026, 11, 23, 16, 59, 10, tzinfo=UTC)
OFFSETS = {
    "UTC+8": ["UTC+8", "GMT+8", "+08:00", "+0800", "utc+08", "UTC +8", "UTC+08:00", "+8", "gmt+08",
              "UTC 8", "08:00", "0800", "8", "GMT 08:00"],
    "UTC-3": ["UTC-3", "utc-3", "-03:00", "-0300", "GMT-03", "UTC−3", "UTC–03:00", "-3"],
    "UTC+5:30": ["UTC+05:30", "UTC+5:30", "+0530", "+530", "GMT+5:30", "UTC 05:30"],
    "UTC-9:30": ["-09:30", "UTC-9:30", "-930"],
    "UTC+5:45": ["+05:45"],
    "UTC+14": ["UTC+14", "+14:00"],
    "UTC-12": ["UTC-12", "-1200"],
    "UTC": ["UTC", "utc", "UTC+0", "+00:00", "-00:00", "UTC-0", "0"],
    # Names of the database come first: in POSIX style this one is west.
    "Etc/GMT+8": ["Etc/GMT+8", "etc/gmt+8"],
}  # fmt: skip
NONE = ["UTC+15", "UTC+14:01", "-12:01", "UTC+99", "+25:00", "+08:60", "UTC-13", "GMT+1500", "99"]
NO_OFFSET = ["UTC+", "UTC++8", "UTC+8:0", "UTC+8:", "UTC+800000", "+٨", "UTC+8.5", "UTC+8h", "+-8"]


@pytest.mark.parametrize(
    ("text", "name"), [(text, name) for name, texts in OFFSETS.items() for text in texts]
)
def test_an_offset_has_one_name(text, name):
    time_range = parse({"tz": text}, NOW)
    assert time_range.tz == time_range.zone.key == name
    assert to_params(time_range) == {"tz": name}


@pytest.mark.parametrize("text", NONE)
def test_an_offset_that_no_zone_has_is_refused_as_such(text):
    with pytest.raises(InvalidTimeRange) as refused:
        parse({"tz": text}, NOW)
    [error] = refused.value.errors
    assert "UTC-12 to UTC+14" in error.reason and error.suggestion == {}


@pytest.mark.parametrize("text", NO_OFFSET)
def test_what_only_looks_like_an_offset_is_an_unknown_zone(text):
    with pytest.raises(InvalidTimeRange) as refused:
        parse({"tz": text}, NOW)
    assert "unknown time zone" in refused.value.errors[0].reason


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Tokyo", "Asia/Tokyo"), ("berlin", "Europe/Berlin"), ("New  York", "America/New_York"),
        ("München", "Europe/Berlin"), ("北京", "Asia/Shanghai"), ("東京", "Asia/Tokyo"),
        ("Lisboa", "Europe/Lisbon"), ("Mumbai", "Asia/Kolkata"), ("Calcutta", "Asia/Calcutta"),
        ("Germany", "Europe/Berlin"), ("Deutschland", "Europe/Berlin"), ("France", "Europe/Paris"),
        ("日本", "Asia/Tokyo"), ("India", "Asia/Kolkata"), ("Britain (UK)", "Europe/London"),
        ("JST", "Asia/Tokyo"), ("cest", "UTC+2"), ("PDT", "UTC-7"),
    ],
)  # fmt: skip
def test_a_zone_is_found_by_city_country_and_abbreviation(text, name):
    assert zones.matches(text) == ((name,) if name else ())


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("IST", ("Asia/Kolkata", "Asia/Jerusalem", "Europe/Dublin")),
        ("BST", ("Europe/London", "Asia/Dhaka")),
        ("CST", ("America/Chicago", "Asia/Shanghai")),
        ("Spain", ("Europe/Madrid", "Atlantic/Canary")),
        ("中国", ("Asia/Shanghai", "Asia/Urumqi")),
    ],
)
def test_an_ambiguous_zone_is_asked_about(text, names):
    with pytest.raises(InvalidTimeRange) as refused:
        parse({"tz": text}, NOW)
    errors = refused.value.errors
    assert tuple(error.suggestion["tz"] for error in errors) == names
    assert not any(error.clear for error in errors)
    assert errors[0].meaning in errors[0].text


@pytest.mark.parametrize(
    ("text", "close"),
    [("Toyko", "Asia/Tokyo"), ("Europ/Berlin", "Europe/Berlin"), ("Germny", "Europe/Berlin"),
     ("Frankfrut", "Europe/Berlin"), ("Xanadu", None)],
)  # fmt: skip
def test_a_misspelled_zone_is_suggested(text, close):
    with pytest.raises(InvalidTimeRange) as refused:
        parse({"tz": text}, NOW)
    [error] = refused.value.errors
    assert error.suggestion == ({"tz": close} if close else {})


@given(st.integers(-12 * 60, 14 * 60), st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 30)))
def test_a_zone_of_an_offset_has_it_at_any_time(minutes, local):
    hours, rest = divmod(abs(minutes), 60)
    zone = zones.find(f"{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}")
    assert zone.utcoffset(local) == timedelta(minutes=minutes)
    assert zones.to_utc(local, zone) == (
        local.replace(tzinfo=UTC) - timedelta(minutes=minutes),
        False,
    )
    assert zones.find(zone.key) is zone
    assert zones.utc_offset(local.replace(tzinfo=UTC), zone) == zone.key or not minutes


def test_times_are_read_in_the_offset():
    read = parse({"from": "2026-11-20", "to": "2026-11-20", "tz": "UTC+5:30"}, NOW)
    assert to_iso(read.start) == "2026-11-19T18:30:00Z"
    assert to_iso(read.end) == "2026-11-20T18:30:00Z"


@pytest.mark.parametrize("text", ["UTC+8", "+08:00", "GMT 8", "%2B0800"])
def test_a_page_shows_times_in_the_offset_and_names_it_once(web, text):
    make_restore("r-1", created_at=datetime(2026, 11, 20, 20, tzinfo=UTC))
    query = quote(text, safe="+%")
    url = web.get(f"/restores/?from=2026-11-20&tz={query}").headers["Location"]
    assert url == "/restores/?from=2026-11-19T16:00:00Z&tz=UTC%2B8"
    page = web.get(url)
    html = page.content.decode()
    assert "UTC+8" in html and "UTC+8 (UTC+8)" not in html
    assert web.get(f"/restores.json?tz={query}").status_code == 200
    assert web.get("/restores.json?tz=UTC%2B15").status_code == 400
