"""The DCS calls: instances, their states, backups and restores."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeVar

from . import records
from .answers import NOTHING, Answer, Refused, Request, json_answer, service_error
from .cast import Project
from .fleet import Instance
from .instants import fourteen_digits
from .plans import Order
from .world import World

LONGEST_REMARK = 128
Item = TypeVar("Item")


def instances(request: Request, world: World, project: Project) -> Answer:
    """Answer the list of a project's instances."""
    found = [pair for pair in _listable(request, world, project) if _matches(request, *pair)]
    page = [records.instance(*pair) for pair in _page(request, found)]
    return json_answer(200, {"instance_num": len(found), "instances": page})


def status_counts(request: Request, world: World, project: Project) -> Answer:
    """Answer how many of a project's instances are in each state."""
    return json_answer(200, records.status_counts(_listable(request, world, project)))


def instance_detail(request: Request, world: World, instance: Instance) -> Answer:
    """Answer one instance."""
    statuses = world.statuses(instance.project, request.world_now)
    status = next(status for each, status in statuses if each is instance)
    return json_answer(200, records.detail(instance, status))


def restores(request: Request, world: World, instance: Instance) -> Answer:
    """Answer an instance's restoration records, newest first; 204 when there is none."""
    begin, end = _window(request)
    plans = world.plans(instance, request.world_now)
    found = [plan for plan in plans if begin <= plan.begins <= end]
    page = [
        records.restore(plan, instance.project, request.world_now) for plan in _page(request, found)
    ]
    body = {"restore_record_response": page, "total_num": len(found)}
    return json_answer(200, body) if found else NOTHING


def backups(request: Request, world: World, instance: Instance) -> Answer:
    """Answer an instance's backup records, newest first; 204 when there is none."""
    begin, end = _window(request)
    listed = world.backups(instance, request.world_now)
    found = [backup for backup in listed if begin <= backup.begins <= end]
    page = [records.backup(backup, instance, request.world_now) for backup in _page(request, found)]
    body = {"backup_record_response": page, "total_num": len(found)}
    return json_answer(200, body) if found else NOTHING


def begun_restore(request: Request, world: World, instance: Instance) -> Answer:
    """Begin a restore now, or refuse as the service does."""
    backup_id, remark = _order(request)
    if not instance.restorable:
        return service_error("DCS.4086")
    if len(remark or "") > LONGEST_REMARK:
        return service_error("DCS.4098")
    now = request.world_now
    if any(plan.in_progress(now) for plan in world.plans(instance, now)):
        return service_error("DCS.4097")
    try:
        restore_id = world.begin(instance, now, Order(backup_id=backup_id, remark=remark))
    except LookupError:
        return service_error("DCS.4087")
    return json_answer(200, {"restore_id": restore_id})


def _order(request: Request) -> tuple[str, str | None]:
    try:
        body = json.loads(request.body)
        backup_id, remark = body["backup_id"], body.get("remark")
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise Refused(service_error("DCS.4062", "backup_id")) from error
    if not isinstance(backup_id, str) or not isinstance(remark, str | None):
        raise Refused(service_error("DCS.4062", "remark"))
    return backup_id, remark


def _listable(request: Request, world: World, project: Project) -> list[tuple[Instance, str]]:
    """Return the project's instances with status; failed creations only if asked for."""
    found = world.statuses(project, request.world_now)
    if request.asked("include_failure") == "true":
        return found
    return [pair for pair in found if pair[1] != "CREATEFAILED"]


def _matches(request: Request, instance: Instance, status: str) -> bool:
    known: Mapping[str, str] = {
        "instance_id": instance.instance_id,
        "status": status,
        "ip": instance.ip,
    }
    name = request.asked("name") or ""
    exact = request.asked("name_equal") == "true" and name
    fits = name == instance.name if exact else name in instance.name
    return fits and all(request.asked(key) in (None, "", value) for key, value in known.items())


def _page(request: Request, found: list[Item]) -> list[Item]:
    offset = _number(request, "offset", 0, least=0, most=10**9)
    return found[offset : offset + _number(request, "limit", 10, least=1, most=1000)]


def _number(request: Request, name: str, default: int, *, least: int, most: int) -> int:
    text = request.asked(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and least <= int(text[:12]) <= most):
        raise Refused(service_error("DCS.4800", name))
    return int(text)


def _window(request: Request) -> tuple[datetime, datetime]:
    """Read begin_time and end_time, both inclusive; other spellings are ignored as unknown."""
    begin = _instant(request, "begin_time", datetime.min)
    end = _instant(request, "end_time", datetime.max)
    if end < begin:
        raise Refused(service_error("DCS.4025"))
    return begin, end


def _instant(request: Request, name: str, default: datetime) -> datetime:
    text = request.asked(name)
    if text is None:
        return default.replace(tzinfo=UTC)
    try:
        return fourteen_digits(text)
    except ValueError as error:
        raise Refused(service_error("DCS.4062", name)) from error
