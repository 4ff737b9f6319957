"""Time zones by name, and wall-clock times as UTC times."""

from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

# Names that mean something else on each machine, or nothing.
_NOT_PLACES = {"localtime", "Factory"}


def find(name: str) -> ZoneInfo | None:
    """Return the zone of this name, letter case aside."""
    known = _names().get(name.casefold())
    return ZoneInfo(known) if known else None


def nearest(name: str) -> str:
    """Return the known zone that a misspelled name probably means, or ""."""
    names = _names()
    close = get_close_matches(name[:64].casefold(), names, n=1, cutoff=0.75)
    return names[close[0]] if close else ""


def city(name: str) -> str:
    """Return the city that names a zone: ``New York`` of ``America/New_York``."""
    return name.rpartition("/")[2].replace("_", " ")


def to_utc(local: datetime, zone: ZoneInfo, *, last: bool = False) -> tuple[datetime, bool]:
    """Return the UTC time of a wall-clock time, and whether the clock skips that time.

    A skipped time becomes the first valid one after it. Of a time that occurs twice the first is
    taken, or the ``last``.
    """
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    # In a gap the reading by the old offset (fold 0) is the later of the two (PEP 495).
    if first > second:
        return _transition(second, first, zone), True
    return (second if last else first), False


def day_starting_at(at: datetime, zone: ZoneInfo) -> date | None:
    """Return the day of the zone that starts at exactly this time."""
    local = at.astimezone(zone).date()
    return local if midnight(local, zone) == at else None


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the UTC time at which a day of the zone starts."""
    return to_utc(datetime.combine(day, time()), zone)[0]


def add(local: datetime, count: int, unit: str) -> datetime:
    """Add days, weeks, months or years to a wall-clock time; a missing day becomes the last."""
    if unit in "dw":
        return local + timedelta(days=count * (7 if unit == "w" else 1))
    months = local.year * 12 + local.month - 1 + count * (12 if unit == "y" else 1)
    year, month = divmod(months, 12)
    following = datetime(year + (month == 11), (month + 1) % 12 + 1, 1)
    last = (following - timedelta(days=1)).day
    return local.replace(year=year, month=month + 1, day=min(local.day, last))


def occurrence(at: datetime, zone: ZoneInfo) -> str:
    """Return ``first`` or ``second`` when the zone's clock shows this time twice, else ""."""
    local = at.astimezone(zone)
    if _offset(local, fold=0) <= _offset(local, fold=1):
        return ""
    return "second" if local.fold else "first"


def utc_offset(at: datetime, zone: ZoneInfo) -> str:
    """Return the zone's distance from UTC at a time: ``UTC+5:30``."""
    local = at.astimezone(zone)
    minutes = round(_offset(local, fold=local.fold).total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")


def _offset(local: datetime, *, fold: int) -> timedelta:
    return local.replace(fold=fold).utcoffset() or timedelta()


def _transition(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    old = before.astimezone(zone).utcoffset()
    low, high = before.replace(microsecond=0), after.replace(microsecond=0)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
        if middle.astimezone(zone).utcoffset() == old:
            low = middle
        else:
            high = middle
    return high


@cache
def _names() -> dict[str, str]:
    return {name.casefold(): name for name in sorted(available_timezones() - _NOT_PLACES)}
