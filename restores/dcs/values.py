"""Reading single values leniently: what a cloud sends becomes a usable value or an absent one."""

import json
import math
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST_ID = 128
LONGEST_LABEL = 255
_LARGEST_COUNT = 2**63 - 1
_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONE_SURROGATES = re.compile("[\ud800-\udfff]")
_ESCAPES = re.compile(r"\\(?:u0000|.)")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)([.,]\d+)? ?(Z|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII | re.IGNORECASE,
)


def storable(value: str) -> str:
    """Make a text storable in any database: NUL dropped, lone surrogates replaced."""
    if value.isascii() and "\0" not in value:
        return value
    return _LONE_SURROGATES.sub("\ufffd", value.replace("\0", ""))


def text(value: object) -> str:
    """Read a text, "" for an absent one; numbers and filled containers keep their JSON text."""
    if isinstance(value, str):
        return storable(value)
    # The API prints {} where null is meant, in its own examples of several calls.
    if value is None or value == {} or value == []:
        return ""
    return json_text(value)


def label(value: object) -> str:
    """Read a text that is sorted and filtered by; what is too long for an index ends in "…"."""
    found = text(value)
    return found if len(found) <= LONGEST_LABEL else f"{found[: LONGEST_LABEL - 1]}…"


def identifier(value: object) -> str:
    """Read an id, kept as sent; "" when it is missing, not a scalar or too long."""
    if not isinstance(value, str | int) or isinstance(value, bool):
        return ""
    found = text(value)
    return found if len(found) <= LONGEST_ID else ""


def word(value: object, known: tuple[str, ...]) -> str:
    """Read one of the ``known`` words whatever its case, or any other trimmed text as it is."""
    found = label(value).strip()
    return found.casefold() if found.casefold() in known else found


def count(value: object) -> int | None:
    """Read a whole number from 0 up to what a database can hold."""
    digits = re.fullmatch(r"(\d{1,19})(?:\.0*)?", text(value).strip(), re.ASCII)
    number = int(digits[1]) if digits else None
    return number if number is not None and number <= _LARGEST_COUNT else None


def percent(value: object) -> float | None:
    """Read a finite number from 0 to 100."""
    number = _number(value)
    return abs(number) if number is not None and 0 <= number <= 100 else None


def instant(value: object) -> datetime | None:
    """Read a point in time as aware UTC: ISO 8601, 13 digits (ms) or 14 (yyyyMMddHHmmss)."""
    found = text(value).strip()
    try:
        moment = _moment(found)
        # Clouds written in Go send year 1 for "never"; the last year would overflow in some zones.
        return moment if moment is not None and 1 < moment.year < 9999 else None
    except (ValueError, OverflowError):
        return None


def http_date(value: str | None) -> datetime | None:
    """Read the Date or Retry-After header of HTTP as aware UTC."""
    try:
        moment = parsedate_to_datetime(value or "")
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def json_text(value: object) -> str:
    """Write JSON compactly, keys in order, storable; "" when it is nested too deeply to write."""
    try:
        written = _COMPACT(value)
    except (ValueError, TypeError, RecursionError):
        return ""
    if r"\u0000" in written:
        written = _ESCAPES.sub(lambda m: "" if m[0] == r"\u0000" else m[0], written)
    return storable(written)


def _number(value: object) -> float | None:
    if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):
        return None
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _moment(found: str) -> datetime | None:
    if found.isascii() and found.isdigit():
        if len(found) == 13:
            return _EPOCH + timedelta(milliseconds=int(found))
        if len(found) == 14:
            return datetime.strptime(found, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    parts = _TIME.fullmatch(found)
    if parts is None:
        return None
    day, clock, fraction, zone = parts.groups(default="")
    fraction = f".{fraction[1:7]:0<6}" if fraction else ""
    moment = datetime.fromisoformat(f"{day}T{clock}{fraction}{zone.upper() or 'Z'}")
    return moment.astimezone(UTC)
