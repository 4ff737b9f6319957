"""A window in words: exact for the line beside the list, short for the button."""

import re
from datetime import date, datetime, timedelta

from . import zones
from .window import TimeRange

_LAST = re.compile(r"now-(\d+)([mhdwMy])", re.ASCII)
_UNITS = {"m": "minute", "h": "hour", "d": "day", "M": "month", "y": "year"}
_NAMED = {
    ("now/d", "now/d"): "today",
    ("now-1d/d", "now-1d/d"): "yesterday",
    ("now/w", "now/w"): "this week",
    ("now-1w/w", "now-1w/w"): "last week",
    ("now/M", "now/M"): "this month",
    ("now-1M/M", "now-1M/M"): "last month",
    ("now/y", "now/y"): "this year",
    ("now-1y/y", "now-1y/y"): "last year",
}


def words(window: TimeRange, now: datetime) -> str:
    """The exact range: ``22 Nov 16:59 → 23 Nov 16:59 UTC, end not included``."""
    edges = [edge for edge in (window.start, window.end) if edge]
    zone = window.zone
    year = any(edge.astimezone(zone).year != now.astimezone(zone).year for edge in edges)
    offsets = [zones.offset(edge, zone) for edge in edges]
    stamps = [_stamp(edge.astimezone(zone), year=year) for edge in edges]
    place = window.tz
    if len(set(offsets)) == 2:
        stamps = [f"{stamp} ({offset})" for stamp, offset in zip(stamps, offsets, strict=True)]
    elif offsets and window.tz != "UTC":
        place = f"{window.tz} ({offsets[0]})"
    if len(stamps) == 2:
        return f"{stamps[0]} → {stamps[1]} {place}, end not included"
    if not stamps:
        return "all time" if window.tz == "UTC" else f"all time, {_clock_of(window, now)}"
    return f"{'since' if window.start else 'before'} {stamps[0]} {place}"


def _clock_of(window: TimeRange, now: datetime) -> str:
    return f"{window.tz} ({zones.offset(now, window.zone)} now)"


def label(window: TimeRange) -> str:
    """A few words for a button: ``last 24 hours``, ``1–5 Mar 2026``, ``all time``."""
    if name := named(*window.spelt):
        return name
    if window.days:
        return _days(*window.days)
    zone = window.zone
    first, last = (edge and edge.astimezone(zone) for edge in (window.start, window.end))
    if first and last:
        same_day = first.date() == last.date()
        ending = f"–{_time(last)}" if same_day else f" – {_stamp(last, year=True)}"
        return _stamp(first, year=True) + ending
    if first:
        return f"since {_stamp(first, year=True)}"
    return f"before {_stamp(last, year=True)}" if last else "all time"


def named(first: str, last: str) -> str:
    """The common name of two edges spelt relative to now; empty when they have none."""
    if not first and not last:
        return "all time"
    match = _LAST.fullmatch(first)
    if match is None or last not in ("", "now"):
        return _NAMED.get((first, last), "")
    count, unit = int(match[1]), match[2]
    if unit == "w":
        count, unit = count * 7, "d"
    if count == 1 and unit in "mhd":
        return f"last {_UNITS[unit]}"
    return f"last {count} {_UNITS[unit]}{'' if count == 1 else 's'}"


def _days(first: date, after: date) -> str:
    last = after - timedelta(days=1)
    if first == last:
        return f"{first.day} {first:%b %Y}"
    if first.day == 1 and after.day == 1 and (first.year, first.month) == (last.year, last.month):
        return f"{first:%b %Y}"
    if first.year != last.year:
        return f"{first.day} {first:%b %Y} – {last.day} {last:%b %Y}"
    if first.month != last.month:
        return f"{first.day} {first:%b} – {last.day} {last:%b %Y}"
    return f"{first.day}–{last.day} {last:%b %Y}"


def _stamp(local: datetime, *, year: bool) -> str:
    day = f"{local.day} {local:%b %Y}" if year else f"{local.day} {local:%b}"
    return f"{day} {_time(local)}"


def _time(local: datetime) -> str:
    if local.microsecond:
        return local.replace(tzinfo=None).time().isoformat("milliseconds")
    return f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
