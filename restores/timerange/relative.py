"""Times relative to now, as Grafana writes them: ``now-24h``, ``now-1d/d``."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from . import zones

# A blank in front of a digit is a "+" that was lost in URL decoding.
_EXPRESSION = re.compile(r"now((?:[+ -]\d+[mhdwMy]|/[mhdwMy])*)", re.ASCII)
_TERM = re.compile(r"([+ /-])(\d*)([mhdwMy])", re.ASCII)


def resolve(
    raw: str, now: datetime, zone: ZoneInfo, *, upper: bool = False
) -> tuple[datetime, str] | None:
    """The instant an expression stands for and its normal spelling; None if it is none.

    Raises OverflowError when it leaves the calendar.
    """
    match = _EXPRESSION.fullmatch(raw)
    if match is None:
        return None
    at, text = now, "now"
    try:
        for sign, digits, unit in _TERM.findall(match[1]):
            if sign == "/":
                at, text = _rounded(at, unit, zone, upper), f"{text}/{unit}"
                continue
            count, sign = int(digits), sign.replace(" ", "+")
            at = _shifted(at, -count if sign == "-" else count, unit, zone, upper)
            text += f"{sign}{count}{unit}"
    except ValueError as error:
        raise OverflowError(raw) from error
    return at, text


def moved(local: datetime, count: int, unit: str) -> datetime:
    """A wall-clock time some days, weeks, months or years on; a missing day becomes the last."""
    if unit in "dw":
        return local + timedelta(days=count * (7 if unit == "w" else 1))
    months = local.year * 12 + local.month - 1 + count * (12 if unit == "y" else 1)
    year, month = divmod(months, 12)
    following = datetime(year + (month == 11), (month + 1) % 12 + 1, 1)
    last = (following - timedelta(days=1)).day
    return local.replace(year=year, month=month + 1, day=min(local.day, last))


def _shifted(at: datetime, count: int, unit: str, zone: ZoneInfo, upper: bool) -> datetime:
    if count == 0:
        return at
    if unit in "mh":
        return at + timedelta(minutes=count * (60 if unit == "h" else 1))
    local = moved(_wall_clock(at, zone), count, unit)
    return zones.placed(local, zone, last=upper)[0]


def _rounded(at: datetime, unit: str, zone: ZoneInfo, upper: bool) -> datetime:
    local = _wall_clock(at, zone)
    if unit in "mh":
        # Counted on the UTC line, so that an hour which comes twice stays the one it is.
        over = timedelta(minutes=local.minute if unit == "h" else 0, seconds=local.second)
        start = at - over - timedelta(microseconds=local.microsecond)
        return start + timedelta(minutes=60 if unit == "h" else 1) if upper else start
    local = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == "w":
        local -= timedelta(days=local.weekday())
    elif unit in "My":
        local = local.replace(day=1, month=1 if unit == "y" else local.month)
    return zones.placed(moved(local, 1, unit) if upper else local, zone)[0]


def _wall_clock(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None, fold=0)
