"""Time windows of lists: from, to, tz, asof and on, read from a URL and written back."""

from .reading import read
from .spellings import anchor, instant
from .steps import PRESETS, earlier, fixed, later, wider
from .window import ON, InvalidTimeRange, ParamError, TimeRange, canonical
from .wording import label, words

__all__ = [
    "ON",
    "PRESETS",
    "InvalidTimeRange",
    "ParamError",
    "TimeRange",
    "anchor",
    "canonical",
    "earlier",
    "fixed",
    "instant",
    "label",
    "later",
    "read",
    "wider",
    "words",
]
