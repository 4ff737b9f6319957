"""Small forms beside the list: its columns, and its window around a time or by another clock."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from restores.columns import HEADS
from restores.filters import ListParams
from restores.tables.restores import shown
from restores.timerange import canonical, instant

REACHES = (("30m", "± 30 min"), ("2h", "± 2 h"), ("1d", "± 1 day"))
_MOST_ZONES = 8
_HIDDEN = ("on", "from", "to", "asof")


def column_choice(params: ListParams) -> dict[str, Any]:
    """Every column to check or not; all else that was asked for stays."""
    names = shown(params)
    return {
        "columns": [(name, head, name in names) for name, head in HEADS.items()],
        "hidden": [pair for pair in params.hidden_fields() if pair[0] != "cols"],
        "usual": params.query(cols=None, page=str(params.page)) if params.get("cols") else "",
    }


def window_extras(params: ListParams, zones: Iterable[str]) -> dict[str, Any]:
    """A window around a time, and the same window by other clocks."""
    window = params.time_range
    shown = canonical(window)
    if any("/" in edge for edge in window.spelt):
        # Days begin at other times elsewhere: the window stays, its labels change.
        edges = {"from": window.start, "to": window.end}
        shown |= {name: instant(at) for name, at in edges.items() if at}
    names = list(dict.fromkeys(["UTC", *zones, window.tz]))[:_MOST_ZONES]
    return {
        "hidden": [pair for pair in params.hidden_fields(page=None) if pair[0] not in _HIDDEN],
        "on": window.on,
        "around": params.raw.get("around", ""),
        "reaches": [(win, label, params.raw.get("win", "30m") == win) for win, label in REACHES],
        "zones": [
            (
                name,
                params.with_time_range(shown | {"tz": "" if name == "UTC" else name}),
                name == window.tz,
            )
            for name in names
        ],
        "mine": params.with_time_range(shown | {"tz": "MINE"}),
    }
