from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from restores.sync.diff import diff, merge
from tests.sync.records import BEGUN, make_record


def test_an_unknown_record_is_new():
    assert diff({}, [make_record("r-1")]).new == (make_record("r-1"),)


def test_an_equal_record_needs_no_write():
    changes = diff({"r-1": make_record("r-1")}, [make_record("r-1")])

    assert (changes.new, changes.changed, changes.unchanged) == ((), (), 1)


def test_a_restore_with_new_progress_is_changed():
    stored = make_record("r-1", status="restoring", progress=10.0)
    fetched = make_record("r-1", status="restoring", progress=42.0)

    assert diff({"r-1": stored}, [fetched]).changed == (fetched,)


def test_a_final_status_becomes_unfinished_again_only_with_a_newer_update():
    stored = make_record(status="failed", error_code="dcs.08.0007")

    for updated_at in (None, stored.updated_at, stored.updated_at - timedelta(seconds=1)):
        assert merge(stored, make_record(status="restoring", updated_at=updated_at)) == stored
    newer = make_record(status="restoring", updated_at=stored.updated_at + timedelta(seconds=1))
    assert merge(stored, newer) == newer


def test_an_older_update_never_replaces_a_newer_one():
    stored = make_record(updated_at=BEGUN + timedelta(minutes=9))

    assert merge(stored, make_record(updated_at=BEGUN + timedelta(minutes=8))) == stored


def test_an_absent_value_never_replaces_a_present_one():
    stored = make_record(restore_remark="before release 412", error_code="dcs.08.0002")
    fetched = make_record(progress=None, created_at=None, backup_id="")

    result = merge(stored, fetched)

    assert result.restore_remark == "before release 412"
    assert result.error_code == "dcs.08.0002"
    assert (result.progress, result.created_at, result.backup_id) == (100.0, BEGUN, "b-1")


def test_a_failure_that_turned_into_a_success_loses_its_code():
    stored = make_record(status="failed", error_code="dcs.08.0002")
    later = make_record(status="succeed", updated_at=BEGUN + timedelta(hours=1))

    assert merge(stored, later).error_code == ""


def test_the_same_id_twice_in_one_response_is_one_restore():
    older = make_record("r-1", status="restoring")
    newer = make_record("r-1", status="succeed")

    assert diff({}, [newer, older]).new == diff({}, [older, newer]).new == (newer,)


def test_a_stored_id_that_is_not_listed_is_missing():
    assert diff({"r-1": make_record("r-1")}, []).missing == {"r-1"}


def test_many_missing_at_once_are_a_mass_removal():
    stored = {f"r-{n}": make_record(f"r-{n}") for n in range(20)}

    assert diff(stored, []).mass_removal
    assert not diff(stored, list(stored.values())[5:]).mass_removal
    assert diff(stored, list(stored.values())[6:]).mass_removal


records = st.builds(
    make_record,
    st.sampled_from(["r-1", "r-2", "r-3"]),
    status=st.sampled_from(["waiting", "restoring", "succeed", "failed", "paused", ""]),
    progress=st.none() | st.sampled_from([0.0, 42.0, 100.0]),
    error_code=st.sampled_from(["", "dcs.08.0007"]),
    updated_at=st.none() | st.sampled_from([BEGUN + timedelta(minutes=n) for n in range(4)]),
)


@given(st.lists(records), st.lists(records))
def test_every_record_is_counted_once_and_a_second_diff_is_empty(before, after):
    stored = {r.restore_id: r for r in diff({}, before).new}
    changes = diff(stored, after)
    ids = {r.restore_id for r in after}
    now_stored = stored | {r.restore_id: r for r in (*changes.new, *changes.changed)}

    assert len(changes.new) + len(changes.changed) + changes.unchanged == len(ids)
    assert changes.missing == stored.keys() - ids
    assert all(
        now_stored[key].status in ("succeed", "failed")
        or (now_stored[key].updated_at or BEGUN) > (r.updated_at or BEGUN)
        for key, r in stored.items()
        if r.status in ("succeed", "failed")
    )
    again = diff(now_stored, now_stored.values())
    assert again.new == again.changed == ()
