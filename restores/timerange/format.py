"""Time ranges in words: a short label, an exact description, and notes."""

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from . import zones
from .ranges import Edge, TimeRange

_LAST = re.compile(r"now-(\d+)([mhdwMy])", re.ASCII)
_UNITS = {"m": "minute", "h": "hour", "d": "day", "M": "month", "y": "year"}
_NAMES = {
    ("", ""): "any time",
    ("now/d", "now/d"): "today",
    ("now-1d/d", "now-1d/d"): "yesterday",
    ("now/w", "now/w"): "this week",
    ("now-1w/w", "now-1w/w"): "last week",
    ("now/M", "now/M"): "this month",
    ("now-1M/M", "now-1M/M"): "last month",
    ("now/y", "now/y"): "this year",
    ("now-1y/y", "now-1y/y"): "last year",
}


def range_label(time_range: TimeRange) -> str:
    """Name a range in a few words: ``last 24 hours``, ``1–5 Mar 2026``, ``any time``."""
    if name := _name(*time_range.edges):
        return name
    if time_range.days:
        return _format_days(*time_range.days)
    zone = time_range.zone
    first, last = (edge and edge.astimezone(zone) for edge in (time_range.start, time_range.end))
    if first and last:
        same_day = first.date() == last.date()
        ending = f"–{_format_time(last)}" if same_day else f" – {_format_local(last, year=True)}"
        return _format_local(first, year=True) + ending
    if first:
        return f"since {_format_local(first, year=True)}"
    return f"before {_format_local(last, year=True)}" if last else "any time"


def describe_range(time_range: TimeRange, now: datetime) -> str:
    """Describe a range exactly: ``22 Nov, 16:59 – 23 Nov, 16:59 UTC``."""
    edges = [edge for edge in (time_range.start, time_range.end) if edge]
    zone, place = time_range.zone, zones.city(time_range.zone.key)
    year = any(edge.astimezone(zone).year != now.astimezone(zone).year for edge in edges)
    texts = [_format_local(edge.astimezone(zone), year=year) for edge in edges]
    offsets = [zones.utc_offset(edge, zone) for edge in edges or [now]]
    if len(set(offsets)) == 2:
        texts = [f"{text} ({offset})" for text, offset in zip(texts, offsets, strict=True)]
    elif zone.key not in ("UTC", offsets[0]):
        place = f"{place} ({offsets[0]})"
    if len(texts) == 2:
        return f"{texts[0]} – {texts[1]} {place}"
    if not texts:
        return "any time" if zone.key == "UTC" else f"any time · {place}"
    return f"{'since' if time_range.start else 'before'} {texts[0]} {place}"


def edge_texts(time_range: TimeRange) -> tuple[str, str]:
    """Spell the start and end of a range for a field, in its zone: ``28 Nov 2026 14:00``.

    Parsed in that zone, they give the same times.
    """
    first, last = time_range.edges
    if time_range.start and not first.startswith("now"):
        first = _edge_text(time_range.start, time_range.zone, upper=False)
    if time_range.end and last and not last.startswith("now"):
        last = _edge_text(time_range.end, time_range.zone, upper=True)
    return first, last


def _edge_text(at: datetime, zone: ZoneInfo, *, upper: bool) -> str:
    if day := zones.day_starting_at(at, zone):
        if upper:
            day -= timedelta(days=1)
        return f"{day.day} {day:%b %Y}"
    local = at.astimezone(zone)
    text = f"{local.day} {local:%b %Y} {_format_time(local)}"
    return f"{text} {zones.utc_offset(at, zone)}" if zones.occurrence(at, zone) else text


def describe_time(spelling: str) -> str:
    """Describe a time of a URL: ``1 Feb 2026``, ``4 May 2026, 15:00 (UTC+2)``, ``2 hours ago``."""
    if ago := _LAST.fullmatch(spelling):
        unit = "week" if ago[2] == "w" else _UNITS[ago[2]]
        return f"{ago[1]} {unit}{'' if ago[1] == '1' else 's'} ago"
    try:
        at = datetime.fromisoformat(spelling)
    except ValueError:
        return _NAMES.get((spelling, spelling), spelling)
    if len(spelling) == len("2026-02-01"):
        return f"{at.day} {at:%b %Y}"
    text = _format_local(at, year=True)
    offset = at.utcoffset()
    if offset is None:
        return text
    return f"{text} ({zones.format_offset(offset // timedelta(minutes=1)) if offset else 'UTC'})"


def range_notes(
    first: Edge | None, last: Edge | None, zone: ZoneInfo, now: datetime
) -> tuple[str, ...]:
    """Say what clock changes and the future have to do with the two edges."""
    notes = []
    for edge in (first, last):
        if edge and edge.skipped:
            notes.append(
                f"{_format_note(edge.skipped)} doesn’t exist in {zone.key} (clocks go forward). "
                f"Using {edge.at.astimezone(zone):%H:%M}."
            )
        elif edge and (which := zones.occurrence(edge.at, zone)):
            notes.append(
                f"{_format_note(edge.at.astimezone(zone))} occurs twice in {zone.key} "
                f"(clocks go back). Using the {which}, {edge.at:%H:%M} UTC."
            )
    if first and first.at > now:
        notes.append("The range starts in the future.")
    elif last and last.at > now and "/" not in last.text:
        # A rounded end, as in "today", is meant to be ahead.
        notes.append("The range ends in the future.")
    return tuple(notes)


def _name(first: str, last: str) -> str:
    """The usual name of a range with these edges, or ""."""
    match = _LAST.fullmatch(first)
    if match is None or last not in ("", "now"):
        return _NAMES.get((first, last), "")
    count, unit = int(match[1]), match[2]
    if unit == "w":
        count, unit = count * 7, "d"
    if count == 1 and unit in "mhd":
        return f"last {_UNITS[unit]}"
    return f"last {count} {_UNITS[unit]}{'' if count == 1 else 's'}"


def _format_days(first: date, after: date) -> str:
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


def _format_local(local: datetime, *, year: bool) -> str:
    day = f"{local.day} {local:%b %Y}" if year else f"{local.day} {local:%b}"
    return f"{day}, {_format_time(local)}"


def _format_time(local: datetime) -> str:
    if local.microsecond:
        return local.replace(tzinfo=None).time().isoformat("milliseconds")
    return f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"


def _format_note(local: datetime) -> str:
    return f"{local:%H:%M} on {local.day} {local:%b %Y}"


_QUICK_RANGES = (
    ("now-15m", ""),
    ("now-1h", ""),
    ("now-4h", ""),
    ("now-24h", ""),
    ("now-7d", ""),
    ("now-30d", ""),
    ("now/d", "now/d"),
    ("now-1d/d", "now-1d/d"),
    ("now/w", "now/w"),
    ("now-1w/w", "now-1w/w"),
    ("now/M", "now/M"),
    ("now-1M/M", "now-1M/M"),
    ("", ""),
)
# The ranges offered in the menu: their names and parameters.
PRESETS: tuple[tuple[str, dict[str, str]], ...] = tuple(
    (
        _name(first, last).capitalize(),
        {name: edge for name, edge in (("from", first), ("to", last)) if edge},
    )
    for first, last in _QUICK_RANGES
)
