"""The timeline of one restore as plain numbers for an SVG: queue, curve, gaps and end."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from .summary import percentage

WIDTH, HEIGHT = 860, 92
LEFT, RIGHT = 10, 840
TOP, BASE = 14, 70

_BLIND = timedelta(seconds=60)  # looks are 9 s apart while a restore is in progress
_ENDS = {"failed": "failed", "succeed": "succeeded"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One observation: true at ``at``, not yet at ``after``, the last look before (if any)."""

    at: datetime
    after: datetime | None
    status: str
    progress: float | None
    why: str = ""  # why there was no look in between, if there was a long time none


_HEIGHT = 11
_NARROW, _WIDE = 6.2, 11.5  # generous widths at 11 px: Latin, CJK


@dataclass(frozen=True, slots=True)
class Label:
    """A text at a point; ``anchor`` is SVG's text-anchor."""

    x: float
    y: float
    text: str
    anchor: str = "start"

    @property
    def span(self) -> tuple[float, float]:
        """From where to where the text reaches, by a generous guess of its width."""
        width = sum(_WIDE if ord(letter) > 0x2E7F else _NARROW for letter in self.text)
        left = self.x - {"start": 0, "middle": width / 2, "end": width}[self.anchor]
        return left, left + width


@dataclass(frozen=True, slots=True)
class Box:
    """A span of the strip, over its whole height."""

    x: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """Everything the template draws; curves are ``points`` of polylines."""

    queued: Box | None
    curves: tuple[str, ...]
    gaps: tuple[Box, ...]
    end: float | None
    outcome: str  # "failed", "succeeded" or ""
    pin: float | None
    labels: tuple[Label, ...]
    title: str

    @property
    def telling(self) -> bool:
        """Whether it shows more than that nobody looked."""
        return bool(self.queued or self.curves or self.pin is not None)


def strip(
    created: datetime | None,
    ended: datetime | None,
    now: datetime,
    seen: Iterable[Seen],
    pin: tuple[datetime, str] | None = None,
) -> Strip | None:
    """Draw a restore from its observations, ``pin`` marking a moment; None without a time."""
    ordered = sorted(seen, key=lambda one: one.at)
    start = created or (ordered[0].at if ordered else None)
    end = ended or now
    if start is None or end < start:
        return None
    trace = _Trace(start, max(end, start + timedelta(seconds=1)), done=ended is not None)
    for one in ordered:
        trace.add(one)
    trace.finish()
    return trace.drawn(ordered[-1].status if ordered else "", pin)


def placed(wanted: Iterable[Label], width: float) -> tuple[Label, ...]:
    """The labels that fit, the first taking precedence over the later."""
    kept: list[Label] = []
    for label in wanted:
        left, right = label.span
        if left >= 0 and right <= width and not any(_collide(label, other) for other in kept):
            kept.append(label)
    return tuple(kept)


@dataclass
class _Trace:
    """Follows the observations from start to end, collecting what each span was."""

    start: datetime
    end: datetime
    done: bool
    level: float | None = None
    queued_to: datetime | None = None
    curve: list[tuple[datetime, float]] = field(default_factory=list)
    curves: list[list[tuple[datetime, float]]] = field(default_factory=list)
    gaps: list[tuple[datetime, datetime, str]] = field(default_factory=list)

    def add(self, one: Seen) -> None:
        after = min(max(one.after or self.start, self.start), self.end)
        at = min(max(one.at, after), self.end)
        if one.status == "waiting" and self.level is None:
            self.queued_to = at
            return
        if self.level is None and after > self.start:
            self.queued_to = after
        level = one.progress if one.progress is not None else self.level or 0
        self.curve.append((after, self.level or 0))
        if at - after > _BLIND:
            self.gaps.append((after, at, one.why))
            self._break()
        self.curve.append((at, level))
        self.level = level

    def finish(self) -> None:
        if self.level is not None:
            self.curve.append((self.end, self.level))
        elif self.done:
            self.gaps.append((self.queued_to or self.start, self.end, ""))
        elif self.queued_to:
            self.queued_to = self.end
        self._break()

    def drawn(self, status: str, pin: tuple[datetime, str] | None) -> Strip:
        inside = pin is not None and self.start <= pin[0] <= self.end
        outcome = _ENDS.get(status, "") if self.done else ""
        return Strip(
            queued=self._box(self.start, self.queued_to) if self.queued_to else None,
            curves=tuple(" ".join(dict.fromkeys(map(self._point, c))) for c in self.curves),
            gaps=tuple(self._box(begin, end) for begin, end, _ in self.gaps),
            end=self._x(self.end) if self.done else None,
            outcome=outcome,
            pin=self._x(pin[0]) if pin and inside else None,
            labels=placed(self._labels(outcome, pin if inside else None), WIDTH),
            title=self._title(outcome),
        )

    def _break(self) -> None:
        if len(set(self.curve)) > 1:
            self.curves.append(self.curve)
        self.curve = []

    def _labels(self, outcome: str, pin: tuple[datetime, str] | None) -> Iterable[Label]:
        begin = "queued" if self.queued_to else "created"
        yield Label(LEFT, 86, f"{self._clock(self.start)} {begin}")
        yield Label(RIGHT, 86, f"{self._clock(self.end)} {outcome or self._now()}", "end")
        if self.curves:
            at, level = self.curves[-1][-1]
            y = _y(level)
            beside = y + 14 if y < TOP + 14 else y - 6
            yield Label(round(self._x(at) - 5, 1), round(beside, 1), percentage(level), "end")
        if pin:
            yield from self._beside(pin)
        for begin_at, end_at, why in self.gaps:
            yield from self._inside(self._box(begin_at, end_at), why)
        if self.queued_to and self.level is not None:
            x = self._x(self.queued_to)
            yield Label(x, 86, f"{self._clock(self.queued_to)} restoring")

    def _beside(self, pin: tuple[datetime, str]) -> Iterable[Label]:
        x = self._x(pin[0])
        left = Label(x - 6, 24, pin[1], "end")
        yield left if left.span[0] >= 0 else Label(x + 6, 24, pin[1])

    def _inside(self, gap: Box, why: str) -> Iterable[Label]:
        for text in (f"not observed: {why}" if why else "", "not observed"):
            label = Label(round(gap.x + gap.width / 2, 1), 46, text, "middle")
            left, right = label.span
            if text and right - left <= gap.width - 8:
                yield label
                return

    def _title(self, outcome: str) -> str:
        parts = [f"{'Queued' if self.queued_to else 'Created'} {self._clock(self.start)}"]
        if self.queued_to and self.level is not None:
            parts.append(f"restoring from {self._clock(self.queued_to)}")
        for begin, end, _ in self.gaps:
            parts.append(f"not observed {self._clock(begin)} to {self._clock(end)}")
        if self.level is not None:
            parts.append(f"last progress {percentage(self.level)}")
        return ", ".join([*parts, f"{outcome or self._now()} {self._clock(self.end)}"])

    def _now(self) -> str:
        return "ended" if self.done else "now"

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


def _collide(one: Label, other: Label) -> bool:
    (left, right), (other_left, other_right) = one.span, other.span
    apart = right + 4 <= other_left or other_right + 4 <= left
    return not apart and abs(one.y - other.y) < _HEIGHT
