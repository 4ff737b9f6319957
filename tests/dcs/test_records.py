from dataclasses import fields
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restores.dcs.records import (
    INSTANCES,
    RESTORES,
    BackupRecord,
    InstanceRecord,
    Page,
    RestoreRecord,
    parse_backup,
    parse_instance,
    parse_restore,
)
from tests.dcs.conftest import ANY_JSON

AT = datetime(2026, 10, 6, 14, 3, tzinfo=UTC)
FIELDS = [
    field.name for kind in (RestoreRecord, BackupRecord, InstanceRecord) for field in fields(kind)
]
FIELDS += ["engine_version", "az_codes", "spec_code", "cache_mode", "domain_name"]
ANY_ROW = st.dictionaries(st.sampled_from(FIELDS), ANY_JSON, max_size=6)


@given(ANY_ROW, st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=128))
@settings(max_examples=150)
def test_whatever_the_other_fields_hold_the_id_is_kept(row, sent):
    wanted = sent.replace("\0", "")
    restore = parse_restore({**row, "restore_id": sent})
    backup = parse_backup({**row, "backup_id": sent})
    instance = parse_instance({**row, "instance_id": sent})
    if not wanted:
        assert restore is backup is instance is None
    else:
        assert restore.restore_id == backup.backup_id == instance.instance_id == wanted


@given(ANY_JSON)
@settings(max_examples=100)
def test_any_json_is_a_page_or_none(body):
    page = RESTORES.parse_page(body, AT)
    assert page is None or isinstance(page, Page)
    RESTORES.parse_page({"restore_record_response": body, "total_num": body}, AT)


@pytest.mark.parametrize("row", [None, "r1", 1, [], ["r1"], {}, {"restore_id": None}])
def test_a_row_without_an_id_is_none(row):
    assert parse_restore(row) is parse_backup(row) is parse_instance(row) is None


def test_rows_without_an_id_are_skipped_and_counted():
    body = {"restore_record_response": [{}, {"restore_id": "r1"}, "?"], "total_num": 3}
    page = RESTORES.parse_page(body, AT)
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
    page = RESTORES.parse_page(body, AT)
    assert (len(page.rows), page.total) == (rows, total)
    assert page.complete == (rows == total)


@pytest.mark.parametrize("body", [None, [], "hello", {}, {"restore_record_response": {"a": 1}}])
def test_a_body_of_another_shape_is_no_page(body):
    assert RESTORES.parse_page(body, AT) is None


@pytest.mark.parametrize(
    ("status", "ended"),
    [("succeed", AT), ("failed", AT), ("restoring", None), ("waiting", None), ("odd", None)],
)
def test_only_a_final_restore_has_ended(status, ended):
    row = {"restore_id": "r", "status": status, "updated_at": "2026-10-06T14:03:00Z"}
    assert parse_restore(row).ended_at == ended


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
def test_an_instance_without_replica_is_single(row, single):
    assert parse_instance({**row, "instance_id": "i"}).single_node is single


def test_an_instance_is_described_in_words():
    row = {"instance_id": "i", "engine": "Redis", "engine_version": 5.0, "az_codes": ["a", 2, {}]}
    instance = INSTANCES.parse_page({"instances": [row], "instance_num": 1}, AT).rows[0]
    assert (instance.engine, instance.az, instance.name) == ("Redis 5.0", "a, 2", "")
