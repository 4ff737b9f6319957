"""Time zones by name or offset, and wall-clock times as UTC times."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from io import BytesIO
from struct import pack
from zoneinfo import ZoneInfo, available_timezones

from . import places

# Names that mean something else on each machine, or nothing.
_NOT_PLACES = {"localtime", "Factory"}


# UTC+8, GMT-03:00, +0530. The sign may be lost: a "+" becomes a space in URL decoding.
_OFFSET = re.compile(
    r"(?:(?:UTC|GMT) ?)?([+\-−–]?) ?(\d\d?)(?::?(\d\d))?", re.ASCII | re.IGNORECASE
)
# Minutes from UTC; no time zone is further away.
_WEST, _EAST = -12 * 60, 14 * 60


def find(name: str) -> ZoneInfo | None:
    """Return the zone with this name, ignoring case, or with this offset from UTC."""
    known = _names().get(name.casefold())
    if known:
        return ZoneInfo(known)
    minutes = _minutes(name)
    return _fixed(minutes) if minutes is not None and _WEST <= minutes <= _EAST else None


def matches(name: str) -> tuple[str, ...]:
    """Return every zone that a name may stand for.

    It may be the zone's own, an offset, an abbreviation, a city or a country, in any of the
    languages of the tables.
    """
    if zone := find(name):
        return (zone.key,)
    folded = " ".join(name.casefold().split())
    abbreviated = places.SEVERAL.get(folded) or places.ABBREVIATIONS.get(folded)
    return abbreviated or _cities().get(folded) or _countries().get(folded, ())


def is_offset(name: str) -> bool:
    """Whether a string is an offset from UTC, even if no time zone has it."""
    return _OFFSET.fullmatch(name) is not None


def nearest(name: str) -> str:
    """Return the known zone that a misspelled name probably means, or ""."""
    folded = name[:64].casefold()
    known = (*_names(), *_cities(), *_countries())
    close = get_close_matches(folded, known, n=1, cutoff=0.75)
    return matches(close[0])[0] if close else ""


def suggest(text: str, limit: int) -> tuple[str, ...]:
    """Return the zones that the text may be the beginning or a part of, likeliest first."""
    folded = " ".join(text.casefold().split())
    if not folded:
        return ()
    known = [*_cities().items(), *_countries().items()]
    found = dict.fromkeys(matches(text))
    for fits in (str.startswith, str.__contains__):
        found |= dict.fromkeys(
            zone for name, zones in known if fits(name, folded) for zone in zones
        )
    return tuple(found)[:limit]


def city(name: str) -> str:
    """Return the city that names a zone: ``New York`` of ``America/New_York``."""
    return name.rpartition("/")[2].replace("_", " ")


def to_utc(local: datetime, zone: ZoneInfo, *, last: bool = False) -> tuple[datetime, bool]:
    """Return the UTC time of a wall-clock time, and whether the clock skips that time.

    A skipped time becomes the first valid one after it. If a time occurs twice, the first is taken,
    or the ``last``.
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


def describe(name: str, at: datetime) -> str:
    """Name a zone by its city and its distance from UTC at a time: ``New York (UTC-5)``."""
    zone = find(name)
    offset = utc_offset(at, zone) if zone else name
    return offset if name in ("UTC", offset) else f"{city(name)} ({offset})"


def utc_offset(at: datetime, zone: ZoneInfo) -> str:
    """Return the zone's distance from UTC at a time: ``UTC+5:30``."""
    local = at.astimezone(zone)
    return format_offset(round(_offset(local, fold=local.fold).total_seconds() / 60))


def format_offset(minutes: int) -> str:
    """Format a distance from UTC: ``UTC+5:30``."""
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")


def _minutes(name: str) -> int | None:
    """The minutes of an offset; None for any other text."""
    match = _OFFSET.fullmatch(name)
    if match is None or int(match[3] or 0) > 59:
        return None
    minutes = int(match[2]) * 60 + int(match[3] or 0)
    return -minutes if match[1] in ("-", "−", "–") else minutes


@cache
def _fixed(minutes: int) -> ZoneInfo:
    """A zone with a single offset, named after it, from a time zone file (RFC 8536) in memory."""
    if not minutes:
        return ZoneInfo("UTC")
    name = format_offset(minutes)
    head = b"TZif" + bytes(16) + pack(">6l", 0, 0, 0, 0, 1, len(name) + 1)
    return ZoneInfo.from_file(
        BytesIO(head + pack(">lbb", minutes * 60, 0, 0) + name.encode() + b"\0"), key=name
    )


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


def _split(spellings: str) -> list[str]:
    return [one.strip() for one in spellings.split(",")]


def _table(name: str) -> Iterable[list[str]]:
    """The rows of a table of the time zone database."""
    text = files("tzdata").joinpath("zoneinfo", name).read_text(encoding="utf-8")
    return (line.split("\t") for line in text.splitlines() if not line.startswith("#"))


@cache
def _cities() -> dict[str, tuple[str, ...]]:
    """The zones by city: the last part of their name, and the spellings of our table."""
    found: dict[str, tuple[str, ...]] = {}
    found |= {city(name).casefold(): (name,) for name in _names().values() if "/" in name}
    # Where an old name of a zone ends in the same city, the current one wins.
    found |= {city(row[2]).casefold(): (row[2],) for row in _table("zone.tab")}
    for zone, spellings in places.CITIES.items():
        found |= dict.fromkeys(_split(spellings), (zone,))
    return found


@cache
def _countries() -> dict[str, tuple[str, ...]]:
    """The zones by country; those with the same clock all year are one."""
    codes: dict[str, list[str]] = {}
    for code, _, name, *_ in _table("zone.tab"):
        codes.setdefault(code, []).append(name)
    zones = {code: _with_different_clocks(names) for code, names in codes.items()}
    found = {name.casefold(): zones[code] for code, name in _table("iso3166.tab") if code in zones}
    for code, spellings in places.COUNTRIES.items():
        found |= dict.fromkeys(_split(spellings), zones[code])
    return found


def _with_different_clocks(names: list[str]) -> tuple[str, ...]:
    """Keep the first, most populous of the zones with the same clock in January and July."""
    clocks: dict[tuple[timedelta | None, ...], str] = {}
    for name in names:
        year = (datetime(2026, month, 1, tzinfo=ZoneInfo(name)) for month in (1, 7))
        clocks.setdefault(tuple(at.utcoffset() for at in year), name)
    return tuple(clocks.values())
