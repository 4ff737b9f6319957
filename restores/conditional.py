"""When a list has not changed since the reader's copy: 304, with the fresh times in headers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from hashlib import blake2b
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response

from restores.filters import Scope
from restores.filters.narrowing import placed
from restores.models import Restore
from restores.querysets.asking import Bound, pose
from restores.sync_status import Coverage
from restores.timerange import instant

# A transaction may commit after one that began later: the newest alone would hide it.
_NEWEST = 50


def list_tag(
    scope: Scope, coverage: Coverage, changes: Bound, *, now: datetime, stalled: datetime | None
) -> str:
    """The mark of a list: its reader, its question, the newest changes, and what is not known.

    ``changes`` are the ``newest_changes``; ``stalled`` is since when the collector stands still.
    """
    params = scope.params
    end, known = params.time_range.end, coverage.known_to
    parts = (
        scope.viewer.pk,
        # What may be seen can be given and taken away.
        [place.pk for place in scope.visible],
        changes.rows,
        # A young asof shows what is now; an old one is part of the question.
        params.permalink_query if params.time_range.asof else params.live_query,
        coverage.faults,
        coverage.monitored,
        coverage.never_synced,
        stalled,
        bool(known and end and end <= known),
        # What the clock alone changes: how long a restore has run, edges relative to now, and the
        # moment that every link carries; by the minute, so that what a link leads to is live.
        f"{now:%F}" if params.time_range.asof else f"{now:%F %H:%M}",
    )
    return f'W/"{blake2b(repr(parts).encode(), digest_size=12).hexdigest()}"'


def newest_changes(scope: Scope) -> Bound:
    """Which restores changed last, and when, of all that the viewer may see; to be asked."""

    def changes() -> QuerySet[Any, Any]:
        rows = placed(Restore.objects.all(), scope.seen).order_by("-changed_at", "-pk")
        return rows.values_list("pk", "changed_at")[:_NEWEST]

    return pose(("changes", scope.seen), changes)


def unless_known(
    request: HttpRequest, tag: str, coverage: Coverage, build: Callable[[], HttpResponse]
) -> HttpResponseBase:
    """Answer 304 when the reader has this already, else build the page."""
    response = get_conditional_response(request, etag=tag) or build()
    response["ETag"] = tag
    response["Cache-Control"] = "private, no-cache"
    for header, at in (
        ("X-Complete-To", coverage.complete_to),
        ("X-Synced-At", coverage.checked_at),
    ):
        if at:
            response[header] = instant(at)
    return response
