"""Restores, backups and instances as the API writes them, with its regional differences."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from .inventory import Instance, Project
from .restores import Backup, Restore

Json = dict[str, object]
INSTANCE_STATUSES = (
    *("paying", "freezing", "migrating", "flushing", "upgrading", "restoring", "extending"),
    *("creating", "running", "error", "frozen", "createfailed", "restarting"),
)


def restore(each: Restore, project: Project, now: datetime) -> Json:
    """Return the restoration record at ``now``."""
    ended = now >= each.ended_at
    record: Json = {
        "backup_id": each.backup.backup_id,
        "restore_id": each.restore_id,
        "backup_name": _name("backup", each.backup.created_at, project),
        "updated_at": _time(each.ended_at) if ended else None,
        "restore_remark": each.remark,
        "created_at": _time(each.created_at),
        "progress": f"{each.progress(now)}.00",
        "error_code": each.error_code if ended else None,
        "restore_name": _name("restore", each.created_at, project),
        "backup_remark": each.backup.remark,
        "status": each.status(now),
    }
    return _with_absent(record, project, "error_code", "backup_remark")


def backup(each: Backup, instance: Instance, now: datetime) -> Json:
    """Return the backup record at ``now``."""
    ended = now >= each.ended_at
    done = 1.0 if ended else (now - each.created_at) / (each.ended_at - each.created_at)
    record: Json = {
        "period": None,
        "backup_type": each.kind,
        "created_at": _time(each.created_at),
        "remark": each.remark,
        "is_support_restore": "TRUE" if each.status(now) == "succeed" else "FALSE",
        "backup_id": each.backup_id,
        "backup_name": _name("backup", each.created_at, instance.project),
        "instance_id": instance.instance_id,
        "size": each.size if ended else 0,
        "updated_at": _time(each.ended_at) if ended else None,
        "progress": f"{int(100 * done)}.00",
        "error_code": "dcs.08.0008" if each.status(now) == "failed" else None,
        "status": each.status(now),
        "execution_at": _time(each.created_at),
        "backup_format": "aof" if each.kind == "manual" else "rdb",
    }
    return _with_absent(record, instance.project, "period", "error_code")


def instance(each: Instance, status: str) -> Json:
    """Return the instance as the list call writes it, drifting types included."""
    project = each.project
    return {
        "instance_id": each.instance_id,
        "name": each.name,
        "status": status,
        "sub_status": "normal",
        "engine": each.engine,
        "engine_version": each.engine_version,
        "cache_mode": each.mode,
        "spec_code": each.spec_code,
        "capacity": each.gigabytes,
        "capacity_minor": "" if each.gigabytes else ".125",
        "max_memory": each.gigabytes * 1024 or 128,
        "used_memory": each.gigabytes * 300 + 2,
        "ip": each.ip,
        "port": 6379,
        "domain_name": f"redis-{each.instance_id}.dcs.{project.region}.example.com",
        "created_at": _time(each.created_at),
        "updated_at": _time(each.created_at + timedelta(minutes=6)),
        "az_codes": [f"{project.region}a", f"{project.region}b"],
        "vpc_name": f"vpc-{project.name}",
        "user_name": project.account.username,
        "charging_mode": 0,
        "enterprise_project_id": 0,
        "no_password_access": True,
        "publicip_id": {},
        "publicip_address": None,
        "tags": [{"key": 1, "value": "DCS"}],
        "description": f"{project.customer} cache",
        "features": {"support_acl": True, "support_ssl": False},
    }


def detail(each: Instance, status: str) -> Json:
    """Return the instance as the detail call writes it: more fields, ``update_at`` renamed."""
    record = instance(each, status)
    record["update_at"] = record.pop("updated_at")
    record["replica_count"] = 1 if each.mode == "single" else 2
    record["instance_backup_policy"] = {"backup_type": "auto"} if each.restorable else None
    return record


def status_counts(instances: Sequence[tuple[Instance, str]]) -> Json:
    """Return how many instances have each status: in total, and by engine."""

    def counts(*engines: str) -> Json:
        statuses = [status for each, status in instances if each.engine in engines]
        return {f"{name}_count": statuses.count(name.upper()) for name in INSTANCE_STATUSES}

    redis, memcached = counts("Redis"), counts("Memcached")
    return {**counts("Redis", "Memcached"), "redis": redis, "memcached": memcached}


def _time(time: datetime) -> str:
    """Write a time as records have it: UTC, milliseconds, ``Z``."""
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}Z"


def _name(prefix: str, time: datetime, project: Project) -> str:
    # The digits are the customer's local time in some regions, so a client must not read them.
    return f"{prefix}_{time.astimezone(project.zone):%Y%m%d%H%M%S}"


def _with_absent(record: Json, project: Project, *documented: str) -> Json:
    """Write absent values as the region does: null, left out, or ``{}`` where documented so."""
    if project.absent == "{}":
        return {k: {} if v is None and k in documented else v for k, v in record.items()}
    if project.absent == "missing":
        return {key: value for key, value in record.items() if value is not None}
    return record
