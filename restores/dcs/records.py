"""What the cloud lists, as values of ours: restores, backups, instances, and pages of them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from restores.dcs import values

KNOWN_STATUSES = ("waiting", "restoring", "succeed", "failed")
FINAL = ("succeed", "failed")
_BACKUP_STATUSES = ("waiting", "backuping", "succeed", "failed", "expired", "deleted")

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreRecord:
    """One restoration record; "" and None stand for what the cloud left out."""

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
        """The time of the last change, once nothing can change any more."""
        return self.updated_at if self.status in FINAL else None


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupRecord:
    """One backup; ``size`` in bytes."""

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
    """One instance; a ``single`` one has no replica and can be neither backed up nor restored."""

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
    """One answer of a list: its rows, what could not be read, and when the cloud said so.

    ``digest`` stands for the answer as it came. ``same``: it was the known one, so nobody read it.
    """

    rows: tuple[R, ...]
    skipped: int
    total: int | None
    at: datetime
    digest: str = ""
    same: bool = False

    @property
    def complete(self) -> bool:
        """True when this one answer holds everything there is."""
        return self.total == len(self.rows) + self.skipped


@dataclass(frozen=True, slots=True)
class Listing(Generic[R]):
    """How one of the cloud's lists is spelled."""

    rows: str
    total: str
    parse: Callable[[object], R | None]

    def page(self, body: object, at: datetime) -> Page[R] | None:
        """Read an answer's body; None when it is not this list at all."""
        if not isinstance(body, dict) or not (self.rows in body or self.total in body):
            return None
        listed = body.get(self.rows) or []
        if not isinstance(listed, list):
            return None
        rows = tuple(row for row in map(self.parse, listed) if row is not None)
        total = values.count(body.get(self.total))
        return Page(rows=rows, skipped=len(listed) - len(rows), total=total, at=at)


def parse_restore(row: object) -> RestoreRecord | None:
    """Read one restore; None when it is not an object or has no readable id."""
    if not isinstance(row, dict) or not (restore_id := values.identifier(row.get("restore_id"))):
        return None
    return RestoreRecord(
        restore_id=restore_id,
        restore_name=values.text(row.get("restore_name")),
        backup_id=values.identifier(row.get("backup_id")),
        backup_name=values.text(row.get("backup_name")),
        restore_remark=values.text(row.get("restore_remark")),
        backup_remark=values.text(row.get("backup_remark")),
        status=values.word(row.get("status"), KNOWN_STATUSES),
        progress=values.percent(row.get("progress")),
        error_code=values.label(row.get("error_code")),
        created_at=values.instant(row.get("created_at")),
        updated_at=values.instant(row.get("updated_at")),
        raw=values.json_text(row),
    )


def parse_backup(row: object) -> BackupRecord | None:
    """Read one backup; None when it is not an object or has no readable id."""
    if not isinstance(row, dict) or not (backup_id := values.identifier(row.get("backup_id"))):
        return None
    return BackupRecord(
        backup_id=backup_id,
        backup_name=values.text(row.get("backup_name")),
        status=values.word(row.get("status"), _BACKUP_STATUSES),
        backup_type=values.label(row.get("backup_type")),
        backup_format=values.label(row.get("backup_format")),
        remark=values.text(row.get("remark")),
        error_code=values.label(row.get("error_code")),
        size=values.count(row.get("size")),
        created_at=values.instant(row.get("created_at")),
        updated_at=values.instant(row.get("updated_at")),
        raw=values.json_text(row),
    )


def parse_instance(row: object) -> InstanceRecord | None:
    """Read one instance; None when it is not an object or has no readable id."""
    if not isinstance(row, dict) or not (instance_id := values.identifier(row.get("instance_id"))):
        return None
    spec = values.label(row.get("spec_code"))
    engine = f"{values.text(row.get('engine'))} {values.text(row.get('engine_version'))}"
    return InstanceRecord(
        instance_id=instance_id,
        name=values.label(row.get("name")),
        engine=values.label(engine.strip()),
        spec=spec,
        az=_joined(row.get("az_codes")),
        ip=values.label(row.get("ip")),
        domain=values.label(row.get("domain_name")),
        status=values.label(row.get("status")).strip(),
        single_node=values.text(row.get("cache_mode")) == "single" or ".single_node." in spec,
    )


RESTORES = Listing("restore_record_response", "total_num", parse_restore)
BACKUPS = Listing("backup_record_response", "total_num", parse_backup)
INSTANCES = Listing("instances", "instance_num", parse_instance)


def _joined(value: object) -> str:
    parts = value if isinstance(value, list) else [value]
    return values.label(", ".join(filter(None, map(values.text, parts))))
