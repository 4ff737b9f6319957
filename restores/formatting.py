"""Times, sizes and percentages as the pages print them.

Times are in Django's current time zone: the one that the reader has chosen, see time_zone.py.
"""

from datetime import datetime, tzinfo

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from restores.explain.summary import format_percent as format_percent
from restores.timerange import city, find_zone, to_iso

ABSENT = "–"


def format_datetime(at: datetime) -> str:
    """Format a time in full: ``23 Nov 2026, 15:37:41 UTC``."""
    return f"{format_date(at)}, {format_time(at)}"


def format_date(at: datetime) -> str:
    """Format the date: ``23 Nov 2026``."""
    at = timezone.localtime(at)
    return f"{at.day} {at:%b %Y}"


def format_time(at: datetime) -> str:
    """Format the time of day: ``15:37:41 UTC``."""
    return f"{timezone.localtime(at):%H:%M:%S} {zone_name()}"


def format_short(at: datetime) -> str:
    """Format a time for a column headed by the zone: ``23 Nov 15:37``, with the year if it isn't
    this one.
    """
    at = timezone.localtime(at)
    year = "" if at.year == timezone.localtime().year else f" {at.year}"
    return f"{at.day} {at:%b}{year} {at:%H:%M}"


def zoned_time(at: datetime) -> str:
    """Format a time for a sentence, to the minute: ``23 Nov 15:37 UTC``."""
    return f"{format_short(at)} {zone_name()}"


def zone_name() -> str:
    """Name the time zone that times are shown in, by its city: ``UTC``, ``Tokyo``."""
    return city(str(timezone.get_current_timezone()))


def format_ago(seconds: float) -> str:
    """Format an age in one unit: ``25 s ago``, ``3 min ago``, ``5 h ago``, ``4 days ago``."""
    return f"{format_in_one_unit(seconds)} ago"


def format_in_one_unit(seconds: float) -> str:
    """Format a duration as the largest unit that fits: ``25 s``, ``3 min``, ``5 h``, ``4 days``."""
    whole = max(0, int(seconds))
    for size, least, unit in ((86400, 3 * 86400, "days"), (3600, 3600, "h"), (60, 60, "min")):
        if whole >= least:
            return f"{whole // size} {unit}"
    return f"{whole} s"


def format_moment(at: datetime) -> str:
    """Format a time to the second, with the year if it isn't this one: ``29 Nov 19:24:06 UTC``."""
    return f"{format_short(at)}:{at:%S} {zone_name()}"


def format_customer_time(at: datetime, zone: str) -> str:
    """Format a time by the customer's clock: ``24 Nov, 00:37:41 Tokyo``; the date if it differs.

    Empty for a zone that doesn't exist, and for UTC and the zone of the page.
    """
    known = _zone(zone)
    if known is None or known == timezone.get_current_timezone():
        return ""
    local = at.astimezone(known)
    date = "" if local.date() == timezone.localtime(at).date() else f"{local.day} {local:%b}, "
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
    return find_zone(name) if name not in ("", "UTC") else None
