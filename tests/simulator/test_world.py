from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.inventory import HTML_REMARK, LONG_REMARK
from simulator.restores import Scenario
from simulator.world import SHARED_ID, World

from .conftest import EPOCH

MINUTES = st.integers(0, 3 * 24 * 60)
SMALL = World(epoch=EPOCH, instances=30, restores=300)


@pytest.fixture(scope="module")
def world():
    return World(epoch=EPOCH)


@pytest.fixture(scope="module")
def restores(world):
    now = EPOCH + timedelta(minutes=30)
    return [(each, restore) for each in world.instances for restore in world.restores(each, now)]


def all_restores(world, now):
    return [(each, restore) for each in world.instances for restore in world.restores(each, now)]


def test_the_default_world_has_the_documented_sizes(world, restores):
    assert len(world.instances) == 240
    assert 5400 < len(restores) < 6600
    assert len(world.projects) == 6 and len(world.accounts) == 2
    assert len({project.zone.key for project in world.projects}) == 6


def test_history_goes_back_two_years(restores):
    oldest = min(restore.created_at for _, restore in restores)
    assert timedelta(days=700) < EPOCH - oldest < timedelta(days=765)


def test_the_last_day_is_busy_and_earlier_days_are_thin(restores):
    ages = Counter(
        (EPOCH + timedelta(minutes=30) - restore.created_at).days for _, restore in restores
    )
    assert 60 <= ages[0] <= 200
    assert max(ages[day] for day in range(2, 300)) < 30


def test_all_statuses_and_codes_occur(restores):
    now = EPOCH + timedelta(minutes=30)
    statuses = {restore.status(now) for _, restore in restores}
    assert statuses == {"waiting", "restoring", "succeed", "failed", "rolledback"}
    codes = {restore.error_code for _, restore in restores} - {None}
    assert codes == {f"dcs.08.000{number}" for number in range(1, 9)} | {"dcs.08.0099"}


def test_about_a_tenth_fail_and_most_of_those_are_retried(world, restores):
    failed = [(each, restore) for each, restore in restores if restore.final_status == "failed"]
    assert 0.07 < len(failed) / len(restores) < 0.14
    succeeded = {
        each: [
            restore.created_at
            for restore in world.restores(each, EPOCH)
            if restore.final_status == "succeed"
        ]
        for each in world.instances
    }
    hour = timedelta(hours=1)
    recovered = sum(
        any(restore.ended_at < start < restore.ended_at + hour for start in succeeded[each])
        for each, restore in failed
    )
    assert 0.6 < recovered / len(failed) < 0.95


def test_single_node_instances_have_no_restores_and_no_backups(world):
    singles = [each for each in world.instances if each.mode == "single"]
    assert len(singles) > 10
    for each in singles:
        assert ".single." in each.spec_code
        assert not world.restores(each, EPOCH) and not world.backups(each, EPOCH)


def test_odd_ids_occur_and_one_id_occurs_in_two_projects(restores):
    ids = Counter(restore.restore_id for _, restore in restores)
    assert {"../x", "a?b#c", "%2e", ".."} <= ids.keys()
    assert [each for each, number in ids.items() if number > 1] == [SHARED_ID]
    assert len({each.project for each, restore in restores if restore.restore_id == SHARED_ID}) == 2


def test_hostile_remarks_occur_and_the_longest_has_128_characters(restores):
    remarks = {restore.remark for _, restore in restores}
    assert HTML_REMARK in remarks and LONG_REMARK in remarks and len(LONG_REMARK) == 128
    assert any(remark and remark.startswith("=") for remark in remarks)
    assert max(len(remark or "") for remark in remarks) == 128


def test_instance_names_are_unique_within_a_project(world):
    names = Counter((each.project.index, each.name) for each in world.instances)
    assert set(names.values()) == {1}
    assert any(not name.isascii() for _, name in names)


def test_usually_three_to_eight_restores_are_in_progress(world):
    numbers = [
        len(list(world.running(EPOCH + timedelta(minutes=minute)))) for minute in range(0, 720, 6)
    ]
    assert sum(3 <= number <= 9 for number in numbers) > 0.85 * len(numbers)


def test_a_restore_starts_about_every_half_minute(world):
    now = EPOCH + timedelta(hours=2)
    created = sorted(
        restore.created_at for _, restore in all_restores(world, now) if restore.created_at > EPOCH
    )
    assert 200 < len(created) < 320
    assert max(b - a for a, b in pairwise(created)) < timedelta(minutes=2)


def test_some_restores_are_stuck_for_over_twenty_minutes(restores):
    assert any(
        restore.ended_at - restore.started_at > timedelta(minutes=20) for _, restore in restores
    )


def test_restores_of_four_seconds_occur_in_one_project_only(restores):
    fast = [
        each
        for each, restore in restores
        if restore.ended_at - restore.created_at == timedelta(seconds=4)
    ]
    assert len(fast) > 20
    assert {each.project.name for each in fast} == {"raga-music"}


def test_one_project_reports_no_progress_between_start_and_end(world):
    seen = {True: set(), False: set()}
    for minute in range(0, 600, 4):
        now = EPOCH + timedelta(minutes=minute)
        for each, restore in world.running(now):
            seen[each.project.reports_progress].add(restore.progress(now))
    assert seen[False] == {0}
    assert len(seen[True]) > 20 and max(seen[True]) < 100


def test_a_waiting_restore_leaves_the_instance_running_in_one_project_only(world):
    seen = {True: set(), False: set()}
    for minute in range(0, 900, 5):
        now = EPOCH + timedelta(minutes=minute)
        for each, restore in world.running(now):
            if restore.status(now) == "waiting":
                status = dict(world.statuses(each.project, now))[each]
                seen[each.project.waiting_is_running].add(status)
    assert seen == {True: {"RUNNING"}, False: {"RESTORING"}}


def test_a_restore_uses_an_earlier_backup_which_is_often_deleted_by_now(world, restores):
    kept = {
        backup.backup_id
        for each in world.instances
        for backup in world.backups(each, EPOCH + timedelta(minutes=30))
    }
    assert all(restore.backup.ended_at < restore.created_at for _, restore in restores)
    known = sum(restore.backup.backup_id in kept for _, restore in restores)
    assert 50 < known < len(restores) / 2


def test_automatic_backups_are_kept_for_seven_days(world):
    for each in world.instances[:20]:
        backups = world.backups(each, EPOCH)
        automatic = [backup for backup in backups if backup.kind == "auto"]
        assert len(automatic) == 7 * each.restorable
        assert all(EPOCH - timedelta(days=7) < backup.created_at <= EPOCH for backup in automatic)


@settings(max_examples=25, deadline=None)
@given(earlier=MINUTES, later=MINUTES)
def test_a_listed_restore_stays_listed_with_the_same_times(earlier, later):
    earlier, later = sorted((EPOCH + timedelta(minutes=earlier), EPOCH + timedelta(minutes=later)))
    for each in SMALL.instances:
        before, after = SMALL.restores(each, earlier), SMALL.restores(each, later)
        assert before == [restore for restore in after if restore.created_at <= earlier]


@settings(max_examples=25, deadline=None)
@given(minute=MINUTES)
def test_running_restores_are_those_in_progress_in_the_lists(minute):
    now = EPOCH + timedelta(minutes=minute)
    counted = {(each, restore) for each, restore in SMALL.running(now)}
    assert counted == {pair for pair in all_restores(SMALL, now) if pair[1].in_progress(now)}


@settings(max_examples=25, deadline=None)
@given(minute=MINUTES)
def test_progress_and_status_never_go_backward(minute):
    now, order = EPOCH + timedelta(minutes=minute), ["waiting", "restoring"]
    for _, restore in SMALL.running(now):
        later = now + timedelta(seconds=20)
        assert restore.progress(now) <= restore.progress(later)
        if restore.status(later) in order:
            assert order.index(restore.status(now)) <= order.index(restore.status(later))


@settings(max_examples=6, deadline=None)
@given(
    seed=st.integers(0, 10**9),
    instances=st.integers(1, 60),
    restores=st.integers(0, 400),
    minute=MINUTES,
)
def test_the_same_seed_sizes_and_time_give_the_same_records(seed, instances, restores, minute):
    def made():
        world = World(epoch=EPOCH, seed=seed, instances=instances, restores=restores)
        now = EPOCH + timedelta(minutes=minute)
        return [world.records(each, now) for each in world.instances]

    assert made() == made()


def test_restores_of_one_instance_never_overlap_after_the_epoch(world):
    now = EPOCH + timedelta(hours=12)
    for each in world.instances:
        after = [restore for restore in world.restores(each, now) if restore.created_at > EPOCH][
            ::-1
        ]
        assert all(a.ended_at <= b.created_at for a, b in pairwise(after))


def test_a_later_epoch_keeps_the_same_history(world):
    later = World(epoch=EPOCH + timedelta(days=3))
    month_ago = EPOCH - timedelta(days=30)
    for each, other in zip(world.instances, later.instances, strict=True):
        assert [restore.restore_id for restore in world.restores(each, month_ago)] == [
            restore.restore_id for restore in later.restores(other, month_ago)
        ]


def test_a_requested_restore_follows_its_scenario(world):
    each = next(each for each in world.instances if each.restorable)
    now = EPOCH + timedelta(days=5)
    restore_id = world.start_restore(
        each, now, Scenario(waiting=2, seconds=10, code="dcs.08.0007", remark="why")
    )
    at = {
        seconds: next(
            record
            for record in world.records(each, now + timedelta(seconds=seconds))
            if record["restore_id"] == restore_id
        )
        for seconds in (0, 5, 13)
    }
    assert [record["status"] for record in at.values()] == ["waiting", "restoring", "failed"]
    assert at[5]["updated_at"] is None and at[13]["error_code"] == "dcs.08.0007"
    assert at[0]["restore_remark"] == "why"
