"""How many rows there are, counted no further than anybody reads."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import chain

from django.core.cache import cache

from restores.filters import ListParams
from restores.querysets import RestoreQuerySet
from restores.querysets.asking import Bound, together
from restores.statuses import FAILED, IN_PROGRESS, KNOWN, SUCCEEDED

CAP = 10_000
_MINUTE = 60
_APART = ("still_failed", "failed", "succeeded")


@dataclass(frozen=True, slots=True)
class Tally:
    """A number of rows; above ``CAP``, or with ``more``, only that it is above."""

    number: int
    more: bool = False

    @property
    def capped(self) -> bool:
        """Whether there are more than we counted."""
        return self.more or self.number > CAP

    def __str__(self) -> str:
        return f"{min(self.number, CAP):,}{'+' if self.capped else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One choice among the states, with its count and the query that leads to it."""

    label: str
    tally: Tally
    query: str
    current: bool
    hot: bool = False


def tally(rows: RestoreQuerySet, which: str = "all", *, more: bool = False) -> Tally:
    """Count rows, stopping just above ``CAP``; ``more`` when they are not all that there are.

    ``which`` of them is a method for some: ``failed``.
    """
    return Tally(sum(map(_counted, rows.sums(CAP + 1, which, "pk"))), more=more)


def posed(rows: RestoreQuerySet) -> list[Bound]:
    """What ``states`` is going to ask of rows with a plan."""
    return _apart(rows) if cache.get(_mark(rows)) else rows.state_sums(CAP + 1)


def _apart(rows: RestoreQuerySet) -> list[Bound]:
    """What is asked of each state by itself, where all rows together are too many to count."""
    counted = {which: rows.sums(CAP + 1, which, "pk") for which in _APART}
    if any(cache.get(question.mark) for question in counted["still_failed"]):
        # Where the still failed are too many to count, so are all that failed.
        del counted["failed"]
    open_ones = [one for one in chain(*counted.values()) if not cache.get(one.mark)]
    return [*rows.open_states(CAP + 1), *open_ones]


def _counted(question: Bound) -> int:
    """Count up to just above ``CAP``; what was above is not counted anew for a minute.

    For so long it stays true: restores are never deleted.
    """
    if cache.get(question.mark):
        return CAP + 1
    number: int = sum(number for (number,) in question.rows)
    if number > CAP:
        cache.set(question.mark, True, _MINUTE)
    return number


def states(rows: RestoreQuerySet, params: ListParams, *, more: bool = False) -> list[State]:
    """All, still failed, failed, in progress, succeeded, and whatever else the cloud invented."""
    total, still_failed, by_status = _counts(rows, bounded=more)
    failed, progressing = (FAILED.value,), tuple(sorted(IN_PROGRESS))
    choices = [
        ("All", total, (), ""),
        ("Unresolved", still_failed, failed, "no"),
        ("Failed", by_status[FAILED.value], failed, ""),
        ("In progress", sum(by_status[status] for status in progressing), progressing, ""),
        ("Succeeded", by_status[SUCCEEDED.value], (SUCCEEDED.value,), ""),
        *((odd, by_status[odd], (odd,), "") for odd in sorted(by_status.keys() - KNOWN.keys())),
    ]
    chosen = params.getlist("status"), params.get("recovered")
    return [
        State(
            label=label,
            tally=Tally(number, more=more),
            query=params.query(status=statuses, recovered=recovered),
            current=chosen == (statuses, recovered),
            hot=bool(recovered and number),
        )
        for label, number, statuses, recovered in choices
    ]


def _mark(rows: RestoreQuerySet) -> str:
    return "+".join(question.mark for question in rows.sums(CAP + 1, "all", "pk"))


def _counts(rows: RestoreQuerySet, *, bounded: bool) -> tuple[int, int, Counter[str]]:
    """All rows, those still failed, and each status by itself; above ``CAP`` roughly.

    ``bounded`` rows are few enough to be read all.
    """
    mark = _mark(rows)
    if bounded or not cache.get(mark):
        counts, still_failed = rows.summed(CAP + 1)
        total = sum(counts.values())
        if total <= CAP or bounded:
            del counts[""]
            return total, still_failed, counts
        cache.set(mark, True, _MINUTE)
    if rows.plan.key:
        together(*_apart(rows))
    still_failed = tally(rows, "still_failed").number
    counts = rows.unsettled_by_status(CAP + 1)
    failed = still_failed if still_failed > CAP else tally(rows, "failed").number
    counts |= Counter({FAILED.value: failed, SUCCEEDED.value: tally(rows, "succeeded").number})
    del counts[""]
    return CAP + 1, still_failed, counts
