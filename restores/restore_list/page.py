"""One page of the list, from the rows to the sentences above them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any

from restores.beside import beside
from restores.filters import ListParams, Scope
from restores.past import Past
from restores.querysets.asking import together
from restores.restore_list import counts, leaf
from restores.restore_list.counts import State, Tally, states, tally
from restores.restore_list.known import Absence, Said, absence, sayings
from restores.restore_list.leaf import PINNED, nearest, next_query, previous_query
from restores.restore_list.live import foretell
from restores.restore_list.rows import Row, Writer, fields_of
from restores.sync_status import Coverage


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rows under one heading; ``more`` counts those of its kind that stand elsewhere."""

    heading: str
    rows: list[Row]
    more: int = 0
    more_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What the page prints. ``last_page`` leads back from a page past the end."""

    groups: list[Group]
    first: int
    last: int
    total: Tally
    states: list[State]
    sayings: list[Said]
    absence: Absence | None
    previous: str
    next: str
    last_page: str


def listing(params: ListParams, scope: Scope, coverage: Coverage, now: datetime) -> Listing:
    """Read and write one page."""
    shape = _shape(params)
    _ask_at_once(scope, shape)
    read, source = nearest(params, scope, shape)
    more = source is not scope
    shown = beside(read.rows, scope.past)
    writer = Writer(params, now)
    rows = [writer.row(one.then, one.now) for one in shown]
    _foretell(rows, [one.then for one in shown], read.pinned, scope.past, now)
    choices = states(source.any_state, params, more=more)
    progressing = next(one for one in choices if one.label == "In progress")
    return Listing(
        groups=_groups(rows, read.pinned, progressing),
        first=read.first,
        last=(read.first or 1) + len(rows) - 1,
        total=_total(choices) or tally(source.restores, more=more),
        states=choices,
        sayings=[] if scope.past else sayings(coverage, now),
        absence=absence(params, scope, coverage, now) if not rows and not read.earlier else None,
        previous=previous_query(params, read, shown[0].then if rows else None),
        next=next_query(params, read, shown[-1].then if rows else None),
        last_page=_last_page(params, scope) if not rows and read.earlier else "",
    )


def _total(choices: list[State]) -> Tally | None:
    return next((one.tally for one in choices if one.current), None)


def _shape(params: ListParams) -> leaf.Shape:
    fields = fields_of(params)
    return lambda part: part.values_list(*fields, named=True)


def _ask_at_once(scope: Scope, shape: leaf.Shape) -> None:
    """Ask what the page is going to ask in any case; without a plan it would be asked twice."""
    if scope.restores.plan.key:
        rows = leaf.posed(scope.restores, scope.params, shape)
        together(*rows, *counts.posed(scope.any_state), *scope.names.values())


def _foretell(
    rows: list[Row], shown: list[Any], pinned: frozenset[int], past: Past | None, now: datetime
) -> None:
    first = [at for at, row in enumerate(rows) if row.pk in pinned]
    # Of the others the last are the oldest, which are the likeliest to be stuck.
    others = [at for at, row in enumerate(rows) if row.since and row.pk not in pinned]
    told = [*first, *others[-PINNED:]]
    foretell([rows[at] for at in told], [shown[at] for at in told], past, now)


def _groups(rows: list[Row], pinned: frozenset[int], progressing: State) -> list[Group]:
    first = [row for row in rows if row.pk in pinned]
    groups = [
        Group(heading=day, rows=list(same))
        for day, same in groupby((row for row in rows if row.pk not in pinned), lambda r: r.day)
    ]
    if first:
        # Beside a common word only the newest rows are counted, and these may be older.
        number = max(progressing.tally.number, len(pinned))
        heading = f"In progress ({replace(progressing.tally, number=number)})"
        more = number - len(pinned)
        groups.insert(0, Group(heading=heading, rows=first, more=more, more_url=progressing.query))
    return groups


def _last_page(params: ListParams, scope: Scope) -> str:
    pages = -(-scope.restores.order_by().count() // params.size)
    return params.query(page=str(max(1, pages)))
