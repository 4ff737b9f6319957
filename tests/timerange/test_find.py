"""Times found in pasted text: what is found, what it means, and what is never a time."""

import ipaddress
import uuid
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from restores.timerange import find_times, to_iso
from restores.timerange.find import MAX_FOUND, MAX_LENGTH

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)  # a Saturday, 10:00 in Berlin
BERLIN = "Europe/Berlin"


def found_in(text, zone=BERLIN, now=NOW):
    return find_times(text, now=now, zone=ZoneInfo(zone))


def starts(text, zone=BERLIN):
    """Each time in text with the starts of its meanings in UTC."""
    return [
        (one.text, *(to_iso(meaning.start) for meaning in one.meanings))
        for one in found_in(text, zone)
    ]


# Text with one time that has one meaning, read in Berlin: the time, and its start in UTC.
ONE_MEANING = [
    # German
    ("Ausfall am 28.11. 04.26 Uhr!", "28.11. 04.26 Uhr", "2026-11-28T03:26:00Z"),
    ("am 28. November um 4.26 Uhr", "28. November um 4.26 Uhr", "2026-11-28T03:26:00Z"),
    ("seit gestern 14 Uhr weg", "gestern 14 Uhr", "2026-11-27T13:00:00Z"),
    ("vorgestern 23:10", "vorgestern 23:10", "2026-11-26T22:10:00Z"),
    ("Mittwoch, 25.11.26 18.30 Uhr", "Mittwoch, 25.11.26 18.30 Uhr", "2026-11-25T17:30:00Z"),
    ("05.11. 08:00", "05.11. 08:00", "2026-11-05T07:00:00Z"),
    ("Freitag 14:05 ging es los", "Freitag 14:05", "2026-11-27T13:05:00Z"),
    ("Am 28.11.2026 um 04:26 schrieb Anna:", "28.11.2026 um 04:26", "2026-11-28T03:26:00Z"),
    ("um 12:30 am 27.11. war", "12:30 am 27.11.", "2026-11-27T11:30:00Z"),
    ("Es begann am 27.11. und", "27.11.", "2026-11-26T23:00:00Z"),
    # French
    ("le 17/11 23h43", "17/11 23h43", "2026-11-17T22:43:00Z"),
    ("avant-hier 8h", "avant-hier 8h", "2026-11-26T07:00:00Z"),
    ("mercredi 25 novembre, 18h", "mercredi 25 novembre, 18h", "2026-11-25T17:00:00Z"),
    ("hier soir vers 22h", "hier soir vers 22h", "2026-11-27T21:00:00Z"),
    ("Le sam. 28 nov. 2026 à 04:26, X a écrit :", "sam. 28 nov. 2026 à 04:26",
     "2026-11-28T03:26:00Z"),
    # Spanish, Italian, Portuguese
    ("ayer a las 6 de la tarde", "ayer a las 6 de la tarde", "2026-11-27T17:00:00Z"),
    ("El sáb, 28 nov 2026 a las 4:26, X escribió:", "sáb, 28 nov 2026 a las 4:26",
     "2026-11-28T03:26:00Z"),
    ("el 27 de noviembre de 2026 a las 15:26", "27 de noviembre de 2026 a las 15:26",
     "2026-11-27T14:26:00Z"),
    ("ieri alle 15", "ieri alle 15", "2026-11-27T14:00:00Z"),
    ("Il giorno sab 28 nov 2026 alle ore 04:26 X ha scritto:", "sab 28 nov 2026 alle ore 04:26",
     "2026-11-28T03:26:00Z"),
    ("ontem às 15h", "ontem às 15h", "2026-11-27T14:00:00Z"),
    ("Em sáb., 28 de nov. de 2026 às 04:26, X escreveu:", "sáb., 28 de nov. de 2026 às 04:26",
     "2026-11-28T03:26:00Z"),
    # Chinese, Japanese
    ("我们在11月26日15:23发现", "11月26日15:23", "2026-11-26T14:23:00Z"),
    ("昨天下午3点开始", "昨天下午3点", "2026-11-27T14:00:00Z"),
    ("前天 8:30", "前天 8:30", "2026-11-26T07:30:00Z"),
    ("2026-11-26 15:23 北京时间", "2026-11-26 15:23 北京时间", "2026-11-26T07:23:00Z"),
    ("2026年11月28日(土) 4:26 田中:", "2026年11月28日(土) 4:26", "2026-11-28T03:26:00Z"),
    ("昨日の午後3時26分頃", "昨日の午後3時26分", "2026-11-27T14:26:00Z"),
    ("X 于2026年11月28日周六 04:26写道:", "2026年11月28日周六 04:26", "2026-11-28T03:26:00Z"),
    # English
    ("On Sat, Nov 28, 2026 at 4:26 AM Anna wrote:", "Sat, Nov 28, 2026 at 4:26 AM",
     "2026-11-28T03:26:00Z"),
    ("noon yesterday", "noon yesterday", "2026-11-27T11:00:00Z"),
    ("23 Nov 15:26 GMT+8", "23 Nov 15:26 GMT+8", "2026-11-23T07:26:00Z"),
    ("Nov 26th 3:26 PM PT, our", "Nov 26th 3:26 PM PT", "2026-11-26T23:26:00Z"),
    ("30 Nov 2025 04:26 JST.", "30 Nov 2025 04:26 JST", "2025-11-29T19:26:00Z"),
    ("26 Nov 15:26 Tokyo time", "26 Nov 15:26 Tokyo time", "2026-11-26T06:26:00Z"),
    ("at 09:15", "09:15", "2026-11-28T08:15:00Z"),
    # logs
    ('10.0.3.11 - - [22/Nov/2026:08:17:00 -0500] "GET', "22/Nov/2026:08:17:00 -0500",
     "2026-11-22T13:17:00Z"),
    ("22/Nov/26 08:17 AM -0500", "22/Nov/26 08:17 AM -0500", "2026-11-22T13:17:00Z"),
    ("2026-11-28 04:26:11+02", "2026-11-28 04:26:11+02", "2026-11-28T02:26:11Z"),
    ("28/Nov/2026:04:26:11 +0000", "28/Nov/2026:04:26:11 +0000", "2026-11-28T04:26:11Z"),
    ("2026/11/28 04:26:11 [error] 7#7", "2026/11/28 04:26:11", "2026-11-28T03:26:11Z"),
    ("12345:M 28 Nov 2026 04:26:11.182 * DB loaded", "28 Nov 2026 04:26:11.182",
     "2026-11-28T03:26:11.182Z"),
    ("1795839971.182345 [0 10.0.3.11:60866] \"get\"", "1795839971.182345",
     "2026-11-28T04:26:11.182Z"),
    ("Nov  8 04:26:11 web-1 redis[123]: x", "Nov  8 04:26:11", "2026-11-08T03:26:11Z"),
    ("28.11.2026 04:26:11.182 [main] INFO", "28.11.2026 04:26:11.182", "2026-11-28T03:26:11.182Z"),
    ("2026-11-28 04:26:11,182 ERROR x", "2026-11-28 04:26:11,182", "2026-11-28T03:26:11.182Z"),
    ("Sat Nov 28 04:26:11 CET 2026", "Sat Nov 28 04:26:11 CET 2026", "2026-11-28T03:26:11Z"),
    ('"ts":1795839971182,', "1795839971182", "2026-11-28T04:26:11.182Z"),
    ("20261128T042611Z", "20261128T042611Z", "2026-11-28T04:26:11Z"),
    ("at=2026-11-28T04:26:11.182345678Z x", "2026-11-28T04:26:11.182345678Z",
     "2026-11-28T04:26:11.182Z"),
    ("42,2026-11-28T04:26:11+01:00,ok", "2026-11-28T04:26:11+01:00", "2026-11-28T03:26:11Z"),
    ("| 2026-11-28 | 04:26 |", "2026-11-28 | 04:26", "2026-11-28T03:26:00Z"),
    ("| 2026-11-28 04:26 | yesterday |", "2026-11-28 04:26", "2026-11-28T03:26:00Z"),
    # chats and wrapped mails
    ("[28.11.26, 04:26:11] Anna: hi", "28.11.26, 04:26:11", "2026-11-28T03:26:11Z"),
    ("28/11/2026, 04:26 - Anna: hi", "28/11/2026, 04:26", "2026-11-28T03:26:00Z"),
    ("> am 28. November um\n> 4.26 Uhr", "28. November um\n> 4.26 Uhr", "2026-11-28T03:26:00Z"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "time", "start"), ONE_MEANING)
def test_a_time_with_one_meaning_is_found_in_a_text(text, time, start):
    assert starts(text) == [(time, start)]
    [found] = found_in(text)
    assert text[found.start : found.end] == time
    assert not found.ambiguous


@pytest.mark.parametrize(
    ("text", "meanings"),
    [
        ("01/02/2026", ("2026-01-31T23:00:00Z", "2026-01-01T23:00:00Z")),
        ("3/4/26 08:00", ("2026-04-03T06:00:00Z", "2026-03-04T07:00:00Z")),
        ("2026-11-23 15:26 CST", ("2026-11-23T21:26:00Z", "2026-11-23T07:26:00Z")),
        ("2026-06-23 15:26 BST", ("2026-06-23T14:26:00Z", "2026-06-23T09:26:00Z")),
        ("27 Nov 3:26 PM IST",
         ("2026-11-27T09:56:00Z", "2026-11-27T13:26:00Z", "2026-11-27T14:26:00Z")),
        ("17:05 Uhr", ("2026-11-27T16:05:00Z", "2026-11-28T16:05:00Z")),
        ("gestern um 6", ("2026-11-27T05:00:00Z", "2026-11-27T17:00:00Z")),
        ("2026-10-25 02:30:00", ("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z")),
        ("Sam 09:05", ("2026-11-28T08:05:00Z",)),
        ("Fri 09:05", ("2026-11-27T08:05:00Z", "2026-11-28T08:05:00Z")),
        ("Monday 25.11.2026 14:05", ("2026-11-25T13:05:00Z", "2026-11-23T13:05:00Z")),
        ("midnight yesterday", ("2026-11-26T23:00:00Z", "2026-11-27T23:00:00Z")),
    ],
)  # fmt: skip
def test_a_time_with_several_meanings_has_them_all(text, meanings):
    [found] = found_in(text)
    assert tuple(to_iso(one.start) for one in found.meanings) == meanings
    assert found.ambiguous == (len(meanings) > 1)


def test_the_readers_zone_settles_what_an_abbreviation_stands_for():
    for zone, start in (
        ("Asia/Kolkata", "2026-11-27T09:56:00Z"),
        ("Asia/Jerusalem", "2026-11-27T13:26:00Z"),
        ("Europe/Dublin", "2026-11-27T14:26:00Z"),
        ("UTC", None),
        ("Europe/Kyiv", None),  # as far from UTC as Israel, but nobody there says IST
    ):
        [(_, *meanings)] = starts("27 Nov 3:26 PM IST", zone)
        assert meanings == [start] if start else len(meanings) == 3


# What looks like a time but isn't one.
NO_TIME = [
    "4.26", "3.11", "DCS.4086", "95 %", "12 GB", "sun", "may", "March release", "10.0.3.11",
    "+49 30 1234567", "2026-13-01", "30.02.2026", "100", "error 111400", "gestern", "yesterday",
    "今日は", "Redis 6.2.14", "MariaDB 10.11.26", "version 2026.1.5", "v1.12.2026",
    "restore_20261129105812", "backup-2026-11-28", "dump.2026-11-28.rdb", "INC-2026-11-28",
    "https://x.example/2026/11/28/log", "12.50 €", "um 12.50 €", "$12.50", "1.234,05", "16:9",
    "took 12:45", "uptime: 04:26:11", "dauerte 00:14", "耗时 04:26", "24h", "within 14h", "2h30m",
    "3:2", "1:14", "10.0.3.11:6379", "10.11.12.13", "10.11.12.0/24", "2001:db8::14:05",
    "12:34:56:78:9a:bc", "SET 10 20", "5 out of 10", "you may 3 times", "on 1/2 of the nodes",
    "3 days", "3日間", "第3点", "dcs.08.0007", "port 6379", "0x20261128", "20261128",
    "1695839971123456", "99.95%", "2026", "tel. 030 12-11-26", "1/2/3/4", "[0 10.0.3.11:51234]",
    "certifi==2026.10.18", "14:05:61", "25:00", "12:60", "2h", "at 5 percent", "the 11th", "11月",
    "3時間", "GB/s 14",
]  # fmt: skip


@pytest.mark.parametrize("text", NO_TIME)
def test_what_only_looks_like_a_time_is_not_found(text):
    assert starts(text) == []


def test_several_times_are_found_in_order():
    text = (
        "Hi, since 30 Oct 04:26 JST our cart is empty. Restore 0ad91043-4c33-4c0c-af93-"
        "c43f03fdb873 (dcs.08.0007) took 12:45.\nApp log: [2026-11-27T19:27:03Z] LOADING\n"
        "until 14:05, 27.11. 15:30 again"
    )
    assert starts(text, "UTC") == [
        ("30 Oct 04:26 JST", "2026-10-29T19:26:00Z"),
        ("2026-11-27T19:27:03Z", "2026-11-27T19:27:03Z"),
        ("14:05", "2026-11-27T14:05:00Z", "2026-11-28T14:05:00Z"),
        ("27.11. 15:30", "2026-11-27T15:30:00Z"),
    ]


def test_a_time_of_day_alone_may_be_of_the_day_mentioned_before():
    [_, found] = found_in("On 26 Nov 2026 it stopped.\nat 07:05 it was back", "UTC")
    assert [to_iso(one.start) for one in found.meanings] == [
        "2026-11-26T07:05:00Z",
        "2026-11-28T07:05:00Z",
    ]
    assert found.relative


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("28.11. 04:26–05:10 Uhr", "2026-11-28T04:26:00Z", "2026-11-28T05:10:00Z"),
        ("27 Nov, between 14:00 and 14:30", "2026-11-27T14:00:00Z", "2026-11-27T14:30:00Z"),
        ("27 Nov 2:00 - 3:30 pm", "2026-11-27T14:00:00Z", "2026-11-27T15:30:00Z"),
        ("27.11. 23:50 bis 00:10", "2026-11-27T23:50:00Z", "2026-11-28T00:10:00Z"),
        ("27.11.2026 14:00-15:00", "2026-11-27T14:00:00Z", "2026-11-27T15:00:00Z"),
        ("le 27/11 de 14h05 à 15h20", "2026-11-27T14:05:00Z", "2026-11-27T15:20:00Z"),
        ("11月27日14時〜15時", "2026-11-27T14:00:00Z", "2026-11-27T15:00:00Z"),
        ("2026-11-27", "2026-11-27T00:00:00Z", "2026-11-28T00:00:00Z"),
        ("2026-11-27 14:05", "2026-11-27T14:05:00Z", "2026-11-27T14:06:00Z"),
        ("2026-11-27 14:05:11", "2026-11-27T14:05:11Z", "2026-11-27T14:05:12Z"),
        ("1795839971182", "2026-11-28T04:26:11.182Z", "2026-11-28T04:26:11.183Z"),
    ],
)
def test_a_meaning_is_a_range_as_exact_as_the_text(text, start, end):
    [found] = found_in(text, "UTC")
    [meaning] = found.meanings
    assert (to_iso(meaning.start), to_iso(meaning.end)) == (start, end)


def test_a_meaning_says_in_which_zone_it_was_read():
    zones = {
        "2026-11-27 14:05": BERLIN,
        "2026-11-27 14:05 JST": "Asia/Tokyo",
        "2026-11-27 14:05 +0530": "UTC+5:30",
        "2026-11-27T14:05Z": "UTC",
    }
    for text, zone in zones.items():
        [found] = found_in(text)
        assert [one.zone for one in found.meanings] == [zone]


@settings(deadline=None)
@given(st.uuids(), st.sampled_from(["{}", "{{{}}}", "id={}", "({})", '"{}"', "x {} y", "{}."]))
@example(uuid.UUID("20261128-0426-1128-2026-112804261128"), "{}")
@example(uuid.UUID("17958399-7111-4c0c-af93-1795839971182"[:35] + "1"), "{}")
def test_no_time_is_found_in_a_uuid(one, around):
    for text in (str(one), str(one).upper(), one.hex):
        assert starts(around.format(text)) == []


@settings(deadline=None)
@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)), st.integers(1, 65535))
@example(ipaddress.ip_address("10.11.20.26"), 1405)
@example(ipaddress.ip_address("2026:11:28::14:05"), 1405)
def test_no_time_is_found_in_an_address(address, port):
    shown = f"[{address}]" if address.version == 6 else str(address)
    for text in (str(address), f"{shown}:{port}", f"redis://{shown}:{port}/0"):
        assert starts(text) == []


PIECES = st.sampled_from(
    ["28.11.", "2026", "14:05", "Uhr", "am", "PM", "+0100", "CET", "月", "11", "日", "点", "午後",
     "Nov", "gestern", "à", "14h", "-", "–", "T", "Z", ":", ".", "/", "\n", "> ", " ", "\t", "١",
     "\ud800", "\0", "９", "İ", "ß", "0001-01-01", "9999-12-31", "24:00", "UTC+14"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=80))
@settings(max_examples=300, deadline=None)
def test_every_time_found_is_part_of_the_pasted_text(text):
    end = 0
    for found in found_in(text):
        assert end <= found.start < found.end <= len(text)
        assert text[found.start : found.end] == found.text
        assert found.meanings and all(one.start < one.end for one in found.meanings)
        assert len(set(found.meanings)) == len(found.meanings)
        end = found.end


@settings(deadline=None)
@given(st.datetimes(datetime(2022, 1, 1), datetime(2026, 11, 27)), st.sampled_from([
    "{0:%Y-%m-%d %H:%M:%S}", "{0:%Y-%m-%dT%H:%M:%SZ}", "{0:%d.%m.%Y %H:%M:%S}",
    "{0:%d/%b/%Y:%H:%M:%S} +0000", "{0:%a, %d %b %Y %H:%M:%S} GMT", "{0:%Y年%m月%d日%H时%M分%S秒}",
    "{0:%b %d, %Y %I:%M:%S %p}", "{0:%Y%m%dT%H%M%SZ}", "{0:%Y/%m/%d %H:%M:%S}"]))  # fmt: skip
def test_every_time_of_a_log_is_found_with_its_meaning(at, form):
    at = at.replace(microsecond=0, tzinfo=UTC)
    text = form.format(at)
    [found] = found_in(f"x {text} y", "UTC")
    assert found.text == text
    assert [(one.start, one.end) for one in found.meanings] == [(at, at + timedelta(seconds=1))]


def test_a_long_text_is_cut_and_many_times_too():
    assert len(found_in("14:05 UTC\n" * 10_000)) == MAX_FOUND
    assert found_in("x" * MAX_LENGTH + " 2026-11-28 14:05") == []


# In quadratic time, the second would take seconds.
@pytest.mark.parametrize("part", ["Zz", "Aa/", "0.", "0-", "12:", "-", "P", "28.", "Nov "])
def test_a_long_row_of_one_part_is_read_at_once(part):
    assert found_in(part * (MAX_LENGTH // len(part))) == []
