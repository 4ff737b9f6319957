"""Times, sizes and percentages as the pages print them."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.html import format_html
from django.utils.safestring import SafeString

from restores.explain.summary import format_percent as format_percent
from restores.timerange import city, to_iso

ABSENT = "–"


def format_datetime(at: datetime) -> str:
    """Format a time in full: ``23 Nov 2026, 15:37:41 UTC``."""
    return f"{format_date(at)}, {format_time(at)}"


def format_date(at: datetime) -> str:
    """Format the UTC date: ``23 Nov 2026``."""
    at = at.astimezone(UTC)
    return f"{at.day} {at:%b %Y}"


def format_time(at: datetime) -> str:
    """Format the time of day: ``15:37:41 UTC``."""
    return f"{at.astimezone(UTC):%H:%M:%S} UTC"


def format_short(at: datetime) -> str:
    """Format a time for a column headed "UTC": ``23 Nov 15:37``, with the year if it isn't ours."""
    at = at.astimezone(UTC)
    year = "" if at.year == datetime.now(UTC).year else f" {at.year}"
    return f"{at.day} {at:%b}{year} {at:%H:%M}"


def format_customer_time(at: datetime, zone: str) -> str:
    """Format a time by the customer's clock: ``24 Nov, 00:37:41 Tokyo``; the date if it differs.

    Empty for UTC and for a zone that doesn't exist.
    """
    known = _zone(zone)
    if known is None:
        return ""
    local = at.astimezone(known)
    date = "" if local.date() == at.astimezone(UTC).date() else f"{local.day} {local:%b}, "
    return f"{date}{local:%H:%M:%S} {city(zone)}"


def format_size(size: int | None) -> str:
    """Format a number of bytes with three digits: ``2.68 GB``."""
    if size is None:
        return ABSENT
    amount, unit = float(size), "B"
    for larger in ("KB", "MB", "GB", "TB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:.3g} {unit}"


def format_interval(seconds: int) -> str:
    """Format an interval as the projects file spells it: ``15 min``, ``2 h``, ``90 s``."""
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def time_element(at: datetime | None, text: str) -> SafeString | str:
    """Wrap the text of a time in ``<time>``; a dash when there is no time."""
    if at is None:
        return ABSENT
    return format_html('<time datetime="{}">{}</time>', to_iso(at), text)


def _zone(name: str) -> tzinfo | None:
    if name in ("", "UTC"):
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
