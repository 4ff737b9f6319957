"""Look now: whether somebody may ask for a look at an instance, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.http import Http404, HttpRequest, QueryDict
from django.utils.http import url_has_allowed_host_and_scheme

from restores.looks import REST
from restores.models import Instance
from restores.pages.instances import visible_instances
from restores.pages.moments import Moment, moment
from restores.pages.standing import project_trouble
from restores.querysets import NON_BLOCKING_KINDS, InstanceQuerySet

if TYPE_CHECKING:
    from restores.querysets import Viewer

# A tick, give or take; what is due for longer waits for something.
_SOON = timedelta(seconds=15)
# For so long the page says when the look was that somebody may have waited for.
_SHOWN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a page says of looks at one instance.

    ``never`` is why none can be asked for. ``text`` goes on with the moment ``at`` and with
    ``then``; ``late`` when it waits for more than a tick, ``ready`` when a look may be
    asked for now, ``soon`` when this changes soon.
    """

    never: str = ""
    text: str = ""
    at: Moment | None = None
    then: str = ""
    late: bool = False
    ready: bool = False
    soon: bool = False


def look(instance: Instance, now: datetime) -> Look:
    """Read from the ledger's row and the clock what is to be said of looks."""
    if never := _never(instance):
        return Look(never=never)
    if _by_itself(instance, now):
        return Look(text="Looked at every few seconds: a restore is in progress", soon=True)
    if instance.lease_until and instance.lease_until >= now:
        return Look(text="A look is running", soon=True)
    if instance.sync_error_kind == "parked":
        return Look(text="Not looked at until somebody asks for it", late=True, ready=True)
    if instance.next_sync_at and instance.next_sync_at <= now:
        return _due(instance, instance.next_sync_at, now)
    return _looked(instance, now)


def asked_instances(instance_id: str, project: str, viewer: Viewer) -> InstanceQuerySet:
    """The one visible instance that a form names. Raises Http404."""
    rows = visible_instances(viewer).in_projects([project]).filter(instance_id=instance_id)
    if rows.count() != 1:
        raise Http404("There is none with this id, or you may not see it.")
    return rows


def here(request: HttpRequest) -> str:
    """The page's own address without ``asof``: who asks for a look wants what is now."""
    params = request.GET.copy()
    params.pop("asof", None)
    return f"{request.path}?{params.urlencode(safe=':/,')}".rstrip("?")


def way_back(asked: QueryDict, otherwise: str) -> str:
    """Where a form's ``next`` leads, if that is a page of ours."""
    url = asked.get("next", "")
    safe = url.startswith("/") and url_has_allowed_host_and_scheme(url, allowed_hosts=None)
    return url if safe else otherwise


def _never(instance: Instance) -> str:
    if not instance.project.monitored:
        return "The project is no longer monitored, so no look can be asked for."
    if instance.deleted_at:
        return "The instance is gone, so no look can be asked for."
    if instance.single_node:
        return "A single-node instance cannot be restored, so it is never looked at."
    return ""


def _by_itself(instance: Instance, now: datetime) -> bool:
    """Whether a restore in progress keeps the looks coming, and they do come."""
    due, looked = instance.next_sync_at, instance.synced_at
    return bool(due and looked and due - looked <= REST and now - due < _SOON)


def _due(instance: Instance, due: datetime, now: datetime) -> Look:
    late, then = False, "it begins with the next tick"
    trouble = project_trouble(instance.project)
    if trouble and trouble.words.kind not in NON_BLOCKING_KINDS:
        late, then = True, f"it waits until its project answers again ({trouble.words.label})"
    elif now - due >= _SOON:
        late, then = True, "it waits for its turn"
    return Look(text="Look due since", at=moment(due), then=f"; {then}", late=late, soon=True)


def _looked(instance: Instance, now: datetime) -> Look:
    looked = instance.synced_at
    if looked is None or now - looked > _SHOWN:
        return Look(ready=True)
    failed = "; the look failed" if instance.sync_error_kind else ""
    if now - looked >= REST:
        return Look(text="Looked at", at=moment(looked), then=failed, ready=True)
    again = f"{failed}; it can be asked for again from {looked + REST:%H:%M:%S} UTC on"
    return Look(text="Looked at", at=moment(looked), then=again, soon=True)
