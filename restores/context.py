"""Context processors: what every page may print."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from restores import time_zone
from restores.filters.params import MAX_QUERY
from restores.sync_status import StalledSync, stalled_sync
from restores.time_zone import ZoneChoice


def stalled(request: HttpRequest) -> dict[str, Callable[[], StalledSync | None]]:
    """Whether the sync is stalled, and since when, read only by a page that prints it.

    Error pages don't, so they need no database.
    """

    def find() -> StalledSync | None:
        return stalled_sync(timezone.now()) if request.user.is_authenticated else None

    return {"stalled": find}


def zone_choice(request: HttpRequest) -> dict[str, ZoneChoice | str]:
    """The time zone that the reader has chosen, and the URL of the page for choosing another."""
    url = request.get_full_path()
    page_url = url if len(url) <= MAX_QUERY else request.path
    return {"zone_choice": time_zone.zone_choice(request), "page_url": page_url}


def version(request: HttpRequest) -> dict[str, str]:
    """The version of this code."""
    return {"version": settings.VERSION}
