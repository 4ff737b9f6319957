"""One point in time as people and programs spell it."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from . import relative, zones
from .guesses import guess

FIRST = datetime(2000, 1, 1, tzinfo=UTC)
END = datetime(2101, 1, 1, tzinfo=UTC)
LONGEST = 64

_UNKNOWN = "not a time we can read; write 2026-11-23T14:03:00Z, 2026-11-23 or now-24h"
_OUTSIDE = "outside the years 2000–2100"
_DATE = re.compile(r"(\d{4})(-?)(\d\d)\2(\d\d)", re.ASCII)
_MONTH = re.compile(r"(\d{4})-(\d\d)", re.ASCII)
_EPOCH = re.compile(r"\d{10}(?:\d{3})?", re.ASCII)
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)", re.ASCII)
# A blank before the offset is a "+" that was lost in URL decoding.
_DATETIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d)(?::(\d\d)(?::(\d\d)(?:[.,](\d+))?)?)?"
    r"(?:(Z|z| ?UTC)|([+ -])(\d\d):?(\d\d))?",
    re.ASCII,
)


class Misspelt(ValueError):
    """A text that is no point in time; ``suggestion`` is what was probably meant, if anything."""

    def __init__(self, reason: str, suggestion: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.suggestion = suggestion


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A point in time, how a canonical URL spells it, and how it was read."""

    at: datetime
    text: str
    whole: bool = False  # written as a day or a month
    skipped: datetime | None = None  # the wall-clock time that does not exist


def moment(raw: str, now: datetime, zone: ZoneInfo, *, upper: bool = False) -> Moment:
    """Read one spelling; an ``upper`` edge takes whole units in and the later of two meanings.

    Raises Misspelt, whatever the text.
    """
    if len(raw) > LONGEST:
        raise Misspelt(f"longer than {LONGEST} characters")
    try:
        found = _absolute(raw, zone, upper)
        if found is None and (moved := relative.resolve(raw, now, zone, upper=upper)):
            found = Moment(at=moved[0], text=moved[1])
    except OverflowError as error:
        raise Misspelt(_OUTSIDE) from error
    except ValueError as error:
        raise Misspelt("there is no such date or time of day", guess(raw)) from error
    if found is None:
        raise Misspelt(_UNKNOWN, guess(raw))
    if not FIRST <= found.at <= END or (found.at == END and not upper):
        raise Misspelt(_OUTSIDE)
    return found


def instant(at: datetime) -> str:
    """ISO 8601 in UTC with ``Z``, milliseconds only if not zero."""
    at = at.astimezone(UTC)
    precision = "milliseconds" if at.microsecond >= 1000 else "seconds"
    return at.replace(tzinfo=None).isoformat(timespec=precision) + "Z"


def anchor(now: datetime) -> str:
    """The moment of what is shown at ``now``, for links: by the end of that second it was known."""
    return instant((now + timedelta(microseconds=999_999)).replace(microsecond=0))


def _absolute(raw: str, zone: ZoneInfo, upper: bool) -> Moment | None:
    if match := _DATE.fullmatch(raw):
        return _unit(_wall(*match.group(1, 3, 4)), "d", zone, upper)
    if match := _MONTH.fullmatch(raw):
        return _unit(_wall(*match.groups(), "1"), "M", zone, upper)
    if match := _COMPACT.fullmatch(raw):
        return _local(_wall(*match.groups()), zone, upper)
    if _EPOCH.fullmatch(raw):
        return _exact(datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(f"{raw:0<13}")))
    if match := _DATETIME.fullmatch(raw):
        return _written(match, zone, upper)
    return None


def _written(match: re.Match[str], zone: ZoneInfo, upper: bool) -> Moment:
    *parts, fraction, utc, sign, hours, minutes = match.groups()
    local = _wall(*parts)
    local += timedelta(milliseconds=int(f"{(fraction or '')[:3]:0<3}"))
    if utc:
        return _exact(local.replace(tzinfo=UTC))
    if sign:
        distance = timedelta(hours=int(hours), minutes=int(minutes))
        return _exact(local.replace(tzinfo=timezone(-distance if sign == "-" else distance)))
    return _local(local, zone, upper)


def _wall(*parts: str | None) -> datetime:
    numbers = [int(part or 0) for part in parts] + [0, 0, 0]
    year, month, day, hour, minute, second = numbers[:6]
    # One year of leeway on both sides: an offset may carry the instant back in.
    if not FIRST.year - 1 <= year <= END.year:
        raise OverflowError(year)
    return datetime(year, month, day, hour, minute, second)


def _unit(first: datetime, unit: str, zone: ZoneInfo, upper: bool) -> Moment:
    if not FIRST.year <= first.year < END.year:
        raise OverflowError(first.year)
    # Of two midnights the first begins a day, also as an end: neighbouring days never overlap.
    edge = relative.moved(first, 1, unit) if upper else first
    at, skipped = zones.placed(edge, zone)
    return Moment(at=at, text=instant(at), whole=True, skipped=edge if skipped else None)


def _local(local: datetime, zone: ZoneInfo, upper: bool) -> Moment:
    at, skipped = zones.placed(local, zone, last=upper)
    return Moment(at=at, text=instant(at), skipped=local if skipped else None)


def _exact(at: datetime) -> Moment:
    at = at.astimezone(UTC)
    return Moment(at=at, text=instant(at))
