"""The time zone in which pages show times: that of the URL, else the one chosen in the header."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from restores.timerange import TimeRange, city, find_zone, to_iso, utc_offset

# In place of the name of a zone: that of the customer whom a page is about.
CUSTOMER = "customer"
COOKIE_AGE = timedelta(days=365)
# Programs read UTC, regardless of who is signed in. Excel is for people.
_MACHINE_READABLE = (".json", ".csv")
_MAX_NAME = 64
_UTC = ZoneInfo("UTC")

GetResponse = Callable[[HttpRequest], HttpResponseBase]


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneChoice:
    """What the reader has chosen: a zone, or the customer's.

    ``unreadable`` is a choice that names no zone; UTC is shown in its place.
    """

    zone: ZoneInfo = _UTC
    customers: bool = False
    unreadable: str = ""


def zone_choice(request: HttpRequest) -> ZoneChoice:
    """The choice in the reader's cookie."""
    value = request.COOKIES.get(settings.ZONE_COOKIE_NAME, "")[:_MAX_NAME]
    if value == CUSTOMER:
        return ZoneChoice(customers=True)
    zone = find_zone(value or "UTC")
    return ZoneChoice(zone=zone) if zone else ZoneChoice(unreadable=value)


def show_chosen_zone(get_response: GetResponse) -> Callable[[HttpRequest], HttpResponseBase]:
    """Make the chosen zone Django's current one while a page is built."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        machine_readable = request.path_info.endswith(_MACHINE_READABLE)
        with timezone.override(_UTC if machine_readable else zone_choice(request).zone):
            return get_response(request)

    return middleware


def show_zone_of(request: HttpRequest, tz: str, projects: Iterable[tuple[str, str]] = ()) -> None:
    """Show times in the zone ``tz`` of the URL; without one, in the customer's if that is chosen.

    ``projects`` are the customer and the time zone of each project that the page is about.
    """
    if not tz and zone_choice(request).customers:
        places = set(projects)
        tz = places.pop()[1] if len(places) == 1 else ""
    if tz and (zone := find_zone(tz)):
        timezone.activate(zone)


def shown_range(time_range: TimeRange) -> TimeRange:
    """A time range with its edges in the zone of the page.

    A "today" in another zone becomes the times at which it starts and ends.
    """
    shown = str(timezone.get_current_timezone())
    if shown == time_range.zone.key:
        return time_range
    edges = time_range.edges
    if any("/" in edge for edge in edges):
        first, last = time_range.start, time_range.end
        edges = (to_iso(first) if first else "", to_iso(last) if last else "")
    return replace(time_range, tz=shown, edges=edges)


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneOption:
    """A time zone to choose: its name and city, its distance from UTC and what its clock shows."""

    value: str
    city: str
    offset: str
    clock: str


def zone_options(names: Iterable[str], now: datetime) -> list[ZoneOption]:
    """The zones with these names, each once; other names are left out."""
    options = {}
    for zone in filter(None, map(find_zone, names)):
        name, offset = zone.key, utc_offset(now, zone)
        options[name] = ZoneOption(
            value=name,
            city=city(name),
            offset="" if name in ("UTC", offset) else offset,
            clock=f"{now.astimezone(zone):%H:%M}",
        )
    return list(options.values())
