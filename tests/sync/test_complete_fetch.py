from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restores.sync.complete_fetch import fetch_complete
from tests.sync.records import BEGUN, make_page, make_record


class World:
    """An instance's records behind an API that returns at most ``limit`` per call."""

    def __init__(self, records, limit, filters=True, ends=True):
        self.records, self.limit, self.filters, self.calls = records, limit, filters, 0
        self.ends = ends

    def __call__(self, begin, end):
        self.calls += 1
        rows = self.records
        if begin and self.filters:
            rows = [r for r in rows if self.within(r.created_at, begin, end)]
        return make_page(*rows[: self.limit], total=len(rows))

    def within(self, time, begin, end):
        return begin <= time <= end if self.ends else begin < time < end


def spread(count, apart):
    return [make_record(f"r-{n}", created_at=BEGUN - n * apart) for n in range(count)]


def test_one_response_with_all_records_is_complete():
    world = World(spread(10, timedelta(days=1)), limit=10)

    result = fetch_complete(world)

    assert (len(result.records), result.incomplete, world.calls) == (10, "", 1)


@settings(max_examples=60)
@given(st.integers(11, 120), st.integers(1, 86400), st.booleans())
def test_too_many_records_for_one_response_are_fetched_by_smaller_and_smaller_ranges(
    count, seconds, ends
):
    world = World(spread(count, timedelta(seconds=seconds)), limit=10, ends=ends)

    result = fetch_complete(world)

    assert result.incomplete == ""
    assert {r.restore_id for r in result.records} == {f"r-{n}" for n in range(count)}


def test_more_records_in_one_second_than_fit_a_response_are_incomplete():
    result = fetch_complete(World(spread(30, timedelta(0)), limit=10))

    assert "within" in result.incomplete
    assert result.records


def test_an_ignored_time_filter_is_reported_and_its_records_are_kept():
    world = World(spread(30, timedelta(days=20)), limit=10, filters=False)

    result = fetch_complete(world)

    assert result.incomplete.startswith("filter_ignored")
    assert len({r.restore_id for r in result.records}) == 10


def test_a_wrong_total_is_incomplete():
    assert (
        "total_num is 0" in fetch_complete(lambda *_: make_page(make_record(), total=0)).incomplete
    )


def test_an_unreadable_total_is_incomplete():
    page = make_page(make_record())
    unreadable = type(page)(rows=page.rows, skipped=0, total=None, server_time=page.server_time)

    assert "total_num is None" in fetch_complete(lambda *_: unreadable).incomplete


def test_a_full_response_may_have_been_cut_off_whatever_its_total():
    records = spread(30, timedelta(days=20))

    result = fetch_complete(lambda *_: make_page(*records[:10], total=10, limit=10))

    assert result.incomplete
    world = World(records[:10], limit=10)
    assert fetch_complete(lambda *range: replace(world(*range), limit=10)).incomplete == ""


def test_a_record_without_a_time_is_in_no_range_and_is_noticed_as_missing():
    undated = make_record("undated", created_at=None)

    def fetch(begin, end):
        page = World(spread(30, timedelta(days=20)), limit=10)(begin, end)
        return page if begin else make_page(*page.rows[:9], undated, total=31)

    assert fetch_complete(fetch).incomplete == "total_num is 31, but 30 records were found"


def test_a_repeated_id_may_take_the_place_of_a_missing_record():
    result = fetch_complete(lambda *_: make_page(make_record("r-1"), make_record("r-1"), total=2))

    assert result.incomplete == "1 of 2 records repeat another's restore_id"
    assert len(result.records) == 1


def test_a_result_from_several_ranges_is_complete_to_a_time_between_its_two_passes():
    world, clock = World(spread(30, timedelta(days=20)), limit=10), iter(range(1000))

    def fetch(begin, end):
        page = world(begin, end)
        return replace(page, server_time=BEGUN + timedelta(seconds=next(clock)))

    result = fetch_complete(fetch)

    first, last = BEGUN, BEGUN + timedelta(seconds=world.calls - 1)
    assert result.incomplete == ""
    assert first < result.complete_to < result.fetched_at == last


@pytest.mark.parametrize("ascending", [False, True])
@pytest.mark.parametrize("apart", [timedelta(minutes=1), timedelta(days=20)])
def test_small_pages_take_few_calls(ascending, apart):
    records = spread(200, apart)
    world = World(records[::-1] if ascending else records, limit=10)

    result = fetch_complete(lambda *range: replace(world(*range), limit=10))

    assert (len(result.records), result.incomplete) == (200, "")
    # Half a page at a time, twice, and once more for each range that had to be split.
    assert world.calls < 160
