from datetime import UTC, datetime, timedelta

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from restores import tasks
from restores.models import Account, Backup, Instance, Project, Restore
from restores.sync import results, scheduling, store
from restores.sync.accounts import load_accounts
from restores.sync.instances import sync_due_instances, sync_instances
from simulator.restores import Scenario

pytestmark = pytest.mark.django_db(transaction=True)


def failing(match, status, code):
    """A fault of the simulator: such calls fail."""
    body = {"error_code": code, "error_msg": "as the test said"}
    return {"match": match, "kind": "status", "status": status, "body": body}


def listed(simulator):
    """What the simulator lists for its restorable instances: (instance id, restore id)."""
    now = simulator.clock()
    return {
        (instance.instance_id, record["restore_id"])
        for instance in simulator.world.instances
        if instance.restorable
        for record in simulator.world.records(instance, now)
        if record.get("restore_id")
    }


def stored():
    return set(Restore.objects.values_list("instance__instance_id", "restore_id"))


def claimed(simulator):
    """One restorable instance, listed, claimed and never synced."""
    load_accounts()
    project = scheduling.claim_project(datetime.now(UTC))
    account = load_accounts()[project.account.name]
    tasks.sync_project(project, account)
    return scheduling.claim_instances(datetime.now(UTC))[:1], account


def test_project_and_instance_syncs_store_every_restore_of_every_instance(simulator):
    load_accounts()
    for _ in range(len(simulator.world.projects)):
        tasks.sync_projects()

    assert stored() >= listed(simulator) - _just_started(simulator)
    assert not Instance.objects.monitored().exclude(complete_to__gt=_long_ago()).exists()
    assert Backup.objects.exists()


def _just_started(simulator):
    return {
        (i.instance_id, plan.restore_id) for i, plan in simulator.world.running(simulator.clock())
    }


def _long_ago():
    return datetime.now(UTC) - timedelta(minutes=5)


def test_a_second_sync_changes_nothing_that_did_not_change(simulator):
    (instance,), account = claimed(simulator)
    first = next(sync_instances([instance], account))
    again = scheduling.claim_selected([instance.pk], datetime.now(UTC))

    second = next(sync_instances(again, account))

    assert first.stored.new
    assert second.stored == store.UNCHANGED


def test_an_unchanged_response_is_complete_again_and_reads_no_row(simulator):
    (instance,), account = claimed(simulator)
    next(sync_instances([instance], account))
    again = scheduling.claim_selected([instance.pk], datetime.now(UTC))
    complete_to = again[0].complete_to

    with CaptureQueriesContext(connection) as queries:
        next(sync_instances(again, account))

    instance.refresh_from_db()
    assert not [query for query in queries if "restores_restore" in query["sql"]]
    assert instance.complete_to >= complete_to
    assert (instance.lease_until, instance.attempts) == (None, 0)


def test_unchanged_instances_finish_together_and_a_lost_lease_costs_no_other(simulator):
    call_command("sync")
    settled = Instance.objects.monitored().exclude(digest="").order_by("project_id")
    settled = settled.filter(project_id=settled[0].project_id)
    mine = list(settled.values_list("pk", flat=True)[:4])
    again = scheduling.claim_selected(mine, datetime.now(UTC))
    Instance.objects.filter(pk=mine[0]).update(fencing_token=F("fencing_token") + 1)

    results = list(sync_instances(again, load_accounts()[again[0].project.account.name]))

    assert [result.instance.pk for result in results if result.error] == [mine[0]]
    left = Instance.objects.filter(pk__in=mine).exclude(lease_until=None)
    assert [instance.pk for instance in left] == [mine[0]]


def test_a_response_is_parsed_again_while_a_restore_may_still_change(simulator):
    (instance,), account = claimed(simulator)
    world = next(i for i in simulator.world.instances if i.instance_id == instance.instance_id)
    simulator.world.start_restore(world, simulator.clock(), Scenario(waiting=600, seconds=300))
    next(sync_instances([instance], account))

    again = scheduling.claim_selected([instance.pk], datetime.now(UTC))
    second = next(sync_instances(again, account))

    assert second.stored.live
    assert second.stored.unchanged


def test_a_new_restore_is_found_by_the_next_project_sync(simulator):
    call_command("sync")
    scenario = Scenario(waiting=0, seconds=300)
    restore_id = simulator.world.start_restore(_idle(simulator), simulator.clock(), scenario)
    Project.objects.update(next_sync_at=None)

    for _ in simulator.world.projects:
        tasks.sync_projects()

    restore = Restore.objects.get(restore_id=restore_id)
    assert restore.status == "restoring"
    assert restore.instance.next_sync_at <= datetime.now(UTC) + scheduling.LIVE_INTERVAL


def _idle(simulator):
    busy = {i.instance_id for i, _ in simulator.world.running(simulator.clock())}
    return next(i for i in simulator.world.instances if i.restorable and i.instance_id not in busy)


def test_a_sync_error_keeps_stored_rows_and_is_shown_with_the_request_id(simulator):
    call_command("sync")
    instance = Instance.objects.monitored().exclude(restores=None).first()
    rows, complete_to = instance.restores.count(), instance.complete_to
    simulator.faults.add(failing(f"{instance.instance_id}/restores", 500, "DCS.5079"))

    again = scheduling.claim_selected([instance.pk], datetime.now(UTC))
    result = next(sync_instances(again, load_accounts()[again[0].project.account.name]))

    instance.refresh_from_db()
    assert result.error.kind == instance.sync_error_kind == "unreachable"
    assert "DCS.5079" in instance.sync_error_message
    assert (instance.complete_to, instance.restores.count()) == (complete_to, rows)
    assert instance.lease_until is None
    assert instance.next_sync_at > datetime.now(UTC) + timedelta(seconds=20)


def test_an_instance_unknown_to_the_cloud_is_deleted_and_keeps_its_history(simulator):
    call_command("sync")
    instance = Instance.objects.monitored().exclude(restores=None).first()
    simulator.faults.add(failing(f"{instance.instance_id}/restores", 404, "DCS.3022"))

    again = scheduling.claim_selected([instance.pk], datetime.now(UTC))
    list(sync_instances(again, load_accounts()[again[0].project.account.name]))

    instance.refresh_from_db()
    assert (instance.sync_error_kind, bool(instance.deleted_at)) == ("gone", True)
    assert instance.restores.exists()


def test_a_second_rejected_login_in_a_row_pauses_the_account(simulator):
    load_accounts()
    simulator.faults.add(failing("/v2/", 401, "APIGW.0301"))
    simulator.faults.add(failing("/v3/", 401, "APIGW.0301"))

    for _ in range(4):
        Project.objects.update(next_sync_at=None, lease_until=None)
        tasks.sync_projects()

    assert all(Account.objects.values_list("paused_until", flat=True))
    assert scheduling.claim_project(datetime.now(UTC)) is None
    assert set(Account.objects.values_list("refusals", flat=True)) == {2}


def test_a_record_without_an_id_is_reported_and_the_others_are_stored(simulator):
    (instance,), account = claimed(simulator)
    rows = [{"restore_id": "r-1", "status": "succeed"}, {"status": "failed"}, "no record"]
    simulator.faults.add(
        {
            "match": "/restores",
            "kind": "answer",
            "status": 200,
            "body": {"restore_record_response": rows, "total_num": 3},
        }
    )

    result = next(sync_instances([instance], account))

    assert result.stored.new == 1
    assert "2 record(s) without a usable restore_id" in result.error.message
    assert Instance.objects.get(pk=instance.pk).sync_error_kind == "bad_answer"


def test_a_login_rejected_during_a_batch_ends_it_and_counts_once(simulator):
    (instance,), account = claimed(simulator)
    Instance.objects.update(lease_until=None, attempts=0)
    rows = list(Instance.objects.filter(project=instance.project, single_node=False))
    simulator.faults.add(failing("/restores", 401, "APIGW.0301"))

    results = list(
        sync_instances(scheduling.claim_selected([r.pk for r in rows], datetime.now(UTC)), account)
    )

    assert {result.error.kind for result in results} == {"credentials"}
    assert Account.objects.get(pk=instance.project.account_id).refusals <= 2
    assert not Instance.objects.filter(project=instance.project).exclude(attempts=0).exists()


@pytest.mark.parametrize(
    ("interruption", "attempts"),
    [(SystemExit, {0}), (OperationalError("gone"), {0}), (SoftTimeLimitExceeded, {1})],
)
def test_an_interrupted_batch_is_released_and_only_blamed_if_it_took_too_long(
    simulator, monkeypatch, interruption, attempts
):
    claimed(simulator)
    Instance.objects.update(lease_until=None, attempts=0, synced_at=None)

    def interrupt(*_):
        raise interruption

    # A signal may arrive at any moment; here while a sync is being stored.
    monkeypatch.setattr(results, "instances_synced", interrupt)
    with pytest.raises((SystemExit, OperationalError, SoftTimeLimitExceeded)):
        sync_due_instances(load_accounts())

    batch = Instance.objects.filter(fencing_token=2)
    assert set(batch.values_list("attempts", flat=True)) == attempts
    assert not Instance.objects.exclude(lease_until=None).exists()


def test_a_restoring_instance_that_no_list_has_shown_yet_is_synced_at_once(simulator):
    call_command("sync")
    idle = _idle(simulator)
    restore_id = simulator.world.start_restore(
        idle, simulator.clock(), Scenario(waiting=0, seconds=300)
    )
    Instance.objects.filter(instance_id=idle.instance_id).first().restores.all().delete()
    Backup.objects.filter(instance__instance_id=idle.instance_id).delete()
    Instance.objects.filter(instance_id=idle.instance_id).delete()
    Project.objects.update(next_sync_at=None)

    for _ in simulator.world.projects:
        tasks.sync_projects()

    assert Restore.objects.get(restore_id=restore_id).status == "restoring"


def test_a_new_restore_is_found_in_a_backlog_too(simulator):
    call_command("sync")
    idle = _idle(simulator)
    simulator.world.start_restore(idle, simulator.clock(), Scenario(waiting=0, seconds=300))
    long_ago = datetime.now(UTC) - timedelta(hours=6)
    Instance.objects.update(next_sync_at=long_ago)
    Project.objects.update(next_sync_at=None, next_discovery_at=None)
    project = Project.objects.get(project_id=idle.project.project_id)

    tasks.sync_project(
        scheduling.take_over_project(project, datetime.now(UTC)),
        load_accounts()[project.account.name],
    )

    assert Instance.objects.get(instance_id=idle.instance_id).next_sync_at > long_ago


def test_a_due_project_goes_before_regular_instance_syncs(simulator):
    call_command("sync")
    Instance.objects.update(next_sync_at=datetime.now(UTC))
    Project.objects.update(next_sync_at=None)
    simulator.log.clear()

    tasks.sync_instances()

    paths = [entry.path for entry in simulator.log.entries if "/instances" in entry.path]
    assert paths[0].endswith("/instances/status")
    assert any(path.endswith("/restores") for path in paths)


def test_a_late_project_sync_does_not_make_the_next_one_late(simulator):
    call_command("sync")
    late, missed = Project.objects.all()[:2]
    now = datetime.now(UTC)
    for project, ago in ((late, 2), (missed, 3600)):
        Project.objects.filter(pk=project.pk).update(next_sync_at=now - timedelta(seconds=ago))
        taken_over = scheduling.take_over_project(project, datetime.now(UTC))
        tasks.sync_project(taken_over, load_accounts()[project.account.name])
        project.refresh_from_db()

    assert late.next_sync_at == now + timedelta(seconds=3)
    assert missed.next_sync_at > now + timedelta(seconds=2)
