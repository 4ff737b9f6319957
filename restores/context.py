"""Context processors: what every page may print."""

from collections.abc import Callable

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from restores import time_zone
from restores.filters.params import MAX_QUERY
from restores.permissions import manages_any
from restores.sync_status import StalledSync, stalled_sync
from restores.time_zone import ZoneChoice


def stalled(request: HttpRequest) -> dict[str, Callable[[], StalledSync | None]]:
    """Whether the sync is stalled, and since when, read only by a page that prints it.

    Error pages don't, so they need no database.
    """

    def find() -> StalledSync | None:
        return stalled_sync(timezone.now()) if request.user.is_authenticated else None

    return {"stalled": find}


def manages_members(request: HttpRequest) -> dict[str, Callable[[], bool]]:
    """Whether the menu leads to the pages of admins; those check it again.

    Asked once a minute by each user, because every page has the menu.
    """

    def find() -> bool:
        user = request.user
        return bool(cache.get_or_set(f"manages-members-{user.pk}", lambda: manages_any(user), 60))

    return {"manages_members": find}


def zone_choice(request: HttpRequest) -> dict[str, ZoneChoice | str]:
    """The time zone that the reader has chosen, and the URL of the page to choose another on."""
    url = request.get_full_path()
    page_url = url if len(url) <= MAX_QUERY else request.path
    return {"zone_choice": time_zone.zone_choice(request), "page_url": page_url}


def mfa_page(request: HttpRequest) -> dict[str, Callable[[], str]]:
    """The URL of the page of the second step, if it is switched on and the user has a password.

    Who signs in by an identity provider has a second step there.
    """

    def find() -> str:
        user = request.user
        offered = settings.MFA and user.is_authenticated and user.has_usable_password()
        return reverse("mfa_index") if offered else ""

    return {"mfa_page": find}


def version(request: HttpRequest) -> dict[str, str]:
    """The version of this code."""
    return {"version": settings.VERSION}
