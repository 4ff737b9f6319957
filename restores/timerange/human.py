"""Times as people type and paste them, rewritten in the strict spelling of URLs.

A closed grammar of our own: date libraries were tried and answer wrongly without a warning
("gestern 14 Uhr" became 10:00, "2026-13-01" the 13th of January). What it doesn't know it
refuses, and of a time with several meanings it returns each.
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

# Words. A phrase stands alone, a filler is dropped; everything is matched in lower case.
PHRASES = {
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
FILLERS = re.compile(r"\b(?:at|on|of|the|uhr|o'clock|hrs)\b|(?<=\d)(?:st|nd|rd|th)\b")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# Three letters or more of an English name, or a German spelling.
MONTHS = {
    "january": 1, "february": 2, "march": 3, "april": 4, "may": 5, "june": 6, "july": 7,
    "august": 8, "september": 9, "october": 10, "november": 11, "december": 12,
    "sept": 9, "mär": 3, "märz": 3, "mai": 5, "juni": 6, "juli": 7, "okt": 10, "dez": 12,
}  # fmt: skip
ZONES = {
    "z": ("Z",), "utc": ("Z",), "gmt": ("Z",), "wet": ("+00:00",), "west": ("+01:00",),
    "cet": ("+01:00",), "cest": ("+02:00",), "mez": ("+01:00",), "mesz": ("+02:00",),
    "eet": ("+02:00",), "eest": ("+03:00",), "msk": ("+03:00",), "sast": ("+02:00",),
    "est": ("-05:00",), "edt": ("-04:00",), "cdt": ("-05:00",), "mdt": ("-06:00",),
    "pst": ("-08:00",), "pdt": ("-07:00",), "brt": ("-03:00",), "jst": ("+09:00",),
    "kst": ("+09:00",), "hkt": ("+08:00",), "sgt": ("+08:00",), "aest": ("+10:00",),
    "aedt": ("+11:00",), "nzst": ("+12:00",), "nzdt": ("+13:00",),
    "bst": ("+01:00", "+06:00"),  # British summer, Bangladesh
    "ist": ("+05:30", "+02:00", "+01:00"),  # India, Israel, Ireland
    "cst": ("-06:00", "+08:00"),  # central North America, China
    "mst": ("-07:00", "+08:00"),  # mountain North America, Malaysia
    "ast": ("-04:00", "+03:00"),  # Atlantic, Arabia
    "gst": ("+04:00", "-02:00"),  # the Gulf, South Georgia
}  # fmt: skip

_MAX_LENGTH = 64
_AGO = re.compile(
    r"(?:-|last |past |now ?- ?)?(\d{1,4}|an?|one) ?"
    r"(m|h|d|w|y|mins?|minutes?|hrs?|hours?|days?|weeks?|months?|years?)( ago)?"
)
_COMMA = re.compile(r",(?=\s|$|\d{4}\b)")
_CLOCK = re.compile(
    r"(?<![\d:.])(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s?(?:([ap])\.?m\b\.?)?(?![\d:])"
    r"|(?<![\d:./-])(\d{1,2})\s?([ap])\.?m\b\.?",
    re.ASCII,
)
_OFFSET = re.compile(
    r"(?:(?<=[\s\d])(?:utc|gmt)\s?|(?<=:\d\d)|(?<=\s))([+-])(\d{1,2})(?::?(\d\d))?(?=$|\s)",
    re.ASCII,
)
_ZONE = re.compile(rf"(?:(?<=\d)|(?<![a-z]))({'|'.join(ZONES)})(?![a-z])")
_YEAR = r"(?:\s?[/.,-]?\s?(\d{4}))?"
_ISO = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})")
_DOTTED = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.?(?:\s?(?<=[. ])(\d{4}|\d\d))?")
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})(?:/(\d{4}|\d\d))?")
_DASHED = re.compile(r"(\d{1,2})-(\d{1,2})-(\d{4})")
_DAY_MONTH = re.compile(rf"(\d{{1,2}})\.?[\s/-]?([^\W\d_]{{3,9}})\.?{_YEAR}")
_MONTH_DAY = re.compile(rf"([^\W\d_]{{3,9}})\.?[\s-]?(\d{{1,2}}){_YEAR}")
_WEEKDAY = re.compile(r"\b(mon|tue|wed|thu|fri|sat|sun)[a-z]*\b\.?")
# Digits that are no spelling of a time, and what they probably mean.
_SUGGESTIONS = [
    (re.compile(pattern, re.ASCII), spelling)
    for pattern, spelling in (
        (r"(\d{4})", r"\1-01"),
        (r"(\d{13})(?:\d{3}){1,2}", r"\1"),
        (r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)", r"\1-\2-\3T\4:\5"),
    )
]


def interpret(raw: str, now: datetime, zone: ZoneInfo, *, upper: bool = False) -> tuple[str, ...]:
    """Return the strict spellings of every meaning that a time may have; none if it is no time.

    The caller checks that URLs may hold them: a year may be out of range.
    """
    if len(raw) > _MAX_LENGTH or any(char.isdigit() and not char.isascii() for char in raw):
        return ()
    text = _COMMA.sub(" ", raw.casefold().strip("[]() \t"))
    # Web servers write 23/Nov/2026:15:26:00, ISO has a T between the parts.
    text = re.sub(r"(?<=\d{4}):(?=\d\d:\d\d)|(?<=\d)t(?=\d)", " ", text)
    text = " ".join(text.split())
    if relative := PHRASES.get(text) or _ago(text):
        return (relative,)
    text, offsets = _take_offsets(text)
    taken = _take_clock(text)
    if taken is None:
        return ()
    text, clock = taken
    day_text = " ".join(FILLERS.sub(" ", text).split())
    if not clock:
        if offsets or not day_text:
            return ()
        return tuple(day.isoformat() for day in _days(day_text, now.astimezone(zone).date()))
    spellings = []
    for offset in offsets or ("",):
        place = _timezone(offset) or zone
        for day in _days(day_text, now.astimezone(place).date()):
            at = datetime.fromisoformat(f"{day}T{clock[:5]}").replace(tzinfo=place)
            # A bare time of day that is still ahead may be yesterday's.
            if not day_text and at > now and not upper:
                spellings.append(f"{day - timedelta(days=1)}T{clock}{offset}")
            spellings.append(f"{day}T{clock}{offset}")
    return tuple(spellings)


def suggest(raw: str) -> str:
    """Suggest a spelling for digits that are no time; "" without one. It may be invalid, too."""
    for pattern, spelling in _SUGGESTIONS:
        if match := pattern.fullmatch(raw):
            return match.expand(spelling)
    return ""


def _ago(text: str) -> str:
    match = _AGO.fullmatch(text)
    if match is None:
        return ""
    count = int(match[1]) if match[1].isdecimal() else 1
    unit = "M" if match[2].startswith("month") else match[2][0]
    return f"now-{count}{unit}"


def _take_offsets(text: str) -> tuple[str, tuple[str, ...]]:
    """The text without its zone, and the offsets that the zone may stand for."""
    if match := _OFFSET.search(text):
        sign, hours, minutes = match.groups()
        offsets: tuple[str, ...] = (f"{sign}{int(hours):02}:{minutes or '00'}",)
    elif match := _ZONE.search(text):
        offsets = ZONES[match[1]]
    else:
        return text, ()
    return f"{text[: match.start()]} {text[match.end() :]}", offsets


def _take_clock(text: str) -> tuple[str, str] | None:
    """The text without its time of day, and that as ``hh:mm``; None if there is no such time."""
    match = _CLOCK.search(text)
    if match is None:
        return text, ""
    hour, minute, second, fraction, half, bare, bare_half = match.groups()
    hours, half = int(hour or bare), half or bare_half
    if hours > (12 if half else 23) or (half and not hours) or int(minute or 0) > 59:
        return None
    if half:
        hours = hours % 12 + (12 if half == "p" else 0)
    clock = f"{hours:02}:{minute or '00'}"
    if second:
        clock += f":{second}" + (f".{fraction}" if fraction else "")
    return f"{text[: match.start()]} {text[match.end() :]}", clock


def _timezone(offset: str) -> tzinfo | None:
    if offset in ("", "Z"):
        return UTC if offset else None
    hours, minutes = int(offset[1:3]), int(offset[4:])
    distance = timedelta(hours=min(hours, 23), minutes=min(minutes, 59))
    return timezone(-distance if offset[0] == "-" else distance)


def _days(text: str, today: date) -> tuple[date, ...]:
    """Every day that the text may mean, seen from ``today``; none if it is no day.

    Without a year, and for a weekday, the latest that is not ahead is meant.
    """
    if not text:
        return (today,)
    if text in ("today", "yesterday"):
        return (today - timedelta(days=text == "yesterday"),)
    if weekday := _weekday(text, today):
        return (weekday,)
    bare = _WEEKDAY.sub(" ", text).strip()
    if match := _ISO.fullmatch(bare):
        return _date(int(match[1]), int(match[3]), int(match[4]))
    if match := _DOTTED.fullmatch(bare):
        return _day(match[1], int(match[2]), match[3], today)
    if match := _SLASHED.fullmatch(bare) or _DASHED.fullmatch(bare):
        first, second, year = match.groups()
        day_first = _day(first, int(second), year, today)
        return tuple(dict.fromkeys(day_first + _day(second, int(first), year, today)))
    if match := _DAY_MONTH.fullmatch(bare):
        return _day(match[1], _month(match[2]), match[3], today)
    if match := _MONTH_DAY.fullmatch(bare):
        return _day(match[2], _month(match[1]), match[3], today)
    return ()


def _weekday(text: str, today: date) -> date | None:
    last = text.startswith("last ")
    name = text.removeprefix("last ").rstrip(".")
    if len(name) < 3:
        return None
    for number, weekday in enumerate(WEEKDAYS):
        if weekday.startswith(name):
            back = (today.weekday() - number) % 7
            return today - timedelta(days=back or 7 * last)
    return None


def _month(name: str) -> int:
    """The number of a month; 0 if it is none."""
    found = (number for month, number in MONTHS.items() if month.startswith(name))
    return MONTHS.get(name) or next(found, 0)


def _day(day: str, month: int, year: str | None, today: date) -> tuple[date, ...]:
    if year:
        return _date(int(year) + (2000 if len(year) == 2 else 0), month, int(day))
    found = _date(today.year, month, int(day))
    if found and found[0] > today:
        found = _date(today.year - 1, month, int(day))
    return found


def _date(year: int, month: int, day: int) -> tuple[date, ...]:
    try:
        return (date(year, month, day),)
    except ValueError:
        return ()
