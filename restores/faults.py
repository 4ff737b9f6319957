"""What keeps us from knowing more: failed looks of ours, never the failure of a restore."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from restores.querysets import FINE, InstanceQuerySet, ProjectQuerySet

_TOLD = ("sync_error_kind", "sync_error_message", "sync_error_since", "sync_error_request_id")
_OWN = (*_TOLD, "project__name", "instance_id", "name")
_ABOVE = (*_TOLD, *(f"account__{name}" for name in _TOLD), "name")
_TROUBLED = ~Q(sync_error_kind="", account__sync_error_kind="") | Q(listed_at=None)


@dataclass(frozen=True, slots=True)
class Fault:
    """A failed look of ours, never the failure of a restore."""

    kind: str
    text: str
    since: datetime | None
    request_id: str
    project: str
    instance_id: str = ""
    instance_name: str = ""


def of_projects(projects: ProjectQuerySet, most: int) -> list[Fault]:
    """The faults of projects and of their accounts; never to have been listed is one, too."""
    rows = projects.filter(_TROUBLED).order_by("name", "pk").values_list(*_ABOVE)
    return [_of_project(*row) for row in rows[:most]]


def of_instances(monitored: InstanceQuerySet, most: int) -> list[Fault]:
    """The faults of monitored instances themselves."""
    rows = monitored.faulty().order_by("name", "pk").values_list(*_OWN)
    return [Fault(*row) for row in rows[:most]]


def _of_project(*row: Any) -> Fault:
    own, account, project = row[:4], row[4:8], row[8]
    if not own[0] and not account[0]:
        text = "The project's instances were never listed."
        return Fault(kind="unlisted", text=text, since=None, request_id="", project=project)
    noted = account[0] in FINE and own[0]
    kind, text, since, request_id = own if noted else account
    return Fault(kind, text, since, request_id, project)
