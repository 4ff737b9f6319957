from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.names import HTML_REMARK, LONG_REMARK
from simulator.oddities import SAME_ID
from simulator.plans import Order
from simulator.world import World

from .conftest import BORN

MINUTES = st.integers(0, 3 * 24 * 60)
SMALL = World(born=BORN, instances=30, restores=300)


@pytest.fixture(scope="module")
def world():
    return World(born=BORN)


@pytest.fixture(scope="module")
def restores(world):
    now = BORN + timedelta(minutes=30)
    return [(each, plan) for each in world.instances for plan in world.plans(each, now)]


def of_all(world, now):
    return [(each, plan) for each in world.instances for plan in world.plans(each, now)]


def test_the_default_world_has_the_promised_sizes(world, restores):
    assert len(world.instances) == 240
    assert 5400 < len(restores) < 6600
    assert len(world.projects) == 6 and len(world.accounts) == 2
    assert len({project.zone.key for project in world.projects}) == 6


def test_history_reaches_back_two_years(restores):
    oldest = min(plan.begins for _, plan in restores)
    assert timedelta(days=700) < BORN - oldest < timedelta(days=765)


def test_the_last_day_looks_alive_and_the_days_before_are_thin(restores):
    ages = Counter((BORN + timedelta(minutes=30) - plan.begins).days for _, plan in restores)
    assert 60 <= ages[0] <= 200
    assert max(ages[day] for day in range(2, 300)) < 30


def test_all_statuses_and_codes_occur(restores):
    now = BORN + timedelta(minutes=30)
    statuses = {plan.status(now) for _, plan in restores}
    assert statuses == {"waiting", "restoring", "succeed", "failed", "rolledback"}
    codes = {plan.code for _, plan in restores} - {None}
    assert codes == {f"dcs.08.000{number}" for number in range(1, 9)} | {"dcs.08.0099"}


def test_about_a_tenth_fails_and_most_of_those_are_tried_again(world, restores):
    failed = [(each, plan) for each, plan in restores if plan.final == "failed"]
    assert 0.07 < len(failed) / len(restores) < 0.14
    succeeded = {
        each: [plan.begins for plan in world.plans(each, BORN) if plan.final == "succeed"]
        for each in world.instances
    }
    hour = timedelta(hours=1)
    recovered = sum(
        any(plan.ends < begins < plan.ends + hour for begins in succeeded[each])
        for each, plan in failed
    )
    assert 0.6 < recovered / len(failed) < 0.95


def test_single_nodes_have_neither_restores_nor_backups(world):
    singles = [each for each in world.instances if each.mode == "single"]
    assert len(singles) > 10
    for each in singles:
        assert ".single." in each.spec_code
        assert not world.plans(each, BORN) and not world.backups(each, BORN)


def test_odd_ids_and_one_id_in_two_projects(restores):
    ids = Counter(plan.restore_id for _, plan in restores)
    assert {"../x", "a?b#c", "%2e", ".."} <= ids.keys()
    assert [each for each, number in ids.items() if number > 1] == [SAME_ID]
    assert len({each.project for each, plan in restores if plan.restore_id == SAME_ID}) == 2


def test_hostile_remarks_occur_and_the_longest_has_128_characters(restores):
    remarks = {plan.remark for _, plan in restores}
    assert HTML_REMARK in remarks and LONG_REMARK in remarks and len(LONG_REMARK) == 128
    assert any(remark and remark.startswith("=") for remark in remarks)
    assert max(len(remark or "") for remark in remarks) == 128


def test_names_are_apart_within_a_project(world):
    names = Counter((each.project.index, each.name) for each in world.instances)
    assert set(names.values()) == {1}
    assert any(not name.isascii() for _, name in names)


def test_usually_three_to_eight_restores_are_in_progress(world):
    numbers = [
        len(list(world.running(BORN + timedelta(minutes=minute)))) for minute in range(0, 720, 6)
    ]
    assert sum(3 <= number <= 9 for number in numbers) > 0.85 * len(numbers)


def test_every_half_minute_a_restore_begins(world):
    now = BORN + timedelta(hours=2)
    begun = sorted(plan.begins for _, plan in of_all(world, now) if plan.begins > BORN)
    assert 200 < len(begun) < 320
    assert max(b - a for a, b in pairwise(begun)) < timedelta(minutes=2)


def test_now_and_then_a_restore_is_stuck_for_over_twenty_minutes(restores):
    assert any(plan.ends - plan.starts > timedelta(minutes=20) for _, plan in restores)


def test_some_restores_last_four_seconds_and_all_of_them_in_one_project(restores):
    brisk = [each for each, plan in restores if plan.ends - plan.begins == timedelta(seconds=4)]
    assert len(brisk) > 20
    assert {each.project.name for each in brisk} == {"raga-music"}


def test_one_project_knows_no_progress_between_start_and_end(world):
    seen = {True: set(), False: set()}
    for minute in range(0, 600, 4):
        now = BORN + timedelta(minutes=minute)
        for each, plan in world.running(now):
            seen[each.project.progress == "ends"].add(plan.progress(now))
    assert seen[True] == {0}
    assert len(seen[False]) > 20 and max(seen[False]) < 100


def test_waiting_leaves_the_instance_running_in_one_project_only(world):
    seen = {True: set(), False: set()}
    for minute in range(0, 900, 5):
        now = BORN + timedelta(minutes=minute)
        for each, plan in world.running(now):
            if plan.status(now) == "waiting":
                status = dict(world.statuses(each.project, now))[each]
                seen[each.project.waiting_is_running].add(status)
    assert seen == {True: {"RUNNING"}, False: {"RESTORING"}}


def test_a_restore_goes_back_to_an_earlier_backup_that_is_often_gone_by_now(world, restores):
    kept = {
        backup.backup_id
        for each in world.instances
        for backup in world.backups(each, BORN + timedelta(minutes=30))
    }
    assert all(plan.backup.ends < plan.begins for _, plan in restores)
    known = sum(plan.backup.backup_id in kept for _, plan in restores)
    assert 50 < known < len(restores) / 2


def test_automatic_backups_are_kept_for_seven_days(world):
    for each in world.instances[:20]:
        backups = world.backups(each, BORN)
        automatic = [backup for backup in backups if backup.kind == "auto"]
        assert len(automatic) == 7 * each.restorable
        assert all(BORN - timedelta(days=7) < backup.begins <= BORN for backup in automatic)


@settings(max_examples=25, deadline=None)
@given(earlier=MINUTES, later=MINUTES)
def test_what_was_listed_once_stays_with_its_times(earlier, later):
    earlier, later = sorted((BORN + timedelta(minutes=earlier), BORN + timedelta(minutes=later)))
    for each in SMALL.instances:
        before, after = SMALL.plans(each, earlier), SMALL.plans(each, later)
        assert before == [plan for plan in after if plan.begins <= earlier]


@settings(max_examples=25, deadline=None)
@given(minute=MINUTES)
def test_who_is_in_progress_follows_from_the_lists(minute):
    now = BORN + timedelta(minutes=minute)
    counted = {(each, plan) for each, plan in SMALL.running(now)}
    assert counted == {pair for pair in of_all(SMALL, now) if pair[1].in_progress(now)}


@settings(max_examples=25, deadline=None)
@given(minute=MINUTES)
def test_progress_never_falls_and_the_status_never_turns_back(minute):
    now, order = BORN + timedelta(minutes=minute), ["waiting", "restoring"]
    for _, plan in SMALL.running(now):
        later = now + timedelta(seconds=20)
        assert plan.progress(now) <= plan.progress(later)
        if plan.status(later) in order:
            assert order.index(plan.status(now)) <= order.index(plan.status(later))


@settings(max_examples=6, deadline=None)
@given(
    seed=st.integers(0, 10**9),
    instances=st.integers(1, 60),
    restores=st.integers(0, 400),
    minute=MINUTES,
)
def test_the_same_seed_sizes_and_instant_give_the_same_world(seed, instances, restores, minute):
    def made():
        world = World(born=BORN, seed=seed, instances=instances, restores=restores)
        now = BORN + timedelta(minutes=minute)
        return [world.restores(each, now) for each in world.instances]

    assert made() == made()


def test_two_restores_of_one_instance_never_overlap_in_life(world):
    now = BORN + timedelta(hours=12)
    for each in world.instances:
        life = [plan for plan in world.plans(each, now) if plan.begins > BORN][::-1]
        assert all(a.ends <= b.begins for a, b in pairwise(life))


def test_a_world_born_later_tells_the_same_history(world):
    later = World(born=BORN + timedelta(days=3))
    month_ago = BORN - timedelta(days=30)
    for each, other in zip(world.instances, later.instances, strict=True):
        assert [plan.restore_id for plan in world.plans(each, month_ago)] == [
            plan.restore_id for plan in later.plans(other, month_ago)
        ]


def test_a_restore_that_was_ordered_goes_as_ordered(world):
    each = next(each for each in world.instances if each.restorable)
    now = BORN + timedelta(days=5)
    restore_id = world.begin(
        each, now, Order(waiting=2, seconds=10, code="dcs.08.0007", remark="why")
    )
    at = {
        seconds: next(
            record
            for record in world.restores(each, now + timedelta(seconds=seconds))
            if record["restore_id"] == restore_id
        )
        for seconds in (0, 5, 13)
    }
    assert [record["status"] for record in at.values()] == ["waiting", "restoring", "failed"]
    assert at[5]["updated_at"] is None and at[13]["error_code"] == "dcs.08.0007"
    assert at[0]["restore_remark"] == "why"
