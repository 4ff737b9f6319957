"""Time ranges: their canonical parameters, the ranges next to them, and invalid parameters."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from . import zones

ON = ("created", "ended", "running", "changed")
# The years that a range may cover: 2000 to 2100.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2101, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """The start or end of a range.

    ``text`` is its spelling in a canonical URL, ``whole`` says that it was given as a day or a
    month, and ``skipped`` is the wall-clock time asked for if that doesn't exist.
    """

    at: datetime
    text: str
    whole: bool = False
    skipped: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRange:
    """``start <= t < end`` in UTC, None = open.

    ``on`` is what is compared, ``now`` the time that "now" stands for; ``edges`` are start and
    end as a canonical URL spells them; ``tz`` is empty if the URL names no time zone.
    """

    on: str
    start: datetime | None
    end: datetime | None
    tz: str
    asof: datetime | None
    now: datetime
    edges: tuple[str, str]
    notes: tuple[str, ...] = field(default=(), compare=False)

    @property
    def days(self) -> tuple[date, date] | None:
        """The first day and the day after the last, if the range covers whole days of the zone."""
        if self.start is None or self.end is None:
            return None
        first = zones.day_starting_at(self.start, self.zone)
        after = zones.day_starting_at(self.end, self.zone)
        return (first, after) if first and after else None

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which days and wall-clock times are read: UTC unless one is named."""
        return zones.find(self.tz) or ZoneInfo("UTC")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParamError:
    """An invalid parameter, and the parameters to set instead (empty: no suggestion).

    ``meaning`` is the suggestion in words. ``clear``: a person wrote a time that has a single
    meaning, so a page may set them unasked. A time with several meanings is an error for each of
    them; ``hint`` lists them all, for where they can't be links.
    """

    param: str
    value: str
    reason: str
    suggestion: Mapping[str, str] = field(default_factory=dict)
    meaning: str = ""
    hint: str = ""
    clear: bool = False

    @property
    def text(self) -> str:
        """The reason and the hint."""
        return f"{self.reason}. {self.hint}" if self.hint else self.reason


class InvalidTimeRange(ValueError):
    """The parameters aren't a time range; ``errors`` lists all the reasons."""

    def __init__(self, errors: list[ParamError]) -> None:
        super().__init__("; ".join(f"{error.param}: {error.reason}" for error in errors))
        self.errors = errors


def to_params(time_range: TimeRange) -> dict[str, str]:
    """Return the canonical parameters of a range: absolute edges in UTC, defaults left out."""
    first, last = time_range.edges
    params = {
        "on": "" if time_range.on == ON[0] else time_range.on,
        "from": first,
        "to": last,
        "tz": time_range.tz,
        "asof": to_iso(time_range.asof) if time_range.asof else "",
    }
    return {name: value for name, value in params.items() if value}


def to_iso(at: datetime) -> str:
    """Format a time as ISO 8601 in UTC with ``Z``, with milliseconds only if not zero."""
    at = at.astimezone(UTC)
    precision = "milliseconds" if at.microsecond >= 1000 else "seconds"
    return at.replace(tzinfo=None).isoformat(timespec=precision) + "Z"


def iso_or_none(at: datetime | None) -> str | None:
    """Format a time like ``to_iso``; an absent one stays None."""
    return to_iso(at) if at else None


def permalink_asof(now: datetime) -> str:
    """Return the ``asof`` of a link to what is shown now: by the end of this second, all of it."""
    return to_iso((now + timedelta(microseconds=999_999)).replace(microsecond=0))


def previous_period(time_range: TimeRange) -> dict[str, str] | None:
    """Return the range of the same length that ends where this one starts.

    None if the range is open at its start.
    """
    return _period(time_range, -1)


def next_period(time_range: TimeRange) -> dict[str, str] | None:
    """Return the range of the same length that starts where this one ends.

    None if that is in the future.
    """
    return _period(time_range, 1)


def zoom_out(time_range: TimeRange) -> dict[str, str] | None:
    """Return the range twice as long around the same middle, or up to now.

    None if the range is open at its start.
    """
    edges = _closed(time_range)
    if not edges:
        return None
    start, end = edges
    last = min(end + (end - start) / 2, max(end, time_range.now))
    first = last - 2 * (end - start)
    return _between(time_range, first, last) if first >= EARLIEST and last <= LATEST else None


def pin(time_range: TimeRange) -> dict[str, str] | None:
    """Return the same range with fixed edges.

    None if they are fixed already, or if the range is open on both sides.
    """
    end = time_range.end or (time_range.start and time_range.now)
    if end is None or (time_range.start and time_range.start >= end):
        return None
    params = _between(time_range, time_range.start, end)
    return None if params == to_params(time_range) else params


def _between(time_range: TimeRange, start: datetime | None, end: datetime) -> dict[str, str]:
    edges = {"from": to_iso(start) if start else "", "to": to_iso(end)}
    return {name: value for name, value in (to_params(time_range) | edges).items() if value}


def _closed(time_range: TimeRange) -> tuple[datetime, datetime] | None:
    """Start and end of a range that has both; one up to now has."""
    start, end = time_range.start, time_range.end
    if end is None and time_range.edges[0].startswith("now"):
        end = time_range.now
    return None if start is None or end is None or start >= end else (start, end)


def _period(time_range: TimeRange, direction: int) -> dict[str, str] | None:
    edges = _closed(time_range)
    if not edges:
        return None
    try:
        start, end = _shifted(time_range, *edges, direction)
    except (OverflowError, ValueError):
        return None
    if start < EARLIEST or end > LATEST or (direction > 0 and start >= time_range.now):
        return None
    return _between(time_range, start, end)


def _shifted(
    time_range: TimeRange, start: datetime, end: datetime, direction: int
) -> tuple[datetime, datetime]:
    """Start and end, moved by the length of the range; whole months move by months."""
    if time_range.days is None:
        length = (end - start) * direction
        return start + length, end + length
    first, after = time_range.days
    count, unit = (after - first).days, "d"
    if first.day == after.day == 1:
        count, unit = (after.year - first.year) * 12 + after.month - first.month, "M"
    moved = [
        zones.add(datetime(day.year, day.month, day.day), count * direction, unit).date()
        for day in (first, after)
    ]
    return zones.midnight(moved[0], time_range.zone), zones.midnight(moved[1], time_range.zone)
