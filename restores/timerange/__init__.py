"""Time windows of lists: from, to, tz, asof and on, read from a URL and written back."""

from .reading import read
from .spellings import instant
from .steps import PRESETS, earlier, later
from .window import ON, Problem, Unreadable, Window, canonical
from .wording import label, words

__all__ = [
    "ON",
    "PRESETS",
    "Problem",
    "Unreadable",
    "Window",
    "canonical",
    "earlier",
    "instant",
    "label",
    "later",
    "read",
    "words",
]
