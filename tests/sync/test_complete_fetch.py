from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from restores.sync.complete_fetch import ask_all
from tests.sync.records import BEGUN, make_page, make_record


class World:
    """An instance's records behind the API's limit, which answers at most ``limit`` at once."""

    def __init__(self, records, limit, filters=True, ends=True):
        self.records, self.limit, self.filters, self.calls = records, limit, filters, 0
        self.ends = ends

    def __call__(self, begin, end):
        self.calls += 1
        rows = self.records
        if begin and self.filters:
            rows = [r for r in rows if self.within(r.created_at, begin, end)]
        return make_page(*rows[: self.limit], total=len(rows))

    def within(self, moment, begin, end):
        return begin <= moment <= end if self.ends else begin < moment < end


def spread(count, apart):
    return [make_record(f"r-{n}", created_at=BEGUN - n * apart) for n in range(count)]


def test_one_complete_response_is_the_proof():
    world = World(spread(10, timedelta(days=1)), limit=10)

    answer = ask_all(world)

    assert (len(answer.records), answer.flaw, world.calls) == (10, "", 1)


@settings(max_examples=60)
@given(st.integers(11, 120), st.integers(1, 86400), st.booleans())
def test_too_many_for_one_response_are_found_by_ever_smaller_windows(count, seconds, ends):
    world = World(spread(count, timedelta(seconds=seconds)), limit=10, ends=ends)

    answer = ask_all(world)

    assert answer.flaw == ""
    assert {r.restore_id for r in answer.records} == {f"r-{n}" for n in range(count)}


def test_a_single_second_fuller_than_a_response_is_no_proof():
    answer = ask_all(World(spread(30, timedelta(0)), limit=10))

    assert "within" in answer.flaw
    assert answer.records


def test_a_filter_that_is_ignored_is_named_and_its_rows_are_kept():
    world = World(spread(30, timedelta(days=20)), limit=10, filters=False)

    answer = ask_all(world)

    assert answer.flaw.startswith("filter_ignored")
    assert len({r.restore_id for r in answer.records}) == 10


def test_a_total_that_lies_is_no_proof():
    assert "total_num 0" in ask_all(lambda *_: make_page(make_record(), total=0)).flaw


def test_a_total_that_nobody_can_read_is_no_proof():
    page = make_page(make_record())
    unreadable = type(page)(rows=page.rows, skipped=0, total=None, server_time=page.server_time)

    assert "total_num None" in ask_all(lambda *_: unreadable).flaw


def test_a_full_response_may_be_a_cut_one_whatever_its_total_says():
    records = spread(30, timedelta(days=20))

    answer = ask_all(lambda *_: make_page(*records[:10], total=10), full=10)

    assert answer.flaw
    assert ask_all(World(records[:10], limit=10), full=10).flaw == ""


def test_a_restore_without_a_time_is_in_no_window_and_its_absence_is_noticed():
    timeless = make_record("timeless", created_at=None)

    def ask(begin, end):
        page = World(spread(30, timedelta(days=20)), limit=10)(begin, end)
        return page if begin else make_page(*page.rows[:9], timeless, total=31)

    assert ask_all(ask).flaw == "total_num 31 against 30 records"


def test_an_id_that_comes_twice_may_stand_in_the_place_of_a_missing_one():
    answer = ask_all(lambda *_: make_page(make_record("r-1"), make_record("r-1"), total=2))

    assert answer.flaw == "1 of 2 records repeat another's restore_id"
    assert len(answer.records) == 1


def test_a_proof_by_windows_is_dated_between_its_two_passes():
    world, clock = World(spread(30, timedelta(days=20)), limit=10), iter(range(1000))

    def ask(begin, end):
        page = world(begin, end)
        return replace(page, server_time=BEGUN + timedelta(seconds=next(clock)))

    answer = ask_all(ask)

    first, last = BEGUN, BEGUN + timedelta(seconds=world.calls - 1)
    assert answer.flaw == ""
    assert first < answer.at < answer.until == last
