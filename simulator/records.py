"""Restores, backups and instances as the API prints them, with its habits and its slips."""

from datetime import datetime, timedelta

from .backups import Backup
from .cast import Project
from .fleet import Instance
from .instants import api_time
from .plans import Plan

Printed = dict[str, object]
STATES = (
    *("paying", "freezing", "migrating", "flushing", "upgrading", "restoring", "extending"),
    *("creating", "running", "error", "frozen", "createfailed", "restarting"),
)


def restore(plan: Plan, project: Project, now: datetime) -> Printed:
    """Return the restoration record at ``now``."""
    ended = now >= plan.ends
    record: Printed = {
        "backup_id": plan.backup.backup_id,
        "restore_id": plan.restore_id,
        "backup_name": _name("backup", plan.backup.begins, project),
        "updated_at": api_time(plan.ends) if ended else None,
        "restore_remark": plan.remark,
        "created_at": api_time(plan.begins),
        "progress": f"{plan.progress(now)}.00",
        "error_code": plan.code if ended else None,
        "restore_name": _name("restore", plan.begins, project),
        "backup_remark": plan.backup.remark,
        "status": plan.status(now),
    }
    return _with_absent(record, project, "error_code", "backup_remark")


def backup(each: Backup, instance: Instance, now: datetime) -> Printed:
    """Return the backup record at ``now``."""
    ended = now >= each.ends
    share = 1.0 if ended else (now - each.begins) / (each.ends - each.begins)
    record: Printed = {
        "period": None,
        "backup_type": each.kind,
        "created_at": api_time(each.begins),
        "remark": each.remark,
        "is_support_restore": "TRUE" if each.status(now) == "succeed" else "FALSE",
        "backup_id": each.backup_id,
        "backup_name": _name("backup", each.begins, instance.project),
        "instance_id": instance.instance_id,
        "size": each.size if ended else 0,
        "updated_at": api_time(each.ends) if ended else None,
        "progress": f"{int(100 * share)}.00",
        "error_code": "dcs.08.0008" if each.status(now) == "failed" else None,
        "status": each.status(now),
        "execution_at": api_time(each.begins),
        "backup_format": "aof" if each.kind == "manual" else "rdb",
    }
    return _with_absent(record, instance.project, "period", "error_code")


def instance(each: Instance, status: str) -> Printed:
    """Return the instance as the list call prints it, drifting types included."""
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
        "created_at": api_time(each.created_at),
        "updated_at": api_time(each.created_at + timedelta(minutes=6)),
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


def detail(each: Instance, status: str) -> Printed:
    """Return the instance as the detail call prints it: more fields, another update time's name."""
    record = instance(each, status)
    record["update_at"] = record.pop("updated_at")
    record["replica_count"] = 1 if each.mode == "single" else 2
    record["instance_backup_policy"] = {"backup_type": "auto"} if each.restorable else None
    return record


def status_counts(found: list[tuple[Instance, str]]) -> Printed:
    """Return how many instances are in each state: in all, and by engine."""
    redis = [status for each, status in found if each.engine == "Redis"]
    memcached = [status for each, status in found if each.engine == "Memcached"]
    return {
        **_counts(redis + memcached),
        "redis": _counts(redis),
        "memcached": _counts(memcached),
    }


def _counts(statuses: list[str]) -> Printed:
    return {f"{state}_count": statuses.count(state.upper()) for state in STATES}


def _name(what: str, instant: datetime, project: Project) -> str:
    # The digits are the customer's local time in some regions, so they prove nothing.
    return f"{what}_{instant.astimezone(project.zone):%Y%m%d%H%M%S}"


def _with_absent(record: Printed, project: Project, *documented: str) -> Printed:
    """Write absent values as the region does: null, left out, or ``{}`` where documented so."""
    if project.absent == "{}":
        return {k: {} if v is None and k in documented else v for k, v in record.items()}
    if project.absent == "missing":
        return {key: value for key, value in record.items() if value is not None}
    return record
