from datetime import timedelta

import pytest

from restores.models import Account, Instance, Project
from restores.sync import rate_limit, results, scheduling
from tests.factories import NOW, make_account, make_instance, make_project, make_restore

pytestmark = pytest.mark.django_db


def due(name="cart-prod", ago=1, **given):
    return make_instance(name, next_sync_at=NOW - timedelta(seconds=ago), **given)


def test_a_due_instance_is_claimed_once_while_its_lease_lasts():
    due()

    assert [i.name for i in scheduling.claim_instances(NOW)] == ["cart-prod"]
    assert scheduling.claim_instances(NOW + scheduling.LEASE) == []


def test_a_lease_that_ran_out_is_claimed_anew_with_a_higher_fencing_token():
    due()
    first = scheduling.claim_instances(NOW)[0]
    second = scheduling.claim_instances(NOW + scheduling.LEASE + timedelta(seconds=1))[0]

    assert second.fencing_token == first.fencing_token + 1


def test_an_instance_that_is_not_due_waits():
    make_instance(next_sync_at=NOW + timedelta(minutes=1))

    assert scheduling.claim_instances(NOW) == []


@pytest.mark.parametrize("given", [{"single_node": True}, {"deleted_at": NOW}])
def test_what_cannot_be_restored_is_never_claimed(given):
    due(**given)

    assert scheduling.claim_instances(NOW) == []


def test_a_project_taken_out_of_the_file_is_not_synced_at():
    due(project=make_project(monitored=False))

    assert scheduling.claim_instances(NOW) == []
    assert scheduling.claim_project(NOW) is None


def test_a_batch_holds_one_project_and_those_due_for_longest():
    for number in range(scheduling.BATCH + 5):
        due(f"old-{number}", ago=100 + number)
    due("other", ago=500, project=make_project("other-project"))

    assert [i.name for i in scheduling.claim_instances(NOW)] == ["other"]
    batch = scheduling.claim_instances(NOW)
    assert len(batch) == scheduling.BATCH
    assert batch[0].name == f"old-{scheduling.BATCH + 4}"


def test_an_instance_whose_look_did_not_end_is_claimed_alone():
    due("poisoned", ago=50, attempts=1)
    due("healthy", ago=10)

    assert [i.name for i in scheduling.claim_instances(NOW)] == ["poisoned"]
    assert [i.name for i in scheduling.claim_instances(NOW)] == ["healthy"]


def test_after_three_looks_that_did_not_end_an_instance_is_parked_and_shown():
    due("poisoned", attempts=3)

    scheduling.park(NOW)

    assert scheduling.claim_instances(NOW) == []
    assert Instance.objects.get().sync_error_kind == "parked"


def test_nothing_of_a_project_is_claimed_while_its_own_look_fails():
    due(project=make_project(sync_error_kind="unreachable", failures=1))

    assert scheduling.claim_instances(NOW) == []


def test_nothing_of_an_account_is_claimed_while_it_rests():
    account = make_account(paused_until=NOW + timedelta(minutes=5))
    due(project=make_project(account=account))

    assert scheduling.claim_project(NOW) is None
    assert scheduling.claim_instances(NOW) == []
    assert scheduling.claim_instances(NOW + timedelta(minutes=6))


def test_an_account_booked_out_for_longer_than_a_batch_may_take_is_left_alone():
    account = make_account(reserved_until=NOW + scheduling.PATIENCE + timedelta(seconds=1))
    due(project=make_project(account=account))

    assert scheduling.claim_instances(NOW) == []


def test_an_account_whose_looks_somebody_waits_for_comes_after_the_others():
    hanging, other = (make_project(name, account=make_account(name)) for name in ("a", "b"))
    due("held", project=hanging)
    assert scheduling.claim_instances(NOW)
    due("older", ago=3600, project=hanging)
    due("younger", project=other)

    assert [row.name for row in scheduling.claim_instances(NOW)] == ["younger"]
    assert [row.name for row in scheduling.claim_instances(NOW)] == ["older"]


def test_a_project_never_looked_at_comes_first():
    make_project("old", next_sync_at=NOW - timedelta(hours=1))
    make_project("new", next_sync_at=None)

    assert scheduling.claim_project(NOW).name == "new"
    assert scheduling.claim_project(NOW).name == "old"
    assert scheduling.claim_project(NOW) is None


def test_taking_a_project_by_hand_ends_the_other_holder_s_claim():
    make_project()
    held = scheduling.claim_project(NOW)

    assert (
        scheduling.take(held, NOW).fencing_token
        == Project.objects.get().fencing_token
        == held.fencing_token + 1
    )


def test_slots_follow_one_another_at_the_account_s_rate():
    account = make_account()

    first = rate_limit.reserve(account.pk, 3, 10, NOW)
    second = rate_limit.reserve(account.pk, 2, 10, NOW)

    assert [(slot - NOW).total_seconds() for slot in first + second] == [0, 0.1, 0.2, 0.3, 0.4]


def test_a_slot_that_nobody_took_is_not_saved_up():
    account = make_account(reserved_until=NOW - timedelta(hours=1))

    assert rate_limit.reserve(account.pk, 1, 10, NOW) == [NOW]


def test_a_break_the_cloud_asked_for_moves_the_slots_ahead_never_back():
    account = make_account(reserved_until=NOW)

    rate_limit.hold_slots(account.pk, NOW + timedelta(seconds=30))
    rate_limit.hold_slots(account.pk, NOW + timedelta(seconds=5))

    assert Account.objects.get().reserved_until == NOW + timedelta(seconds=30)


def test_the_second_refusal_in_a_row_stops_the_account_for_five_minutes_up_to_an_hour():
    minutes = [rest and rest.total_seconds() / 60 for rest in map(results.pause, range(8))]

    assert minutes == [None, None, 5, 10, 20, 40, 60, 60]


def test_regular_looks_come_within_one_interval_and_spread_over_it():
    moments = [
        scheduling.next_regular(Instance(project_id=1, instance_id=f"i-{n}"), 900, NOW)
        for n in range(300)
    ]

    waits = [(moment - NOW).total_seconds() for moment in moments]
    slack = scheduling.SLACK.total_seconds()
    assert all(slack < wait <= 900 + slack for wait in waits)
    assert {int(wait // 90) for wait in waits} >= set(range(10))


def test_a_look_that_came_a_little_early_is_not_made_again_at_its_moment():
    instance = Instance(project_id=1, instance_id="i-1")
    moment = scheduling.next_regular(instance, 900, NOW)
    claimed = moment - scheduling.SLACK

    assert scheduling.next_regular(instance, 900, claimed) == moment + timedelta(seconds=900)


def test_after_faults_the_wait_doubles_up_to_the_interval():
    for failures, seconds in [(0, 30), (1, 60), (3, 240), (9, 900), (500, 900)]:
        wait = (scheduling.after_fault(failures, 900, NOW) - NOW).total_seconds()
        assert 0.8 * seconds <= wait <= 1.2 * seconds


def test_after_an_outage_those_with_restores_on_their_way_come_first():
    due("oldest", ago=9000)
    make_restore(instance=due("monitored", ago=60), status="restoring", created_at=NOW)
    make_restore(instance=due("done", ago=120), created_at=NOW)

    assert [i.name for i in scheduling.claim_instances(NOW)] == ["monitored", "oldest", "done"]


def test_of_the_project_just_looked_at_only_what_that_look_made_due_is_news():
    project = make_project()
    for number in range(scheduling.BATCH):
        due(f"old-{number}", ago=600, project=project)
    due("named", ago=0, project=project)

    assert [i.name for i in scheduling.claim_news(project, NOW, NOW)] == ["named"]


def test_nothing_but_a_project_s_look_is_tried_after_a_refusal():
    account = make_account(refusals=1)
    due(project=make_project(account=account))

    assert scheduling.claim_instances(NOW) == []
    assert scheduling.claim_project(NOW)


def test_projects_that_fail_come_last_and_one_at_a_time_of_each_account():
    for name in ("hanging-1", "hanging-2"):
        make_project(name, failures=2, next_sync_at=NOW - timedelta(hours=1))
    make_project("healthy", next_sync_at=NOW)
    other = make_account("other")
    make_project("other-hanging", account=other, failures=1, next_sync_at=NOW)

    names = [project.name for project in iter(lambda: scheduling.claim_project(NOW), None)]

    assert names == ["healthy", "other-hanging", "hanging-1"]


def test_a_slow_account_gets_small_batches():
    assert [scheduling.batch_size(rate) for rate in (1, 4, 10, 1000)] == [1, 4, 10, 48]


def test_an_account_that_nobody_asks_comes_before_one_whose_slots_are_in_use():
    in_use = make_account("in-use", reserved_until=NOW + timedelta(seconds=1))
    due("waiting", ago=600, project=make_project("busy", account=in_use))
    due("fresh", project=make_project("idle", account=make_account("idle")))

    assert [i.name for i in scheduling.claim_instances(NOW)] == ["fresh"]
    assert [i.name for i in scheduling.claim_instances(NOW)] == ["waiting"]


def test_a_batch_takes_no_more_than_its_account_may_ask_in_a_second():
    for number in range(5):
        due(f"cart-{number}")

    rates = {Account.objects.get().name: 3}
    assert len(scheduling.claim_instances(NOW, rates)) == 3


def test_a_project_of_an_account_that_nobody_asks_is_taken_first():
    make_project("asked", next_sync_at=NOW - timedelta(hours=2))
    make_project("asked-too", next_sync_at=NOW - timedelta(hours=1))
    make_project("other", account=make_account("other"), next_sync_at=NOW)

    names = [project.name for project in iter(lambda: scheduling.claim_project(NOW), None)]

    assert names == ["asked", "other", "asked-too"]
