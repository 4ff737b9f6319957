"""Template filters that print values: times as ``<time>`` elements, a dash when absent."""

from datetime import datetime

from django import template
from django.utils.safestring import SafeString

from restores.explain.estimates import format_clock, format_duration
from restores.formatting import (
    format_datetime,
    format_interval,
    format_moment,
    format_percent,
    format_short,
    format_size,
    format_time,
    time_element,
    zone_name,
)
from restores.statuses import status_of
from restores.timerange import to_iso

register = template.Library()
register.filter("iso", to_iso)
register.filter("status_of", status_of)
register.filter("clock", format_clock)
register.filter("duration", format_duration)
register.filter("interval", format_interval)
register.filter("percent", format_percent)
register.filter("size", format_size)
register.simple_tag(zone_name)


@register.filter
def timestamp(at: datetime | None) -> SafeString | str:
    """Print date and time: ``23 Nov 2026, 15:37:41 UTC``."""
    return time_element(at, format_datetime(at) if at else "")


@register.filter
def short_timestamp(at: datetime | None) -> SafeString | str:
    """Print date and time to the minute: ``23 Nov 15:37``."""
    return time_element(at, format_short(at) if at else "")


@register.filter
def moment(at: datetime | None) -> SafeString | str:
    """Print date and time to the second: ``23 Nov 15:37:41 UTC``."""
    return time_element(at, format_moment(at) if at else "")


@register.filter
def time_of_day(at: datetime | None) -> SafeString | str:
    """Print the time of day: ``15:37:41 UTC``."""
    return time_element(at, format_time(at) if at else "")
