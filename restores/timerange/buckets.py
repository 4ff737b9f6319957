"""The days or hours of a time range, by the clock of a zone: what a chart has a bar for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from . import zones

# Up to this length a range is shown by the hour.
_BY_HOUR = timedelta(hours=48)


@dataclass(frozen=True, slots=True, kw_only=True)
class Buckets:
    """Where each day or hour of a range up to now starts.

    The first starts with the range. The last ends with it, which is None for an open end.
    """

    starts: Sequence[datetime]
    end: datetime | None
    hourly: bool

    @property
    def spans(self) -> list[tuple[datetime, datetime | None]]:
        """Start and end of each."""
        return list(zip(self.starts, [*self.starts[1:], self.end], strict=True))


def buckets(start: datetime, end: datetime | None, zone: ZoneInfo, *, now: datetime) -> Buckets:
    """Divide ``start <= t < end`` into days of the zone, or into hours if it is short."""
    last = end or now
    hourly = last - start <= _BY_HOUR
    starts = [start]
    while (following := _next(starts[-1], zone, hourly=hourly)) < min(last, now):
        starts.append(following)
    return Buckets(starts=starts, end=end, hourly=hourly)


def _next(at: datetime, zone: ZoneInfo, *, hourly: bool) -> datetime:
    local = at.astimezone(zone)
    if not hourly:
        return zones.midnight(local.date() + timedelta(days=1), zone)
    passed = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return at + timedelta(hours=1) - passed
