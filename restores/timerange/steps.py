"""Windows one click away: those beside and around a window, and the usual ones."""

from datetime import date, datetime, timedelta

from . import zones
from .relative import moved
from .spellings import END, FIRST, instant
from .window import TimeRange, canonical
from .wording import named

_USUAL = (
    ("now-1h", ""),
    ("now-8h", ""),
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

PRESETS: tuple[tuple[str, dict[str, str]], ...] = tuple(
    (named(first, last), {k: v for k, v in (("from", first), ("to", last)) if v})
    for first, last in _USUAL
)


def earlier(window: TimeRange) -> dict[str, str] | None:
    """The window of the same length that ends where this one begins; None for an open start."""
    return _step(window, -1)


def later(window: TimeRange) -> dict[str, str] | None:
    """The window of the same length that begins where this one ends; None when that is ahead."""
    return _step(window, 1)


def wider(window: TimeRange) -> dict[str, str] | None:
    """The window twice as long around its middle, or up to now; None for an open start."""
    edges = _closed(window)
    if not edges:
        return None
    start, end = edges
    last = min(end + (end - start) / 2, max(end, window.moment))
    first = last - 2 * (end - start)
    return _between(window, first, last) if first >= FIRST and last <= END else None


def fixed(window: TimeRange) -> dict[str, str] | None:
    """The same window from instant to instant; None where it is that, or open on both sides."""
    end = window.end or (window.start and window.moment)
    if end is None or (window.start and window.start >= end):
        return None
    edges = _between(window, window.start, end)
    return None if edges == canonical(window) else edges


def _between(window: TimeRange, start: datetime | None, end: datetime) -> dict[str, str]:
    first = instant(start) if start else ""
    return {k: v for k, v in (canonical(window) | {"from": first, "to": instant(end)}).items() if v}


def _closed(window: TimeRange) -> tuple[datetime, datetime] | None:
    """Both edges of a window that has them; one up to now has."""
    start, end = window.start, window.end
    if end is None and window.spelt[0].startswith("now"):
        end = window.moment
    return None if start is None or end is None or start >= end else (start, end)


def _step(window: TimeRange, direction: int) -> dict[str, str] | None:
    edges = _closed(window)
    if not edges:
        return None
    start, end = edges
    try:
        start, end = _neighbour(window, start, end, direction)
    except (OverflowError, ValueError):
        return None
    if start < FIRST or end > END or (direction > 0 and start >= window.moment):
        return None
    return _between(window, start, end)


def _neighbour(
    window: TimeRange, start: datetime, end: datetime, direction: int
) -> tuple[datetime, datetime]:
    if window.days is None:
        length = (end - start) * direction
        return start + length, end + length
    first, last = (_moved(day, window.days, direction) for day in window.days)
    return zones.midnight(first, window.zone), zones.midnight(last, window.zone)


def _moved(day: date, days: tuple[date, date], direction: int) -> date:
    """Whole months move by months, other days by their number."""
    first, after = days
    if first.day == after.day == 1:
        months = (after.year - first.year) * 12 + after.month - first.month
        return moved(datetime(day.year, day.month, 1), months * direction, "M").date()
    return day + timedelta(days=(after - first).days * direction)
