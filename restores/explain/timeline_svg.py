"""The timeline of one restore as numbers for an SVG: queue, progress curve, gaps and end."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from .summary import format_percent

WIDTH, HEIGHT = 860, 92
LEFT, RIGHT = 10, 840
TOP, BASE = 14, 70

_GAP = timedelta(seconds=60)  # a running restore is synced every 9 s
_OUTCOMES = {"failed": "failed", "succeed": "succeeded"}
_TEXT_HEIGHT = 11
_NARROW, _WIDE = 6.2, 11.5  # generous widths of a letter at 11 px: Latin, CJK


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedState:
    """One observation: true at ``at``, not yet at ``after``, the sync before it (if any)."""

    at: datetime
    after: datetime | None
    status: str
    progress: float | None


@dataclass(frozen=True, slots=True)
class Box:
    """A span of the timeline, over its whole height."""

    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Label:
    """A text at a point; ``anchor`` is SVG's text-anchor."""

    x: float
    y: float
    text: str
    anchor: str = "start"

    @property
    def span(self) -> tuple[float, float]:
        """The left and right end of the text, by a generous guess of its width."""
        width = sum(_WIDE if ord(letter) > 0x2E7F else _NARROW for letter in self.text)
        left = self.x - {"start": 0, "middle": width / 2, "end": width}[self.anchor]
        return left, left + width


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineSvg:
    """Everything the template draws; each curve is the ``points`` of a polyline."""

    queued: Box | None
    curves: tuple[str, ...]
    gaps: tuple[Box, ...]
    end: float | None
    outcome: str  # "failed", "succeeded" or ""
    labels: tuple[Label, ...]
    title: str

    @property
    def shows_data(self) -> bool:
        """Whether there is more to see than one gap."""
        return bool(self.queued or self.curves)


def draw(
    created_at: datetime | None,
    ended_at: datetime | None,
    now: datetime,
    observed: Iterable[ObservedState],
) -> TimelineSvg | None:
    """Draw a restore from its observations; None without a start time."""
    states = sorted(observed, key=lambda state: state.at)
    start = created_at or (states[0].at if states else None)
    end = ended_at or now
    if start is None or end < start:
        return None
    trace = _Trace(start, max(end, start + timedelta(seconds=1)), finished=ended_at is not None)
    for state in states:
        trace.add(state)
    trace.close()
    return trace.draw(states[-1].status if states else "")


def fit(labels: Iterable[Label], width: float) -> tuple[Label, ...]:
    """Keep the labels that fit and cover none of those before them."""
    kept: list[Label] = []
    for label in labels:
        left, right = label.span
        if left >= 0 and right <= width and not any(_overlap(label, other) for other in kept):
            kept.append(label)
    return tuple(kept)


@dataclass
class _Trace:
    """Follows the observations from start to end, collecting what each span was."""

    start: datetime
    end: datetime
    finished: bool
    level: float | None = None  # progress so far; None until the restore was seen running
    queued_until: datetime | None = None
    curve: list[tuple[datetime, float]] = field(default_factory=list)
    curves: list[list[tuple[datetime, float]]] = field(default_factory=list)
    gaps: list[tuple[datetime, datetime]] = field(default_factory=list)

    def add(self, state: ObservedState) -> None:
        after = min(max(state.after or self.start, self.start), self.end)
        at = min(max(state.at, after), self.end)
        if state.status == "waiting" and self.level is None:
            self.queued_until = at
            return
        if self.level is None and after > self.start:
            self.queued_until = after
        level = state.progress if state.progress is not None else self.level or 0
        self.curve.append((after, self.level or 0))
        if at - after > _GAP:
            self.gaps.append((after, at))
            self._end_curve()
        self.curve.append((at, level))
        self.level = level

    def close(self) -> None:
        if self.level is not None:
            self.curve.append((self.end, self.level))
        elif self.finished:
            self.gaps.append((self.queued_until or self.start, self.end))
        elif self.queued_until:
            self.queued_until = self.end
        self._end_curve()

    def draw(self, status: str) -> TimelineSvg:
        outcome = _OUTCOMES.get(status, "") if self.finished else ""
        end = outcome or ("finished" if self.finished else "now")
        return TimelineSvg(
            queued=self._box(self.start, self.queued_until) if self.queued_until else None,
            curves=tuple(" ".join(dict.fromkeys(map(self._point, c))) for c in self.curves),
            gaps=tuple(self._box(*gap) for gap in self.gaps),
            end=self._x(self.end) if self.finished else None,
            outcome=outcome,
            labels=fit(self._labels(end), WIDTH),
            title=self._title(end),
        )

    def _end_curve(self) -> None:
        if len(set(self.curve)) > 1:
            self.curves.append(self.curve)
        self.curve = []

    def _labels(self, end: str) -> Iterable[Label]:
        """Yield the labels, the most important first."""
        begin = "queued" if self.queued_until else "created"
        yield Label(LEFT, 86, f"{self._clock(self.start)} {begin}")
        yield Label(RIGHT, 86, f"{self._clock(self.end)} {end}", "end")
        if self.curves:
            at, level = self.curves[-1][-1]
            y = _y(level)
            y = y + 14 if y < TOP + 14 else y - 6
            yield Label(round(self._x(at) - 5, 1), round(y, 1), format_percent(level), "end")
        for begin_at, end_at in self.gaps:
            gap = self._box(begin_at, end_at)
            label = Label(round(gap.x + gap.width / 2, 1), 46, "no data", "middle")
            left, right = label.span
            if right - left <= gap.width - 8:
                yield label
        if self.queued_until and self.level is not None:
            yield Label(
                self._x(self.queued_until), 86, f"{self._clock(self.queued_until)} restoring"
            )

    def _title(self, end: str) -> str:
        parts = [f"{'Queued' if self.queued_until else 'Created'} {self._clock(self.start)}"]
        if self.queued_until and self.level is not None:
            parts.append(f"restoring from {self._clock(self.queued_until)}")
        for begin_at, end_at in self.gaps:
            parts.append(f"no data {self._clock(begin_at)} to {self._clock(end_at)}")
        if self.level is not None:
            parts.append(f"last progress {format_percent(self.level)}")
        return ", ".join([*parts, f"{end} {self._clock(self.end)}"])

    def _clock(self, at: datetime) -> str:
        first, last, at = (one.astimezone(UTC) for one in (self.start, self.end, at))
        day = "" if first.date() == last.date() else f"{at.day} {at:%b} "
        return f"{day}{at:%H:%M:%S}"

    def _x(self, at: datetime) -> float:
        share = (at - self.start) / (self.end - self.start)
        return round(LEFT + (RIGHT - LEFT) * share, 1)

    def _box(self, begin: datetime, end: datetime) -> Box:
        x = self._x(begin)
        return Box(x, round(self._x(end) - x, 1))

    def _point(self, point: tuple[datetime, float]) -> str:
        at, level = point
        return f"{self._x(at):g},{_y(level):g}"


def _y(level: float) -> float:
    return round(BASE - (BASE - TOP) * min(max(level, 0), 100) / 100, 1)


def _overlap(one: Label, other: Label) -> bool:
    (left, right), (other_left, other_right) = one.span, other.span
    apart = right + 4 <= other_left or other_right + 4 <= left
    return not apart and abs(one.y - other.y) < _TEXT_HEIGHT
