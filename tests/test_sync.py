"""``manage.py sync`` against the simulated cloud, and the official SDK against what it stored."""

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkdcs.v2 import DcsClient, ListRestoreRecordsRequest

from restores.models import Restore

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def still(simulator):
    """A simulated cloud in which nothing moves on."""
    now = simulator.clock()
    simulator.clock = lambda: now
    return simulator


def test_sync_fills_an_empty_database_and_a_second_one_writes_no_restore(still, capsys):
    call_command("sync")
    first = capsys.readouterr().out.splitlines()
    assert Restore.objects.count() > 250
    assert all(" new, 0 changed" in line for line in first)

    with CaptureQueriesContext(
        connection,
    ) as queries:
        call_command("sync")
    second = capsys.readouterr().out.splitlines()
    assert len(second) == len(first)
    assert all(": 0 new, 0 changed" in line for line in second)
    targets = [one["sql"][:80] for one in queries]
    assert any('UPDATE "restores_instance"' in target for target in targets)
    written = [one for one in targets if "restores_restore" in one and "SELECT" not in one]
    assert written == []


def test_the_official_sdk_lists_exactly_what_the_dashboard_then_shows(still, web):
    call_command("sync")
    for project in still.world.projects:
        key = project.account.key
        credentials = BasicCredentials(key.access, key.secret, project.project_id)
        builder = DcsClient.new_builder().with_http_config(HttpConfig(timeout=(9, 9)))
        client = builder.with_credentials(credentials).with_endpoint(still.url).build()
        listed = {}
        for each in still.world.instances_of(project):
            request = ListRestoreRecordsRequest(instance_id=each.instance_id, limit=1000)
            for row in client.list_restore_records(request).restore_record_response or []:
                listed[each.instance_id, row.restore_id] = row.status
        assert shown(web, project.name) == listed


def shown(web, project):
    """The status of each restore of a project, page by page of the list as JSON."""
    rows, url = {}, f"/restores.json?project={project}&size=200"
    while url:
        page = web.get(url).json()
        rows |= {(row["instance_id"], row["restore_id"]): row["status"] for row in page["restores"]}
        url = page["next"]
    return rows
