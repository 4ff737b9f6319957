"""The official SDK as an independent check of response format, paging and signature."""

from dataclasses import replace

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkdcs.v2 import (
    DcsClient,
    ListBackupRecordsRequest,
    ListInstancesRequest,
    ListNumberOfInstancesInDifferentStatusRequest,
    ListRestoreRecordsRequest,
    RestoreInstanceBody,
    RestoreInstanceRequest,
    ShowInstanceRequest,
)

from simulator.server import Simulator


@pytest.fixture
def client(real_time):
    return sdk_client(real_time)


@pytest.fixture
def real_time():
    # The SDK signs with the machine's own clock.
    with Simulator(instances=40, restores=900) as running:
        yield running


def sdk_client(simulator, key=None):
    world = simulator.world
    key = key or world.accounts[0].key
    credentials = BasicCredentials(key.access, key.secret, world.projects[0].project_id)
    if key.security_token:
        credentials.with_security_token(key.security_token)
    client = DcsClient.new_builder().with_http_config(HttpConfig(timeout=(9, 9)))
    return client.with_credentials(credentials).with_endpoint(simulator.url).build()


def busiest(simulator):
    world, now = simulator.world, simulator.clock()
    there = world.instances_of(world.projects[0])
    return max(there, key=lambda each: len(world.restores(each, now)))


def test_the_sdk_lists_exactly_the_restores_of_the_world(real_time, client):
    for each in real_time.world.instances_of(real_time.world.projects[0]):
        request = ListRestoreRecordsRequest(instance_id=each.instance_id, limit=1000)
        listed = client.list_restore_records(request)
        expected = real_time.world.records(each, real_time.clock())
        found = listed.restore_record_response or []
        assert [r.restore_id for r in found] == [r["restore_id"] for r in expected]
        assert [r.created_at for r in found] == [r["created_at"] for r in expected]
        assert [r.restore_remark for r in found] == [r["restore_remark"] for r in expected]
        assert listed.total_num in (len(expected), None)


def test_the_sdk_pages_through_everything_without_gaps_or_duplicates(real_time, client):
    each, ids = busiest(real_time), []
    while True:
        request = ListRestoreRecordsRequest(instance_id=each.instance_id, offset=len(ids), limit=7)
        page = client.list_restore_records(request).restore_record_response
        if not page:
            break
        ids += [record.restore_id for record in page]
    expected = real_time.world.records(each, real_time.clock())
    assert ids == [record["restore_id"] for record in expected]


def test_the_sdk_reads_instances_counts_details_and_backups(real_time, client):
    project = real_time.world.projects[0]
    there = real_time.world.instances_of(project)
    listed = client.list_instances(ListInstancesRequest(limit=1000, include_failure="true"))
    assert [each.name for each in listed.instances] == [each.name for each in there]
    counts = client.list_number_of_instances_in_different_status(
        ListNumberOfInstancesInDifferentStatusRequest(include_failure="true")
    )
    restoring = [e for e in real_time.world.running(real_time.clock()) if e[0].project is project]
    assert counts.restoring_count in range(len(restoring) - 2, len(restoring) + 1)
    assert counts.redis.restoring_count + counts.memcached.restoring_count == counts.restoring_count
    each = busiest(real_time)
    assert client.show_instance(ShowInstanceRequest(each.instance_id)).name == each.name
    backups = client.list_backup_records(ListBackupRecordsRequest(instance_id=each.instance_id))
    assert backups.total_num == len(real_time.world.backups(each, real_time.clock()))


def test_the_sdk_starts_a_restore_and_finds_it_first_in_the_list(real_time, client):
    world, now = real_time.world, real_time.clock()
    busy = {each for each, _ in world.running(now)}
    each = next(
        each
        for each in world.instances_of(world.projects[0])
        if each.restorable and each not in busy
    )
    backup = next(b for b in world.backups(each, now) if b.status(now) == "succeed")
    body = RestoreInstanceBody(backup_id=backup.backup_id, remark="客户要求")
    started = client.restore_instance(RestoreInstanceRequest(each.instance_id, body))
    listed = client.list_restore_records(ListRestoreRecordsRequest(each.instance_id))
    newest = listed.restore_record_response[0]
    assert (newest.restore_id, newest.status) == (started.restore_id, "waiting")
    assert newest.restore_remark == "客户要求"


def test_a_temporary_key_works_with_its_security_token_only(real_time):
    temporary = real_time.world.accounts[0].keys[1]
    assert sdk_client(real_time, temporary).list_instances(ListInstancesRequest()).instances
    with pytest.raises(ClientRequestException) as refused:
        bare = replace(temporary, security_token=None)
        sdk_client(real_time, bare).list_instances(ListInstancesRequest())
    assert (refused.value.status_code, refused.value.error_code) == (401, "APIGW.0301")


def test_a_wrong_secret_is_refused_with_the_documented_code(real_time):
    wrong = replace(real_time.world.accounts[0].key, secret="0" * 40)
    with pytest.raises(ClientRequestException) as refused:
        sdk_client(real_time, wrong).list_instances(ListInstancesRequest())
    assert (refused.value.status_code, refused.value.error_code) == (401, "APIGW.0301")
