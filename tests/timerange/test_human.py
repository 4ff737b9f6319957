"""Times as people type them: each spelling with its meanings."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restores.timerange import InvalidTimeRange, parse
from restores.timerange.human import interpret

NOW = datetime(2026, 11, 23, 16, 59, tzinfo=UTC)  # a Monday
BERLIN = "Europe/Berlin"


def meanings_of(raw, zone="UTC", **given):
    return interpret(raw, NOW, ZoneInfo(zone), **given)


@pytest.mark.parametrize(
    ("raw", "strict"),
    [
        ("23.11.2026 15:26", "2026-11-23T15:26"),
        ("23.11.2026, 15:26 Uhr", "2026-11-23T15:26"),
        ("23.11.26 7:05", "2026-11-23T07:05"),
        ("23.11.2026", "2026-11-23"),
        ("23.11.", "2026-11-23"),
        ("3.1.2026", "2026-01-03"),
        ("23. Nov 2026", "2026-11-23"),
        ("1. Dez 2025", "2025-12-01"),
        ("5. März 2026 8:00", "2026-03-05T08:00"),
        ("Nov 23 3:26 PM EST", "2026-11-23T15:26-05:00"),
        ("Nov 23, 2026", "2026-11-23"),
        ("November 23rd, 2026 at 3:26pm", "2026-11-23T15:26"),
        ("23 Nov", "2026-11-23"),
        ("23 November 2026", "2026-11-23"),
        ("23-Nov-2026 15:26", "2026-11-23T15:26"),
        ("1 sept", "2026-09-01"),
        ("Dec 24", "2025-12-24"),
        ("may 5 3 pm", "2026-05-05T15:00"),
        ("Nov 23 15:26:01", "2026-11-23T15:26:01"),
        ("yesterday 14:05", "2026-11-22T14:05"),
        ("yesterday at 2pm", "2026-11-22T14:00"),
        ("14:05 yesterday", "2026-11-22T14:05"),
        ("today", "now/d"),
        ("Yesterday", "now-1d/d"),
        ("this week", "now/w"),
        ("last month", "now-1M/M"),
        ("today 9:00", "2026-11-23T09:00"),
        ("today 18:00", "2026-11-23T18:00"),
        ("3pm", "2026-11-23T15:00"),
        ("3 p.m.", "2026-11-23T15:00"),
        ("12 am", "2026-11-23T00:00"),
        ("12:30pm", "2026-11-23T12:30"),
        ("14:05", "2026-11-23T14:05"),
        ("2 hours ago", "now-2h"),
        ("an hour ago", "now-1h"),
        ("90 min ago", "now-90m"),
        ("3 months ago", "now-3M"),
        ("24h", "now-24h"),
        ("last 24 hours", "now-24h"),
        ("-2h", "now-2h"),
        ("now - 5h", "now-5h"),
        ("monday", "2026-11-23"),
        ("last monday", "2026-11-16"),
        ("last fri 15:00", "2026-11-20T15:00"),
        ("Sunday", "2026-11-22"),
        ("fri 20 nov 3pm", "2026-11-20T15:00"),
        ("11/23/2026", "2026-11-23"),
        ("23/11/2026", "2026-11-23"),
        ("11/11/2026 3pm", "2026-11-11T15:00"),
        ("13/1", "2026-01-13"),
        ("2026/11/23 15:26", "2026-11-23T15:26"),
        ("2026-3-5", "2026-03-05"),
        ("2026.03.05", "2026-03-05"),
        ("2026-11-23 15:26:01,123", "2026-11-23T15:26:01.123"),
        ("2026-11-23T15:26:00 PDT", "2026-11-23T15:26:00-07:00"),
        ("15:26 utc+2", "2026-11-23T15:26+02:00"),
        ("15:26 GMT", "2026-11-23T15:26Z"),
        ("[23/Nov/2026:15:26:00 +0000]", "2026-11-23T15:26:00+00:00"),
        ("Mon, 23 Nov 2026 15:26:00 +0530", "2026-11-23T15:26:00+05:30"),
        ("Mon Nov 23 15:26:00 UTC 2026", "2026-11-23T15:26:00Z"),
        ("Mon Nov 23 15:26:00 CET 2026", "2026-11-23T15:26:00+01:00"),
    ],
)
def test_a_time_with_one_meaning_is_written_strictly(raw, strict):
    assert meanings_of(raw) == (strict,)
    parse({"from": strict}, NOW)


@pytest.mark.parametrize(
    ("raw", "meanings"),
    [
        ("04/05/2026", ("2026-05-04", "2026-04-05")),
        ("4/5/2026 15:00", ("2026-05-04T15:00", "2026-04-05T15:00")),
        ("5-6-2026", ("2026-06-05", "2026-05-06")),
        ("18:05", ("2026-11-22T18:05", "2026-11-23T18:05")),
        ("2026-11-20 15:26 CST", ("2026-11-20T15:26-06:00", "2026-11-20T15:26+08:00")),
        ("Nov 20 9:00 BST", ("2026-11-20T09:00+01:00", "2026-11-20T09:00+06:00")),
        (
            "Nov 20 9:00 IST",
            ("2026-11-20T09:00+05:30", "2026-11-20T09:00+02:00", "2026-11-20T09:00+01:00"),
        ),
    ],
)
def test_a_time_with_several_meanings_has_an_error_for_each(raw, meanings):
    assert meanings_of(raw) == meanings
    with pytest.raises(InvalidTimeRange) as caught:
        parse({"from": raw}, NOW)
    assert [one.suggestion["from"] for one in caught.value.errors] == list(meanings)
    assert not any(one.clear for one in caught.value.errors)


@pytest.mark.parametrize(
    "raw",
    ["", "foo", "nov", "3", "30.02.2026", "25:00", "13pm", "0am", "10:75", "in 2 hours",
     "23 Nov EST", "31/31/2026", "2026-02-30", "tomorrowish", "last", "monday monday",
     "٢٣.١١.٢٠٢٦", "9" * 65],
)  # fmt: skip
def test_what_is_no_time_has_no_meaning(raw):
    assert meanings_of(raw) == ()


@pytest.mark.parametrize(
    ("raw", "meanings"),
    [
        ("04/05/2026", "4 May 2026 or 5 Apr 2026"),
        ("18:05", "22 Nov 2026, 18:05 or 23 Nov 2026, 18:05"),
        (
            "Nov 20 9:00 BST",
            "20 Nov 2026, 09:00 (UTC+01:00) or 20 Nov 2026, 09:00 (UTC+06:00)",
        ),
    ],
)
def test_an_ambiguous_time_is_described_in_words(raw, meanings):
    with pytest.raises(InvalidTimeRange) as caught:
        parse({"from": raw}, NOW)
    assert {error.reason for error in caught.value.errors} == {
        f"is ambiguous. It could mean {meanings}"
    }


def test_an_end_may_be_ahead_without_being_ambiguous():
    assert meanings_of("18:05", upper=True) == ("2026-11-23T18:05",)


def test_today_is_that_of_the_time_zone():
    late = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
    assert interpret("0:10", late, ZoneInfo(BERLIN)) == ("2026-11-24T00:10",)
    assert interpret("0:10 JST", late, ZoneInfo(BERLIN)) == ("2026-11-24T00:10+09:00",)


def test_a_date_alone_in_to_is_included_whole():
    with pytest.raises(InvalidTimeRange) as caught:
        parse({"from": "20 Nov", "to": "21.11.2026"}, NOW)
    meant = {k: v for one in caught.value.errors for k, v in one.suggestion.items()}
    assert all(one.clear for one in caught.value.errors)
    assert parse(meant, NOW).end == datetime(2026, 11, 22, tzinfo=UTC)


def test_the_asof_of_a_link_is_never_replaced_unasked():
    with pytest.raises(InvalidTimeRange) as caught:
        parse({"asof": "yesterday 14:05"}, NOW)
    assert [one.clear for one in caught.value.errors] == [False]


PARTS = ["nov", "23", "11", "2026", "3pm", "15:26", "est", "+01:00", "yesterday", "last",
         "monday", ".", "/", "-", ":", ",", "ago", "2", "hours", "z",
         "\u00a0", "99", "0001", "9999"]  # fmt: skip


@given(st.lists(st.sampled_from(PARTS), max_size=7).map(" ".join) | st.text(max_size=70))
@settings(max_examples=400, deadline=None)
def test_whatever_is_typed_is_parsed_or_an_error(raw):
    for strict in interpret(raw, NOW, ZoneInfo(BERLIN)):
        assert strict.isascii() and strict.isprintable()
    try:
        parse({"from": raw, "tz": BERLIN}, NOW)
    except InvalidTimeRange as error:
        assert error.errors


@pytest.mark.parametrize(
    ("params", "target"),
    [
        ({"from": "yesterday 14:05", "foo": "1"}, "?from=2026-11-22T14:05:00Z&foo=1"),
        ({"from": "today"}, "?from=now/d"),
        ({"from": "20 Nov", "to": "21 Nov", "status": "failed"},
         "?status=failed&from=2026-11-20T00:00:00Z&to=2026-11-22T00:00:00Z"),
        ({"from": "22.11.2026 15:00", "tz": "Europe/Berlin"},
         "?from=2026-11-22T14:00:00Z&tz=Europe/Berlin"),
        ({"around": "Nov 22 3:26 PM EST", "win": "2h"},
         "?from=2026-11-22T18:26:00Z&to=2026-11-22T22:26:00Z"),
    ],
)  # fmt: skip
def test_the_page_redirects_from_what_was_typed_to_the_canonical_url(web, params, target):
    response = get(web, params)
    assert (response.status_code, response.headers["Location"]) == (302, f"/restores/{target}")


def test_the_page_links_to_each_of_several_meanings(web):
    response = get(web, {"around": "04/05/2026 3pm", "win": "1d"})
    html = response.content.decode()
    assert response.status_code == 400
    for meant in ("2026-05-04T15:00", "2026-04-05T15:00"):
        assert f'href="/restores/?around={meant}&amp;win=1d"' in html


def test_a_typed_range_that_ends_before_it_starts_is_still_an_error(web):
    assert get(web, {"from": "today", "to": "20 Nov"}).status_code == 400


def test_another_invalid_parameter_prevents_the_redirect(web):
    assert get(web, {"from": "yesterday", "size": "5"}).status_code == 400


@pytest.mark.parametrize("endpoint", ["/restores.json", "/restores.csv", "/restores.md"])
def test_endpoints_stay_strict_and_say_what_was_probably_meant(web, endpoint):
    response = get(web, {"from": "yesterday 14:05"}, endpoint)
    assert response.status_code == 400 and b"2026-11-22T14:05" in response.content


def get(web, params, path="/restores/"):
    import time_machine

    with time_machine.travel(NOW, tick=False):
        return web.get(path, params)
