"""How many rows there are, and in which states: exact while few, capped beyond."""

from collections import Counter
from datetime import timedelta

import pytest
from django.http import QueryDict

from restores.filters import ListParams, Scope
from restores.restore_list import counts
from tests.factories import NOW, make_restore

WORDS = ("All", "Unresolved", "Failed", "In progress", "Succeeded", "Other: rolledback")
HELD = Counter(succeed=6, failed=5, waiting=1, restoring=2, rolledback=1)
HEALED = 2


@pytest.fixture
def held(db):
    """A few in every state; two of the failed ones have recovered."""
    for status, number in HELD.items():
        for which in range(number):
            healed = NOW if status == "failed" and which < HEALED else None
            make_restore(f"{status}-{which}", status=status, recovered_at=healed)


def counted(root, query=""):
    scope = Scope(ListParams.parse(QueryDict(query), NOW), root)
    return {tab.label: str(tab.count) for tab in counts.count_tabs(scope)}


@pytest.mark.parametrize("limit", [10_000, 5, 4, 3])
@pytest.mark.parametrize("asof", ["", f"asof={NOW - timedelta(minutes=3):%Y-%m-%dT%H:%M:%SZ}"])
def test_each_state_is_counted_up_to_the_limit_and_no_further(held, root, monkeypatch, limit, asof):
    monkeypatch.setattr(counts, "COUNT_LIMIT", limit)
    progressing = HELD["waiting"] + HELD["restoring"]
    numbers = (HELD.total(), HELD["failed"] - HEALED, HELD["failed"], progressing, HELD["succeed"])
    if asof:
        # By then nothing was known to have recovered: every success is as old as its failure.
        numbers = (HELD.total(), HELD["failed"], HELD["failed"], progressing, HELD["succeed"])
    expected = dict(zip(WORDS, (*numbers, HELD["rolledback"]), strict=True))
    assert counted(root, asof) == {
        word: f"{min(number, limit)}{'+' if number > limit else ''}"
        for word, number in expected.items()
    }


@pytest.mark.parametrize("query", ["", "from=now-30d", "on=running&from=now-2h", "status=failed"])
def test_all_tabs_are_counted_by_one_query(held, root, django_assert_num_queries, query):
    scope = Scope(ListParams.parse(QueryDict(query), NOW), root)
    scope.parts(scope.any_status)
    with django_assert_num_queries(2):  # the second names the statuses that we don't know
        counts.count_tabs(scope)


def test_a_search_counts_what_it_found(held, root):
    assert counted(root, "q=failed") == {
        "All": "5",
        "Unresolved": "3",
        "Failed": "5",
        "In progress": "0",
        "Succeeded": "0",
    }
