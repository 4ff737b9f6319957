"""Counts of the restore list, by status; capped, because counting every row is slow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from django.db.models import Count, Func, IntegerField, Q, Subquery

from restores.filters import Scope
from restores.querysets import RestoreQuerySet, Viewer, select, unknown_and_unfinished
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
    # The class that colors it if somebody has to act.
    alert: str = ""


def capped_count(rows: RestoreQuerySet) -> CappedCount:
    """Count rows, but no more than one above the limit."""
    return CappedCount(rows.order_by()[: COUNT_LIMIT + 1].count())


def capped_counts(viewer: Viewer, some: Iterable[RestoreQuerySet]) -> tuple[int, ...]:
    """Count several kinds of rows in one query, each up to one above the limit."""
    return select(viewer, *map(Capped, some))


def count(scope: Scope, *, recent: bool = False) -> CappedCount:
    """Count the rows of a scope; ``recent`` counts what a search found among the newest only."""
    rows = scope.restores
    if recent and scope.found.recent is not None:
        rows = scope.in_status(scope.found.recent)
    # In the order of the time that is filtered by, or SQLite reads all restores of a status.
    order = ["-ended_at"] if scope.params.time_range.on == "ended" else []
    numbers = (part.order_by(*order)[: COUNT_LIMIT + 1].count() for part in scope.parts(rows))
    return CappedCount(sum(numbers), more=recent)


def count_tabs(scope: Scope, *, recent: bool = False) -> list[Tab]:
    """All, unresolved, failed, in progress and succeeded; possibly stuck and others if there are.

    ``recent`` counts only what a text search found among the newest rows.
    """
    params = scope.params
    rows = scope.found.recent if recent and scope.found.recent is not None else scope.any_status
    numbers = _numbers(scope, rows)
    # Above the limit, the groups of one pass count only the rows that were read.
    more = recent or (_in_one_pass(scope) and numbers[0] > COUNT_LIMIT)
    total, unresolved, failed, in_progress, succeeded, other = numbers
    stuck = _count_stuck(scope, rows) if in_progress or more else 0
    progressing = tuple(sorted(IN_PROGRESS))
    choices = [
        _Choice("All", total),
        _Choice("Stuck", stuck, stuck="yes", rare=True, alert="stuck"),
        _Choice("Unresolved", unresolved, (FAILED.value,), recovered="no", alert="alert"),
        _Choice("Failed", failed, (FAILED.value,)),
        _Choice("In progress", in_progress, progressing),
        _Choice("Succeeded", succeeded, (SUCCEEDED.value,)),
        _Choice("Other", other, (OTHER,), rare=True),
    ]
    chosen = params.getlist("status"), params.get("stuck"), params.get("recovered")
    return [
        Tab(
            label=one.label,
            count=CappedCount(one.number, more=more),
            query=params.query(status=one.statuses, stuck=one.stuck, recovered=one.recovered),
            current=chosen == one.values,
            alert=one.alert if one.number else "",
        )
        for one in choices
        if one.number or not one.rare or chosen == one.values
    ]


class _Choice(NamedTuple):
    """The target of a tab; a ``rare`` one is left out while it is empty and not current."""

    label: str
    number: int
    statuses: tuple[str, ...] = ()
    stuck: str = ""
    recovered: str = ""
    rare: bool = False
    alert: str = ""

    @property
    def values(self) -> tuple[tuple[str, ...], str, str]:
        """The values of ``status``, ``stuck`` and ``recovered``."""
        return self.statuses, self.stuck, self.recovered


def count_by_status(scope: Scope) -> Counter[str]:
    """How many rows of a scope are in each status, counted up to the limit."""
    return _by_status(scope, scope.restores)


def unfinished_by_status(scope: Scope) -> Counter[str]:
    """How many rows of a scope, in any status, may still end, by status."""
    rows, asof = scope.any_status, scope.asof
    if asof:
        choices = asof.in_status(rows, IN_PROGRESS), asof.unknown_and_unfinished(rows)
    else:
        unknown = rows.filter(unknown_and_unfinished(scope.params.time_range.now))
        choices = rows.in_progress(), unknown
    return sum((_by_status(scope, some) for some in choices), Counter())


def _by_status(scope: Scope, rows: RestoreQuerySet) -> Counter[str]:
    parts = [part.order_by()[: COUNT_LIMIT + 1] for part in scope.parts(rows)]
    if scope.asof is None:
        return Counter(chain.from_iterable(part.values_list("status", flat=True) for part in parts))
    changed = scope.asof.changed_since
    return Counter(
        changed[pk].status if pk in changed else status
        for part in parts
        for pk, status in part.values_list("pk", "status")
    )


def _count_stuck(scope: Scope, rows: RestoreQuerySet) -> int:
    return sum(capped_counts(scope.viewer, scope.parts(scope.stuck(rows))))


def _numbers(scope: Scope, rows: RestoreQuerySet) -> tuple[int, ...]:
    """The numbers of all, unresolved, failed, in progress, succeeded and other rows."""
    if _in_one_pass(scope):
        groups = map(_count_groups, scope.parts(rows))
        return tuple(map(sum, zip(*groups, strict=True)))
    asof = scope.asof
    choices = [
        asof.unresolved(rows) if asof else rows.unresolved(),
        *(
            asof.in_status(rows, statuses) if asof else rows.in_status(statuses)
            for statuses in (*_GROUPS, (OTHER,))
        ),
    ]
    parts = [scope.parts(choice) for choice in choices]
    numbers = iter(capped_counts(scope.viewer, chain.from_iterable(parts)))
    unresolved, *others = (sum(next(numbers) for _ in some) for some in parts)
    # Every row is in one group; above the limit it does not matter by how much.
    return sum(others), unresolved, *others


_GROUPS = (GROUPS["failed"], GROUPS["in_progress"], GROUPS["succeeded"])


class Capped(Func):
    """A sub-select that counts rows, but no more than one above the limit."""

    template = "(SELECT COUNT(*) FROM %(expressions)s AS capped)"
    output_field = IntegerField()
    # For querysets that Django knows to be empty without asking the database.
    empty_result_set_value = 0

    def __init__(self, rows: RestoreQuerySet) -> None:
        some = Subquery(rows.order_by().values("pk")[: COUNT_LIMIT + 1])
        some.empty_result_set_value = NotImplemented  # else NULL stands in its place
        super().__init__(some)


def _in_one_pass(scope: Scope) -> bool:
    """Whether the rows are read once and not once for each status.

    Only if they are filtered by place, creation and status does an index hold all that is counted;
    for anything else SQLite would read all restores of a status.
    """
    params = scope.params
    uncovered = any(params.get(name) for name in ("q", "code", "ids"))
    return scope.asof is None and (uncovered or params.time_range.on != "created")


def _count_groups(rows: RestoreQuerySet) -> tuple[int, ...]:
    """The same numbers, for up to one row above the limit."""
    numbers = rows.order_by()[: COUNT_LIMIT + 1].aggregate(
        total=Count("pk"),
        unresolved=Count("pk", filter=Q(status_group="failed", recovered_at=None)),
        failed=Count("pk", filter=Q(status_group="failed")),
        in_progress=Count("pk", filter=Q(status_group="in_progress")),
        succeeded=Count("pk", filter=Q(status_group="succeeded")),
        other=Count("pk", filter=Q(status_group=OTHER)),
    )
    return tuple(numbers.values())
