from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from restores.explain.estimates import Usual, usual_of
from restores.models import Instance, Observation, Restore
from restores.sync import scheduling, store
from restores.sync.complete_fetch import FetchResult
from tests.factories import make_instance
from tests.sync.records import BEGUN, make_record

pytestmark = pytest.mark.django_db
NOW = BEGUN + timedelta(minutes=10)


def fetched(*records, at=NOW, incomplete=""):
    return FetchResult(
        records=records, skipped=0, complete_to=at, fetched_at=at, incomplete=incomplete
    )


@pytest.fixture
def instance():
    return make_instance(complete_to=BEGUN)


def sync(instance, *records, now=NOW, incomplete=""):
    result = store.store_restores(instance, fetched(*records, at=now, incomplete=incomplete), now)
    instance.complete_to = now
    return result


def test_a_new_record_becomes_a_restore_with_its_first_observation(instance):
    counts = sync(instance, make_record("r-1", status="failed", error_code="dcs.08.0007"))

    restore = Restore.objects.get()
    assert (counts.new, counts.changed, counts.unchanged) == (1, 0, 0)
    assert (restore.project, restore.status, restore.duration) == (instance.project, "failed", 360)
    assert restore.first_seen_at == restore.changed_at == NOW
    seen = Observation.objects.get()
    assert (seen.seen_after, seen.seen_at, seen.error_code) == (BEGUN, NOW, "dcs.08.0007")


def test_an_unchanged_record_writes_nothing(instance, django_assert_num_queries):
    sync(instance, make_record())
    before = Restore.objects.values().get()

    counts = sync(instance, make_record(), now=NOW + timedelta(minutes=1))

    assert (counts.new, counts.changed, counts.unchanged) == (0, 0, 1)
    assert Restore.objects.values().get() == before
    assert Observation.objects.count() == 1


def test_each_observed_change_is_an_observation(instance):
    for minute, progress in enumerate([10.0, 10.0, 42.0]):
        now = NOW + timedelta(minutes=minute)
        sync(instance, make_record(status="restoring", progress=progress), now=now)

    seen = Observation.objects.order_by("seen_at").values_list("progress", "seen_after", "seen_at")
    assert list(seen) == [
        (10.0, BEGUN, NOW),
        (42.0, NOW + timedelta(minutes=1), NOW + timedelta(minutes=2)),
    ]


def test_a_project_reports_progress_once_three_restores_did(instance):
    """One odd record, however often it changes, isn't proof."""
    seen = [("a", 0.0), ("a", 42.0), ("a", 43.0), ("b", 100.0), ("b", 7.0), ("c", 63.0)]
    for number, (restore_id, progress) in enumerate(seen):
        now = NOW + timedelta(minutes=number)
        sync(instance, make_record(restore_id, status="restoring", progress=progress), now=now)
        instance.project.refresh_from_db()
        assert instance.project.reports_progress is (restore_id == "c")


def test_a_restore_is_stuck_once_a_complete_sync_has_proven_it(instance):
    """It took half an hour, as far as a sync that worked has seen; lists are told once."""
    record = make_record(status="restoring", progress=42.0)
    assert sync(instance, record).written
    due = BEGUN + timedelta(minutes=30)
    assert Restore.objects.get().stuck_at == due

    def stuck(at, **given):
        written = sync(instance, record, now=at, **given).written
        Instance.objects.update(complete_to=instance.complete_to)
        return written, Restore.objects.get().stuck, Restore.objects.stuck().exists()

    assert stuck(due - timedelta(seconds=1)) == (False, False, False)
    assert stuck(due) == (True, True, True)
    assert stuck(due + timedelta(minutes=1)) == (False, True, True)


def test_a_record_of_last_year_in_an_unknown_status_is_not_in_progress(instance):
    created = NOW - timedelta(days=365)
    result = sync(instance, make_record(status="paused", created_at=created))
    assert not (result.started or result.live)
    assert Restore.objects.get().stuck_at is None


def test_an_incomplete_sync_proves_nothing(instance):
    record = make_record(status="restoring", progress=42.0)
    sync(instance, record)
    late = BEGUN + timedelta(hours=1)
    assert not store.store_restores(
        instance, fetched(record, at=late, incomplete="cut"), late
    ).written
    assert not Restore.objects.stuck().exists()


def test_what_moves_or_ends_or_is_missing_is_not_stuck(instance):
    instance.project.reports_progress = True
    sync(instance, make_record(status="restoring", progress=42.0))
    later = NOW + timedelta(minutes=9)
    sync(instance, make_record(status="restoring", progress=43.0), now=later)
    assert Restore.objects.get().stuck_at == later + timedelta(minutes=10)
    sync(instance, now=later)
    assert Restore.objects.get().stuck_at is None
    sync(instance, make_record(status="restoring", progress=43.0), now=later)
    assert Restore.objects.get().stuck_at == later + timedelta(minutes=10)
    sync(instance, make_record(status="failed", progress=43.0), now=later)
    assert Restore.objects.get().stuck_at is None


def test_an_instance_knows_how_long_its_restores_usually_take(instance):
    lasted = [
        make_record(
            f"r-{number}",
            created_at=BEGUN + timedelta(hours=number),
            updated_at=BEGUN + timedelta(hours=number, minutes=minutes),
            **given,
        )
        for number, (minutes, given) in enumerate(
            [(5, {}), (6, {}), (50, {"status": "failed"}), (0, {}), (9, {})]
        )
    ]
    unfinished = make_record("r-6", status="restoring")
    sync(instance, *lasted[:4], unfinished)
    instance.refresh_from_db()
    assert instance.usual is None

    sync(instance, *lasted, unfinished)
    instance.refresh_from_db()
    assert instance.usual == Usual(p10=5 * 60 + 12, p90=8 * 60 + 24, count=3)

    sync(instance, *lasted[1:], make_record("r-0", status="failed"), unfinished)
    instance.refresh_from_db()
    assert instance.usual is None


def test_an_instance_knows_its_newest_restore(instance):
    older = make_record("r-1", created_at=BEGUN)
    sync(instance, make_record("r-0", created_at=None), older)
    sync(
        instance,
        older,
        make_record("r-2", created_at=BEGUN + timedelta(hours=1), status="restoring"),
    )
    instance.refresh_from_db()
    stored = instance.last_restore_id, instance.last_restore_at, instance.last_status
    assert stored == ("r-2", BEGUN + timedelta(hours=1), "restoring")
    sync(
        instance, older, make_record("r-2", created_at=BEGUN + timedelta(hours=1), status="failed")
    )
    instance.refresh_from_db()
    assert instance.last_status == "failed"

    Instance.objects.update(last_restore_id=None, last_restore_at=None, last_status=None)
    migration = import_module("restores.migrations.0014_last_restores_and_owners")
    migration.find_last_restores(apps, None)
    instance.refresh_from_db()
    stored = instance.last_restore_id, instance.last_restore_at, instance.last_status
    assert stored == ("r-2", BEGUN + timedelta(hours=1), "failed")


def test_what_is_usual_follows_the_newest_thirty_successes(instance):
    created = [BEGUN + timedelta(hours=number) for number in range(33)]
    lasted = [1, 1, 1, *range(10, 40)]
    sync(
        instance,
        *(
            make_record(f"r-{at}", created_at=at, updated_at=at + timedelta(minutes=minutes))
            for at, minutes in zip(created, lasted, strict=True)
        ),
    )
    instance.refresh_from_db()
    stored = instance.usual
    assert stored == usual_of([60.0 * minutes for minutes in range(10, 40)])

    Instance.objects.update(usual_p10=None, usual_p90=None, usual_count=None)
    migration = import_module("restores.migrations.0008_usual_durations")
    migration.compute_usual_durations(apps, None)
    instance.refresh_from_db()
    assert instance.usual == stored


def test_restoring_began_between_two_syncs(instance):
    sync(instance, make_record(status="waiting"))
    later = NOW + timedelta(seconds=9)
    sync(instance, make_record(status="restoring"), now=later)

    restore = Restore.objects.get()
    assert (restore.restoring_after, restore.restoring_by) == (NOW, later)


def test_when_a_restore_first_seen_finished_began_restoring_is_unknown(instance):
    sync(instance, make_record())

    restore = Restore.objects.get()
    assert (restore.restoring_after, restore.restoring_by) == (BEGUN, None)


def test_a_worker_that_comes_back_after_its_lease_writes_nothing(instance):
    instance.fencing_token -= 1

    with pytest.raises(scheduling.LeaseLost):
        sync(instance, make_record())
    assert not Restore.objects.exists()


def test_a_restore_is_live_until_it_finishes_or_has_not_changed_for_a_day(instance):
    assert sync(instance, make_record(status="restoring")).live
    assert not sync(instance, make_record(status="succeed")).live


def test_an_unknown_status_is_kept_and_live_for_a_day(instance):
    assert sync(instance, make_record(status="half-done")).live
    assert not sync(instance, make_record(status="half-done"), now=NOW + timedelta(hours=25)).live
    assert Restore.objects.get().status == "half-done"


def test_one_complete_response_without_a_restore_does_not_mark_it_as_removed(instance):
    sync(instance, make_record("r-1"), make_record("r-2"))

    assert not sync(instance, make_record("r-1")).settled
    assert Restore.objects.get(restore_id="r-2").removed_upstream_at is None


def test_two_complete_responses_without_a_restore_mark_it_and_its_return_clears_the_mark(instance):
    sync(instance, make_record("r-1"), make_record("r-2"))
    sync(instance, make_record("r-1"))
    assert sync(instance, make_record("r-1")).settled
    assert Restore.objects.get(restore_id="r-2").removed_upstream_at == NOW

    sync(instance, make_record("r-1"), make_record("r-2"))
    assert Restore.objects.get(restore_id="r-2").removed_upstream_at is None


def test_an_incomplete_response_marks_nothing(instance):
    sync(instance, make_record("r-1"))
    for _ in range(3):
        sync(instance, incomplete="total_num 7 against 0 records")

    assert Restore.objects.get().missing_since is None


def missing(instance, *minutes):
    """Syncs without any record, these minutes after NOW; how many missing ones each doubts."""
    doubted = []
    for minute in minutes:
        now = NOW + timedelta(minutes=minute)
        doubt = sync(instance, now=now).mass_removal
        instance.sync_error_kind, instance.synced_at = "vanished" if doubt else "", now
        doubted.append(doubt)
    return doubted


@pytest.fixture
def twenty(instance):
    sync(instance, *(make_record(f"r-{n}") for n in range(20)))
    return instance


def test_a_mass_removal_is_doubted_for_an_hour(twenty):
    assert missing(twenty, 0, 1, 30, 59) == [20, 20, 20, 20]
    assert not Restore.objects.exclude(removed_upstream_at=None).exists()


def test_a_mass_removal_seen_by_three_syncs_within_an_hour_is_believed(twenty):
    assert missing(twenty, 0, 30, 60) == [20, 20, 0]
    assert not Restore.objects.filter(removed_upstream_at=None).exists()


def test_two_syncs_are_too_few_to_believe_a_mass_removal(twenty):
    assert missing(twenty, 0, 90, 91) == [20, 20, 0]


def test_another_sync_error_in_between_does_not_confirm_a_mass_removal(twenty):
    missing(twenty, 0)
    twenty.sync_error_kind, twenty.synced_at = "unreachable", NOW + timedelta(minutes=59)

    assert missing(twenty, 61, 62) == [20, 0]


def test_after_a_return_a_mass_removal_is_doubted_again(twenty):
    missing(twenty, 0, 30)
    sync(twenty, *(make_record(f"r-{n}") for n in range(20)), now=NOW + timedelta(minutes=40))

    assert missing(twenty, 61, 90) == [20, 20]


def test_restores_removed_one_by_one_are_not_a_mass_removal(twenty):
    remaining = 20
    while remaining > 3:
        remaining -= 1
        for _ in range(2):
            assert not sync(twenty, *(make_record(f"r-{n}") for n in range(remaining))).mass_removal


def test_a_restore_in_an_incomplete_response_is_not_missing(instance):
    sync(instance, make_record("r-1"), make_record("r-2"))
    sync(instance, make_record("r-1"))
    sync(instance, make_record("r-2"), incomplete="total_num 7 against 1 records")
    sync(instance, make_record("r-1"))

    assert Restore.objects.get(restore_id="r-2").removed_upstream_at is None


def test_an_incomplete_response_clears_the_digest(instance):
    type(instance).objects.update(digest="of the last proof")
    sync(instance, make_record("r-1"))
    instance.refresh_from_db()
    assert instance.digest

    sync(instance, make_record("r-2"), incomplete="total_num 7 against 1 records")
    instance.refresh_from_db()
    assert instance.digest == ""


def test_an_unfinished_restore_is_not_settled_until_a_day_has_passed(instance):
    moving = make_record(status="restoring")

    assert not sync(instance, moving).settled
    assert sync(instance, moving, now=NOW + timedelta(hours=25)).settled


def test_one_changed_restore_costs_a_handful_of_queries(instance, django_assert_max_num_queries):
    rest = [make_record(f"r-{n}", backup_id="") for n in range(100)]
    sync(instance, *rest, make_record("r-now", status="restoring", progress=1.0))

    # savepoint, lock, rows, backups, the restore, its observation
    with django_assert_max_num_queries(9):
        sync(instance, *rest, make_record("r-now", status="restoring", progress=2.0))


def test_a_first_fill_inserts_many_rows_per_query(instance, django_assert_max_num_queries):
    made = (make_record(f"r-{n}", backup_id=f"b-{n}", status="failed") for n in range(1000))

    # SQLite takes at most 999 parameters at once.
    with django_assert_max_num_queries(60):
        sync(instance, *made)


def test_a_success_recovers_the_earlier_failures_of_its_instance_only(instance):
    failed = make_record("r-failed", status="failed")
    success = make_record("r-done", created_at=BEGUN + timedelta(hours=1))
    after = make_record("r-after", status="failed", created_at=BEGUN + timedelta(hours=2))
    sync(make_instance("another"), make_record("r-other", status="failed"))
    sync(instance, failed, success, after)

    recovered = dict(Restore.objects.values_list("restore_id", "recovered_at"))
    assert recovered == {
        "r-failed": success.updated_at,
        "r-done": None,
        "r-after": None,
        "r-other": None,
    }


def test_the_first_later_success_counts_even_when_it_is_seen_last(instance):
    failed = make_record("r-failed", status="failed")
    late = make_record("r-late", created_at=BEGUN + timedelta(hours=5))
    early = make_record("r-early", created_at=BEGUN + timedelta(hours=1))
    sync(instance, failed, late)
    sync(instance, failed, late, early)

    assert Restore.objects.get(restore_id="r-failed").recovered_at == early.updated_at


def test_the_same_restore_id_in_two_instances_is_two_restores(instance):
    sync(instance, make_record("r-1"))
    sync(make_instance("another"), make_record("r-1", status="failed"))

    assert sorted(Restore.objects.values_list("status", flat=True)) == ["failed", "succeed"]


FINAL = ("succeed", "failed")
versions = st.lists(
    st.tuples(
        st.sampled_from(["waiting", "restoring", *FINAL, "paused"]),
        st.none() | st.integers(0, 3),
        st.sampled_from(["", "edited", "edited again"]),
    ),
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(versions)
def test_the_end_is_the_first_final_update_after_the_last_unfinished_state(given_versions):
    with transaction.atomic():
        instance = make_instance(complete_to=BEGUN)
        shown, updated, end, minutes = "", None, None, 0
        for status, more, remark in given_versions:
            minutes += more or 0
            at = None if more is None else BEGUN + timedelta(minutes=minutes)
            sync(instance, make_record(status=status, updated_at=at, restore_remark=remark))
            if shown in FINAL and status not in FINAL and not (at and updated and at > updated):
                continue  # the response of a server that is behind
            if status not in FINAL:
                end = None
            elif shown not in FINAL or end is None:
                end = at
            updated = at or (updated if shown in FINAL or status not in FINAL else None)
            shown = status
            row = Restore.objects.get()
            assert (row.status, row.ended_at) == (status, end)
            assert row.duration == ((end - BEGUN).total_seconds() if end else None)
            newest = row.observations.order_by("-pk").first()
            assert (newest.status, newest.ended_at) == (status, end)
        transaction.set_rollback(True)


def test_a_restore_ends_at_no_time_of_an_earlier_state(instance):
    sync(instance, make_record(status="restoring", updated_at=BEGUN + timedelta(minutes=1)))
    sync(instance, make_record(status="succeed", updated_at=None))

    assert Restore.objects.get().ended_at is None
