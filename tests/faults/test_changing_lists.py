"""Random sequences of changes, listed while we sync: nothing is lost or wrongly called complete."""

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
from tests.faults.changing_list import Behavior, ChangingList
from tests.sync.records import BEGUN, with_digest

LIMIT = 6
SYNCS = 3


@dataclass
class Statistics:
    """The totals of many sequences: a test that never proves anything would prove nothing."""

    syncs: int = 0
    complete: int = 0
    split: int = 0
    errors: int = 0
    reasons: dict = field(default_factory=dict)

    def add(self, result, calls):
        self.syncs += 1
        self.complete += result.incomplete == ""
        self.split += result.incomplete == "" and calls > 1
        reason = result.incomplete.split(" ")[0]
        self.reasons[reason] = self.reasons.get(reason, 0) + 1


def run_sequence(seed, statistics):
    """Sync one instance several times whose list changes between any two responses."""
    rng = Random(seed)
    cloud = ChangingList(rng, Behavior.random(rng), limit=LIMIT)
    cloud.fill(rng.choice([0, 3, LIMIT - 1, LIMIT, LIMIT + 1, 15, 30]))
    stored = {}
    for _ in range(SYNCS):
        cloud.start_sync()
        try:
            result = fetch_complete(cloud)
        except DcsError:
            statistics.errors += 1
            continue
        statistics.add(result, cloud.calls)
        check_result(cloud, result)
        stored = stored_after(stored, result)
    check_end(cloud, stored)


def check_result(cloud, result):
    """A complete result is the list of one instant, and what disappeared meanwhile."""
    ids = [record.restore_id for record in result.records]
    assert len(ids) == len(set(ids))
    assert result.fetched_at >= result.complete_to
    if result.incomplete:
        return
    ever, at_last = set().union(*(listed for _, listed in cloud.history)), cloud.history[-1][1]
    then = [
        listed for now, listed in cloud.history if now.replace(microsecond=0) == result.complete_to
    ]
    assert any(listed <= set(ids) and set(ids) - listed <= ever - at_last for listed in then)


def stored_after(stored, result):
    """What is stored after this sync: nothing is lost, duplicated or taken back."""
    changes = diff(stored, result.records)
    assert not stored.keys() & {record.restore_id for record in changes.new}
    after = stored | {record.restore_id: record for record in (*changes.new, *changes.changed)}
    assert after.keys() == stored.keys() | {record.restore_id for record in result.records}
    for key, before in stored.items():
        assert before.status not in TERMINAL_STATUSES or after[key].status in TERMINAL_STATUSES
        if before.updated_at:
            assert after[key].updated_at >= before.updated_at
    return after


def check_end(cloud, stored):
    """Once the list stops changing, a sync is complete and everything in it is stored as it is."""
    cloud.settle()
    cloud.start_sync()
    result = fetch_complete(cloud)
    check_result(cloud, result)
    stored = stored_after(stored, result)
    undated = any(row.created_at is None for row in cloud.rows.values())
    if len(cloud.rows) < LIMIT or not (undated or cloud.crowded() or not cloud.behavior.provable):
        assert result.incomplete == "", result.incomplete
        assert {key: stored[key] for key in cloud.rows} == cloud.rows


def run(seeds):
    statistics = Statistics()
    for seed in seeds:
        try:
            run_sequence(seed, statistics)
        except AssertionError as error:
            raise AssertionError(f"sequence {seed}: {error}") from error
    assert statistics.complete > statistics.syncs / 4
    assert statistics.split > statistics.syncs / 20
    return statistics


def test_no_sequence_of_changes_is_lost_duplicated_or_wrongly_called_complete():
    run(range(300))


@pytest.mark.long
def test_none_of_ten_thousand_sequences_is_lost_duplicated_or_wrongly_called_complete():
    run(range(300, 10_400))


class Client:
    """The same list behind the calls of a sync; an account with one instance."""

    config = SimpleNamespace(rate=1000)

    def __init__(self, cloud):
        self.cloud = cloud

    def client(self, project, expected_calls=0):
        return self

    def stop(self, reason): ...

    def restores(self, instance_id, *, begin=None, end=None, known_digest=""):
        return with_digest(self.cloud(begin, end), known_digest)

    def backups(self, instance_id, *, offset):
        return Page(rows=(), skipped=0, total=0, server_time=self.cloud.now)


def sync(cloud, instance, clock, wait):
    """Run one whole sync, from claim to result; return what the database holds after it."""
    cloud.now += wait
    clock.move_to(cloud.now)
    cloud.start_sync()
    before = rows_of(instance)
    (claimed,) = scheduling.claim_selected([instance.pk], cloud.now)
    (result,) = sync_instances([claimed], Client(cloud))
    instance.refresh_from_db()
    after = rows_of(instance)
    assert before.keys() <= after.keys()
    for key, row in before.items():
        assert row.status not in TERMINAL_STATUSES or after[key].status in TERMINAL_STATUSES
    assert instance.sync_error_kind == (result.error.kind if result.error else "")
    then = [ids for at, ids in cloud.history if at.replace(microsecond=0) == instance.complete_to]
    assert result.error or any(ids <= after.keys() for ids in then)
    listed = cloud.history[-1][1] if cloud.history else set()
    removed = {
        key
        for key, row in after.items()
        if row.removed_upstream_at and not before[key].removed_upstream_at
    }
    assert not removed & listed and all(before[key].missing_since for key in removed)
    return after


def rows_of(instance):
    return {row.restore_id: row for row in instance.restores.all()}


def run_stored_sequence(seed):
    """The same with claims, syncs and the database, and with lists that are empty at times."""
    rng = Random(seed)
    cloud = ChangingList(rng, Behavior.random(rng), limit=1000)
    cloud.fill(rng.choice([0, 3, 15, 30]))
    instance = make_instance(f"i-{seed}", complete_to=None)
    with time_machine.travel(BEGUN, tick=False) as clock:
        for _ in range(4):
            hidden, behavior = {}, cloud.behavior
            if rng.random() < 0.2:
                hidden, cloud.rows, cloud.behavior = cloud.rows, {}, Behavior()
            sync(cloud, instance, clock, timedelta(seconds=rng.uniform(0, 1500)))
            cloud.rows, cloud.behavior = hidden | cloud.rows, behavior
        cloud.settle()
        for _ in range(4):
            rows = sync(cloud, instance, clock, timedelta(minutes=31))
    assert instance.sync_error_kind == ""
    assert instance.complete_to == cloud.history[-1][0].replace(microsecond=0)
    assert {key for key, row in rows.items() if not row.removed_upstream_at} == cloud.rows.keys()
    assert all(rows[key].status == row.status for key, row in cloud.rows.items())
    observed = Observation.objects.filter(restore__instance=instance).values_list("restore_id")
    assert len(set(observed)) == len(rows)


def run_stored(seeds):
    for seed in seeds:
        with transaction.atomic():
            run_stored_sequence(seed)
            transaction.set_rollback(True)


@pytest.mark.django_db
def test_no_sequence_of_changes_loses_or_duplicates_anything_in_the_database():
    run_stored(range(15))


@pytest.mark.long
@pytest.mark.django_db
def test_none_of_a_thousand_sequences_loses_or_duplicates_anything_in_the_database():
    run_stored(range(15, 1015))
