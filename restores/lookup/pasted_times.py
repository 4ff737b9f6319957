"""Times in pasted text, found with the grammar of the time ranges."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from restores import timerange

from .findings import FoundTime
from .pasted_text import PastedText

_CLOCK = re.compile(r"\d{1,2}:\d\d(?::\d\d)?", re.ASCII)


def find_times(text: PastedText, now: datetime, zone: ZoneInfo) -> list[FoundTime]:
    """Find times, except those without a date that a chat puts before each message."""
    found, taken = [], []
    for one in timerange.find_times(text.plain, now=now, zone=zone):
        before = text.plain[one.start - 1 : one.start]
        if before in ("", "\n", "[", "(") and _CLOCK.fullmatch(one.text):
            continue
        start, end = text.span(one.start, one.end)
        written = text.original[start:end]
        found.append(FoundTime(text=written, span=(start, end), meanings=one.meanings))
        taken.append((one.start, one.end))
    text.take(taken)
    return found
