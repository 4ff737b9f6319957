"""Times as people type and paste them, written as a URL spells them."""

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from .clocks import clock, offsets
from .days import days

LONGEST = 64
_WORDS = {
    "today": "now/d",
    "yesterday": "now-1d/d",
    "this week": "now/w",
    "last week": "now-1w/w",
    "this month": "now/M",
    "last month": "now-1M/M",
    "this year": "now/y",
    "last year": "now-1y/y",
    "just now": "now",
}
_AGO = re.compile(
    r"(?:-|last |past |now ?- ?)?(\d{1,4}|an?|one) ?"
    r"(m|h|d|w|y|mins?|minutes?|hrs?|hours?|days?|weeks?|months?|years?)( ago)?"
)
_FILLERS = re.compile(r"\b(?:at|on|of|the|uhr|o'clock|hrs)\b|(?<=\d)(?:st|nd|rd|th)\b")
_COMMA = re.compile(r",(?=\s|$|\d{4}\b)")


def typed(raw: str, now: datetime, zone: ZoneInfo, *, upper: bool = False) -> tuple[str, ...]:
    """Strict spellings of a time that a person wrote: several when it may mean any of them.

    Empty when it is no time. Whether a URL may hold what is found is for its reader to say.
    """
    if len(raw) > LONGEST or any(char.isdigit() and not char.isascii() for char in raw):
        return ()
    text = _plain(raw)
    if relative := _relative(text):
        return (relative,)
    text, zones = offsets(text)
    timed = clock(text)
    if timed is None:
        return ()
    rest = " ".join(_FILLERS.sub(" ", timed[0]).split())
    if not timed[1]:
        return () if zones or not rest else tuple(f"{day}" for day in days(rest, _today(now, zone)))
    found = []
    for offset in zones or ("",):
        place = _place(offset, zone)
        for day in days(rest, _today(now, place)):
            at = datetime.fromisoformat(f"{day}T{timed[1][:5]}").replace(tzinfo=place)
            # A bare time of day that is still ahead may be yesterday's.
            if not rest and at > now and not upper:
                found.append(f"{day - timedelta(days=1)}T{timed[1]}{offset}")
            found.append(f"{day}T{timed[1]}{offset}")
    return tuple(found)


def _plain(raw: str) -> str:
    text = _COMMA.sub(" ", raw.casefold().strip("[]() \t"))
    # Web servers write 23/Nov/2026:15:26:00, ISO has a T between the parts.
    text = re.sub(r"(?<=\d{4}):(?=\d\d:\d\d)|(?<=\d)t(?=\d)", " ", text)
    return " ".join(text.split())


def _relative(text: str) -> str:
    if text in _WORDS:
        return _WORDS[text]
    match = _AGO.fullmatch(text)
    if match is None:
        return ""
    count = int(match[1]) if match[1].isdecimal() else 1
    unit = "M" if match[2].startswith("month") else match[2][0]
    return f"now-{count}{unit}"


def _place(offset: str, zone: ZoneInfo) -> tzinfo:
    if offset in ("", "Z"):
        return UTC if offset else zone
    hours, minutes = int(offset[1:3]), int(offset[4:])
    distance = timedelta(hours=min(hours, 23), minutes=min(minutes, 59))
    return timezone(-distance if offset[0] == "-" else distance)


def _today(now: datetime, place: tzinfo) -> date:
    return now.astimezone(place).date()
