"""How the restores of a time range ended, by day or hour: counted, and drawn as a bar chart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.urls import reverse

from restores.bucket_counts import count_by_bucket
from restores.filters import Scope
from restores.restore_list.counts import CappedCount
from restores.statuses import FAILED, GROUPS, IN_PROGRESS, OTHER, SUCCEEDED
from restores.timerange import Buckets, buckets, to_iso

# Outcomes of restores, from the bottom to the top of a bar: the name, and the filters of a list.
OUTCOMES: dict[str, tuple[str, dict[str, str | Sequence[str]]]] = {
    "succeeded": ("Succeeded", {"status": SUCCEEDED.value}),
    "recovered": ("Failed, then recovered", {"status": FAILED.value, "recovered": "yes"}),
    "unresolved": ("Unresolved", {"status": FAILED.value, "recovered": "no"}),
    "in_progress": ("In progress", {"status": IN_PROGRESS}),
    "other": ("Other", {"status": OTHER}),
}
# The drawing in pixels: above the highest bar there is room for its number.
HEIGHT, _TOP, _LEAST, _GAP = 156, 14, 2.0, 1.0
# The share of its column that a bar fills, and what fits: rules above the axis, labels below it.
_BAR, _RULES, _MAX_DAYS, _MAX_HOURS = 0.62, 4, 16, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """The restores of a project that failed with an error code in a bucket, resolved or not."""

    code: str
    project: int
    unresolved: bool
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """How many restores of a range had which of the ``OUTCOMES``, in total and in each bucket."""

    buckets: Buckets
    by_bucket: Sequence[Counter[str]]
    total: Counter[str]
    failures: Sequence[Failures]

    @property
    def failed(self) -> int:
        """How many failed, recovered or not."""
        return self.total["recovered"] + self.total["unresolved"]


def count_outcomes(scope: Scope, zone: ZoneInfo) -> Outcomes:
    """Count the restores of a scope by outcome and by day or hour of the zone, in two queries."""
    time_range = scope.params.time_range
    start = time_range.start or time_range.now
    divided = buckets(start, time_range.end, zone, now=time_range.now)
    by_bucket: list[Counter[str]] = [Counter() for _ in divided.starts]
    # An index that begins with the status group holds everything that is counted.
    groups = [group for group in (*GROUPS, OTHER) if group != "failed"]
    others = scope.any_status.filter(status_group__in=groups)
    starts = divided.starts
    for bucket, group, number in count_by_bucket(others, "created_at", starts, "status_group"):
        by_bucket[bucket][group] += number
    failures = []
    failed = scope.any_status.failed().annotate(unrecovered=Q(recovered_at=None))
    for bucket, code, project, unresolved, number in count_by_bucket(
        failed, "created_at", starts, "error_code", "project", "unrecovered"
    ):
        by_bucket[bucket]["unresolved" if unresolved else "recovered"] += number
        failures.append(
            Failures(code=code, project=project, unresolved=bool(unresolved), number=number)
        )
    total = sum(by_bucket, Counter())
    return Outcomes(buckets=divided, by_bucket=by_bucket, total=total, failures=failures)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomePart:
    """The restores of a bar with one outcome: how many, their list, and a rectangle."""

    outcome: str
    name: str
    count: CappedCount
    url: str
    y: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeBar:
    """The restores of one day or hour; ``left``, ``middle`` and ``width`` are percentages.

    ``parts`` are all the outcomes; those without restores have no height. ``hatched`` is the
    height above the bar, for a bucket whose data isn't complete yet.
    """

    label: str
    weekday: str
    name: str
    count: CappedCount
    url: str
    parts: Sequence[OutcomePart]
    failed: int
    left: float
    middle: float
    width: float
    top: float
    complete: bool
    current: bool

    @property
    def number_y(self) -> float:
        """The y of the number of failures, just above the bar or its hatched area."""
        return round((_TOP if self.hatched else self.top) - 4, 1)

    @property
    def hatched(self) -> float:
        """The height of the hatched area above a bar."""
        return 0 if self.complete else max(0.0, round(self.top - _TOP - _GAP, 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """The bars, their sum, and the rules behind them: the number that each marks, and its y."""

    bars: Sequence[OutcomeBar]
    parts: Sequence[OutcomePart]
    rules: Sequence[tuple[int, float]]
    hourly: bool
    complete: bool
    dense: bool


def chart(found: Outcomes, scope: Scope, zone: ZoneInfo, complete_to: datetime | None) -> Chart:
    """Draw a bar for each bucket, with links to the restores that it counts."""
    # A tenth above the highest bar, or nobody would see that it isn't complete.
    step = _step(ceil(1.1 * max(counts.total() for counts in found.by_bucket)))
    scale = (HEIGHT - _TOP) / (step * _RULES)
    drawer = _Drawer(found, scope, zone, complete_to, scale)
    bars = list(drawer.bars())
    total = drawer.parts(found.total, {})
    return Chart(
        bars=bars,
        parts=total,
        rules=[(step * n, round(HEIGHT - step * n * scale, 1)) for n in range(_RULES, -1, -1)],
        hourly=found.buckets.hourly,
        complete=all(bar.complete for bar in bars),
        dense=len(bars) > _MAX_DAYS,
    )


@dataclass(frozen=True, slots=True)
class _Drawer:
    found: Outcomes
    scope: Scope
    zone: ZoneInfo
    complete_to: datetime | None
    scale: float

    def bars(self) -> Iterator[OutcomeBar]:
        number, now = len(self.found.by_bucket), self.scope.params.time_range.now
        hourly = self.found.buckets.hourly
        every = -(-number // (_MAX_HOURS if hourly else _MAX_DAYS))
        spans = zip(self.found.buckets.spans, self.found.by_bucket, strict=True)
        for index, ((start, end), counts) in enumerate(spans):
            edges = {"from": to_iso(start), "to": to_iso(end) if end else None}
            parts = self.parts(counts, edges)
            current = index == number - 1 and (end is None or end > now)
            # Counted from the last, whose label needs more room: it may be "Today".
            distance = number - 1 - index
            labeled = distance % every == 0 and not distance == every > 1
            yield OutcomeBar(
                label=self._label(start, current=current) if labeled else "",
                weekday="" if hourly else f"{start.astimezone(self.zone):%a}",
                name=self._name(start),
                count=CappedCount(counts.total()),
                url=self._url(edges),
                parts=parts,
                failed=counts["recovered"] + counts["unresolved"],
                left=round(100 * (index + (1 - _BAR) / 2) / number, 3),
                middle=round(100 * (index + 0.5) / number, 3),
                width=round(100 * _BAR / number, 3),
                top=min((part.y for part in parts if part.height), default=float(HEIGHT)),
                complete=bool(self.complete_to and self.complete_to >= (end or now)),
                current=current,
            )

    def parts(self, counts: Counter[str], edges: dict[str, str | None]) -> list[OutcomePart]:
        """The outcomes on top of each other, with the lists of a bucket or of the whole range."""
        parts, y = [], float(HEIGHT)
        for outcome, (name, filters) in OUTCOMES.items():
            number, height = counts[outcome], 0.0
            if number:
                # One failure among thousands must still be seen.
                height = max(_LEAST, round(number * self.scale, 1))
                y = round(y - height, 1)
            part = OutcomePart(
                outcome=outcome,
                name=name,
                count=CappedCount(number),
                url=self._url({**edges, **filters}) if number else "",
                y=y,
                height=height,
            )
            if number:
                y -= _GAP
            if outcome != "other" or self.found.total[outcome]:
                parts.append(part)
        return parts

    def _url(self, changed: dict[str, Any]) -> str:
        return reverse("restore-list") + self.scope.params.query(**changed)

    def _label(self, start: datetime, *, current: bool) -> str:
        local = start.astimezone(self.zone)
        if self.found.buckets.hourly:
            return f"{local:%H}:00"
        return "Today" if current else str(local.day)

    def _name(self, start: datetime) -> str:
        local = start.astimezone(self.zone)
        day = f"{local:%a} {local.day} {local:%b}"
        if self.found.buckets.hourly:
            return f"{day}, {local:%H:%M}"
        # The first day may have begun before the range.
        return f"{day} from {local:%H:%M}" if local.hour or local.minute else day


def _step(highest: int) -> int:
    """The distance between rules: a round number, so that they reach the highest bar."""
    least = max(1, -(-highest // _RULES))
    power = 10 ** (len(str(least)) - 1)
    return next(n * power for n in (1, 2, 3, 4, 5, 6, 8, 10) if n * power >= least)
