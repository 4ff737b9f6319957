"""How often an error code occurs: recently, compared with the usual, and for how many customers."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Kind = Literal["none", "here", "mostly_here", "platform_wide", "usual", "several", "one_customer"]

# What is usual is based on this much time before the period.
BASELINE = timedelta(days=30)
# A baseline shorter than this, because records began later, says nothing.
_SHORTEST_BASELINE = timedelta(days=7)
# A platform-wide problem: at least this many restores, this many times as many as usual, and this
# many of them outside the customer that has most. The values are a judgment call.
_MIN_RESTORES, _TIMES_USUAL, _MIN_ELSEWHERE = 3, 3, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A time range that ends now, its name in JSON, and how a list's ``from`` spells its start."""

    name: str
    label: str
    start: str
    length: timedelta


PERIODS = (
    Period(name="1_hour", label="last hour", start="now-1h", length=timedelta(hours=1)),
    Period(name="24_hours", label="last 24 hours", start="now-24h", length=timedelta(hours=24)),
    Period(name="30_days", label="last 30 days", start="now-30d", length=timedelta(days=30)),
)
# Older cases don't matter to any period.
OLDEST = max(period.length for period in PERIODS) + BASELINE


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One restore with the code; ``instance`` is the key of its instance, ``name`` the name."""

    created_at: datetime
    instance: int
    name: str
    customer: str
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Frequency:
    """The restores with a code in one period, and how many there usually are in that time.

    ``usual`` is None where there is nothing to compare with. ``more`` if not all were counted.
    """

    period: Period
    restores: int
    instances: int
    customers: int
    usual: float | None
    more: bool

    @property
    def usually(self) -> str:
        """How many are usual, in words; empty where there is nothing to compare with."""
        if self.usual is None:
            return ""
        if self.usual == 0:
            return "none"
        return "less than 1" if self.usual < 0.95 else f"about {round(self.usual):,}"

    @property
    def unusual(self) -> bool:
        """Whether there are clearly more than usual."""
        return self.restores >= _TIMES_USUAL * (self.usual or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Whether a code affects the whole platform or only a customer, in a word and a sentence."""

    kind: Kind
    text: str

    @property
    def platform_wide(self) -> bool | None:
        """True or False; None if a reader who sees only one customer can't know."""
        return None if self.kind == "one_customer" else self.kind == "platform_wide"


def frequencies(
    cases: Sequence[Case], now: datetime, records_since: datetime | None, *, more: bool
) -> list[Frequency]:
    """Count the cases of each period.

    ``cases`` are the newest; ``more`` if older ones of the last ``OLDEST`` were not read.
    ``records_since`` is when the first restore of any kind was created.
    """
    read_since = min((case.created_at for case in cases), default=None) if more else None
    known_since = max(filter(None, (records_since, read_since)), default=None)
    found = []
    for period in PERIODS:
        start = now - period.length
        recent = [case for case in cases if start <= case.created_at]
        found.append(
            Frequency(
                period=period,
                restores=len(recent),
                instances=len({case.instance for case in recent}),
                customers=len({case.customer for case in recent}),
                usual=_usual(cases, period, start, known_since),
                more=bool(read_since and read_since > start),
            )
        )
    return found


def spread(
    cases: Sequence[Case],
    found: Sequence[Frequency],
    now: datetime,
    customers: Collection[str],
    regions: Collection[str],
) -> Spread:
    """Say whether the code is platform-wide or only here, as far as the reader can see.

    ``customers`` and ``regions`` are those of the projects that the reader can see. A
    platform-wide problem of the last hour or day counts more than what happened since.
    """
    judged = [
        (_kind(one, cases_of, customers), one, cases_of)
        for one in found
        for cases_of in [[case for case in cases if case.created_at >= now - one.period.length]]
        if cases_of
    ]
    if not judged:
        return Spread(kind="none", text="")
    acute = (each for each in judged if each[0] == "platform_wide")
    kind, one, recent = next(acute, judged[0])
    return Spread(kind=kind, text=_sentence(kind, one, recent, customers, regions))


def _usual(
    cases: Sequence[Case], period: Period, end: datetime, known_since: datetime | None
) -> float | None:
    """How many cases the time before the period had, scaled to its length."""
    if known_since is None:
        return None
    start = max(end - BASELINE, known_since)
    length = end - start
    if length < max(_SHORTEST_BASELINE, period.length):
        return None
    before = sum(start <= case.created_at < end for case in cases)
    return before * (period.length / length)


def _kind(one: Frequency, recent: Sequence[Case], customers: Collection[str]) -> Kind:
    per_customer = Counter(case.customer for case in recent)
    elsewhere = len(recent) - max(per_customer.values())
    if len(customers) < 2:
        return "one_customer"
    if len(per_customer) == 1:
        return "here"
    if elsewhere < _MIN_ELSEWHERE and len(recent) >= _MIN_RESTORES:
        return "mostly_here"
    if not one.unusual:
        return "usual"
    acute = one.period.length <= timedelta(days=1) and len(recent) >= _MIN_RESTORES
    return "platform_wide" if acute else "several"


def _sentence(
    kind: Kind,
    one: Frequency,
    recent: Sequence[Case],
    customers: Collection[str],
    regions: Collection[str],
) -> str:
    counted = f"{one.restores:,}{'+' if one.more else ''}"
    restores = f"{counted} restore{'' if one.restores == 1 else 's'} with this code"
    text = f"{restores} in the {one.period.label}{_where(kind, recent, customers)}"
    regions_of = {case.region for case in recent}
    if kind in ("platform_wide", "several") and len(regions_of) == 1 < len(regions):
        text += f", all in {regions_of.pop() or 'one region'}"
    text += f"; usually {one.usually}." if one.usually else "; no earlier data to compare with."
    openings = {
        "here": "One customer: ",
        "mostly_here": "Mostly one customer: ",
        "platform_wide": "Platform-wide: ",
        "usual": "Nothing unusual: ",
        "several": "Several customers: ",
        "one_customer": "",
    }
    if kind == "one_customer":
        text += " You can only see projects of one customer, so others may be affected, too."
    return openings[kind] + text


def _where(kind: Kind, recent: Sequence[Case], customers: Collection[str]) -> str:
    instances = {case.instance: case.name for case in recent}
    per_customer = Counter(case.customer for case in recent)
    (most, number), *others = per_customer.most_common()
    if kind == "mostly_here":
        return f", {number:,} of them for {most}"
    on = f"on {len(instances):,} instances"
    if len(instances) == 1:
        (name,) = instances.values()
        on = f"on {name}"
    if kind == "one_customer":
        return f", {on}"
    if not others:
        return f", {on} of {most}, one of the {len(customers):,} customers you can see"
    all_of = "both" if len(customers) == 2 else f"all {len(customers):,}"
    if len(per_customer) == len(customers):
        return f", {on} of {all_of} customers you can see"
    return f", {on} of {len(per_customer):,} of the {len(customers):,} customers you can see"
