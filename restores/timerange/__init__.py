"""Time ranges of lists: parsed from a URL, moved, named, and written back canonically."""

from .format import PRESETS, describe_range, range_label
from .parse import parse
from .ranges import (
    ON,
    InvalidTimeRange,
    ParamError,
    TimeRange,
    next_period,
    permalink_asof,
    pin,
    previous_period,
    to_iso,
    to_params,
    zoom_out,
)
from .zones import city

# The names before the merge, until every caller uses the new ones.
anchor, canonical, instant, read = permalink_asof, to_params, to_iso, parse
earlier, later, wider, fixed = previous_period, next_period, zoom_out, pin
label, words = range_label, describe_range

__all__ = [
    "ON",
    "PRESETS",
    "InvalidTimeRange",
    "ParamError",
    "TimeRange",
    "anchor",
    "canonical",
    "city",
    "describe_range",
    "earlier",
    "fixed",
    "instant",
    "label",
    "later",
    "next_period",
    "parse",
    "permalink_asof",
    "pin",
    "previous_period",
    "range_label",
    "read",
    "to_iso",
    "to_params",
    "wider",
    "words",
    "zoom_out",
]
