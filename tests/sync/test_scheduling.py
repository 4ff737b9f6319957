from datetime import timedelta

import pytest

from restores.models import Account, Instance, Project
from restores.sync import results, scheduling
from tests.factories import NOW, make_account, make_instance, make_project, make_restore

pytestmark = pytest.mark.django_db


def due(name="cart-prod", ago=1, **given):
    return make_instance(name, next_sync_at=NOW - timedelta(seconds=ago), **given)


def test_a_due_instance_is_claimed_once_while_its_lease_lasts():
    due()

    assert [i.name for i in scheduling.claim_instances(NOW)] == ["cart-prod"]
    assert scheduling.claim_instances(NOW + scheduling.LEASE) == []


def test_after_its_lease_an_instance_is_claimed_again_with_a_higher_fencing_token():
    due()
    first = scheduling.claim_instances(NOW)[0]
    second = scheduling.claim_instances(NOW + scheduling.LEASE + timedelta(seconds=1))[0]

    assert second.fencing_token == first.fencing_token + 1


def test_an_instance_that_is_not_due_waits():
    make_instance(next_sync_at=NOW + timedelta(minutes=1))

    assert scheduling.claim_instances(NOW) == []


@pytest.mark.parametrize("given", [{"single_node": True}, {"deleted_at": NOW}])
def test_an_instance_that_cannot_be_restored_is_never_claimed(given):
    due(**given)

    assert scheduling.claim_instances(NOW) == []


def test_a_project_removed_from_the_file_is_not_synced():
    due(project=make_project(monitored=False))

    assert scheduling.claim_instances(NOW) == []
    assert scheduling.claim_project(NOW) is None


def test_a_batch_holds_instances_of_one_project_that_are_due_for_longest():
    for number in range(scheduling.BATCH_SIZE + 5):
        due(f"old-{number}", ago=100 + number)
    due("other", ago=500, project=make_project("other-project"))

    assert [i.name for i in scheduling.claim_instances(NOW)] == ["other"]
    batch = scheduling.claim_instances(NOW)
    assert len(batch) == scheduling.BATCH_SIZE
    assert batch[0].name == f"old-{scheduling.BATCH_SIZE + 4}"


def test_an_instance_whose_sync_did_not_finish_is_claimed_alone():
    due("poisoned", ago=50, attempts=1)
    due("healthy", ago=10)

    assert [i.name for i in scheduling.claim_instances(NOW)] == ["poisoned"]
    assert [i.name for i in scheduling.claim_instances(NOW)] == ["healthy"]


def test_after_three_syncs_that_did_not_finish_an_instance_is_quarantined_and_shown():
    due("poisoned", attempts=3)

    scheduling.quarantine(NOW)

    assert scheduling.claim_instances(NOW) == []
    assert Instance.objects.get().sync_error_kind == "parked"


def test_a_quarantined_instance_does_not_show_the_request_id_of_an_earlier_error():
    due(attempts=3, sync_error_kind="unreachable", sync_error_request_id="req-1")

    scheduling.quarantine(NOW)

    assert Instance.objects.get().sync_error_request_id == ""


def test_no_instance_of_a_project_is_claimed_while_its_own_sync_fails():
    due(project=make_project(sync_error_kind="unreachable", failures=1))

    assert scheduling.claim_instances(NOW) == []


def test_nothing_of_an_account_is_claimed_while_it_is_paused():
    account = make_account(paused_until=NOW + timedelta(minutes=5))
    due(project=make_project(account=account))

    assert scheduling.claim_project(NOW) is None
    assert scheduling.claim_instances(NOW) == []
    assert scheduling.claim_instances(NOW + timedelta(minutes=6))


def test_an_account_without_a_free_call_soon_is_left_alone():
    account = make_account(reserved_until=NOW + scheduling.MAX_WAIT + timedelta(seconds=1))
    due(project=make_project(account=account))

    assert scheduling.claim_instances(NOW) == []


def test_an_account_with_claimed_instances_comes_after_the_others():
    hanging, other = (make_project(name, account=make_account(name)) for name in ("a", "b"))
    due("claimed", project=hanging)
    assert scheduling.claim_instances(NOW)
    due("older", ago=3600, project=hanging)
    due("younger", project=other)

    assert [row.name for row in scheduling.claim_instances(NOW)] == ["younger"]
    assert [row.name for row in scheduling.claim_instances(NOW)] == ["older"]


def test_a_project_that_was_never_synced_comes_first():
    make_project("old", next_sync_at=NOW - timedelta(hours=1))
    make_project("new", next_sync_at=None)

    assert scheduling.claim_project(NOW).name == "new"
    assert scheduling.claim_project(NOW).name == "old"
    assert scheduling.claim_project(NOW) is None


def test_taking_over_a_project_invalidates_the_other_claim():
    make_project()
    claimed = scheduling.claim_project(NOW)

    assert (
        scheduling.take_over_project(claimed, NOW).fencing_token
        == Project.objects.get().fencing_token
        == claimed.fencing_token + 1
    )


def test_the_second_rejected_login_in_a_row_pauses_the_account_for_five_minutes_up_to_an_hour():
    minutes = [pause and pause.total_seconds() / 60 for pause in map(results.pause_after, range(8))]

    assert minutes == [None, None, 5, 10, 20, 40, 60, 60]


def test_regular_syncs_come_within_one_interval_and_are_spread_over_it():
    times = [
        scheduling.next_regular_sync(Instance(project_id=1, instance_id=f"i-{n}"), 900, NOW)
        for n in range(300)
    ]

    waits = [(time - NOW).total_seconds() for time in times]
    slack = scheduling.TICK_TOLERANCE.total_seconds()
    assert all(slack < wait <= 900 + slack for wait in waits)
    assert {int(wait // 90) for wait in waits} >= set(range(10))


def test_a_sync_that_came_a_little_early_is_not_repeated_at_its_time():
    instance = Instance(project_id=1, instance_id="i-1")
    time = scheduling.next_regular_sync(instance, 900, NOW)
    claimed = time - scheduling.TICK_TOLERANCE

    assert scheduling.next_regular_sync(instance, 900, claimed) == time + timedelta(seconds=900)


def test_after_failures_the_wait_doubles_up_to_the_interval():
    for failures, seconds in [(0, 30), (1, 60), (3, 240), (9, 900), (500, 900)]:
        wait = (scheduling.next_retry(failures, 900, NOW) - NOW).total_seconds()
        assert 0.8 * seconds <= wait <= 1.2 * seconds


def test_after_an_outage_instances_with_unfinished_restores_come_first():
    due("oldest", ago=9000)
    make_restore(instance=due("monitored", ago=60), status="restoring", created_at=NOW)
    make_restore(instance=due("done", ago=120), created_at=NOW)

    assert [i.name for i in scheduling.claim_instances(NOW)] == ["monitored", "oldest", "done"]


def test_after_a_project_sync_only_the_instances_that_it_made_due_are_newly_due():
    project = make_project()
    for number in range(scheduling.BATCH_SIZE):
        due(f"old-{number}", ago=600, project=project)
    due("named", ago=0, project=project)

    assert [i.name for i in scheduling.claim_newly_due(project, NOW, NOW)] == ["named"]


def test_after_a_rejected_login_only_project_syncs_are_tried():
    account = make_account(refusals=1)
    due(project=make_project(account=account))

    assert scheduling.claim_instances(NOW) == []
    assert scheduling.claim_project(NOW)


def test_failing_projects_come_last_and_one_at_a_time_per_account():
    for name in ("hanging-1", "hanging-2"):
        make_project(name, failures=2, next_sync_at=NOW - timedelta(hours=1))
    make_project("healthy", next_sync_at=NOW)
    other = make_account("other")
    make_project("other-hanging", account=other, failures=1, next_sync_at=NOW)

    names = [project.name for project in iter(lambda: scheduling.claim_project(NOW), None)]

    assert names == ["healthy", "other-hanging", "hanging-1"]


def test_an_account_with_a_low_rate_gets_small_batches():
    assert [scheduling.batch_size(rate) for rate in (1, 4, 10, 1000)] == [1, 4, 10, 48]


def test_an_idle_account_comes_before_one_with_reserved_calls():
    in_use = make_account("in-use", reserved_until=NOW + timedelta(seconds=1))
    due("waiting", ago=600, project=make_project("busy", account=in_use))
    due("newer", project=make_project("idle", account=make_account("idle")))

    assert [i.name for i in scheduling.claim_instances(NOW)] == ["newer"]
    assert [i.name for i in scheduling.claim_instances(NOW)] == ["waiting"]


def test_a_batch_makes_no_more_calls_than_its_account_may_make_in_a_second():
    for number in range(5):
        due(f"cart-{number}")

    rates = {Account.objects.get().name: 3}
    assert len(scheduling.claim_instances(NOW, rates)) == 3


def test_a_project_of_an_idle_account_comes_first():
    make_project("first-of-account", next_sync_at=NOW - timedelta(hours=2))
    make_project("second-of-account", next_sync_at=NOW - timedelta(hours=1))
    make_project("other", account=make_account("other"), next_sync_at=NOW)

    names = [project.name for project in iter(lambda: scheduling.claim_project(NOW), None)]

    assert names == ["first-of-account", "other", "second-of-account"]
