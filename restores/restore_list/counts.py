"""Counts of the restore list, by status; capped, because counting every row is slow."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from django.db.models import Count, Func, IntegerField, Q, Subquery

from restores.filters import Scope
from restores.querysets import RestoreQuerySet, select
from restores.statuses import FAILED, GROUPS, IN_PROGRESS, OTHER, SUCCEEDED

COUNT_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class CappedCount:
    """A number of rows; above ``COUNT_LIMIT``, or with ``more``, only that it is at least that."""

    number: int
    more: bool = False

    @property
    def capped(self) -> bool:
        """Whether there are more than were counted."""
        return self.more or self.number > COUNT_LIMIT

    def __str__(self) -> str:
        return f"{min(self.number, COUNT_LIMIT):,}{'+' if self.capped else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """A choice of statuses with its count, and the query string that leads to it."""

    label: str
    count: CappedCount
    query: str
    current: bool
    alert: bool = False


def count(scope: Scope, *, recent: bool = False) -> CappedCount:
    """Count the rows of a scope; ``recent`` counts what a search found among the newest only."""
    rows = scope.restores
    if recent and scope.found.recent is not None:
        rows = scope.in_status(scope.found.recent)
    numbers = (part.order_by()[: COUNT_LIMIT + 1].count() for part in scope.parts(rows))
    return CappedCount(sum(numbers), more=recent)


def count_tabs(scope: Scope, *, recent: bool = False) -> list[Tab]:
    """All, unresolved, failed, in progress, succeeded, and every status that we don't know.

    ``recent`` counts only what a text search found among the newest rows.
    """
    params = scope.params
    rows = scope.found.recent if recent and scope.found.recent is not None else scope.any_status
    total, unresolved, failed, in_progress, succeeded, other = _numbers(scope, rows, recent)
    others = _by_other_status(scope, rows) if other else Counter()
    progressing = tuple(sorted(IN_PROGRESS))
    choices = [
        ("All", total, (), ""),
        ("Unresolved", unresolved, (FAILED.value,), "no"),
        ("Failed", failed, (FAILED.value,), ""),
        ("In progress", in_progress, progressing, ""),
        ("Succeeded", succeeded, (SUCCEEDED.value,), ""),
        *((f"Other: {name}", others[name], (name,), "") for name in sorted(others)),
    ]
    chosen = params.getlist("status"), params.get("recovered")
    return [
        Tab(
            label=label,
            count=CappedCount(number, more=recent),
            query=params.query(status=statuses, recovered=recovered),
            current=chosen == (statuses, recovered),
            alert=bool(recovered and number),
        )
        for label, number, statuses, recovered in choices
    ]


def count_by_status(scope: Scope) -> Counter[str]:
    """How many rows of a scope are in each status, counted up to the limit."""
    return _by_status(scope, scope.restores)


def unfinished_by_status(scope: Scope) -> Counter[str]:
    """How many rows of a scope, in any status, are in each that is not final."""
    rows = scope.any_status
    asof = scope.asof
    in_progress = asof.in_status(rows, IN_PROGRESS) if asof else rows.in_progress()
    return _by_status(scope, in_progress) + _by_other_status(scope, rows)


def _numbers(scope: Scope, rows: RestoreQuerySet, recent: bool) -> tuple[int, ...]:
    """The numbers of all, unresolved, failed, in progress, succeeded and other rows."""
    if scope.params.get("q") and not scope.asof:
        # What a text search finds is not counted six times.
        found = _in_one_pass(rows)
        if found[0] <= COUNT_LIMIT or recent:
            return found
    if asof := scope.asof:
        choices = [
            rows,
            asof.unresolved(rows),
            *(asof.in_status(rows, statuses) for statuses in _GROUPS),
            asof.in_other_status(rows),
        ]
    else:
        choices = [
            rows,
            rows.unresolved(),
            *(rows.in_status(statuses) for statuses in _GROUPS),
            rows.filter(status_group=OTHER),
        ]
    parts = [scope.parts(choice) for choice in choices]
    numbers = iter(select(scope.viewer, *(_Capped(rows) for some in parts for rows in some)))
    return tuple(sum(next(numbers) for _ in some) for some in parts)


_GROUPS = (GROUPS["failed"], GROUPS["in_progress"], GROUPS["succeeded"])


class _Capped(Func):
    """A sub-select that counts rows, but no more than one above the limit."""

    template = "(SELECT COUNT(*) FROM %(expressions)s AS capped)"
    output_field = IntegerField()
    # For rows of which Django knows, without asking the database, that there are none.
    empty_result_set_value = 0

    def __init__(self, rows: RestoreQuerySet) -> None:
        some = Subquery(rows.order_by().values("pk")[: COUNT_LIMIT + 1])
        some.empty_result_set_value = NotImplemented  # else NULL stands in its place
        super().__init__(some)


def _in_one_pass(rows: RestoreQuerySet) -> tuple[int, ...]:
    """The same numbers of up to one row above the limit, each row read once."""
    numbers = rows.order_by()[: COUNT_LIMIT + 1].aggregate(
        total=Count("pk"),
        unresolved=Count("pk", filter=Q(status_group="failed", recovered_at=None)),
        failed=Count("pk", filter=Q(status_group="failed")),
        in_progress=Count("pk", filter=Q(status_group="in_progress")),
        succeeded=Count("pk", filter=Q(status_group="succeeded")),
        other=Count("pk", filter=Q(status_group=OTHER)),
    )
    return tuple(numbers.values())


def _by_other_status(scope: Scope, rows: RestoreQuerySet) -> Counter[str]:
    others = scope.asof.in_other_status(rows) if scope.asof else rows.filter(status_group=OTHER)
    return Counter({name: n for name, n in _by_status(scope, others).items() if name})


def _by_status(scope: Scope, rows: RestoreQuerySet) -> Counter[str]:
    """How many rows are in each status, counted up to the limit."""
    changed = scope.asof.changed_since if scope.asof else {}
    return Counter(
        changed[pk].status if pk in changed else status
        for part in scope.parts(rows)
        for pk, status in part.order_by().values_list("pk", "status")[: COUNT_LIMIT + 1]
    )
