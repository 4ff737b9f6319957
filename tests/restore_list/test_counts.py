"""Counts of the list by status: exact up to the limit, capped above it."""

from collections import Counter
from datetime import timedelta

import pytest
from django.http import QueryDict

from restores.filters import ListParams, Scope
from restores.restore_list import counts
from tests.factories import NOW, make_restore

LABELS = ("All", "Stuck", "Unresolved", "Failed", "In progress", "Succeeded", "Other")
STORED = Counter(succeed=6, failed=5, waiting=1, restoring=2, rolledback=1)
RECOVERED = 2


@pytest.fixture
def stored(db):
    """A few restores in every status; two of the failed ones have recovered."""
    for status, number in STORED.items():
        for index in range(number):
            recovered_at = NOW if status == "failed" and index < RECOVERED else None
            make_restore(f"{status}-{index}", status=status, recovered_at=recovered_at)


def counted(root, query=""):
    scope = Scope(ListParams.parse(QueryDict(query), NOW), root)
    return {tab.label: str(tab.count) for tab in counts.count_tabs(scope)}


@pytest.mark.parametrize("limit", [10_000, 5, 4, 3])
@pytest.mark.parametrize("asof", ["", f"asof={NOW - timedelta(minutes=3):%Y-%m-%dT%H:%M:%SZ}"])
def test_each_status_is_counted_up_to_the_limit(stored, root, monkeypatch, limit, asof):
    monkeypatch.setattr(counts, "COUNT_LIMIT", limit)
    in_progress = STORED["waiting"] + STORED["restoring"]
    total, failed, succeeded = STORED.total(), STORED["failed"], STORED["succeed"]
    # What is in progress has stood still since its creation an hour ago. No failure was known to
    # have recovered by the time of the snapshot.
    recovered = 0 if asof else RECOVERED
    numbers = (total, in_progress, failed - recovered, failed, in_progress, succeeded)
    expected = dict(zip(LABELS, (*numbers, STORED["rolledback"]), strict=True))
    assert counted(root, asof) == {
        label: f"{min(number, limit)}{'+' if number > limit else ''}"
        for label, number in expected.items()
    }


@pytest.mark.parametrize("query", ["", "from=now-30d", "status=failed"])
def test_all_tabs_are_counted_by_one_query(stored, root, django_assert_num_queries, query):
    scope = Scope(ListParams.parse(QueryDict(query), NOW), root)
    scope.parts(scope.any_status)
    with django_assert_num_queries(2):  # the second counts what is possibly stuck
        counts.count_tabs(scope)


def test_a_search_counts_what_it_found(stored, root):
    assert counted(root, "q=failed") == {
        "All": "5",
        "Unresolved": "3",
        "Failed": "5",
        "In progress": "0",
        "Succeeded": "0",
    }


def test_where_rows_are_counted_in_one_pass_a_count_may_stop_below_the_limit(
    stored, root, monkeypatch
):
    monkeypatch.setattr(counts, "COUNT_LIMIT", 4)
    tabs = counted(root, "on=ended")
    assert tabs["All"] == "4+"
    assert tabs["Failed"].endswith("+")
