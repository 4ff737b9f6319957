"""Time ranges of lists: parsed from a URL, moved, named, and written back canonically."""

from .format import PRESETS, describe_range, range_label
from .parse import parse
from .ranges import (
    ON,
    InvalidTimeRange,
    ParamError,
    TimeRange,
    iso_or_none,
    next_period,
    permalink_asof,
    pin,
    previous_period,
    to_iso,
    to_params,
    zoom_out,
)
from .zones import city

__all__ = [
    "ON",
    "PRESETS",
    "InvalidTimeRange",
    "ParamError",
    "TimeRange",
    "city",
    "describe_range",
    "iso_or_none",
    "next_period",
    "parse",
    "permalink_asof",
    "pin",
    "previous_period",
    "range_label",
    "to_iso",
    "to_params",
    "zoom_out",
]
