"""The columns of the list of restores: heads, classes, order and what each sorts by."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import django_tables2 as tables

from restores.columns import COLUMNS, HEADS, SHOWN, SORTED_BY
from restores.filters import ListParams

_NUMBERS = {"took", "backup"}


def _column(name: str) -> tables.Column:
    head = {"class": "num"} if name in _NUMBERS else {}
    return tables.Column(
        verbose_name=HEADS[name],
        orderable=name in SORTED_BY,
        order_by=SORTED_BY.get(name),
        attrs={"th": head},
    )


class RestoreTable(tables.Table):
    """Heads only: the body is our own row template, for stock cells are the cost of a page."""

    class Meta:
        order_by_field = "sort"

    created = _column("created")
    ended = _column("ended")
    status = _column("status")
    instance = _column("instance")
    restore = _column("restore")
    project = _column("project")
    outcome = _column("outcome")
    took = _column("took")
    since = _column("since")
    backup = _column("backup")


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The head of a column: its text, the link that sorts by it, and how it is sorted now."""

    name: str
    text: str
    query: str
    direction: str
    number: bool
    zoned: bool


def shown(params: ListParams) -> tuple[str, ...]:
    """The columns to show; a list by end has the end, too, one of the past what came since."""
    chosen = set(params.get("cols").split(",") if params.get("cols") else SHOWN)
    if not params.get("cols") and (
        params.time_range.on == "ended" or params.sort.endswith("ended")
    ):
        chosen.add("ended")
    if params.time_range.asof:
        chosen.add("since")
    return tuple(name for name in COLUMNS if name in chosen)


def heads(params: ListParams) -> list[Head]:
    """The heads in order; a click on the one sorted by turns the order round."""
    return [_head(*column, params) for column in _columns(shown(params))]


@cache
def _columns(names: tuple[str, ...]) -> list[tuple[str, str, bool]]:
    columns = RestoreTable([], exclude=[name for name in COLUMNS if name not in names]).columns
    return [(column.name, column.header, column.orderable) for column in columns]


def _head(name: str, text: str, orderable: bool, params: ListParams) -> Head:
    sort = SORTED_BY.get(name, "")
    direction = ""
    if params.sort.lstrip("-") == sort:
        direction = "descending" if params.sort.startswith("-") else "ascending"
    # Times and lengths are asked for newest and longest first, names from A on.
    first = f"-{sort}" if name in ("created", "ended", "took") else sort
    turned = {"descending": sort, "ascending": f"-{sort}"}.get(direction, first)
    query = (params.query(sort=turned) or "?") if orderable else ""
    return Head(
        name=name,
        text=text,
        query=query,
        direction=direction,
        number=name in _NUMBERS,
        zoned=name in ("created", "ended"),
    )
