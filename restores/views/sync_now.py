"""The "Sync now" button: it makes an instance due, and shows the progress of the sync."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from restores import audit
from restores.audit import Kind
from restores.instance_status import project_sync_error
from restores.models import NO_SYNC_ERROR, Instance
from restores.permissions import Permission, require
from restores.querysets import HEALTHY_KINDS, InstanceQuerySet
from restores.spellings import spellings
from restores.views.navigation import instance_url

# An instance synced more recently than this isn't synced again on request.
MIN_INTERVAL = timedelta(seconds=10)
# The worker wakes up every 5 s; what has been due for longer is waiting for something.
_TICKS = timedelta(seconds=15)
# How long the page says that a requested sync has finished, and when.
_RECENT = timedelta(minutes=1)


@require_POST
def sync_now(request: HttpRequest, instance_id: str) -> HttpResponse:
    """Make one instance due, and return to the page that shows the progress of the sync."""
    instances = Instance.objects.visible_to(request.user).filter(
        instance_id__lower__in=spellings(instance_id), project__name=request.POST.get("project", "")
    )
    if instances.count() != 1:
        raise Http404("Not found, or you don’t have access to it.")
    instance = instances.select_related("project").get()
    require(request.user, Permission.SYNC, instance.project)
    if request_sync(instances, timezone.now()):
        about = f"{instance.project.name}/{instance.instance_id}"
        projects = [instance.project_id]
        audit.record(request, Kind.REQUESTED_SYNC, projects=projects, about=about)
    return redirect(_next_url(request.POST) or instance_url(instance))


def request_sync(instances: InstanceQuerySet, now: datetime) -> int:
    """Make those due that may be synced now, and return how many there were.

    It leaves alone instances that aren't monitored, are due already, are being synced, or were
    synced less than ``MIN_INTERVAL`` ago. One whose syncs are paused after repeated crashes is
    tried again with one attempt counted: the worker then takes it alone, so that it cannot crash
    the sync of others.
    """
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    rested = Q(synced_at=None) | Q(synced_at__lte=now - MIN_INTERVAL)
    available = instances.monitored().filter(free, rested)
    resumed = available.filter(sync_error_kind="parked").update(
        next_sync_at=now, attempts=1, **NO_SYNC_ERROR
    )
    idle = available.filter(Q(next_sync_at=None) | Q(next_sync_at__gt=now))
    return resumed + idle.update(next_sync_at=now)


def return_url(request: HttpRequest) -> str:
    """The page's own URL without ``asof``: a user who syncs wants to see the present."""
    query = request.GET.copy()
    query.pop("asof", None)
    return f"{request.path}?{query.urlencode(safe=':/,')}".rstrip("?")


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncState:
    """The state of syncing one instance, as a page shows it.

    ``unavailable`` is why it can't be synced at all. The sentence is ``text``, the time ``at``
    and ``detail``, then a ``hint`` for users with the ``button``, which only some roles have;
    ``late`` when it waits for more than a tick, ``ready`` when a sync may be requested,
    ``changing`` when the page should soon be read again.
    """

    unavailable: str = ""
    text: str = ""
    at: datetime | None = None
    detail: str = ""
    hint: str = ""
    late: bool = False
    ready: bool = False
    changing: bool = False
    button: bool = False


def sync_state(instance: Instance, now: datetime, *, button: bool) -> SyncState:
    """Describe the sync of an instance from its schedule and the clock.

    ``button`` says whether the page may have one.
    """
    if unavailable := _unavailable(instance):
        return SyncState(unavailable=unavailable)
    state = _scheduled(instance, now)
    return replace(state, button=True) if button else replace(state, ready=False, hint="")


def _scheduled(instance: Instance, now: datetime) -> SyncState:
    due, synced = instance.next_sync_at, instance.synced_at
    if due and synced and due - synced <= MIN_INTERVAL and now - due < _TICKS:
        text = "Updating every few seconds while a restore is running"
        return SyncState(text=text, changing=True)
    if instance.lease_until and instance.lease_until >= now:
        return SyncState(text="Syncing…", changing=True)
    if instance.sync_error_kind == "parked":
        text = "Automatic sync is paused for this instance."
        return SyncState(text=text, hint=" Use Sync now to retry.", late=True, ready=True)
    if due and due <= now:
        return _requested(instance, due, now)
    if synced is None or now - synced > _RECENT:
        return SyncState(ready=True)
    failed = instance.sync_error_kind not in HEALTHY_KINDS
    text = "Last sync failed at" if failed else "Synced at"
    rest = MIN_INTERVAL - (now - synced)
    if rest <= timedelta():
        return SyncState(text=text, at=synced, ready=True)
    hint = f". You can sync again in {ceil(rest.total_seconds())} s."
    return SyncState(text=text, at=synced, hint=hint, changing=True)


def _unavailable(instance: Instance) -> str:
    if not instance.project.monitored:
        return "Can’t sync: this project is no longer monitored."
    if instance.deleted_at:
        return "Can’t sync: the instance has been deleted."
    if instance.single_node:
        return "Not synced: single-node instances can’t be restored."
    return ""


def _requested(instance: Instance, due: datetime, now: datetime) -> SyncState:
    late, detail = False, "; starting shortly"
    error = project_sync_error(instance.project)
    if error and error.blocking:
        label = error.label.lower()
        late, detail = True, f"; waiting until the project can be synced ({label})"
    elif now - due >= _TICKS:
        late, detail = True, "; waiting in the queue"
    return SyncState(text="Sync requested at", at=due, detail=detail, late=late, changing=True)


def _next_url(form: QueryDict) -> str:
    """Where the form's ``next`` leads, if that is one of our pages."""
    url = form.get("next", "")
    ours = url.startswith("/") and url_has_allowed_host_and_scheme(url, allowed_hosts=None)
    return url if ours else ""
