"""The list that a restore's page was opened from: the way back, and the restores beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django.http import QueryDict
from django.urls import reverse

from restores.beside import beside
from restores.columns import SORTS
from restores.filters import ListParams, Scope, scope_of
from restores.filters.cursors import Cursor
from restores.models import Restore
from restores.pages.matches import list_query
from restores.past import Past, past_of
from restores.paths import restore_path
from restores.restore_list.counts import CAP, Tally, tally
from restores.restore_list.leaf import cut, ordered
from restores.restore_list.wording import in_words

if TYPE_CHECKING:
    from restores.querysets import Viewer

_NAMED = ("pk", "restore_id")
NOT_YET = "This restore was not known yet at the moment that asof names."


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """The list's address, as it shall be copied, and in words what narrows it, if anything does."""

    url: str
    words: str
    params: ListParams | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """The way back to the list, and to the restores before and after this one in it.

    ``place`` is its number in a narrowed list and ``total`` of how many; 0 where the list no
    longer holds it, and far down.
    """

    back: Way
    previous: str = ""
    next: str = ""
    place: int = 0
    total: Tally | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The ``asof`` of a restore's page, and what every link of the page carries.

    ``known`` is None on a page that is live, ``asof`` too where the restore was not known yet
    (``early``) or the moment cannot be read. ``anchored`` and ``live`` are the page's own query.
    """

    anchor: str
    anchored: str
    live: str
    known: Past | None
    early: datetime | None
    unreadable: str


def past_of_one(restore: Restore, given: QueryDict, now: datetime) -> Moment:
    """Read the moment that a restore's page is asked for."""
    params = ListParams.parse(_only_asof(given), now)
    asof = params.time_range.asof
    known = asof if asof and restore.first_seen_at <= asof else None
    # Of its whole instance: another one's later success is what this one is recovered by.
    rows = Restore.objects.filter(instance=restore.instance_id)
    return Moment(
        anchor=params.permalink_asof,
        anchored=_query(given, params.permalink_asof),
        live=_query(given, ""),
        known=past_of(rows, known) if known else None,
        early=asof if asof and not known else None,
        unreadable="; ".join(f"“{one.value}” {one.reason}" for one in params.errors),
    )


def way_back(given: QueryDict, now: datetime, *, shared: bool) -> Way:
    """The list that the page was opened from, as of the page's own moment."""
    query = list_query(given, shared=shared)
    params = ListParams.parse(QueryDict(query), now)
    home = reverse("restore-list")
    if params.errors:
        return Way(url=f"{home}?{query}", words="as you left the list", params=None)
    return Way(url=home + params.permalink_query, words=in_words(params), params=params)


def trail(
    restore: Restore, given: QueryDict, viewer: Viewer, now: datetime, *, shared: bool
) -> Trail:
    """Find the neighbours by the list's order; there are none where the list cannot be read."""
    back = way_back(given, now, shared=shared)
    if back.params is None:
        return Trail(back=back)
    scope = scope_of(back.params, viewer)
    near = _neighbours(restore, back.params, scope)
    inside = bool(back.words) and scope.restores.filter(pk=restore.pk).exists()
    ahead = near.ahead() if inside else CAP
    return Trail(
        back=back,
        previous=_url(near.before, back.params),
        next=_url(near.after, back.params),
        place=ahead + 1 if ahead < CAP else 0,
        total=tally(scope.restores) if ahead < CAP else None,
    )


def _query(given: QueryDict, asof: str) -> str:
    params = given.copy()
    params.pop("asof", None)
    if asof:
        params["asof"] = asof
    return "?" + params.urlencode(safe=":/,")


def _only_asof(given: QueryDict) -> QueryDict:
    params = QueryDict(mutable=True)
    for name in ("asof", "tz"):
        params.setlist(name, given.getlist(name))
    return params


def _url(restore_id: str | None, params: ListParams) -> str:
    if restore_id is None:
        return ""
    return restore_path(restore_id) + params.query(page=params.get("page"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Near:
    """The ids of the restores before and after one, and what stands ahead of it."""

    before: str | None
    after: str | None
    pinned: int
    parts: Sequence[QuerySet[Any, Any]] = ()

    def ahead(self) -> int:
        """How many restores the list has before this one, counted up to ``CAP`` in each part."""
        return self.pinned + sum(part.order_by()[:CAP].count() for part in self.parts)


def _neighbours(restore: Restore, params: ListParams, scope: Scope) -> _Near:
    """What lies around a restore in the list, pinned ones first."""
    order = ordered(scope.restores, params, lambda part: part.values_list(*_NAMED, named=True))
    ids = [row.restore_id for row in order.pinned]
    keys = [row.pk for row in order.pinned]
    if restore.pk in keys:
        place = keys.index(restore.pk)
        around = [None, *ids, *(row.restore_id for row in cut(order.parts, 0, 1)), None]
        return _Near(before=around[place], after=around[place + 2], pinned=place)
    row = beside([restore], scope.past)[0].then
    cursor = Cursor.at(params.sort, SORTS[params.sort.removeprefix("-")], row)
    parts = cursor.before(order.parts)
    before = [row.restore_id for row in cut(parts, 0, 1)] or ids[-1:]
    after = [row.restore_id for row in cut(cursor.behind(order.parts), 0, 1)]
    first, last = next(iter(before), None), next(iter(after), None)
    return _Near(before=first, after=last, pinned=len(ids), parts=parts)
