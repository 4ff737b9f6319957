"""Records of the DCS API as value objects, parsed leniently from JSON.

The published examples contradict the published types: an absent string is null, "", {} or missing,
numbers come as strings and strings as numbers. So the parsers never raise: a row is dropped only if
it has no usable id, and any other value that can't be read counts as absent.

Source: DCS API Reference, ListRestoreRecords, ListBackupRecords and ListInstances
(https://support.huaweicloud.com/intl/en-us/api-dcs/ListRestoreRecords.html).
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Generic, TypeVar

KNOWN_STATUSES = ("waiting", "restoring", "succeed", "failed")
TERMINAL_STATUSES = ("succeed", "failed")
_BACKUP_STATUSES = ("waiting", "backuping", "succeed", "failed", "expired", "deleted")

PAGE_LIMIT = 1000  # the most rows that a list call may request
MAX_ID_LENGTH = 128
MAX_LABEL_LENGTH = 255
MAX_TEXT_LENGTH = 4096
MAX_RAW_SIZE = 64 * 1024  # bytes
MAX_RAW_DEPTH = 20
_MAX_SHOWN = 100  # characters of a time that can't be read
_NEVER = datetime.max.replace(tzinfo=UTC)
_MAX_COUNT = 2**63 - 1  # the largest integer that a database column holds
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
# A time that is ahead of both clocks, ours and the provider's, by more than this is wrong.
_MAX_AHEAD = timedelta(minutes=2)
# A provider's clock that is further behind than this doesn't date what we observe.
_MAX_BEHIND = timedelta(hours=1)
# An offset may be followed by its name, as Go (+0800 CST) and Java (+08:00[Asia/Shanghai]) print
# it, and by the time since a Go program started. A name alone is ambiguous.
_OFFSET = (
    r"\s*(?:(?:Z|UTC?|GMT|(?P<offset>[+-]\d\d(?::?\d\d)?)(?:\s+[A-Z]{1,5})?)"
    r"(?:\[[\w/+-]+\]|\s+m=[+-][\d.]+)?)?"
)
_FORMS = (
    r"(?P<year>\d{4})(?P<dash>[-/.]?)(?P<month>\d\d)(?P=dash)(?P<day>\d\d)(?:T|\s+)"
    r"(?P<hour>\d\d)(?P<colon>:?)(?P<minute>\d\d)(?:(?P=colon)(?P<second>\d\d))?"
    rf"(?:[.,](?P<fraction>\d+))?{_OFFSET}",
    # RFC 1123
    r"(?:[A-Z]{3,9},?\s*)?(?P<day>\d\d?)\s+(?P<name>[A-Z]{3})\s+(?P<year>\d{4})\s+"
    rf"(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d))?{_OFFSET}",
)
_TIMES = tuple(re.compile(form, re.ASCII | re.IGNORECASE) for form in _FORMS)
_EPOCH = re.compile(r"(\d{10})(\d{3}|\d{6}|\d{9})?(?:\.\d+)?", re.ASCII)
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreRecord:
    """One restoration record; absent values are "" or None.

    ``progress`` is in percent; ``raw`` is the record's JSON. A time that was sent but can't be
    true is None, and its ``problem`` says why.
    """

    restore_id: str
    restore_name: str
    backup_id: str
    backup_name: str
    restore_remark: str
    backup_remark: str
    status: str
    progress: float | None
    error_code: str
    created_at: datetime | None
    updated_at: datetime | None
    created_problem: str = ""
    updated_problem: str = ""
    raw: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupRecord:
    """One backup. ``size`` is in bytes, ``raw`` the record's JSON."""

    backup_id: str
    backup_name: str
    status: str
    backup_type: str
    backup_format: str
    remark: str
    error_code: str
    size: int | None
    created_at: datetime | None
    updated_at: datetime | None
    raw: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceRecord:
    """One instance. A single-node one can't be backed up or restored (error code DCS.4086)."""

    instance_id: str
    name: str
    engine: str
    spec: str
    az: str
    ip: str
    domain: str
    status: str
    single_node: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[R]):
    """The rows of one list response.

    ``server_time`` is the provider's clock, ``sent_at`` and ``received_at`` ours. ``skipped``
    counts rows without a usable id. ``total`` is how many rows exist, according to the API,
    ``limit`` how many were requested at most. ``digest`` is a hash of the response; if it is the
    one that the caller already knew, the page is ``unchanged`` and its rows were not parsed.
    """

    rows: tuple[R, ...]
    skipped: int
    total: int | None
    server_time: datetime
    sent_at: datetime | None = None
    received_at: datetime | None = None
    digest: str = ""
    unchanged: bool = False
    limit: int = PAGE_LIMIT

    @property
    def listed_at(self) -> datetime:
        """The time up to which the response lists everything, by the clock that is behind."""
        return min(self.server_time, self.sent_at or self.server_time)

    @property
    def seen_at(self) -> datetime:
        """The time at which we saw its rows: by the provider's clock, or ours if it is far off."""
        if self.received_at is None:
            return self.server_time
        behind = self.received_at - self.server_time
        return self.server_time if timedelta() <= behind <= _MAX_BEHIND else self.received_at

    @property
    def clock_skew(self) -> timedelta:
        """How far the provider's clock is ahead of ours."""
        return self.server_time - (self.received_at or self.server_time)

    @property
    def complete(self) -> bool:
        """True if this single response holds every row there is."""
        return self.total == len(self.rows) + self.skipped


@dataclass(frozen=True, slots=True)
class ListFormat(Generic[R]):
    """The JSON keys of a list response and the parser of its rows."""

    rows_key: str
    total_key: str
    parse_row: Callable[[object, datetime], R | None]

    def parse_page(
        self, body: object, server_time: datetime, our_time: datetime | None = None
    ) -> Page[R] | None:
        """Parse a response body, or return None if it is not such a list.

        No record's time can be later than both clocks, the provider's and ours.
        """
        latest = max(server_time, our_time or server_time) + _MAX_AHEAD
        if not isinstance(body, dict) or not (self.rows_key in body or self.total_key in body):
            return None
        listed = body.get(self.rows_key) or []
        if not isinstance(listed, list):
            return None
        parsed = (self.parse_row(row, latest) for row in listed)
        rows = tuple(row for row in parsed if row is not None)
        return Page(
            rows=rows,
            skipped=len(listed) - len(rows),
            total=parse_count(body.get(self.total_key)),
            server_time=server_time,
        )


def parse_restore(row: object, latest: datetime = _NEVER) -> RestoreRecord | None:
    """Parse one restore, or return None if it has no usable id; no time is after ``latest``."""
    if not isinstance(row, dict) or not (restore_id := parse_id(row.get("restore_id"))):
        return None
    created_at, created_problem = parse_past(row.get("created_at"), latest)
    updated_at, updated_problem = parse_past(row.get("updated_at"), latest)
    return RestoreRecord(
        restore_id=restore_id,
        restore_name=parse_note(row.get("restore_name")),
        backup_id=parse_id(row.get("backup_id")),
        backup_name=parse_note(row.get("backup_name")),
        restore_remark=parse_note(row.get("restore_remark")),
        backup_remark=parse_note(row.get("backup_remark")),
        status=parse_status(row.get("status"), KNOWN_STATUSES),
        progress=parse_percent(row.get("progress")),
        error_code=parse_label(row.get("error_code")),
        created_at=created_at,
        updated_at=updated_at,
        created_problem=created_problem,
        updated_problem=updated_problem,
        raw=raw_json(row),
    )


def parse_backup(row: object, latest: datetime = _NEVER) -> BackupRecord | None:
    """Parse one backup, or return None if it has no usable id; no time is after ``latest``."""
    if not isinstance(row, dict) or not (backup_id := parse_id(row.get("backup_id"))):
        return None
    return BackupRecord(
        backup_id=backup_id,
        backup_name=parse_note(row.get("backup_name")),
        status=parse_status(row.get("status"), _BACKUP_STATUSES),
        backup_type=parse_label(row.get("backup_type")),
        backup_format=parse_label(row.get("backup_format")),
        remark=parse_note(row.get("remark")),
        error_code=parse_label(row.get("error_code")),
        size=parse_count(row.get("size")),
        created_at=parse_past(row.get("created_at"), latest)[0],
        updated_at=parse_past(row.get("updated_at"), latest)[0],
        raw=raw_json(row),
    )


def parse_instance(row: object, _latest: datetime = _NEVER) -> InstanceRecord | None:
    """Parse one instance, or return None if it has no usable id."""
    if not isinstance(row, dict) or not (instance_id := parse_id(row.get("instance_id"))):
        return None
    engine = f"{parse_text(row.get('engine'))} {parse_text(row.get('engine_version'))}"
    spec = parse_label(row.get("spec_code"))
    zones = row.get("az_codes")
    zone_names = map(parse_text, zones if isinstance(zones, list) else [zones])
    return InstanceRecord(
        instance_id=instance_id,
        name=parse_label(row.get("name")),
        engine=parse_label(engine.strip()),
        spec=spec,
        az=parse_label(", ".join(filter(None, zone_names))),
        ip=parse_label(row.get("ip")),
        domain=parse_label(row.get("domain_name")),
        status=parse_label(row.get("status")).strip(),
        single_node=parse_text(row.get("cache_mode")) == "single" or ".single_node." in spec,
    )


RESTORES = ListFormat("restore_record_response", "total_num", parse_restore)
BACKUPS = ListFormat("backup_record_response", "total_num", parse_backup)
INSTANCES = ListFormat("instances", "instance_num", parse_instance)


def parse_text(value: object) -> str:
    """Parse a string; absent values give "", numbers and non-empty containers their JSON."""
    if isinstance(value, str):
        return storable(value)
    if value is None or value == {} or value == []:
        return ""
    return to_json(value)


def parse_label(value: object) -> str:
    """Parse a string of an indexed column, shortened to ``MAX_LABEL_LENGTH``."""
    return shorten(parse_text(value), MAX_LABEL_LENGTH)


def parse_note(value: object) -> str:
    """Parse a name or remark, shortened to ``MAX_TEXT_LENGTH``."""
    return shorten(parse_text(value), MAX_TEXT_LENGTH)


def parse_id(value: object) -> str:
    """Parse an id, kept exactly as sent; "" if it is absent, not a scalar or too long."""
    if not isinstance(value, str | int) or isinstance(value, bool):
        return ""
    text = parse_text(value)
    return text if len(text) <= MAX_ID_LENGTH else ""


def parse_status(value: object, known: tuple[str, ...]) -> str:
    """Parse a status: lower case if it is ``known``, otherwise trimmed but verbatim."""
    text = parse_text(value).strip()
    return text.casefold() if text.casefold() in known else parse_label(text)


def parse_count(value: object) -> int | None:
    """Parse a whole number from 0 to the largest that a database column holds."""
    match = re.fullmatch(r"(\d{1,19})(?:\.0*)?", parse_text(value).strip(), re.ASCII)
    number = int(match[1]) if match else None
    return number if number is not None and number <= _MAX_COUNT else None


def parse_percent(value: object) -> float | None:
    """Parse a finite number from 0 to 100, which may have a comma and a percent sign."""
    if isinstance(value, str):
        value = re.sub(r"\s*[%％]$", "", value.strip())
        value = value if "." in value else value.replace(",", ".", 1)
    number = _parse_number(value)
    return abs(number) if number is not None and 0 <= number <= 100 else None  # abs: no "-0"


def parse_time(value: object) -> datetime | None:
    """Parse a time as aware UTC; without an offset it is UTC.

    ISO 8601 in its common variants, RFC 1123, epochs in seconds (10 digits) to nanoseconds (19),
    and 14 digits (yyyyMMddHHmmss).
    """
    try:
        time = _parse_time(parse_text(value).strip())
    except (ValueError, OverflowError):
        return None
    # The years 1 and 1970 are how services spell "never"; 9999 overflows in some time zones.
    return time if time is not None and 1970 < time.year < 9999 else None


def parse_past(value: object, latest: datetime) -> tuple[datetime | None, str]:
    """Parse a time that lies in the past, or say what is wrong with it."""
    time = parse_time(value)
    if time is None:
        text = " ".join(parse_text(value).split())
        return None, f"unreadable: {shorten(text, _MAX_SHOWN)}" if text else ""
    return (None, implausible(time)) if time > latest else (time, "")


def implausible(time: datetime) -> str:
    """Say that a time can't be true."""
    return f"implausible: {time:%Y-%m-%d %H:%M:%S} UTC"


def parse_http_date(value: str | None) -> datetime | None:
    """Parse an HTTP date, as in Date and Retry-After headers, as aware UTC."""
    try:
        time = parsedate_to_datetime(value or "")
        time = (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
        return time if time.year < 9999 else None  # adding to it would overflow
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def raw_json(row: Mapping[str, object]) -> str:
    """Write a record as JSON of at most ``MAX_RAW_SIZE``; "…" stands for what was cut."""
    cut = {shorten(name, MAX_LABEL_LENGTH): _cut(row[name], MAX_RAW_DEPTH - 1) for name in row}
    text = to_json(cut)
    if len(text.encode()) <= MAX_RAW_SIZE:
        return text
    sizes = {name: len(to_json({name: value}).encode()) for name, value in cut.items()}
    room, kept = MAX_RAW_SIZE - 100, set()
    for name in sorted(sizes, key=sizes.__getitem__):
        room -= sizes[name]
        if room < 0:
            break
        kept.add(name)
    left = {name: value for name, value in cut.items() if name in kept}
    return to_json(left | {"…": f"{len(cut) - len(kept)} larger fields were cut"})


def _cut(value: object, depth: int) -> object:
    """Return a value with its strings shortened and no more than this many levels."""
    if isinstance(value, str):
        return shorten(value, MAX_TEXT_LENGTH)
    if not isinstance(value, dict | list):
        return value
    if depth == 0:
        return "…"
    if isinstance(value, list):
        return [_cut(one, depth - 1) for one in value]
    return {shorten(name, MAX_LABEL_LENGTH): _cut(one, depth - 1) for name, one in value.items()}


def shorten(text: str, length: int) -> str:
    """Cut text to a length, marking the cut with "…"."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def to_json(value: object) -> str:
    """Write compact, storable JSON; "" if the value is nested too deeply."""
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (ValueError, TypeError, RecursionError):
        return ""
    # Drop escaped NULs too, but not the letters "u0000" after an escaped backslash.
    text = re.sub(r"\\(?:u0000|.)", lambda m: "" if m[0] == r"\u0000" else m[0], text)
    return storable(text)


def storable(text: str) -> str:
    """Make text storable in any database: drop NUL, replace lone surrogates."""
    return re.sub("[\ud800-\udfff]", "\ufffd", text.replace("\0", ""))


def _parse_number(value: object) -> float | None:
    if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):
        return None
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _parse_time(text: str) -> datetime | None:
    if match := _EPOCH.fullmatch(text):
        # Of nanoseconds, a float keeps only the microseconds.
        seconds = float(text) / 10 ** len(match[2] or "")
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    if len(text) == 14 and text.isascii() and text.isdigit():
        return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    found = (form.fullmatch(text.replace("−", "-")) for form in _TIMES)
    match = next(filter(None, found), None)
    if match is None:
        return None
    parts = match.groupdict()
    month = parts.get("month") or _MONTHS.index(parts["name"].lower()) + 1
    time = datetime(int(parts["year"]), int(month), int(parts["day"]), tzinfo=UTC)
    # As a sum, because 24:00 ends a day and a leap second is the 60th.
    hour, minute, second = (int(parts[name] or 0) for name in ("hour", "minute", "second"))
    if (hour, minute, second) > (24, 0, 0) or minute > 59 or second > 60:
        return None
    microseconds = int(f"{(parts.get('fraction') or '')[:6]:0<6}")
    time += timedelta(hours=hour, minutes=minute, seconds=second, microseconds=microseconds)
    return time - _offset(parts["offset"] or "+00")


def _offset(text: str) -> timedelta:
    """Return how far an offset such as +08:00, +0800 or +08 is ahead of UTC."""
    hours, minutes = int(text[1:3]), int(text[3:].lstrip(":") or 0)
    if hours > 23 or minutes > 59:
        raise ValueError(text)
    offset = timedelta(hours=hours, minutes=minutes)
    return -offset if text.startswith("-") else offset
