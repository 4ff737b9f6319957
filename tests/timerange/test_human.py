"""Times as people type them: each spelling with its meanings."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restores.timerange import InvalidTimeRange, parse, places, words
from restores.timerange.grammar import words_of
from restores.timerange.human import interpret

NOW = datetime(2026, 11, 23, 16, 59, tzinfo=UTC)  # a Monday
SATURDAY = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)  # 10:00 in Berlin
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
        ("[23/Nov/2026:15:26:00 +0000]", "2026-11-23T15:26:00Z"),
        ("Mon, 23 Nov 2026 15:26:00 +0530", "2026-11-23T15:26:00+05:30"),
        ("Mon Nov 23 15:26:00 UTC 2026", "2026-11-23T15:26:00Z"),
        ("Mon Nov 23 15:26:00 CET 2026", "2026-11-23T15:26:00+01:00"),
    ],
)
def test_a_time_with_one_meaning_is_rewritten_strictly(raw, strict):
    assert meanings_of(raw) == (strict,)
    parse({"from": strict}, NOW)


# Times as tickets spell them, read on 28 November 2026 in Berlin.
TYPED = [
    # German
    ("28.11. 04.26 Uhr", "2026-11-28T04:26"),
    ("am 28. November um 4.26 Uhr", "2026-11-28T04:26"),
    ("14.05 Uhr", "2026-11-27T14:05", "2026-11-28T14:05"),
    ("9 Uhr 5", "2026-11-28T09:05"),
    ("gestern", "now-1d/d"),
    ("Heute", "now/d"),
    ("vorgestern", "now-2d/d"),
    ("gestern 14 Uhr", "2026-11-27T14:00"),
    ("vorgestern 23:10", "2026-11-26T23:10"),
    ("gestern morgen 8 Uhr", "2026-11-27T08:00"),
    ("morgen 8 Uhr", "2026-11-29T08:00"),
    ("Mittwoch, 25.11.26 18.30 Uhr", "2026-11-25T18:30"),
    ("05.11. 08:00", "2026-11-05T08:00"),
    ("Freitag 14:05", "2026-11-27T14:05"),
    ("do 14 uhr", "2026-11-26T14:00"),
    ("letzten Samstag 9 Uhr", "2026-11-21T09:00"),
    ("letzte Woche", "now-1w/w"),
    ("vor 45 Minuten", "now-45m"),
    ("vor einer Stunde", "now-1h"),
    ("gestern abend 8 uhr", "2026-11-27T20:00"),
    ("12:30 am 27.11.", "2026-11-27T12:30"),
    ("27.11.2026 15:26 MEZ", "2026-11-27T15:26+01:00"),
    # French
    ("17/11 23h43", "2026-11-17T23:43"),
    ("08h17", "2026-11-28T08:17"),
    ("hier", "now-1d/d"),
    ("avant-hier 8h", "2026-11-26T08:00"),
    ("mercredi 25 novembre, 18h", "2026-11-25T18:00"),
    ("hier soir vers 22h", "2026-11-27T22:00"),
    ("1er novembre 2026 à 8 heures", "2026-11-01T08:00"),
    ("il y a 2 heures", "now-2h"),
    ("aujourd’hui à 8h05", "2026-11-28T08:05"),
    # Spanish
    ("ayer", "now-1d/d"),
    ("anteayer", "now-2d/d"),
    ("ayer a las 6 de la tarde", "2026-11-27T18:00"),
    ("28 de noviembre de 2026 04:26", "2026-11-28T04:26"),
    ("el lunes a las 15:05", "2026-11-23T15:05"),
    ("hace 3 días", "now-3d"),
    # Italian
    ("ieri alle 15", "2026-11-27T15:00"),
    ("ieri", "now-1d/d"),
    ("lunedì 23 novembre ore 15.05", "2026-11-23T15:05"),
    ("2 ore fa", "now-2h"),
    # Portuguese
    ("ontem às 15h", "2026-11-27T15:00"),
    ("anteontem", "now-2d/d"),
    ("sexta-feira 14:05", "2026-11-27T14:05"),
    ("há 20 minutos", "now-20m"),
    # Chinese
    ("昨天", "now-1d/d"),
    ("前天 8:30", "2026-11-26T08:30"),
    ("昨天下午3点", "2026-11-27T15:00"),
    ("11月26日15:23", "2026-11-26T15:23"),
    ("2026-11-26 15:23 北京时间", "2026-11-26T15:23+08:00"),
    ("2026年11月26日 15时23分", "2026-11-26T15:23"),
    ("周五 14:05", "2026-11-27T14:05"),
    ("上周五 14:05", "2026-11-20T14:05"),
    ("2小时前", "now-2h"),
    # Japanese
    ("昨日", "now-1d/d"),
    ("一昨日 午後3時半", "2026-11-26T15:30"),
    ("11月26日(木) 4:26", "2026-11-26T04:26"),
    ("昨日の23時26分", "2026-11-27T23:26"),
    ("3時間前", "now-3h"),
    ("１１月２６日１５：２３", "2026-11-26T15:23"),
    # English, and zones
    ("tomorrow 9:00", "2026-11-29T09:00"),
    ("noon yesterday", "2026-11-27T12:00"),
    ("last night at 11 pm", "2026-11-27T23:00"),
    ("yesterday at 6 o'clock in the evening", "2026-11-27T18:00"),
    ("23 Nov 15:26 GMT+8", "2026-11-23T15:26+08:00"),
    ("26 Nov 3:26 PM PT", "2026-11-26T15:26-08:00"),
    ("26 Nov 15:26 Tokyo", "2026-11-26T15:26+09:00"),
    ("26 Nov 15:26 (Europe/Lisbon)", "2026-11-26T15:26Z"),
    ("26 June 15:26 London time", "2026-06-26T15:26+01:00"),
    # logs
    ("22/Nov/26 08:17 AM -0500", "2026-11-22T08:17-05:00"),
    ("28/Nov/2026:04:26:11 +0000", "2026-11-28T04:26:11Z"),
    ("20261128T042611Z", "2026-11-28T04:26:11Z"),
    ("28.11.2026 04:26:11.182 [main]", "2026-11-28T04:26:11.182"),
    ("28 Nov 2026 04:26:11.182 *", "2026-11-28T04:26:11.182"),
    ("Nov 28 04:26:11", "2026-11-28T04:26:11"),
    ("26-11-28 04:26", "2026-11-28T04:26"),
    # several meanings
    ("14h", "2026-11-27T14:00", "2026-11-28T14:00", "now-14h"),
    ("3:26 PM IST", "2026-11-27T15:26+05:30", "2026-11-28T15:26+05:30", "2026-11-27T15:26+02:00",
     "2026-11-28T15:26+02:00", "2026-11-27T15:26+01:00", "2026-11-28T15:26+01:00"),
    ("2026-11-23 15:26 CST", "2026-11-23T15:26-06:00", "2026-11-23T15:26+08:00"),
    ("2026-06-23 15:26 BST", "2026-06-23T15:26+01:00", "2026-06-23T15:26+06:00"),
    ("01/02/2026", "2026-02-01", "2026-01-02"),
    ("3/4/26 08:00", "2026-04-03T08:00", "2026-03-04T08:00"),
    ("gestern um 6", "2026-11-27T06:00", "2026-11-27T18:00"),
    ("昨天3点", "2026-11-27T03:00", "2026-11-27T15:00"),
    ("Montag 25.11.2026", "2026-11-25", "2026-11-23"),
    ("Samstag 14:05", "2026-11-21T14:05", "2026-11-28T14:05"),
    # none
    ("4.26",), ("3.11",), ("DCS.4086",), ("95 %",), ("12 GB",), ("sun",), ("may",),
    ("March release",), ("10.0.3.11",), ("+49 30 1234567",), ("2026-13-01",), ("30.02.2026",),
    ("100",), ("error 111400",), ("hier soir",), ("gestern und heute",), ("14:05 bis 15:00",),
    ("14:05 Atlantis",), ("14:05 5",), ("14 Uhr und gestern war nichts",),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "meanings"), [(raw, tuple(given)) for raw, *given in TYPED])
def test_a_time_is_read_as_tickets_spell_it_in_eight_languages(raw, meanings):
    assert interpret(raw, SATURDAY, ZoneInfo(BERLIN)) == meanings


def test_the_chosen_zone_settles_what_an_abbreviation_stands_for():
    for zone, raw, strict in (
        ("Asia/Kolkata", "27 Nov 15:26 IST", "2026-11-27T15:26+05:30"),
        ("Asia/Shanghai", "27 Nov 15:26 CST", "2026-11-27T15:26+08:00"),
        ("America/Chicago", "27 Nov 15:26 CST", "2026-11-27T15:26-06:00"),
        ("Europe/London", "27 June 15:26 BST", "2026-06-27T15:26+01:00"),
    ):
        assert interpret(raw, SATURDAY, ZoneInfo(zone)) == (strict,)


@pytest.mark.parametrize(
    ("raw", "close"),
    [
        ("yesterdy", "now-1d/d"),
        ("gesten 14 Uhr", "2026-11-27T14:00"),
        ("23 Novmber 14:05", "2026-11-23T14:05"),
        ("Mittwoch 25 Novenber", "2026-11-25"),
        ("hier soir", "2026-11-27"),
        (
            "[2026-11-27T19:27:03Z] LOADING Redis is loading the dataset in memory, and waits",
            "2026-11-27T19:27:03Z",
        ),
        ("sun", "2026-11-22"),
        ("202511231405", "2025-11-23T14:05"),
        ("1741183402721123", "1741183402721"),
    ],
)
def test_a_time_that_is_not_understood_is_suggested_as_what_it_is_close_to(raw, close):
    with pytest.raises(InvalidTimeRange) as caught:
        parse({"to": raw, "tz": BERLIN}, SATURDAY)
    [error] = caught.value.errors
    assert error.suggestion == {"to": close}
    assert not error.clear


FORMS = {
    "en": ["{day} {month} {year} {hour}:{minute}", "{month} {day}, {year} at {hour}:{minute}"],
    "de": ["{day}. {month} {year}, {hour}:{minute} Uhr", 
           "am {day}. {month} {year} um {hour}.{minute}"],
    "fr": ["le {day} {month} {year} à {hour}h{minute}", "{day} {month} {year}, {hour}:{minute}"],
    "es": ["{day} de {month} de {year} a las {hour}:{minute}",
           "{day} {month} {year} {hour}:{minute}"],
    "it": ["{day} {month} {year} alle {hour}:{minute}", "{day} {month} {year} ore {hour}.{minute}"],
    "pt": ["{day} de {month} de {year} às {hour}h{minute}", "{day} {month} {year} {hour}:{minute}"],
}  # fmt: skip


MONTHS = [
    (form, number, words_of(name)[0])
    for language, names in words.MONTHS.items()
    for number, name in enumerate(names, 1)
    for form in FORMS[language]
]


@given(
    st.sampled_from(MONTHS),
    st.integers(1, 28),
    st.integers(2000, 2100),
    st.times(),
)
@settings(max_examples=200, deadline=None)
def test_a_date_in_each_language_is_read_as_it_was_written(form, day, year, time):
    template, month, name = form
    parts = {"day": day, "month": name, "year": year, "hour": time.hour}
    for cased in (name, name.capitalize(), name.upper()):
        raw = template.format(**parts | {"month": cased}, minute=f"{time.minute:02}")
        assert meanings_of(raw) == (f"{year}-{month:02}-{day:02}T{time.hour:02}:{time.minute:02}",)


@given(st.integers(1, 12), st.integers(1, 12), st.integers(2000, 2100), st.times())
@settings(deadline=None)
def test_slashes_and_dashes_mean_both_orders_and_dots_the_day_first(first, second, year, time):
    clock = f"{time.hour:02}:{time.minute:02}"
    day_first, month_first = (
        f"{year}-{month:02}-{day:02}T{clock}" for day, month in ((first, second), (second, first))
    )
    for separator in "/-":
        raw = f"{first}{separator}{second}{separator}{year} {clock}"
        assert meanings_of(raw) == tuple(dict.fromkeys((day_first, month_first)))
    assert meanings_of(f"{first}.{second}.{year} {clock}") == (day_first,)


@pytest.mark.parametrize("name", places.SEVERAL)
def test_an_abbreviation_of_several_zones_means_each(name):
    assert len(meanings_of(f"20 Nov 15:26 {name}")) == len(places.ABBREVIATIONS[name]) > 1


@pytest.mark.parametrize(
    ("language", "number", "name"),
    [(lang, n, names) for lang, week in words.WEEKDAYS.items() for n, names in enumerate(week)],
)
def test_a_weekday_in_each_language_is_the_latest(language, number, name):
    for word in words_of(name):
        [meaning] = interpret(f"{word} 05:00", SATURDAY, ZoneInfo("UTC"))
        day = date.fromisoformat(meaning[:10])
        assert day.weekday() == number
        assert date(2026, 11, 22) <= day <= date(2026, 11, 28)


@pytest.mark.parametrize(
    ("table", "numbers"),
    [(words.MONTHS, 12), (words.WEEKDAYS, 7), (words.DAYS, 4)],
)
def test_no_word_means_two_things(table, numbers):
    meant = {}
    for names in table.values():
        assert len(names) == numbers
        for number, spellings in enumerate(names):
            for word in words_of(spellings):
                assert meant.setdefault(word, number) == number
                assert word == word.lower()


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
def test_what_is_not_a_time_has_no_meaning(raw):
    assert meanings_of(raw) == ()


@pytest.mark.parametrize(
    ("raw", "meanings"),
    [
        ("04/05/2026", "4 May 2026 or 5 Apr 2026"),
        ("18:05", "22 Nov 2026, 18:05 or 23 Nov 2026, 18:05"),
        (
            "Nov 20 9:00 BST",
            "20 Nov 2026, 09:00 (UTC+1) or 20 Nov 2026, 09:00 (UTC+6)",
        ),
    ],
)
def test_an_ambiguous_time_is_described_in_words(raw, meanings):
    with pytest.raises(InvalidTimeRange) as caught:
        parse({"from": raw}, NOW)
    assert {error.text for error in caught.value.errors} == {
        f"is ambiguous. It could mean {meanings}"
    }


def test_an_end_may_be_in_the_future_without_being_ambiguous():
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


def test_the_asof_of_a_link_is_never_replaced_without_asking():
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
