"""Places texts on a drawing so that none covers another: the less important one is left out."""

from collections.abc import Iterable
from dataclasses import dataclass

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


def placed(wanted: Iterable[Label], width: float) -> tuple[Label, ...]:
    """The labels that fit, the first taking precedence over the later."""
    kept: list[Label] = []
    for label in wanted:
        left, right = label.span
        if left >= 0 and right <= width and not any(_collide(label, other) for other in kept):
            kept.append(label)
    return tuple(kept)


def _collide(one: Label, other: Label) -> bool:
    (left, right), (other_left, other_right) = one.span, other.span
    apart = right + 4 <= other_left or other_right + 4 <= left
    return not apart and abs(one.y - other.y) < _HEIGHT
