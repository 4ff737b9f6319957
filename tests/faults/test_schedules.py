from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from types import SimpleNamespace

import pytest
import time_machine
from django.db import transaction

from restores.dcs.errors import DcsError
from restores.dcs.records import TERMINAL_STATUSES, Page
from restores.models import Observation
from restores.sync import scheduling
from restores.sync.complete_fetch import fetch_complete
from restores.sync.diff import diff
from restores.sync.instances import sync_instances
from tests.factories import make_instance
from tests.faults.moving import Manners, MovingList
from tests.sync.records import BEGUN, with_digest

FULL = 6
LOOKS = 3


@dataclass
class Tally:
    """What many schedules came to: a test that never proves anything would prove nothing."""

    looks: int = 0
    proofs: int = 0
    split: int = 0
    faults: int = 0
    reasons: dict = field(default_factory=dict)

    def add(self, result, calls):
        self.looks += 1
        self.proofs += result.incomplete == ""
        self.split += result.incomplete == "" and calls > 1
        kind = result.incomplete.split(" ")[0]
        self.reasons[kind] = self.reasons.get(kind, 0) + 1


def schedule(seed, tally):
    """One instance's life: looks at a list that changes between any two responses."""
    dice = Random(seed)
    world = MovingList(dice, Manners.thrown(dice), full=FULL)
    world.fill(dice.choice([0, 3, FULL - 1, FULL, FULL + 1, 15, 30]))
    held = {}
    for _ in range(LOOKS):
        world.look()
        try:
            result = fetch_complete(world, FULL)
        except DcsError:
            tally.faults += 1
            continue
        tally.add(result, world.calls)
        check_proof(world, result)
        held = stored(held, result)
    check_end(world, held)


def check_proof(world, result):
    """A complete result is the list of one instant, and what disappeared meanwhile."""
    ids = [record.restore_id for record in result.records]
    assert len(ids) == len(set(ids))
    assert result.fetched_at >= result.complete_to
    if result.incomplete:
        return
    ever, at_last = set().union(*(listed for _, listed in world.instants)), world.instants[-1][1]
    then = [
        listed for now, listed in world.instants if now.replace(microsecond=0) == result.complete_to
    ]
    assert any(listed <= set(ids) and set(ids) - listed <= ever - at_last for listed in then)


def stored(held, result):
    """What is stored after this sync: nothing is lost, duplicated or taken back."""
    changes = diff(held, result.records)
    assert not held.keys() & {record.restore_id for record in changes.new}
    after = held | {record.restore_id: record for record in (*changes.new, *changes.changed)}
    assert after.keys() == held.keys() | {record.restore_id for record in result.records}
    for key, before in held.items():
        assert not (
            before.status in TERMINAL_STATUSES and after[key].status not in TERMINAL_STATUSES
        )
        if before.updated_at:
            assert after[key].updated_at >= before.updated_at
    return after


def check_end(world, held):
    """Once the list stands still, a look proves it, and all that it holds is known as it is."""
    world.stand_still()
    world.look()
    result = fetch_complete(world, FULL)
    check_proof(world, result)
    held = stored(held, result)
    timeless = any(row.created_at is None for row in world.rows.values())
    if len(world.rows) < FULL or not (timeless or world.crowded() or not world.manners.provable):
        assert result.incomplete == "", result.incomplete
        assert {key: held[key] for key in world.rows} == world.rows


def run(seeds):
    tally = Tally()
    for seed in seeds:
        try:
            schedule(seed, tally)
        except AssertionError as error:
            raise AssertionError(f"schedule {seed}: {error}") from error
    assert tally.proofs > tally.looks / 4
    assert tally.split > tally.looks / 20
    return tally


def test_no_sequence_of_changes_is_lost_duplicated_or_wrongly_called_complete():
    run(range(300))


@pytest.mark.long
def test_none_of_ten_thousand_sequences_is_lost_duplicated_or_wrongly_called_complete():
    run(range(300, 10_400))


class Client:
    """The same list behind the calls of a look; a cloud of one instance."""

    config = SimpleNamespace(rate=1000)
    stopped = None

    def __init__(self, world):
        self.world = world

    def client(self, project, expected_calls=0):
        return self

    def stop(self, because): ...

    def restores(self, instance_id, *, begin=None, end=None, known_digest=""):
        return with_digest(self.world(begin, end), known_digest)

    def backups(self, instance_id):
        return Page(rows=(), skipped=0, total=0, server_time=self.world.now)


def kept(world, instance, clock, wait):
    """One whole look, from claim to ending; what the database holds after it."""
    world.now += wait
    clock.move_to(world.now)
    world.look()
    before = rows_of(instance)
    (claimed,) = scheduling.claim_selected([instance.pk], world.now)
    (synced,) = sync_instances([claimed], Client(world))
    instance.refresh_from_db()
    after = rows_of(instance)
    assert before.keys() <= after.keys()
    assert all(
        after[k].status in TERMINAL_STATUSES
        for k, row in before.items()
        if row.status in TERMINAL_STATUSES
    )
    assert instance.sync_error_kind == (synced.error.kind if synced.error else "")
    then = [ids for at, ids in world.instants if at.replace(microsecond=0) == instance.complete_to]
    assert synced.error or any(ids <= after.keys() for ids in then)
    listed = world.instants[-1][1] if world.instants else set()
    newly = {
        key
        for key, row in after.items()
        if row.removed_upstream_at and not before[key].removed_upstream_at
    }
    assert not newly & listed and all(before[key].missing_since for key in newly)
    return after


def rows_of(instance):
    return {row.restore_id: row for row in instance.restores.all()}


def stored_schedule(seed):
    """The same by way of claims, looks and the database, and with lists that are empty at times."""
    dice = Random(seed)
    world = MovingList(dice, Manners.thrown(dice), full=1000)
    world.fill(dice.choice([0, 3, 15, 30]))
    instance = make_instance(f"i-{seed}", complete_to=None)
    with time_machine.travel(BEGUN, tick=False) as clock:
        for _ in range(4):
            hidden, manners = {}, world.manners
            if dice.random() < 0.2:
                hidden, world.rows, world.manners = world.rows, {}, Manners()
            kept(world, instance, clock, timedelta(seconds=dice.uniform(0, 1500)))
            world.rows, world.manners = hidden | world.rows, manners
        world.stand_still()
        for _ in range(4):
            rows = kept(world, instance, clock, timedelta(minutes=31))
    assert instance.sync_error_kind == ""
    assert instance.complete_to == world.instants[-1][0].replace(microsecond=0)
    assert {key for key, row in rows.items() if not row.removed_upstream_at} == world.rows.keys()
    assert all(rows[key].status == row.status for key, row in world.rows.items())
    seen = Observation.objects.filter(restore__instance=instance).values_list("restore_id")
    assert len(set(seen)) == len(rows)


def run_stored(seeds):
    for seed in seeds:
        with transaction.atomic():
            stored_schedule(seed)
            transaction.set_rollback(True)


@pytest.mark.django_db
def test_no_sequence_of_changes_loses_or_duplicates_anything_in_the_database():
    run_stored(range(15))


@pytest.mark.long
@pytest.mark.django_db
def test_none_of_a_thousand_sequences_loses_or_duplicates_anything_in_the_database():
    run_stored(range(15, 1015))
