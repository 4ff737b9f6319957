"""The histogram of the restore list: when its restores were created or ended, and how.

It is drawn for as many restores as a list counts; each bar is a link to its part of the list.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from django.db.models import Q
from django.urls import reverse

from restores.bucket_counts import count_by_bucket
from restores.filters import ListParams, Scope
from restores.models import Restore
from restores.querysets import RestoreQuerySet
from restores.restore_list.counts import COUNT_LIMIT
from restores.statuses import group_of
from restores.timerange import TimeRange, range_label, to_iso, to_params

# The times that a list can be drawn by, and their columns.
COLUMNS = {"created": "created_at", "ended": "ended_at"}
# From the bottom to the top of a bar.
KINDS = {
    "succeeded": "Succeeded",
    "recovered": "Recovered",
    "unresolved": "Unresolved",
    "in_progress": "In progress",
    "other": "Other",
}
HEIGHT = 48
_MAX_BARS, _MAX_TICKS = 90, 8
_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_STEPS = (
    *(number * _MINUTE for number in (1, 2, 5, 10, 15, 30)),
    *(number * _HOUR for number in (1, 2, 3, 6, 12)),
    *(number * _DAY for number in (1, 2, 7, 14, 28, 91, 182, 364)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The restores of one kind in a bar."""

    kind: str
    y: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """The restores of one part of the time range; ``x`` and ``width`` are percentages."""

    label: str
    url: str
    total: int
    counts: list[int]
    x: float
    width: float
    parts: list[Part]

    @property
    def text(self) -> str:
        """The bar in words."""
        counted = zip(KINDS.values(), self.counts, strict=True)
        kinds = ", ".join(f"{count:,} {kind.lower()}" for kind, count in counted if count)
        return f"{self.label}: {kinds}" if kinds else self.label


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A mark on the axis, at a percentage."""

    x: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """The bars, empty ones included, and the axis below them."""

    bars: list[Bar]
    ticks: list[Tick]
    kinds: list[str]


def histogram(scope: Scope) -> Histogram | None:
    """Draw the restores of a scope; None if there are more than a list counts."""
    time_range = scope.params.time_range
    if (bounds := _bounds(scope)) is None:
        return Histogram(bars=[], ticks=[], kinds=[])
    start, end = bounds
    step = _step(end - start, _MAX_BARS)
    edges = _edges(start, end, step, time_range.zone)
    counts = _counts(scope, edges)
    if counts.total() > COUNT_LIMIT:
        return None
    numbers: list[Counter[str]] = [Counter() for _ in edges]
    for (bucket, kind), number in counts.items():
        numbers[bucket][kind] += number
    return Histogram(
        bars=list(_bars(scope.params, [*edges, end], numbers)),
        ticks=list(_ticks(start, end, time_range.zone)),
        kinds=list(KINDS.values()),
    )


def _bounds(scope: Scope) -> tuple[datetime, datetime] | None:
    """The start and end of the axis: those of the time range, else of the restores."""
    time_range = scope.params.time_range
    column = COLUMNS[time_range.on]
    start, end = time_range.start, time_range.end or time_range.now
    if start is None:
        dated = _capped(scope).exclude(**{column: None})
        start = dated.order_by(column).values_list(column, flat=True).first()
    return (start, max(end, start + _MINUTE)) if start else None


def _capped(scope: Scope) -> RestoreQuerySet:
    """The rows of a scope up to one above the limit, as the list counts them."""
    order = ["-ended_at"] if scope.params.time_range.on == "ended" else []
    keys = scope.restores.order_by(*order).values("pk")[: COUNT_LIMIT + 1]
    return Restore.objects.filter(pk__in=keys).order_by()


def _counts(scope: Scope, edges: list[datetime]) -> Counter[tuple[int, str]]:
    """Count the rows by bucket and kind."""
    rows, asof = _capped(scope), scope.asof
    column = COLUMNS[scope.params.time_range.on]
    if asof is None:
        return _group(rows, column, edges)
    # Restores that changed since are counted as they were; those recovered since weren’t then.
    found = _group(rows.exclude(pk__in=list(asof.changed_since)), column, edges)
    counts: Counter[tuple[int, str]] = Counter()
    for (bucket, kind), number in found.items():
        counts[bucket, "failed" if kind in ("recovered", "unresolved") else kind] += number
    keys = rows.filter(pk__in=list(asof.changed_since)).values_list("pk", flat=True)
    for state in (asof.changed_since[key].then for key in keys):
        if at := getattr(state, column):
            counts[bisect_right(edges[1:], at), group_of(state.status)] += 1
    unresolved = _group(asof.unresolved(rows), column, edges)
    for bucket, number in [(each, n) for (each, kind), n in counts.items() if kind == "failed"]:
        left = min(number, sum(unresolved[bucket, kind] for kind in ("recovered", "unresolved")))
        counts[bucket, "unresolved"], counts[bucket, "recovered"] = left, number - left
        del counts[bucket, "failed"]
    return +counts


def _group(rows: RestoreQuerySet, column: str, edges: list[datetime]) -> Counter[tuple[int, str]]:
    counts: Counter[tuple[int, str]] = Counter()
    annotated = rows.annotate(unrecovered=Q(recovered_at=None))
    for bucket, group, unrecovered, number in count_by_bucket(
        annotated, column, edges, "status_group", "unrecovered"
    ):
        failed = "unresolved" if unrecovered else "recovered"
        counts[bucket, failed if group == "failed" else group] += number
    return counts


def _step(span: timedelta, most: int) -> timedelta:
    return next((step for step in _STEPS if span / step <= most), _STEPS[-1])


def _edges(start: datetime, end: datetime, step: timedelta, zone: tzinfo) -> list[datetime]:
    """The start, then every multiple of the step of the zone’s clock before the end."""
    day = start.astimezone(zone).date()
    edges = [start]
    if step >= _DAY:
        while (at := _midnight(day, zone)) < end:
            edges += [at] if at > start else []
            day += step
        return edges
    at = _midnight(day, zone)
    at += (start - at) // step * step + step
    while at < end:
        edges.append(at)
        at += step
    return edges


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _bars(params: ListParams, edges: list[datetime], numbers: list[Counter[str]]) -> Iterator[Bar]:
    start, span = edges[0], edges[-1] - edges[0]
    highest = max(map(Counter.total, numbers)) or 1
    for first, last, counts in zip(edges, edges[1:], numbers, strict=False):
        # An open-ended list has no end, nor does its last bar.
        ends = last < edges[-1] or params.time_range.end is not None
        own = _within(params.time_range, first, last if ends else None)
        yield Bar(
            label=range_label(own),
            url=reverse("restore-list") + params.with_time_range(to_params(own)),
            total=counts.total(),
            counts=[counts[kind] for kind in KINDS],
            x=round((first - start) / span * 100, 3),
            width=round((last - first) / span * 100, 3),
            parts=list(_parts(counts, highest)),
        )


def _within(time_range: TimeRange, start: datetime, end: datetime | None) -> TimeRange:
    edges = (to_iso(start), to_iso(end) if end else "")
    return replace(time_range, start=start, end=end, edges=edges)


def _parts(counts: Counter[str], highest: int) -> Iterator[Part]:
    y = float(HEIGHT)
    for kind in KINDS:
        if counts[kind]:
            # One failure among thousands must still be seen.
            height = max(2.0, counts[kind] / highest * (HEIGHT - 2 * len(KINDS)))
            y -= height
            yield Part(kind=kind, y=round(y, 1), height=round(height, 1))


def _ticks(start: datetime, end: datetime, zone: tzinfo) -> Iterator[Tick]:
    span = end - start
    step = _step(span, _MAX_TICKS)
    for at in _edges(start, end, step, zone)[1:]:
        local, x = at.astimezone(zone), (at - start) / span * 100
        if step < _DAY:
            label = f"{local:%H:%M}"
        elif span < 15 * _DAY:
            label = f"{local:%a} {local.day}"
        else:
            label = f"{local.day} {local:%b}{'' if span < 365 * _DAY else f' {local.year}'}"
        # A label needs some room to its right.
        if x < 94:
            yield Tick(x=round(x, 3), label=label)
