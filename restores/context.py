"""Context processor: since when the sync has been stalled, for every page."""

from collections.abc import Callable
from datetime import datetime

from django.http import HttpRequest
from django.utils import timezone

from restores.sync_status import sync_stalled_since


def stalled(request: HttpRequest) -> dict[str, Callable[[], datetime | None]]:
    """Since when the sync has been stalled, read only by a page that prints it.

    Error pages don't, so they need no database.
    """

    def since() -> datetime | None:
        return sync_stalled_since(timezone.now()) if request.user.is_authenticated else None

    return {"stalled": since}
