"""Time zones by name, and wall-clock times placed on the UTC line."""

from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

# Names that mean something else on each machine, or nothing.
_NOT_PLACES = {"localtime", "Factory"}


def find(name: str) -> ZoneInfo | None:
    """The zone of this name, letter case aside."""
    known = _names().get(name.casefold())
    return ZoneInfo(known) if known else None


def nearest(name: str) -> str:
    """The known zone that a misspelt name probably means, or nothing."""
    names = _names()
    close = get_close_matches(name[:64].casefold(), names, n=1, cutoff=0.75)
    return names[close[0]] if close else ""


def placed(local: datetime, zone: ZoneInfo, *, last: bool = False) -> tuple[datetime, bool]:
    """The UTC instant of a wall-clock time, and whether the clock skips that time.

    A skipped time becomes the first valid instant after it. Of a time that comes twice the
    first is taken, or the ``last``.
    """
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    # In a gap the reading by the old offset (fold 0) is the later of the two (PEP 495).
    if first > second:
        return _transition(second, first, zone), True
    return (second if last else first), False


def day(at: datetime, zone: ZoneInfo) -> date | None:
    """The day of the zone that begins at exactly this instant."""
    local = at.astimezone(zone).date()
    return local if midnight(local, zone) == at else None


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which a day of the zone begins."""
    return placed(datetime.combine(day, time()), zone)[0]


def repeated(at: datetime, zone: ZoneInfo) -> str:
    """``first`` or ``second`` when the zone's clock shows this time twice, else nothing."""
    local = at.astimezone(zone)
    if _offset(local, fold=0) <= _offset(local, fold=1):
        return ""
    return "second" if local.fold else "first"


def offset(at: datetime, zone: ZoneInfo) -> str:
    """The zone's distance from UTC at an instant: ``UTC+5:30``."""
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
