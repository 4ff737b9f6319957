"""Lengths of time: measured, ranked, and written for tables and sentences."""

import math
from collections.abc import Iterable
from datetime import UTC, datetime


def seconds(created: datetime | None, ended: datetime | None) -> float | None:
    """Seconds from one instant to the other; None if one is missing or they are reversed."""
    if created is None or ended is None or ended < created:
        return None
    return (ended - created).total_seconds()


def clock(length: float) -> str:
    """Seconds for a table: ``0:48``, ``11:40``, ``1:02:03``, ``25 d 14 h``."""
    minutes, rest = divmod(max(0, int(length)), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 100:
        return f"{hours // 24} d {hours % 24} h"
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def words(length: float) -> str:
    """Seconds for a sentence, two units at most: ``48 s``, ``11 min 40 s``, ``37 h 26 min``."""
    whole = max(0, int(length))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    days, odd_hours = divmod(hours, 24)
    if days >= 3:
        parts = ((days, "d"), (odd_hours, "h"))
    elif hours:
        parts = ((hours, "h"), (minutes, "min"))
    else:
        parts = ((minutes, "min"), (rest, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"


def roughly(length: float) -> str:
    """Seconds in one unit while they still run, two above an hour: ``40 s``, ``3 min``."""
    return words(length if length < 60 else length - length % 60)


def percentile(values: Iterable[float], rank: float) -> float | None:
    """The value at a rank of 0–100, interpolated between neighbours; None without values."""
    ordered = sorted(values)
    if not ordered:
        return None
    place = (len(ordered) - 1) * min(max(rank, 0), 100) / 100
    low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
    return low + (high - low) * (place % 1)


def at_time(at: datetime) -> str:
    """An instant for a sentence: ``15:37:41 UTC on 23 Nov 2026``."""
    at = at.astimezone(UTC)
    return f"{at:%H:%M:%S} UTC on {on_day(at)}"


def on_day(at: datetime) -> str:
    """A date for a sentence: ``23 Nov 2026``."""
    return f"{at.day} {at:%b %Y}"
