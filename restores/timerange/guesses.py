"""What a time meant that neither an address nor a person spells so: an error in it mended."""

import re
from calendar import monthrange

_REWRITES = [
    (re.compile(pattern, re.ASCII), form)
    for pattern, form in (
        (r"(\d{4})", r"\1-01"),
        (r"(\d{13})(?:\d{3}){1,2}", r"\1"),
        (r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)", r"\1-\2-\3T\4:\5"),
    )
]
_LATE_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)(.*)", re.ASCII | re.DOTALL)


def guess(raw: str) -> str:
    """A likely spelling for an unreadable time; empty without one. It may be unreadable too."""
    if (match := _LATE_DAY.fullmatch(raw)) and (day := _last_day(match)):
        return f"{match[1]}-{match[2]}-{day}{match[4]}"
    for pattern, form in _REWRITES:
        if match := pattern.fullmatch(raw):
            return match.expand(form)
    return ""


def _last_day(match: re.Match[str]) -> int:
    """The month's last day when the day written lies beyond it, else 0."""
    year, month, day = int(match[1]), int(match[2]), int(match[3])
    if not (year and 1 <= month <= 12):
        return 0
    last = monthrange(year, month)[1]
    return last if day > last else 0
