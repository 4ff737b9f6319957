from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from restores.sync.diff import merged, plan
from tests.sync.records import BEGUN, make_record


def test_an_unknown_record_is_new():
    assert plan({}, [make_record("r-1")]).new == (make_record("r-1"),)


def test_an_equal_record_needs_no_write():
    planned = plan({"r-1": make_record("r-1")}, [make_record("r-1")])

    assert (planned.new, planned.changed, planned.unchanged) == ((), (), 1)


def test_a_restore_that_moved_is_changed():
    held = make_record("r-1", status="restoring", progress=10.0)
    fetched = make_record("r-1", status="restoring", progress=42.0)

    assert plan({"r-1": held}, [fetched]).changed == (fetched,)


def test_what_is_final_never_becomes_unfinished_again():
    held = make_record(status="failed", error_code="dcs.08.0007")

    assert merged(held, make_record(status="restoring")) == held


def test_an_older_update_never_replaces_a_newer_one():
    held = make_record(updated_at=BEGUN + timedelta(minutes=9))

    assert merged(held, make_record(updated_at=BEGUN + timedelta(minutes=8))) == held


def test_an_absent_value_never_replaces_a_present_one():
    held = make_record(restore_remark="before release 412", error_code="dcs.08.0002")
    fetched = make_record(progress=None, created_at=None, backup_id="")

    result = merged(held, fetched)

    assert result.restore_remark == "before release 412"
    assert result.error_code == "dcs.08.0002"
    assert (result.progress, result.created_at, result.backup_id) == (100.0, BEGUN, "b-1")


def test_a_failure_that_turned_into_a_success_loses_its_code():
    held = make_record(status="failed", error_code="dcs.08.0002")
    later = make_record(status="succeed", updated_at=BEGUN + timedelta(hours=1))

    assert merged(held, later).error_code == ""


def test_the_same_id_twice_in_one_answer_is_one_restore():
    older = make_record("r-1", status="restoring")
    newer = make_record("r-1", status="succeed")

    assert plan({}, [newer, older]).new == plan({}, [older, newer]).new == (newer,)


def test_an_id_that_is_held_but_not_listed_is_absent():
    assert plan({"r-1": make_record("r-1")}, []).absent == {"r-1"}


def test_many_absent_at_once_are_a_mass_vanishing():
    held = {f"r-{n}": make_record(f"r-{n}") for n in range(20)}

    assert plan(held, []).mass_vanishing
    assert not plan(held, list(held.values())[5:]).mass_vanishing
    assert plan(held, list(held.values())[6:]).mass_vanishing


records = st.builds(
    make_record,
    st.sampled_from(["r-1", "r-2", "r-3"]),
    status=st.sampled_from(["waiting", "restoring", "succeed", "failed", "paused", ""]),
    progress=st.none() | st.sampled_from([0.0, 42.0, 100.0]),
    error_code=st.sampled_from(["", "dcs.08.0007"]),
    updated_at=st.none() | st.sampled_from([BEGUN + timedelta(minutes=n) for n in range(4)]),
)


@given(st.lists(records), st.lists(records))
def test_every_record_is_counted_once_and_a_second_look_changes_nothing(before, after):
    held = {r.restore_id: r for r in plan({}, before).new}
    planned = plan(held, after)
    ids = {r.restore_id for r in after}
    now_held = held | {r.restore_id: r for r in (*planned.new, *planned.changed)}

    assert len(planned.new) + len(planned.changed) + planned.unchanged == len(ids)
    assert planned.absent == held.keys() - ids
    assert all(
        now_held[key].status in ("succeed", "failed")
        for key, r in held.items()
        if r.status in ("succeed", "failed")
    )
    again = plan(now_held, now_held.values())
    assert again.new == again.changed == ()
