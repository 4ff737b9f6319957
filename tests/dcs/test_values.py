import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from restores.dcs.records import (
    parse_count,
    parse_http_date,
    parse_id,
    parse_label,
    parse_percent,
    parse_status,
    parse_text,
    parse_time,
    storable,
    to_json,
)
from tests.dcs.conftest import ANY_JSON


@given(ANY_JSON)
@example("\ud800\0")
@example(10**5000)
@example(float("nan"))
@example([[[[{}]]]])
@settings(max_examples=150)
def test_no_value_raises_and_every_text_is_storable(value):
    found = [parse_text(value), parse_id(value), to_json(value)]
    found.append(parse_status(value, ("failed",)))
    parse_count(value), parse_percent(value), parse_time(value)
    assert all("\0" not in text for text in found)
    assert all(text.encode("utf-8").decode("utf-8") == text for text in found)


@pytest.mark.parametrize("value", [None, "", {}, []])
def test_every_spelling_of_absent_is_absent(value):
    assert parse_text(value) == parse_id(value) == ""
    assert parse_time(value) is parse_percent(value) is parse_count(value) is None


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("plain", "plain"),
        (" kept ", " kept "),
        (0, "0"),
        (False, "false"),
        (1.5, "1.5"),
        ({"a": [1]}, '{"a":[1]}'),
        ("a\0b", "ab"),
        ("a\ud83db", "a\ufffdb"),
        ("😀 中文", "😀 中文"),
    ],
)
def test_a_text_is_kept_as_sent_and_storable(sent, read):
    assert parse_text(sent) == read


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("../x", "../x"),
        (" a ", " a "),
        (17, "17"),
        ("x" * 128, "x" * 128),
        ("x" * 129, ""),
        ("\0", ""),
        (True, ""),
        (1.5, ""),
        (["a"], ""),
    ],
)
def test_an_id_is_kept_if_it_can_be_one(sent, read):
    assert parse_id(sent) == read


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (" Succeed ", "succeed"),
        ("FAILED", "failed"),
        (" Paused by X ", "Paused by X"),
        (3, "3"),
    ],
)
def test_known_words_are_folded_and_others_kept(sent, read):
    assert parse_status(sent, ("succeed", "failed")) == read


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("100.00", 100),
        ("42.00", 42),
        (0, 0),
        ("-0", 0),
        (" 7.5 ", 7.5),
        ("1e1", 10),
        ("NaN", None),
        (float("nan"), None),
        ("inf", None),
        (float("inf"), None),
        (10**400, None),
        ("9" * 400, None),
        ("abc", None),
        ("4_2", None),
        ("４２", None),
        (101, None),
        (-1, None),
        (True, None),
        ("42 %", None),
        ([42], None),
    ],
)
def test_progress_is_a_finite_number_from_0_to_100_or_nothing(sent, read):
    assert parse_percent(sent) == read


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (0, 0),
        ("12", 12),
        (12.0, 12),
        (2**63 - 1, 2**63 - 1),
        (str(2**63 - 1), 2**63 - 1),
        (2**63, None),
        (10**400, None),
        (-1, None),
        (1.5, None),
        (True, None),
        ("many", None),
    ],
)
def test_a_count_is_a_whole_storable_number_or_nothing(sent, read):
    assert parse_count(sent) == read


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("2017-07-18T21:41:20.721Z", "2017-07-18T21:41:20.721000+00:00"),
        ("2017-07-18T21:41:20", "2017-07-18T21:41:20+00:00"),
        ("2017-07-18 21:41", "2017-07-18T21:41:00+00:00"),
        ("2017-07-18T21:41:20+08:00", "2017-07-18T13:41:20+00:00"),
        ("2017-07-18T21:41:20-0330", "2017-07-19T01:11:20+00:00"),
        ("2017-07-18T21:41:20.1234567899Z", "2017-07-18T21:41:20.123456+00:00"),
        ("2017-07-18T21:41:20,5z", "2017-07-18T21:41:20.500000+00:00"),
        ("1500414080721", "2017-07-18T21:41:20.721000+00:00"),
        (1500414080721, "2017-07-18T21:41:20.721000+00:00"),
        ("20170718214120", "2017-07-18T21:41:20+00:00"),
        ("2017-02-30T00:00:00Z", None),
        ("20171318214120", None),
        ("0001-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59-12:00", None),
        ("1500414080", None),
        ("yesterday", None),
        ("2017-07-18", None),
        ("２０１７-07-18T21:41:20", None),
        (True, None),
        ({"time": 1}, None),
    ],
)
def test_times_follow_the_rules(sent, read):
    found = parse_time(sent)
    assert (found.isoformat() if found else None) == read


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),
    st.integers(-14 * 60, 14 * 60),
    st.sampled_from(["T", " "]),
)
@settings(max_examples=100)
def test_any_iso_time_with_an_offset_is_the_same_instant(naive, minutes, separator):
    moment = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    found = parse_time(moment.isoformat(separator))
    assert found == moment
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("Tue, 06 Oct 2026 14:03:00 GMT", datetime(2026, 10, 6, 14, 3, tzinfo=UTC)),
        ("Tue, 06 Oct 2026 14:03:00 -0000", datetime(2026, 10, 6, 14, 3, tzinfo=UTC)),
        ("Tue, 06 Oct 2026 16:03:00 +0200", datetime(2026, 10, 6, 14, 3, tzinfo=UTC)),
        ("Fri, 31 Dec 9999 23:59:59 -1200", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_http_dates_are_read_or_absent(sent, read):
    assert parse_http_date(sent) == read


def test_json_text_keeps_the_order_and_the_script():
    assert to_json({"b": "中", "a": {}}) == '{"b":"中","a":{}}'


@given(st.lists(st.characters() | st.sampled_from(["\\", "\0", "u0000"])).map("".join))
@settings(max_examples=150)
def test_json_text_differs_from_what_was_sent_only_by_what_cannot_be_stored(sent):
    assert json.loads(to_json([sent])) == [storable(sent)]


def test_json_nested_too_deeply_has_no_text():
    nested = []
    for _ in range(100_000):
        nested = [nested]
    assert to_json(nested) == parse_text(nested) == ""


def test_a_text_too_long_for_an_index_is_cut_visibly():
    assert parse_label("x" * 255) == "x" * 255
    assert parse_label("x" * 256) == "x" * 254 + "…"
    assert len(parse_status(" failed" * 1000, ("failed",))) <= 255
