"""Conditional requests: the ETag of a list, and 304 with the fresh times in headers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from hashlib import blake2b

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.cache import get_conditional_response

from restores.filters.scope import Scope
from restores.sync_status import StalledSync, SyncStatus
from restores.timerange import to_iso


def list_etag(
    scope: Scope,
    status: SyncStatus,
    *,
    now: datetime,
    stalled: StalledSync | None,
    histogram: bool = True,
) -> str:
    """The ETag of a list: its reader, query and time zone, what has changed, what is incomplete.

    Read the projects of the scope before its restores.
    """
    params = scope.params
    end, complete_to = params.time_range.end, status.fully_complete_to
    parts = (
        scope.viewer.pk,
        # Access can be given and taken away.
        [(one.pk, one.name, one.customer, one.change_number) for one in scope.visible],
        # A recent asof shows the present; an old one is part of the query.
        params.permalink_query if params.time_range.asof else params.live_query,
        status.error_counts,
        status.monitored,
        status.never_synced,
        stalled,
        str(timezone.get_current_timezone()),
        bool(complete_to and end and end <= complete_to),
        histogram,
        # What the clock alone changes: how long a restore has been running, a range relative to
        # now, and the asof of every link; by the minute, so that what a link opens is live.
        f"{now:%F}" if params.time_range.asof else f"{now:%F %H:%M}",
    )
    return f'W/"{blake2b(repr(parts).encode(), digest_size=12).hexdigest()}"'


def unless_unchanged(
    request: HttpRequest, etag: str, status: SyncStatus, build: Callable[[], HttpResponse]
) -> HttpResponseBase:
    """Respond with 304 if the reader already has this version, else build the page."""
    response = get_conditional_response(request, etag=etag) or build()
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    for header, at in (
        ("X-Complete-To", status.complete_to),
        ("X-Synced-At", status.running_synced_at),
        ("X-Next-Sync-At", status.next_sync_at),
    ):
        if at:
            response[header] = to_iso(at)
    return response
