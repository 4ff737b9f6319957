"""What lies beyond a window: the restores nearest to an empty one, and what it leaves out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from restores.beside import beside
from restores.filters import ListParams, Scope, scope_of
from restores.models import Restore
from restores.paths import restore_path
from restores.restore_list.counts import CAP, Tally
from restores.statuses import status_of
from restores.timerange import instant

if TYPE_CHECKING:
    from restores.querysets import Viewer

_ENOUGH = 50
# Shorter words are in no index of texts.
_INDEXED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """A restore outside the window: on which ``side``, its time there, and the way to its page."""

    side: str
    url: str
    iso: str
    time: str
    instance: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """How many restores cannot be in the list, and the query that leads to them."""

    tally: Tally
    query: str


def nearest_to(params: ListParams, viewer: Viewer) -> list[Near]:
    """The last restore before the window and the first after it, by the same filters."""
    if _searched(params):
        return []
    window, found = params.time_range, []
    if window.start:
        found += _nearest("before", None, window.start, params, viewer)
    if window.end and window.end != window.asof:
        found += _nearest("after", window.end, None, params, viewer)
    return found


def beginning(params: ListParams, viewer: Viewer) -> str:
    """Since when there are records, in words, if the window ends before that."""
    first = Restore.objects.visible_to(viewer).by("created_at", descending=False)[0].first()
    end = params.time_range.end
    if first is None or end is None or end > first.created_at:
        return ""
    local = first.created_at.astimezone(params.time_range.zone)
    return f"{local.day} {local:%b %Y}"


def unended(params: ListParams, viewer: Viewer) -> LeftOut | None:
    """What a list by end leaves out because it has not ended yet."""
    if params.time_range.on != "ended" or params.get("recovered"):
        return None
    rows = _scope(params, viewer, None, params.time_range.end, on="created").restores
    counts = rows.unsettled_by_status(CAP + 1)
    statuses = [status for status in counts if status]
    if not statuses:
        return None
    query = params.query(**{"on": None, "from": None, "status": statuses})
    return LeftOut(tally=Tally(sum(counts[status] for status in statuses)), query=query)


def _searched(params: ListParams) -> bool:
    """Whether the nearest would have to be looked for row by row: no index leads there."""
    words = params.get("q").split()
    if params.time_range.on in ("ended", "changed"):
        # Of the past the order is not kept, and a text has an index in no order but the usual.
        return bool(words or params.time_range.asof)
    return any(len(word) < _INDEXED for word in words)


def _scope(
    params: ListParams, viewer: Viewer, start: datetime | None, end: datetime | None, *, on: str
) -> Scope:
    window = replace(params.time_range, start=start, end=end, on=on)
    return scope_of(params.within(window), viewer)


def _nearest(
    side: str, start: datetime | None, end: datetime | None, params: ListParams, viewer: Viewer
) -> list[Near]:
    # Where none was in progress, the nearest one is the nearest created.
    on = "created" if params.time_range.on == "running" else params.time_range.on
    sign, column = "-" if side == "before" else "", f"{on}_at"
    scope = _scope(params, viewer, start, end, on=on)
    rows = scope.restores.select_related("instance").order_by(f"{sign}{column}", f"{sign}pk")
    if end:
        # What changed again behind the window is no nearer to its beginning.
        rows = rows.filter(**{f"{column}__lt": end})
    # For one row alone PostgreSQL would walk the newest for a text that may be nowhere.
    nearest = beside(list(rows[:_ENOUGH])[:1], scope.past)
    return [_near(side, one.then, getattr(one.then, column), params) for one in nearest]


def _near(side: str, restore: Restore, at: datetime, params: ListParams) -> Near:
    local = at.astimezone(params.time_range.zone)
    return Near(
        side=side,
        url=restore_path(restore.restore_id) + params.query(page=None),
        iso=instant(at),
        time=f"{local.day} {local:%b %Y} {local:%H:%M:%S}",
        instance=restore.instance.name or restore.instance.instance_id,
        state=status_of(restore.status).word,
    )
