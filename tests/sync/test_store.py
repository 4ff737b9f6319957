from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from restores.models import Observation, Restore
from restores.sync import store
from restores.sync.complete_fetch import Answer
from restores.sync.store import insert
from tests.factories import make_instance
from tests.sync.records import BEGUN, make_record

pytestmark = pytest.mark.django_db
NOW = BEGUN + timedelta(minutes=10)


def answer(*records, at=NOW, flaw=""):
    return Answer(records=records, skipped=0, at=at, until=at, flaw=flaw)


@pytest.fixture
def instance():
    return make_instance(complete_to=BEGUN)


def stored(instance, *records, now=NOW, flaw=""):
    result = store.store_restores(instance, answer(*records, at=now, flaw=flaw), now)
    instance.complete_to = now
    return result


def test_a_new_record_becomes_a_restore_with_its_first_observation(instance):
    counts = stored(instance, make_record("r-1", status="failed", error_code="dcs.08.0007"))

    restore = Restore.objects.get()
    assert (counts.new, counts.changed, counts.unchanged) == (1, 0, 0)
    assert (restore.project, restore.status, restore.duration) == (instance.project, "failed", 360)
    assert restore.first_seen_at == restore.changed_at == NOW
    seen = Observation.objects.get()
    assert (seen.seen_after, seen.seen_at, seen.error_code) == (BEGUN, NOW, "dcs.08.0007")


def test_an_unchanged_record_writes_nothing(instance, django_assert_num_queries):
    stored(instance, make_record())
    before = Restore.objects.values().get()

    counts = stored(instance, make_record(), now=NOW + timedelta(minutes=1))

    assert (counts.new, counts.changed, counts.unchanged) == (0, 0, 1)
    assert Restore.objects.values().get() == before
    assert Observation.objects.count() == 1


def test_each_seen_change_is_an_observation(instance):
    for minute, progress in enumerate([10.0, 10.0, 42.0]):
        moment = NOW + timedelta(minutes=minute)
        stored(instance, make_record(status="restoring", progress=progress), now=moment)

    seen = Observation.objects.order_by("seen_at").values_list("progress", "seen_after", "seen_at")
    assert list(seen) == [
        (10.0, BEGUN, NOW),
        (42.0, NOW + timedelta(minutes=1), NOW + timedelta(minutes=2)),
    ]


def test_a_project_is_known_to_report_steps_once_one_was_seen(instance):
    for progress, known in [(0.0, False), (100.0, False), (42.0, True), (100.0, True)]:
        stored(instance, make_record(status="restoring", progress=progress))
        instance.project.refresh_from_db()
        assert instance.project.reports_progress is known


def test_the_beginning_of_the_restoring_lies_between_two_looks(instance):
    stored(instance, make_record(status="waiting"))
    later = NOW + timedelta(seconds=9)
    stored(instance, make_record(status="restoring"), now=later)

    restore = Restore.objects.get()
    assert (restore.restoring_after, restore.restoring_by) == (NOW, later)


def test_a_restore_first_seen_at_its_end_began_to_restore_at_an_unknown_moment(instance):
    stored(instance, make_record())

    restore = Restore.objects.get()
    assert (restore.restoring_after, restore.restoring_by) == (BEGUN, None)


def test_a_worker_that_comes_back_after_its_lease_writes_nothing(instance):
    instance.fencing_token -= 1

    with pytest.raises(store.LeaseLost):
        stored(instance, make_record())
    assert not Restore.objects.exists()


def test_a_restore_is_live_until_it_ends_or_has_not_moved_for_a_day(instance):
    assert stored(instance, make_record(status="restoring")).live
    assert not stored(instance, make_record(status="succeed")).live


def test_an_unknown_status_is_kept_and_watched_for_a_day(instance):
    assert stored(instance, make_record(status="half-done")).live
    assert not stored(instance, make_record(status="half-done"), now=NOW + timedelta(hours=25)).live
    assert Restore.objects.get().status == "half-done"


def test_one_proof_without_a_restore_is_not_enough_to_call_it_delisted(instance):
    stored(instance, make_record("r-1"), make_record("r-2"))

    assert not stored(instance, make_record("r-1")).settled
    assert Restore.objects.get(restore_id="r-2").removed_upstream_at is None


def test_two_proofs_without_a_restore_mark_it_and_its_return_clears_the_mark(instance):
    stored(instance, make_record("r-1"), make_record("r-2"))
    stored(instance, make_record("r-1"))
    assert stored(instance, make_record("r-1")).settled
    assert Restore.objects.get(restore_id="r-2").removed_upstream_at == NOW

    stored(instance, make_record("r-1"), make_record("r-2"))
    assert Restore.objects.get(restore_id="r-2").removed_upstream_at is None


def test_an_answer_that_proves_nothing_marks_nothing(instance):
    stored(instance, make_record("r-1"))
    for _ in range(3):
        stored(instance, flaw="total_num 7 against 0 records")

    assert Restore.objects.get().missing_since is None


def missing(instance, *minutes):
    """Looks that bring nothing, so many minutes after NOW; what each doubts."""
    doubted = []
    for minute in minutes:
        now = NOW + timedelta(minutes=minute)
        vanished = stored(instance, now=now).vanished
        instance.sync_error_kind, instance.synced_at = "vanished" if vanished else "", now
        doubted.append(vanished)
    return doubted


@pytest.fixture
def twenty(instance):
    stored(instance, *(make_record(f"r-{n}") for n in range(20)))
    return instance


def test_a_mass_vanishing_is_doubted_for_an_hour(twenty):
    assert missing(twenty, 0, 1, 30, 59) == [20, 20, 20, 20]
    assert not Restore.objects.exclude(removed_upstream_at=None).exists()


def test_a_mass_vanishing_seen_for_an_hour_in_three_looks_is_believed(twenty):
    assert missing(twenty, 0, 30, 60) == [20, 20, 0]
    assert not Restore.objects.filter(removed_upstream_at=None).exists()


def test_two_looks_are_too_few_to_believe_a_mass_vanishing(twenty):
    assert missing(twenty, 0, 90, 91) == [20, 20, 0]


def test_another_fault_in_between_is_no_look_that_missed_them(twenty):
    missing(twenty, 0)
    twenty.sync_error_kind, twenty.synced_at = "unreachable", NOW + timedelta(minutes=59)

    assert missing(twenty, 61, 62) == [20, 0]


def test_a_mass_that_comes_back_has_never_been_away(twenty):
    missing(twenty, 0, 30)
    stored(twenty, *(make_record(f"r-{n}") for n in range(20)), now=NOW + timedelta(minutes=40))

    assert missing(twenty, 61, 90) == [20, 20]


def test_what_was_delisted_over_the_years_is_no_mass_vanishing(twenty):
    kept = 20
    while kept > 3:
        kept -= 1
        for _ in range(2):
            assert not stored(twenty, *(make_record(f"r-{n}") for n in range(kept))).vanished


def test_a_restore_seen_by_a_look_that_proves_nothing_is_not_missing(instance):
    stored(instance, make_record("r-1"), make_record("r-2"))
    stored(instance, make_record("r-1"))
    stored(instance, make_record("r-2"), flaw="total_num 7 against 1 records")
    stored(instance, make_record("r-1"))

    assert Restore.objects.get(restore_id="r-2").removed_upstream_at is None


def test_what_is_not_proven_lets_no_earlier_digest_stand(instance):
    type(instance).objects.update(digest="of the last proof")
    stored(instance, make_record("r-1"))
    instance.refresh_from_db()
    assert instance.digest

    stored(instance, make_record("r-2"), flaw="total_num 7 against 1 records")
    instance.refresh_from_db()
    assert instance.digest == ""


def test_what_may_still_move_is_not_settled_until_a_day_has_passed(instance):
    moving = make_record(status="restoring")

    assert not stored(instance, moving).settled
    assert stored(instance, moving, now=NOW + timedelta(hours=25)).settled


def test_one_changed_restore_costs_a_handful_of_queries(instance, django_assert_max_num_queries):
    rest = [make_record(f"r-{n}", backup_id="") for n in range(100)]
    stored(instance, *rest, make_record("r-now", status="restoring", progress=1.0))

    # savepoint, fencing_token, rows, backups, the restore, its observation
    with django_assert_max_num_queries(9):
        stored(instance, *rest, make_record("r-now", status="restoring", progress=2.0))


def test_a_first_fill_costs_no_more_queries_than_one_new_restore(
    instance, django_assert_max_num_queries
):
    made = (make_record(f"r-{n}", backup_id=f"b-{n}", status="failed") for n in range(1000))

    # savepoint, fencing_token, rows, backups, the restores, their observations
    with django_assert_max_num_queries(9):
        stored(instance, *made)


def test_a_row_the_database_refuses_is_its_error_and_leaves_nothing(instance):
    stored(instance, make_record("r-1"))
    seen = {"instance": instance, "project": instance.project, "first_seen_at": NOW}
    fresh = [Restore(restore_id=each, changed_at=NOW, **seen) for each in ("r-2", "r-1")]

    with pytest.raises(IntegrityError), transaction.atomic():
        insert(fresh, instance, NOW, NOW)

    assert Restore.objects.count() == Observation.objects.count() == 1


def test_a_success_recovers_the_earlier_failures_of_its_instance_only(instance):
    failed = make_record("r-failed", status="failed")
    success = make_record("r-done", created_at=BEGUN + timedelta(hours=1))
    after = make_record("r-after", status="failed", created_at=BEGUN + timedelta(hours=2))
    stored(make_instance("another"), make_record("r-other", status="failed"))
    stored(instance, failed, success, after)

    recovered = dict(Restore.objects.values_list("restore_id", "recovered_at"))
    assert recovered == {
        "r-failed": success.ended_at,
        "r-done": None,
        "r-after": None,
        "r-other": None,
    }


def test_the_first_later_success_counts_even_when_it_is_seen_last(instance):
    failed = make_record("r-failed", status="failed")
    late = make_record("r-late", created_at=BEGUN + timedelta(hours=5))
    early = make_record("r-early", created_at=BEGUN + timedelta(hours=1))
    stored(instance, failed, late)
    stored(instance, failed, late, early)

    assert Restore.objects.get(restore_id="r-failed").recovered_at == early.ended_at


def test_the_same_restore_id_in_two_instances_is_two_restores(instance):
    stored(instance, make_record("r-1"))
    stored(make_instance("another"), make_record("r-1", status="failed"))

    assert sorted(Restore.objects.values_list("status", flat=True)) == ["failed", "succeed"]
