"""Reads the day in what a person wrote: ``23.11.2026``, ``Nov 23``, ``last monday``."""

import re
from datetime import date, timedelta

_MONTHS = "january february march april may june july august september october november december"
_NUMBERS = {name: number for number, name in enumerate(_MONTHS.split(), 1)}
_FOREIGN = {"mär": 3, "märz": 3, "mai": 5, "juni": 6, "juli": 7, "okt": 10, "dez": 12}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_YEAR = r"(?:\s?[/.,-]?\s?(\d{4}))?"
_ISO = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})")
_DOTTED = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.?(?:\s?(?<=[. ])(\d{4}|\d\d))?")
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})(?:/(\d{4}|\d\d))?")
_DASHED = re.compile(r"(\d{1,2})-(\d{1,2})-(\d{4})")
_DAY_MONTH = re.compile(rf"(\d{{1,2}})\.?[\s/-]?([^\W\d_]{{3,9}})\.?{_YEAR}")
_MONTH_DAY = re.compile(rf"([^\W\d_]{{3,9}})\.?[\s-]?(\d{{1,2}}){_YEAR}")
_WEEKDAY = re.compile(r"\b(mon|tue|wed|thu|fri|sat|sun)[a-z]*\b\.?")


def days(text: str, today: date) -> tuple[date, ...]:
    """Every day that the text may mean, seen from ``today``; none when it is no day.

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
        return _known((int(match[1]), int(match[3]), int(match[4])))
    if match := _DOTTED.fullmatch(bare):
        return _day(match[1], match[2], match[3], today)
    if match := _SLASHED.fullmatch(bare) or _DASHED.fullmatch(bare):
        month_first = _day(match[2], match[1], match[3], today)
        return tuple(dict.fromkeys(_day(match[1], match[2], match[3], today) + month_first))
    return _named(bare, today)


def _weekday(text: str, today: date) -> date | None:
    last = text.startswith("last ")
    name = text.removeprefix("last ").rstrip(".")
    match = [n for n, full in enumerate(_WEEKDAYS) if len(name) >= 3 and full.startswith(name)]
    if not match:
        return None
    back = (today.weekday() - match[0]) % 7
    return today - timedelta(days=back or 7 * last)


def _named(text: str, today: date) -> tuple[date, ...]:
    if match := _DAY_MONTH.fullmatch(text):
        day, name, year = match.groups()
    elif match := _MONTH_DAY.fullmatch(text):
        name, day, year = match.groups()
    else:
        return ()
    month = _FOREIGN.get(name) or next((n for m, n in _NUMBERS.items() if m.startswith(name)), 0)
    month = 9 if name == "sept" else month
    return _day(day, str(month), year, today) if month else ()


def _day(day: str, month: str, year: str | None, today: date) -> tuple[date, ...]:
    if year:
        return _known((int(year) + (2000 if len(year) == 2 else 0), int(month), int(day)))
    found = _known((today.year, int(month), int(day)))
    if found and found[0] > today:
        found = _known((today.year - 1, int(month), int(day)))
    return found


def _known(parts: tuple[int, int, int]) -> tuple[date, ...]:
    try:
        return (date(*parts),)
    except ValueError:
        return ()
