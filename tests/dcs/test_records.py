import json
from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from restores.dcs.records import (
    INSTANCES,
    RESTORES,
    BackupRecord,
    InstanceRecord,
    Page,
    RestoreRecord,
    parse_backup,
    parse_count,
    parse_http_date,
    parse_id,
    parse_instance,
    parse_label,
    parse_percent,
    parse_restore,
    parse_status,
    parse_text,
    parse_time,
    storable,
    to_json,
)
from tests.dcs.conftest import ANY_JSON

SERVER_TIME = datetime(2026, 10, 6, 14, 3, tzinfo=UTC)
FIELDS = [
    field.name for kind in (RestoreRecord, BackupRecord, InstanceRecord) for field in fields(kind)
]
FIELDS += ["engine_version", "az_codes", "spec_code", "cache_mode", "domain_name"]
ANY_ROW = st.dictionaries(st.sampled_from(FIELDS), ANY_JSON, max_size=6)


@given(ANY_ROW, st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=128))
@settings(max_examples=150, deadline=None)
def test_a_row_is_kept_whatever_its_other_fields_hold(row, sent):
    expected_id = sent.replace("\0", "")
    restore = parse_restore({**row, "restore_id": sent})
    backup = parse_backup({**row, "backup_id": sent})
    instance = parse_instance({**row, "instance_id": sent})
    if not expected_id:
        assert restore is backup is instance is None
    else:
        assert restore.restore_id == backup.backup_id == instance.instance_id == expected_id


@given(ANY_JSON)
@settings(max_examples=100, deadline=None)
def test_any_json_is_a_page_or_none(body):
    page = RESTORES.parse_page(body, SERVER_TIME)
    assert page is None or isinstance(page, Page)
    RESTORES.parse_page({"restore_record_response": body, "total_num": body}, SERVER_TIME)


@pytest.mark.parametrize("row", [None, "r1", 1, [], ["r1"], {}, {"restore_id": None}])
def test_a_row_without_an_id_is_dropped(row):
    assert parse_restore(row) is parse_backup(row) is parse_instance(row) is None


def test_rows_without_an_id_are_skipped_and_counted():
    body = {"restore_record_response": [{}, {"restore_id": "r1"}, "?"], "total_num": 3}
    page = RESTORES.parse_page(body, SERVER_TIME)
    assert ([row.restore_id for row in page.rows], page.skipped) == (["r1"], 2)
    assert page.complete


@pytest.mark.parametrize(
    ("body", "rows", "total"),
    [
        ({"restore_record_response": None, "total_num": 0}, 0, 0),
        ({"restore_record_response": {}, "total_num": "0"}, 0, 0),
        ({"restore_record_response": []}, 0, None),
        ({"total_num": 0}, 0, 0),
        ({"restore_record_response": [{"restore_id": "r"}], "total_num": -1}, 1, None),
        ({"restore_record_response": [{"restore_id": "r"}], "total_num": 10**9}, 1, 10**9),
    ],
)
def test_a_page_is_complete_only_if_its_total_says_so(body, rows, total):
    page = RESTORES.parse_page(body, SERVER_TIME)
    assert (len(page.rows), page.total) == (rows, total)
    assert page.complete == (rows == total)


@pytest.mark.parametrize("body", [None, [], "hello", {}, {"restore_record_response": {"a": 1}}])
def test_a_body_of_another_shape_is_not_a_page(body):
    assert RESTORES.parse_page(body, SERVER_TIME) is None


def test_an_unknown_status_is_kept_verbatim():
    assert parse_restore({"restore_id": "r", "status": "Rolling-Back"}).status == "Rolling-Back"


def test_raw_is_the_record_as_sent():
    row = {"status": "failed", "restore_id": "r", "later": {"x": [1, "中\0"]}}
    raw = parse_restore(row).raw
    assert raw == '{"status":"failed","restore_id":"r","later":{"x":[1,"中"]}}'


@pytest.mark.parametrize(
    ("row", "single"),
    [
        ({"cache_mode": "single"}, True),
        ({"spec_code": "redis.single_node.xu1.large.1"}, True),
        ({"spec_code": "redis.ha.xu1.tiny.r2.128", "cache_mode": "ha"}, False),
        ({}, False),
    ],
)
def test_single_node_instances_are_recognized(row, single):
    assert parse_instance({**row, "instance_id": "i"}).single_node is single


def test_an_instances_engine_and_zones_are_joined():
    row = {"instance_id": "i", "engine": "Redis", "engine_version": 5.0, "az_codes": ["a", 2, {}]}
    instance = INSTANCES.parse_page({"instances": [row], "instance_num": 1}, SERVER_TIME).rows[0]
    assert (instance.engine, instance.az, instance.name) == ("Redis 5.0", "a, 2", "")


@given(ANY_JSON)
@example("\ud800\0")
@example(10**5000)
@example(float("nan"))
@example([[[[{}]]]])
@settings(max_examples=150, deadline=None)
def test_no_value_raises_and_every_text_is_storable(value):
    texts = [parse_text(value), parse_id(value), to_json(value)]
    texts.append(parse_status(value, ("failed",)))
    parse_count(value), parse_percent(value), parse_time(value)
    assert all("\0" not in text for text in texts)
    assert all(text.encode("utf-8").decode("utf-8") == text for text in texts)


@pytest.mark.parametrize("value", [None, "", {}, []])
def test_every_spelling_of_absent_counts_as_absent(value):
    assert parse_text(value) == parse_id(value) == ""
    assert parse_time(value) is parse_percent(value) is parse_count(value) is None


@pytest.mark.parametrize(
    ("sent", "parsed"),
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
def test_text_is_kept_as_sent_if_storable(sent, parsed):
    assert parse_text(sent) == parsed


@pytest.mark.parametrize(
    ("sent", "parsed"),
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
def test_an_id_is_kept_unless_unusable(sent, parsed):
    assert parse_id(sent) == parsed


@pytest.mark.parametrize(
    ("sent", "parsed"),
    [
        (" Succeed ", "succeed"),
        ("FAILED", "failed"),
        (" Paused by X ", "Paused by X"),
        (3, "3"),
    ],
)
def test_known_statuses_are_lower_cased_and_others_kept(sent, parsed):
    assert parse_status(sent, ("succeed", "failed")) == parsed


@pytest.mark.parametrize(
    ("sent", "parsed"),
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
        ("37%", 37),
        ("37,50", 37.5),
        (" 37.5 % ", 37.5),
        ("37,5％", 37.5),
        ("+1.", 1),
        ("37%%", None),
        ("1,000.5", None),
        ("37 50", None),
        ("%", None),
        ("100,01", None),
        ([42], None),
    ],
)
def test_progress_is_a_finite_number_from_0_to_100_or_none(sent, parsed):
    assert parse_percent(sent) == parsed


@pytest.mark.parametrize(
    ("sent", "parsed"),
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
def test_a_count_is_a_whole_storable_number_or_none(sent, parsed):
    assert parse_count(sent) == parsed


@pytest.mark.parametrize(
    ("sent", "parsed"),
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
        ("2017-07-18 21:41:20 +0000 UTC", "2017-07-18T21:41:20+00:00"),
        ("2017-07-19 05:41:20.5 +0800 CST", "2017-07-18T21:41:20.500000+00:00"),
        ("Tue, 18 Jul 2017 21:41:20 GMT", "2017-07-18T21:41:20+00:00"),
        ("18 jul 2017 18:41:20 -0300", "2017-07-18T21:41:20+00:00"),
        ("1500414080", "2017-07-18T21:41:20+00:00"),
        (1500414080, "2017-07-18T21:41:20+00:00"),
        (1500414080.25, "2017-07-18T21:41:20.250000+00:00"),
        ("20170718T214120Z", "2017-07-18T21:41:20+00:00"),
        ("20170718t214120.72+0800", "2017-07-18T13:41:20.720000+00:00"),
        ("2017-07-18T24:00:00Z", "2017-07-19T00:00:00+00:00"),
        ("2017-07-18T23:59:60Z", "2017-07-19T00:00:00+00:00"),
        ("2017-07-18T21:41:20−05:00", "2017-07-19T02:41:20+00:00"),
        ("2017/07/18 21:41:20", "2017-07-18T21:41:20+00:00"),
        ("2017.07.18 21:41:20 +0800", "2017-07-18T13:41:20+00:00"),
        ("2017-07-18T21:41:20+08:00[Asia/Shanghai]", "2017-07-18T13:41:20+00:00"),
        ("2017-07-18T21:41:20Z[UTC]", "2017-07-18T21:41:20+00:00"),
        ("2017-07-18 21:41:20.5 +0000 UTC m=+0.000001", "2017-07-18T21:41:20.500000+00:00"),
        ("1500414080721000", "2017-07-18T21:41:20.721000+00:00"),
        (1500414080721000000, "2017-07-18T21:41:20.721000+00:00"),
        ("2017-07-18T21:41:20[Asia/Shanghai]", None),
        ("18/07/2017 21:41:20", None),
        ("150041408072", None),
        ("2017-07-18T21:41:20 CST", None),
        ("2017-07-18T25:00:00Z", None),
        ("2017-07-18T21:41:20+24:00", None),
        ("2017-0718T21:41:20", None),
        ("Tue, 18 Foo 2017 21:41:20 GMT", None),
        ("1970-01-01T00:00:00Z", None),
        ("150041408", None),
        ("0", None),
        ("yesterday", None),
        ("2017-07-18", None),
        ("２０１７-07-18T21:41:20", None),
        (True, None),
        ({"time": 1}, None),
    ],
)
def test_times_are_parsed_as_utc_or_none(sent, parsed):
    time = parse_time(sent)
    assert (time.isoformat() if time else None) == parsed


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),
    st.integers(-14 * 60, 14 * 60),
    st.sampled_from(["T", " "]),
)
@settings(max_examples=100, deadline=None)
def test_any_iso_time_with_an_offset_is_the_same_time(naive, minutes, separator):
    expected = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    time = parse_time(expected.isoformat(separator))
    assert time == expected
    assert time.tzinfo is UTC


@pytest.mark.parametrize(
    ("sent", "parsed"),
    [
        ("Tue, 06 Oct 2026 14:03:00 GMT", datetime(2026, 10, 6, 14, 3, tzinfo=UTC)),
        ("Tue, 06 Oct 2026 14:03:00 -0000", datetime(2026, 10, 6, 14, 3, tzinfo=UTC)),
        ("Tue, 06 Oct 2026 16:03:00 +0200", datetime(2026, 10, 6, 14, 3, tzinfo=UTC)),
        ("Fri, 31 Dec 9999 23:59:59 -1200", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", None),
        ("Thu, 31 Dec 9998 23:59:59 GMT", datetime(9998, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_http_dates_are_parsed_or_none(sent, parsed):
    assert parse_http_date(sent) == parsed


def test_json_keeps_key_order_and_non_latin_letters():
    assert to_json({"b": "中", "a": {}}) == '{"b":"中","a":{}}'


@given(st.lists(st.characters() | st.sampled_from(["\\", "\0", "u0000"])).map("".join))
@settings(max_examples=150, deadline=None)
def test_json_differs_from_what_was_sent_only_by_what_cannot_be_stored(sent):
    assert json.loads(to_json([sent])) == [storable(sent)]


def test_json_nested_too_deeply_gives_no_text():
    nested = []
    for _ in range(100_000):
        nested = [nested]
    assert to_json(nested) == parse_text(nested) == ""


def test_a_text_too_long_for_an_index_is_visibly_shortened():
    assert parse_label("x" * 255) == "x" * 255
    assert parse_label("x" * 256) == "x" * 254 + "…"
    assert len(parse_status(" failed" * 1000, ("failed",))) <= 255


MOMENTS = st.datetimes(datetime(1971, 1, 2), datetime(2261, 12, 30))
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@st.composite
def spelled_times(draw):
    """A time and one of the ways in which services write it."""
    local = draw(MOMENTS).replace(microsecond=0, tzinfo=draw(OFFSETS))
    digits = draw(st.text("0123456789", max_size=9))
    fraction = draw(st.sampled_from(".,")) + digits if digits else ""
    exact = local + timedelta(microseconds=int(f"{digits[:6]:0<6}"))
    offset = f"{local:%z}"
    offsets = [offset, f"{offset[:3]}:{offset[3:]}"] + [offset[:3]] * (offset[3:] == "00")
    if offset == "+0000":
        offsets += ["", "Z", "z", " UTC", " GMT", " +0000 UTC"]
    offset = draw(st.sampled_from(["", " "])) + draw(st.sampled_from(offsets))
    date, clock = draw(st.sampled_from([("%Y-%m-%d", "%H:%M:%S"), ("%Y%m%d", "%H%M%S")]))
    form = draw(st.integers(0, 4))
    utc = local.astimezone(UTC)
    if form == 0 and 10**9 <= utc.timestamp() < 10**10:
        number = int(utc.timestamp()) * draw(st.sampled_from([1, 1000]))
        return utc, draw(st.sampled_from([number, str(number)]))
    if form == 1:
        return utc, f"{utc:%Y%m%d%H%M%S}"
    if form == 2:
        return utc, draw(st.sampled_from([f"{utc:%a, }", ""])) + f"{utc:%d %b %Y %H:%M:%S GMT}"
    separator = draw(st.sampled_from("Tt "))
    return exact, f"{local.strftime(date)}{separator}{local.strftime(clock)}{fraction}{offset}"


@given(spelled_times())
def test_a_time_is_read_in_each_customary_spelling(spelled):
    at, text = spelled
    assert parse_time(text) == at.astimezone(UTC), text


@given(
    st.floats(0, 100), st.integers(0, 4), st.sampled_from(".,"), st.sampled_from(["", "%", " %"])
)
def test_progress_is_read_in_each_customary_spelling(number, digits, separator, sign):
    text = f"{number:.{digits}f}"
    assert parse_percent(f" {text.replace('.', separator)}{sign} ") == float(text)
