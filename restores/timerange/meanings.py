"""Every meaning of a phrase that names a time, seen from now and from a zone."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import MAXYEAR, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from . import zones
from .grammar import Clock, Day
from .phrases import Phrase

_DAY = timedelta(days=1)
# A reading of a date with a short year isn't meant if it is further ahead than this.
_SOON = timedelta(days=31)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTime:
    """A time of a zone's clock: a day, or a time of that day if it has a ``clock`` (of 24 hours).

    ``until``: the end of a range, on the same day or the next. ``zone_given``: the phrase names
    the zone.
    """

    day: date
    clock: Clock | None
    until: Clock | None
    zone: ZoneInfo
    zone_given: bool

    @property
    def wall(self) -> datetime:
        """The wall-clock time."""
        return _wall(self.day, self.clock) if self.clock else datetime.combine(self.day, time())

    @property
    def wall_until(self) -> datetime | None:
        """The wall-clock time at the end of a range."""
        if self.until is None:
            return None
        end = _wall(self.day, self.until)
        return end if end > self.wall else end + _DAY


def meanings_of(
    phrase: Phrase,
    now: datetime,
    zone: ZoneInfo,
    *,
    ahead: bool = False,
    mentioned: date | None = None,
) -> list[LocalTime]:
    """Return every meaning of a phrase; none if there is no such date or time of day.

    A year that is left out, and a weekday, are the latest that is not ahead. A time of day alone
    that is still to come today may be yesterday's, unless the time meant may be ``ahead``; it may
    also be one of a day that was ``mentioned``.
    """
    found: dict[LocalTime, None] = {}
    for place in _zones(phrase, now, zone):
        for shift, clock, until in _clocks(phrase):
            for day in _days(phrase, now.astimezone(place), clock, ahead, mentioned):
                local = LocalTime(
                    day=day + shift * _DAY,
                    clock=clock,
                    until=until,
                    zone=place,
                    zone_given=bool(phrase.zones),
                )
                found[local] = None
    return list(found)


def _wall(day: date, clock: Clock) -> datetime:
    fraction = int(f"{clock.fraction[:6]:0<6}")
    at = time(clock.hour, clock.minute, clock.second or 0, fraction)
    return datetime.combine(day, at)


def _zones(phrase: Phrase, now: datetime, zone: ZoneInfo) -> list[ZoneInfo]:
    """The zones that the phrase may be in. The reader's settles what its abbreviation means."""
    if len(phrase.zones) > 1:
        if zone.key in phrase.zones:
            return [zone]
        for at in (now, now - timedelta(days=182)):
            if at.astimezone(zone).tzname() == phrase.abbreviation:
                offset = zones.find(zones.utc_offset(at, zone))
                return [offset] if offset else []
    return [place for name in phrase.zones if (place := zones.find(name))] or [zone]


def _days(
    phrase: Phrase, now: datetime, clock: Clock | None, ahead: bool, mentioned: date | None
) -> Iterator[date]:
    """Every day that the phrase may mean; each part of it that names one says the same, or asks."""
    today = now.date()

    def to_come(day: date) -> bool:
        return not ahead and clock is not None and _wall(day, clock) > now.replace(tzinfo=None)

    if not phrase.has_day:
        if mentioned:
            yield mentioned
        if to_come(today):
            yield today - _DAY
        yield today
        return
    named = []
    if phrase.day:
        named.append(_dates(phrase.day, today))
    if phrase.relative is not None:
        named.append([today + phrase.relative * _DAY])
    if phrase.weekday is not None:
        days = [_weekday(phrase, today)]
        if to_come(days[0]) and phrase.week is None:
            days.insert(0, days[0] - 7 * _DAY)
        if named:
            # It only confirms a date, of any week.
            days = [day for day in named[0] if day.weekday() == phrase.weekday] or days
        named.append(days)
    agreed = [day for day in named[0] if all(day in days for days in named)]
    yield from dict.fromkeys(agreed or [day for days in named for day in days])


def _dates(day: Day, today: date) -> list[date]:
    """The dates of a day as written: those that exist."""
    found = [one for reading in day.readings if (one := _latest(*reading, today))]
    if day.short_year:
        found = [one for one in found if one <= today + _SOON] or found
    return found


def _latest(year: int | None, month: int | None, day: int, today: date) -> date | None:
    """The latest such date that is not ahead; the only one if nothing is left out."""
    if year is not None and month is not None:
        return _date(year, month, day)
    if month is not None:
        candidates = [(today.year - back, month) for back in range(9)]  # 29 February
    else:
        candidates = [divmod(today.year * 12 + today.month - 1 - back, 12) for back in range(3)]
        candidates = [(year, month + 1) for year, month in candidates]
    dates = (_date(*candidate, day) for candidate in candidates)
    return next((one for one in dates if one and one <= today), None)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if year < MAXYEAR else None
    except ValueError:
        return None


def _weekday(phrase: Phrase, today: date) -> date:
    if phrase.week is not None:
        monday = today - today.weekday() * _DAY
        return monday + phrase.week * 7 * _DAY + (phrase.weekday or 0) * _DAY
    back = (today.weekday() - (phrase.weekday or 0)) % 7
    return today - (back or 7 * phrase.last) * _DAY


def _clocks(phrase: Phrase) -> list[tuple[int, Clock | None, Clock | None]]:
    """Every time of day that is meant, as days after the named one, start, and end of a range."""
    if phrase.clock is None:
        hours = {"noon": [(0, 12)], "midnight": [(0, 0), (1, 0)]}.get(phrase.part, [])
        return [(days, Clock(hour=hour), None) for days, hour in hours] or [(0, None, None)]
    clock, until = phrase.clock, phrase.until
    if until and until.half and not clock.half and clock.hour <= 12:
        clock = replace(clock, half=until.half, twelve=False)  # between 2:00 and 3:30 pm
    ends = _hours(until, phrase.part) if until else []
    end = replace(until, hour=ends[0][1], half="") if until and ends else None
    return [
        (days, replace(clock, hour=hour, half="", twelve=False), end)
        for days, hour in _hours(clock, phrase.part)
        if end or not until
    ]


def _hours(clock: Clock, part: str) -> list[tuple[int, int]]:
    """The hours of 24 that a clock may mean, each with the days after the named one."""
    hour = clock.hour
    if hour == 24:
        return [(1, 0)] if not (clock.minute or clock.second or part) else []
    if clock.half:
        return [(0, hour % 12 + 12 * (clock.half == "pm"))]
    if hour > 12:
        return [(0, hour)] if part not in ("am", "morning", "midnight") else []
    late = (hour + 12) % 24
    match part:
        case "":
            return [(0, hour)] if not clock.twelve else [(0, hour % 12), (0, hour % 12 + 12)]
        case "am" | "morning" if hour < 12:
            return [(0, hour)]
        case "am":
            return [(0, 0)]
        case "morning":  # "las 12 de la mañana" is noon
            return [(0, 0), (0, 12)]
        case "pm" | "afternoon":
            return [(0, hour % 12 + 12)]
        case "noon":
            return [(0, hour if hour > 9 else late)]
        case "evening" if 4 <= hour < 12:
            return [(0, late)]
        case "night" if 8 <= hour < 12:
            return [(0, late)]
        case "night" if 6 <= hour < 8:
            return [(0, hour), (0, late)]
        case _:  # the small hours may be counted to the day before or after
            return [(0, hour % 12), (1, hour % 12)]
