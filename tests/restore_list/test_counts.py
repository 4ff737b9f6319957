"""How many rows there are, and in which states: exact while few, capped beyond."""

from collections import Counter
from datetime import timedelta

import pytest
from django.http import QueryDict

from restores.filters import ListParams, page_scope, scope_of
from restores.querysets.asking import together
from restores.restore_list import counts
from tests.factories import NOW, make_restore

WORDS = ("All", "Unresolved", "Failed", "In progress", "Succeeded", "rolledback")
HELD = Counter(succeed=6, failed=5, waiting=1, restoring=2, rolledback=1)
HEALED = 2


@pytest.fixture
def held(db):
    """A few in every state; two of the failed ones have recovered."""
    for status, number in HELD.items():
        for which in range(number):
            healed = NOW if status == "failed" and which < HEALED else None
            make_restore(f"{status}-{which}", status=status, recovered_at=healed)


def told(root, query=""):
    params = ListParams.parse(QueryDict(query), NOW)
    found = counts.states(scope_of(params, root).any_state, params)
    return {one.label: str(one.tally) for one in found}


@pytest.mark.parametrize("cap", [10_000, 5, 4, 3])
@pytest.mark.parametrize("asof", ["", f"asof={NOW - timedelta(minutes=3):%Y-%m-%dT%H:%M:%SZ}"])
def test_each_state_is_counted_up_to_the_cap_and_no_further(held, root, monkeypatch, cap, asof):
    monkeypatch.setattr(counts, "CAP", cap)
    progressing = HELD["waiting"] + HELD["restoring"]
    numbers = (HELD.total(), HELD["failed"] - HEALED, HELD["failed"], progressing, HELD["succeed"])
    if asof:
        # By then nothing was known to have recovered: every success is as old as its failure.
        numbers = (HELD.total(), HELD["failed"], HELD["failed"], progressing, HELD["succeed"])
    expected = dict(zip(WORDS, (*numbers, HELD["rolledback"]), strict=True))
    assert told(root, asof) == {
        word: f"{min(number, cap)}{'+' if number > cap else ''}"
        for word, number in expected.items()
    }


@pytest.mark.parametrize("cap", [10_000, 5, 4, 3])
@pytest.mark.parametrize("query", ["", "on=running&from=now-2h", "status=failed"])
def test_what_is_asked_ahead_is_all_that_is_needed(
    held, root, monkeypatch, django_assert_num_queries, cap, query
):
    monkeypatch.setattr(counts, "CAP", cap)
    params = ListParams.parse(QueryDict(query), NOW)

    def rows():
        return page_scope(params, root).any_state

    counts.states(rows(), params)  # learns what is above the cap
    page = rows()
    together(*counts.posed(page))
    with django_assert_num_queries(0):
        counts.states(page, params)


def test_what_is_above_the_cap_is_not_asked_again(held, root, monkeypatch):
    monkeypatch.setattr(counts, "CAP", 1)
    params = ListParams.parse(QueryDict(), NOW)
    counts.states(page_scope(params, root).any_state, params)
    rows = page_scope(params, root).any_state
    assert counts.posed(rows) == rows.open_states(2)
