"""Time ranges of lists: parsed from a URL, moved, named, and written back canonically."""

from .buckets import Buckets, buckets
from .find import FoundTime, Meaning, find_times
from .format import PRESETS, describe_range, edge_texts, range_label
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
from .zones import city, utc_offset
from .zones import find as find_zone
from .zones import matches as find_zones
from .zones import suggest as suggest_zones

__all__ = [
    "ON",
    "PRESETS",
    "Buckets",
    "FoundTime",
    "InvalidTimeRange",
    "Meaning",
    "ParamError",
    "TimeRange",
    "buckets",
    "city",
    "describe_range",
    "edge_texts",
    "find_times",
    "find_zone",
    "find_zones",
    "iso_or_none",
    "next_period",
    "parse",
    "permalink_asof",
    "pin",
    "previous_period",
    "range_label",
    "suggest_zones",
    "to_iso",
    "to_params",
    "utc_offset",
    "zoom_out",
]
