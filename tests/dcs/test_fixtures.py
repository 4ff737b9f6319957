"""Every sample response in tests/fixtures, served over a socket, is parsed as listed here."""

import json
from datetime import datetime
from pathlib import Path

import pytest
import requests

from restores.dcs.auth import TokenAuth
from restores.dcs.errors import (
    AuthenticationError,
    DcsError,
    InstanceNotFound,
    InvalidResponse,
    PermissionDenied,
    Throttled,
    Unreachable,
)
from tests.dcs.conftest import reply

FIXTURES = Path(__file__).parent.parent / "fixtures"


def time(text):
    return datetime.fromisoformat(text) if text else None


def created(day):
    return f"2026-10-{day:02}T02:24:55.902Z"


def updated(day):
    return f"2026-10-{day:02}T02:31:07.118Z"


def sample(name):
    response = json.loads(next(FIXTURES.glob(f"{name}_*.json")).read_text())
    body = b"" if response["body"] is None else response["body"]
    return reply(response["status"], body, response["headers"])


R = "r000000{}-0000-4000-8000-0000000000bb"
# id, status, progress, code, restore remark, created, updated
RESTORES = {
    "p01": [
        (
            "a6155972-800c-4170-a479-3231e907d2f6",
            *("succeed", 100, "", "doctest"),
            *("2017-07-18T21:41:20.721Z", "2017-07-18T21:41:35.182Z"),
        )
    ],
    "p02": [(R.format(1), "restoring", 42, "", "drill 1", created(2), None)],
    "p03": [(R.format(2), "waiting", 0, "", "", created(3), None)],
    "p04": [
        (R.format(3), "failed", 63, "dcs.08.0007", "drill 3", created(4), updated(4)),
        (R.format(4), "failed", 0, "dcs.08.0002", "drill 4", created(5), updated(5)),
    ],
    "p05": [
        (R.format(5), "succeed", 100, "", "", created(6), updated(6)),
        (R.format(6), "succeed", 100, "", "drill 6", created(7), updated(7)),
        (R.format(7), "succeed", 100, "", "", created(8), updated(8)),
    ],
    "p06": [],
}


@pytest.mark.parametrize("name", RESTORES)
def test_restores_are_parsed_as_listed(server, client, name):
    server.replies(sample(name))
    page = client.restores("i1")
    assert page.complete
    assert page.skipped == 0
    parsed = [
        (
            *(row.restore_id, row.status, row.progress, row.error_code, row.restore_remark),
            *(row.created_at, row.updated_at),
        )
        for row in page.rows
    ]
    assert parsed == [(*row[:5], time(row[5]), time(row[6])) for row in RESTORES[name]]
    assert all(row.backup_remark == "" for row in page.rows)


def test_a_page_has_the_servers_time(server, client):
    server.replies(sample("p01"))
    assert client.restores("i1").server_time == time("2026-10-06T14:03:00Z")


def test_a_restore_has_names_and_raw_json(server, client):
    server.replies(sample("p01"))
    restore = client.restores("i1").rows[0]
    assert restore.restore_name == "restore_20170718214120"
    assert restore.backup_name == "backup_20170718000002"
    assert restore.backup_id == "f4823e9e-fe9b-4ffd-be79-4e5d6de272bb"
    assert json.loads(restore.raw)["error_code"] == {}


def test_two_pages_of_twelve_restores_are_each_incomplete(server, client):
    server.replies(sample("p18"), sample("p19"))
    first, second = client.restores("i1"), client.restores("i1", offset=10)
    assert [(len(p.rows), p.total, p.complete) for p in (first, second)] == [
        (10, 12, False),
        (2, 12, False),
    ]
    assert len({row.restore_id for row in (*first.rows, *second.rows)}) == 12


# error class, code, part of the message
ERRORS = {
    "p07": (InvalidResponse, "DCS.4800", "Invalid offset in the request."),
    "p08": (AuthenticationError, "APIGW.0301", "verify aksk signature fail"),
    "p09": (PermissionDenied, "DCS.2003", "This role does not have the permission"),
    "p10": (PermissionDenied, "APIGW.0302", "The IAM user is not authorized"),
    "p11": (InstanceNotFound, "DCS.3022", "This DCS instance does not exist."),
    "p12": (Throttled, "APIGW.0308", "policy ip over ratelimit,limit:5,time:5 second"),
    "p13": (Unreachable, "DCS.5079", "Query group node failed."),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_raised_as_listed(server, client, name):
    error_class, code, detail = ERRORS[name]
    server.replies(sample(name))
    with pytest.raises(DcsError) as raised:
        client.restores("i1")
    assert type(raised.value) is error_class
    assert raised.value.code == code
    assert raised.value.request_id == "9358b62bd3a9fa53ecd37ab3762ac464"
    assert code in str(raised.value)
    assert detail in str(raised.value)
    # After a 400, a page of one row says whether the limit was the reason.
    assert len(server.requests) == (2 if error_class is InvalidResponse else 1)


def test_the_documented_instance_is_parsed_despite_its_types(server, client):
    server.replies(sample("p14"))
    page = client.instances()
    assert page.complete
    instance = page.rows[0]
    assert instance.instance_id == "c830053e-d5a3-4bc0-b6d6-ca37d1ea9dd5"
    assert (instance.name, instance.engine, instance.status) == (
        "dcs-lpvo0829",
        "Redis 5.0",
        "RUNNING",
    )
    assert (instance.spec, instance.az, instance.single_node) == (
        "redis.ha.xu1.tiny.r2.128",
        "region01, region02",
        False,
    )
    assert instance.ip == "192.168.0.195"
    assert instance.domain == "redis-c830053e-d5a3-4bc0-b6d6-ca37d1ea9dd5.dcs.example.com"


def test_the_documented_backup_is_parsed(server, client):
    server.replies(sample("p15"))
    page = client.backups("i1")
    assert page.complete
    backup = page.rows[0]
    assert backup.backup_id == "4631832a-14c6-45b0-a0b3-3abd8f591ad1"
    assert (backup.backup_name, backup.status) == ("backup_20190510163116", "succeed")
    assert (backup.backup_type, backup.backup_format) == ("manual", "aof")
    assert (backup.size, backup.remark, backup.error_code) == (880232, "001", "")
    assert backup.created_at == time("2019-05-10T08:31:16.166Z")
    assert backup.updated_at == time("2019-05-10T08:32:30.546Z")


def test_the_token_of_the_sample_login_is_sent(server, session):
    server.replies(sample("p16"))
    auth = TokenAuth(session, server.url, "domain A", "user A", "secret", "06f1")
    request = auth(requests.Request("GET", server.url).prepare())
    assert request.headers["X-Auth-Token"].endswith("XXXXX-EXAMPLE")


def test_a_list_of_projects_is_not_a_list_of_restores(server, client):
    server.replies(sample("p17"))
    with pytest.raises(InvalidResponse, match="restore_record_response"):
        client.restores("i1")


def test_every_sample_is_tested():
    known = {*RESTORES, *ERRORS, "p14", "p15", "p16", "p17", "p18", "p19"}
    assert {path.name[:3] for path in FIXTURES.glob("p*.json")} == known
