"""How many rows there are, and in which states: exact while few, capped beyond."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from restores.filters import page_scope, read, scope_of
from restores.listing import counts
from restores.querysets.asking import together
from tests.factories import NOW, make_restore

WORDS = ("All", "Still failed", "Failed", "In progress", "Succeeded", "rolledback")
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
    asked = read(QueryDict(query), NOW)
    found = counts.states(scope_of(asked, root).any_state, asked)
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
def test_what_is_asked_ahead_is_what_is_needed_and_no_more(
    held, root, monkeypatch, django_assert_num_queries, cap
):
    monkeypatch.setattr(counts, "CAP", cap)
    asked = read(QueryDict(), NOW)

    def rows():
        return page_scope(asked, root).any_state

    counts.states(rows(), asked)  # learns what is above the cap
    with CaptureQueriesContext(connection) as alone:
        counts.states(rows(), asked)
    page = rows()
    ahead = list(counts.posed(page))
    assert len(ahead) == len(alone)
    together(*ahead)
    with django_assert_num_queries(0):
        counts.states(page, asked)
