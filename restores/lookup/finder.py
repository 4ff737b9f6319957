"""Search of pasted text for everything that it may contain, within limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from .findings import Finding, Found
from .pasted_ids import find_ids
from .pasted_names import find_addresses, find_codes, find_names
from .pasted_text import PastedText
from .pasted_times import find_times

# How many characters are read, and how many findings of each kind are looked up.
MAX_SEARCHED = 50_000
MAX_FINDINGS = {
    "id": 200,
    "prefix": 20,
    "ends": 20,
    "code": 20,
    "address": 50,
    "name": 300,
    "time": 20,
}
_LONGEST_WORD = 200
# More names than are kept, as most of them are repeated.
_MAX_NAMES = 2_000


def find(text: str, now: datetime, zone: ZoneInfo) -> Found:
    """Find ids, codes, times, addresses and what may be names; times are read in ``zone``.

    Each pass hides what it has found from the next: no time is found within an id.
    """
    searched = _cut(text)
    pasted = PastedText(text[:searched])
    kept, dropped = _limited([*find_ids(pasted), *find_codes(pasted)])
    times = find_times(pasted, now, zone)
    more, more_dropped = _limited(
        [*find_addresses(pasted), *islice(find_names(pasted), _MAX_NAMES)]
    )
    if len(times) > MAX_FINDINGS["time"]:
        dropped["time"] = len(times) - MAX_FINDINGS["time"]
    return Found(
        findings=tuple(sorted([*kept, *more], key=lambda one: one.start)),
        times=tuple(times[: MAX_FINDINGS["time"]]),
        searched=searched,
        length=len(text),
        dropped=dict(dropped + more_dropped),
    )


def _cut(text: str) -> int:
    """How much of the text is read: no word, and so no id, is cut in two."""
    if len(text) <= MAX_SEARCHED:
        return len(text)
    head = text[MAX_SEARCHED - _LONGEST_WORD : MAX_SEARCHED]
    last = max(head.rfind(blank) for blank in (" ", "\n", "\t"))
    return MAX_SEARCHED - len(head) + last if last > 0 else MAX_SEARCHED


def _limited(findings: Iterable[Finding]) -> tuple[list[Finding], Counter[str]]:
    """Each finding once, within the limit of its kind, and how many are left out."""
    kept, seen, dropped = [], set(), Counter[str]()
    counts: Counter[str] = Counter()
    for one in findings:
        # An id may be spelled with hyphens and without.
        key = one.kind, one.value.replace("-", "") if one.kind == "id" else one.value
        if key in seen:
            continue
        seen.add(key)
        counts[one.kind] += 1
        if counts[one.kind] <= MAX_FINDINGS[one.kind]:
            kept.append(one)
        else:
            dropped[one.kind] += 1
    return kept, dropped
