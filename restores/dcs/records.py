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
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Generic, TypeVar

KNOWN_STATUSES = ("waiting", "restoring", "succeed", "failed")
TERMINAL_STATUSES = ("succeed", "failed")
_BACKUP_STATUSES = ("waiting", "backuping", "succeed", "failed", "expired", "deleted")

MAX_ID_LENGTH = 128
MAX_LABEL_LENGTH = 255
_MAX_COUNT = 2**63 - 1  # the largest integer that a database column holds
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_ISO_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)([.,]\d+)? ?(Z|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII | re.IGNORECASE,
)

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreRecord:
    """One restoration record; absent values are "" or None.

    ``progress`` is in percent; ``raw`` is the record's JSON.
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
    raw: str

    @property
    def ended_at(self) -> datetime | None:
        """The time of the last update, if the status is terminal."""
        return self.updated_at if self.status in TERMINAL_STATUSES else None


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

    ``skipped`` counts rows without a usable id. ``total`` is how many rows exist, by the API's
    account. ``digest`` is a hash of the response; if it is the one that the caller already knew,
    the page is ``unchanged`` and its rows were not parsed.
    """

    rows: tuple[R, ...]
    skipped: int
    total: int | None
    server_time: datetime
    digest: str = ""
    unchanged: bool = False

    @property
    def complete(self) -> bool:
        """True if this single response holds every row there is."""
        return self.total == len(self.rows) + self.skipped


@dataclass(frozen=True, slots=True)
class ListFormat(Generic[R]):
    """The JSON keys of a list response and the parser of its rows."""

    rows_key: str
    total_key: str
    parse_row: Callable[[object], R | None]

    def parse_page(self, body: object, server_time: datetime) -> Page[R] | None:
        """Parse a response body, or return None if it is not such a list."""
        if not isinstance(body, dict) or not (self.rows_key in body or self.total_key in body):
            return None
        listed = body.get(self.rows_key) or []
        if not isinstance(listed, list):
            return None
        rows = tuple(row for row in map(self.parse_row, listed) if row is not None)
        return Page(
            rows=rows,
            skipped=len(listed) - len(rows),
            total=parse_count(body.get(self.total_key)),
            server_time=server_time,
        )


def parse_restore(row: object) -> RestoreRecord | None:
    """Parse one restore, or return None if it has no usable id."""
    if not isinstance(row, dict) or not (restore_id := parse_id(row.get("restore_id"))):
        return None
    return RestoreRecord(
        restore_id=restore_id,
        restore_name=parse_text(row.get("restore_name")),
        backup_id=parse_id(row.get("backup_id")),
        backup_name=parse_text(row.get("backup_name")),
        restore_remark=parse_text(row.get("restore_remark")),
        backup_remark=parse_text(row.get("backup_remark")),
        status=parse_status(row.get("status"), KNOWN_STATUSES),
        progress=parse_percent(row.get("progress")),
        error_code=parse_label(row.get("error_code")),
        created_at=parse_time(row.get("created_at")),
        updated_at=parse_time(row.get("updated_at")),
        raw=to_json(row),
    )


def parse_backup(row: object) -> BackupRecord | None:
    """Parse one backup, or return None if it has no usable id."""
    if not isinstance(row, dict) or not (backup_id := parse_id(row.get("backup_id"))):
        return None
    return BackupRecord(
        backup_id=backup_id,
        backup_name=parse_text(row.get("backup_name")),
        status=parse_status(row.get("status"), _BACKUP_STATUSES),
        backup_type=parse_label(row.get("backup_type")),
        backup_format=parse_label(row.get("backup_format")),
        remark=parse_text(row.get("remark")),
        error_code=parse_label(row.get("error_code")),
        size=parse_count(row.get("size")),
        created_at=parse_time(row.get("created_at")),
        updated_at=parse_time(row.get("updated_at")),
        raw=to_json(row),
    )


def parse_instance(row: object) -> InstanceRecord | None:
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
    """Parse a string of an indexed column, shortened with "…" to ``MAX_LABEL_LENGTH``."""
    text = parse_text(value)
    return text if len(text) <= MAX_LABEL_LENGTH else f"{text[: MAX_LABEL_LENGTH - 1]}…"


def parse_id(value: object) -> str:
    """Parse an id, kept exactly as sent; "" if it is absent, not a scalar or too long."""
    if not isinstance(value, str | int) or isinstance(value, bool):
        return ""
    text = parse_text(value)
    return text if len(text) <= MAX_ID_LENGTH else ""


def parse_status(value: object, known: tuple[str, ...]) -> str:
    """Parse a status: lower case if it is ``known``, otherwise trimmed but verbatim."""
    text = parse_label(value).strip()
    return text.casefold() if text.casefold() in known else text


def parse_count(value: object) -> int | None:
    """Parse a whole number from 0 to the largest that a database column holds."""
    match = re.fullmatch(r"(\d{1,19})(?:\.0*)?", parse_text(value).strip(), re.ASCII)
    number = int(match[1]) if match else None
    return number if number is not None and number <= _MAX_COUNT else None


def parse_percent(value: object) -> float | None:
    """Parse a finite number from 0 to 100."""
    number = _parse_number(value)
    return abs(number) if number is not None and 0 <= number <= 100 else None  # abs: no "-0"


def parse_time(value: object) -> datetime | None:
    """Parse a time as aware UTC: ISO 8601, 13 digits (epoch ms) or 14 (yyyyMMddHHmmss).

    Times without an offset are UTC.
    """
    try:
        time = _parse_time(parse_text(value).strip())
    except (ValueError, OverflowError):
        return None
    # Year 1 is how services written in Go spell "never"; year 9999 overflows in some time zones.
    return time if time is not None and 1 < time.year < 9999 else None


def parse_http_date(value: str | None) -> datetime | None:
    """Parse an HTTP date, as in Date and Retry-After headers, as aware UTC."""
    try:
        time = parsedate_to_datetime(value or "")
        time = time if time.tzinfo else time.replace(tzinfo=UTC)
        return time.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


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
    if text.isascii() and text.isdigit():
        if len(text) == 13:
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(text))
        if len(text) == 14:
            return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    match = _ISO_TIME.fullmatch(text)
    if match is None:
        return None
    date, clock, fraction, offset = match.groups(default="")
    microseconds = f".{fraction[1:7]:0<6}" if fraction else ""
    time = datetime.fromisoformat(f"{date}T{clock}{microseconds}{offset.upper() or 'Z'}")
    return time.astimezone(UTC)
