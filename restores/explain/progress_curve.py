"""The progress of one restore over time as a curve, if there is enough to draw."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from .estimates import Usual, format_duration
from .summary import format_percent

HEIGHT = 96  # the width is 100; the page stretches both

_GAP = 60  # seconds; a running restore is synced every 9 s
_MIN_POINTS = 3
_STEPS = [60 * minutes for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 240, 720, 1440)]
_MAX_TICKS = 5
_LABEL = 12  # percent of the width that the label of a tick takes
_MAX_AHEAD = 4  # as a multiple of the time so far

Point = tuple[float, float]  # seconds since the start, percent


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedProgress:
    """Progress first seen at ``at``: it changed after ``after``, the sync before it (if any)."""

    at: datetime
    after: datetime | None
    progress: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A time on the axis, ``x`` percent from its start; ``anchor`` is SVG's text-anchor."""

    x: float
    at: datetime
    anchor: str = "middle"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressCurve:
    """The shapes that the template draws; lines and areas are the points of a polyline.

    ``gaps`` are where progress wasn't observed, ``usual`` is the area where it would usually be.
    ``time_format`` is that of the ticks, in Django's letters.
    """

    lines: tuple[str, ...]
    gaps: tuple[str, ...]
    usual: str
    ticks: tuple[Tick, ...]
    time_format: str
    title: str


def draw_progress(
    created_at: datetime | None,
    until: datetime,
    observed: Iterable[ObservedProgress],
    usual: Usual | None,
    *,
    finished: bool,
) -> ProgressCurve | None:
    """Draw the progress from the creation to ``until``; None if there is too little to show.

    It takes three points at two heights; the current position of one in progress is among them.
    """
    states = sorted(observed, key=lambda state: state.at)
    points = len(states) + (not finished)
    if points < _MIN_POINTS or len({state.progress for state in states}) < 2:
        return None
    if created_at is None or until <= created_at:
        return None
    elapsed = (until - created_at).total_seconds()
    length = elapsed
    if usual and not finished:
        length = max(elapsed, min(usual.p90, _MAX_AHEAD * elapsed))
    lines, gaps = _trace(states, created_at, elapsed)
    usual_area = [(0, 0), (usual.p10, 100), (usual.p90 + 1, 100)] if usual else []
    return ProgressCurve(
        lines=tuple(_points(line, length) for line in lines),
        gaps=tuple(_points(gap, length) for gap in gaps),
        usual=_points(usual_area, length),
        ticks=tuple(_ticks(created_at, length)),
        time_format="j M H:i" if length >= 86400 else "H:i" if length >= 600 else "H:i:s",
        title=f"{format_percent(states[-1].progress)} after {format_duration(elapsed)}",
    )


def _trace(
    states: Iterable[ObservedProgress], start: datetime, elapsed: float
) -> tuple[list[list[Point]], list[list[Point]]]:
    """Follow the observations; between two that are far apart there is a gap."""
    lines: list[list[Point]] = [[]]
    gaps: list[list[Point]] = []
    level = 0.0
    for state in states:
        after = min(max(((state.after or start) - start).total_seconds(), 0.0), elapsed)
        at = min(max((state.at - start).total_seconds(), after), elapsed)
        lines[-1].append((after, level))
        if at - after > _GAP:
            gaps.append([(after, level), (at, state.progress)])
            lines.append([])
        lines[-1].append((at, state.progress))
        level = state.progress
    lines[-1].append((elapsed, level))
    return [line for line in lines if len(set(line)) > 1], gaps


def _points(line: Iterable[Point], length: float) -> str:
    pairs = (f"{100 * at / length:.2f},{_y(level):.1f}" for at, level in line)
    return " ".join(dict.fromkeys(pairs))


def _ticks(start: datetime, length: float) -> Iterator[Tick]:
    """Yield the start, full minutes, hours or days if there are few of them, and the end."""
    yield Tick(0, start, "start")
    step = next((step for step in _STEPS if length / step < _MAX_TICKS), None)
    if step:
        since_epoch = (start - datetime.fromtimestamp(0, UTC)).total_seconds()
        for number in range(_MAX_TICKS):
            after = -since_epoch % step + number * step
            if _LABEL < 100 * after / length < 100 - _LABEL:
                yield Tick(round(100 * after / length, 1), start + timedelta(seconds=after))
    yield Tick(100, start + timedelta(seconds=length), "end")


def _y(level: float) -> float:
    return HEIGHT - HEIGHT * min(max(level, 0), 100) / 100
