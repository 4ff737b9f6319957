"""Each recorded response of the API, from the socket to the page."""

import html
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from restores.models import Backup, Instance, Project, Restore
from restores.sync import scheduling
from restores.sync.accounts import load_accounts
from restores.sync.instances import sync_instances
from restores.sync.projects import sync_project

pytestmark = pytest.mark.django_db(transaction=True)
FIXTURES = Path(__file__).parent / "fixtures"

# fixture: what the restore's page says, by restore id
RESTORES = {
    "p01": {"a6155972-800c-4170-a479-3231e907d2f6": ["Succeeded", "doctest", "18 Jul 2017"]},
    "p02": {"r0000001-0000-4000-8000-0000000000bb": ["Restoring", "42%", "drill 1"]},
    "p03": {"r0000002-0000-4000-8000-0000000000bb": ["Queued", "created_at"]},
    "p04": {
        "r0000003-0000-4000-8000-0000000000bb": ["Failed", "dcs.08.0007", "63%", "partial"],
        "r0000004-0000-4000-8000-0000000000bb": ["Failed", "dcs.08.0002"],
    },
    "p05": {
        "r0000005-0000-4000-8000-0000000000bb": ["Succeeded", "–"],
        "r0000006-0000-4000-8000-0000000000bb": ["Succeeded", "drill 6"],
        "r0000007-0000-4000-8000-0000000000bb": ["Succeeded", "–"],
    },
    "p06": {},
}
# fixture: kind of the sync error, and part of its message
SYNC_ERRORS = {
    "p07": ("bad_answer", "DCS.4800"),
    "p08": ("credentials", "APIGW.0301"),
    "p09": ("permission", "DCS.2003"),
    "p10": ("permission", "APIGW.0302"),
    "p12": ("throttled", "APIGW.0308"),
    "p13": ("unreachable", "DCS.5079"),
}


def recorded(name):
    return json.loads(next(FIXTURES.glob(f"{name}_*.json")).read_text())


@pytest.fixture
def sync(simulator):
    """Sync an instance while a fixture is the response to its calls."""
    load_accounts()
    project = scheduling.take_over_project(
        Project.objects.order_by("pk").first(), datetime.now(UTC)
    )
    cloud = load_accounts()[project.account.name]
    assert sync_project(project, cloud) is None
    instance = Instance.objects.monitored().filter(project=project).first()

    def sync_with(name, path="/restores"):
        fixture = recorded(name)
        response = {key: fixture[key] for key in ("status", "headers", "body")}
        match = re.escape(f"{instance.instance_id}{path}")
        simulator.faults.clear()
        simulator.faults.add({"kind": "answer", "match": match, **response})
        Instance.objects.update(lease_until=None)
        claimed = scheduling.claim_selected([instance.pk], datetime.now(UTC))
        next(sync_instances(claimed, cloud))
        instance.refresh_from_db()
        return instance

    return sync_with


def shown(web, url):
    response = web.get(url)
    assert response.status_code == 200
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    return " ".join(html.unescape(text).split())


@pytest.mark.parametrize("name", RESTORES)
def test_a_recorded_list_reaches_the_database_every_page_and_json(name, sync, web):
    instance = sync(name)
    body = recorded(name)["body"] or {"restore_record_response": []}
    sent = {row["restore_id"]: row for row in body["restore_record_response"]}

    assert (instance.sync_error_kind, bool(instance.complete_to)) == ("", True)
    assert set(Restore.objects.values_list("restore_id", flat=True)) == set(RESTORES[name])
    listed = web.get(f"/restores.json?instance={instance.instance_id}").json()
    assert {row["restore_id"] for row in listed["restores"]} == set(RESTORES[name])
    page = web.get(f"/restores/?instance={instance.instance_id}").content.decode()
    for restore_id, words in RESTORES[name].items():
        assert f"/restores/{restore_id}/" in page
        text = shown(web, f"/restores/{restore_id}/")
        assert [word for word in words if word not in text] == []
        body = web.get(f"/restores/{restore_id}.json").json()
        assert body["status"] == sent[restore_id]["status"]
        assert body["error_code"] == (sent[restore_id].get("error_code") or None)
        assert body["progress"] == float(sent[restore_id]["progress"])
        assert body["raw"] == sent[restore_id]


@pytest.mark.parametrize("name", SYNC_ERRORS)
def test_a_recorded_error_is_a_sync_error_and_not_a_restore(name, sync, web):
    instance = sync(name)
    kind, words = SYNC_ERRORS[name]

    assert (instance.sync_error_kind, instance.complete_to) == (kind, None)
    assert words in instance.sync_error_message
    assert not Restore.objects.exists()
    text = shown(web, "/sync-status/")
    assert instance.name in text
    rows = web.get("/sync-status.json").json()["instances"]
    errors = [row["sync_error"] for row in rows if row["sync_error"]]
    assert [error["class"] for error in errors] == [kind]


def test_a_recorded_404_marks_the_instance_as_deleted(sync, web):
    instance = sync("p11")

    assert (instance.sync_error_kind, bool(instance.deleted_at)) == ("gone", True)
    assert "Deleted by" in shown(web, f"/instances/{instance.instance_id}/")


def test_recorded_pages_of_a_changing_list_are_stored_but_not_complete(sync, web):
    assert sync("p18").complete_to is None
    assert Restore.objects.count() == 10

    instance = sync("p19")

    assert Restore.objects.count() == 12
    assert (instance.complete_to, instance.sync_error_kind) == (None, "bad_answer")
    listed = web.get(f"/restores.json?instance={instance.instance_id}").json()
    assert (listed["total"], listed["complete_to"]) == (12, None)


def test_a_recorded_backup_is_stored_with_its_own_time(sync):
    sync("p15", "/backups")

    assert Backup.objects.get().created_at == datetime(2019, 5, 10, 8, 31, 16, 166000, tzinfo=UTC)
