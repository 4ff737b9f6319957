"""The pages of instances: the list, and one instance with its restores and backups."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import F, OuterRef
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from restores.explain.estimates import format_rough_duration
from restores.filters import InstanceListParams, ListParams
from restores.formatting import format_percent
from restores.instance_history import InstanceHistory
from restores.instance_status import STATE_LABELS, instance_status, next_sync_at
from restores.models import Backup, FormerProject, Instance, Project, Restore
from restores.paginator import NumberedPage, next_url, numbered_page
from restores.permissions import Permission, may
from restores.querysets import RestoreQuerySet, Viewer
from restores.restore_list.counts import COUNT_LIMIT, Capped, CappedCount
from restores.restore_list.empty_state import empty_instance, sync_messages
from restores.restore_list.time_left import time_left
from restores.serializers import RELATED, backup_json, errors_json, instance_json, restore_json
from restores.statuses import IN_PROGRESS, RESTORING, Status
from restores.sync_status import VisibleProject, visible_sync_status
from restores.tables import INSTANCE_FIELDS, InstanceRestoreTable, InstanceTable
from restores.time_zone import show_zone_of
from restores.views.api import JsonAnswer, json_endpoint, revalidated
from restores.views.navigation import (
    canonical_url,
    find_instances,
    instance_url,
    restores_of_backup_url,
)
from restores.views.sync_now import return_url, sync_state

SHOWN = 50
# How many restores and backups the page shows; more of both are one click away.
RESTORES_SHOWN, BACKUPS_SHOWN = 10, 7
# Rows without a time come last, on every database.
NEWEST_FIRST = F("created_at").desc(nulls_last=True), "-pk"


@require_safe
@revalidated
def instance_list(request: HttpRequest) -> HttpResponse:
    """The instances that the user may see, by name, last restore or how current they are."""
    now = timezone.now()
    params = InstanceListParams.parse(request.GET, now)
    context: dict[str, Any] = {"params": params, "states": STATE_LABELS}
    if params.errors:
        return TemplateResponse(request, "instances/list.html", context, status=400)
    if params.canonical_query.lstrip("?") != request.META["QUERY_STRING"]:
        return redirect(request.path + params.canonical_query)
    projects = VisibleProject.visible_to(request.user)
    page = _page(request, params, INSTANCE_FIELDS)
    context |= {
        "page": page,
        "table": InstanceTable(
            page.rows, params, now, stuck=_stuck(page.rows), caption=f"Instances: {page.label}"
        ),
        "project_names": sorted({project.name for project in projects}),
        "customer_names": sorted({project.customer for project in projects} - {""}),
        "not_found": params.not_found(projects),
        "sync_messages": sync_messages(visible_sync_status(request.user, projects), now),
    }
    return TemplateResponse(request, "instances/list.html", context)


@json_endpoint
def instance_list_json(request: HttpRequest) -> JsonAnswer:
    """The same instances as JSON."""
    params = InstanceListParams.parse(request.GET, timezone.now())
    if params.errors:
        return JsonResponse(errors_json(params), status=400)
    page = _page(request, params)
    return {
        "instances": [instance_json(instance) for instance in page.rows],
        "total": page.total,
        "ignored": params.ignored,
        "not_found": params.not_found(Project.objects.visible_to(request.user)),
        "next": next_url(page, request.path),
    }


@require_safe
@revalidated
def instance_detail(request: HttpRequest, instance_id: str) -> HttpResponse:
    """One instance; a page to choose from where projects share its ID."""
    found = find_instances(instance_id, request.user, request.GET)
    if url := canonical_url("instance-detail", (row.instance_id for row in found.rows), request):
        return redirect(url)
    if found.only is None:
        choices = [(row, instance_url(row)) for row in found.rows]
        context: dict[str, Any] = {"instance_id": instance_id, "choices": choices}
        return TemplateResponse(request, "instances/several.html", context)
    instance, now = found.only, timezone.now()
    show_zone_of(request, "", [(instance.project.customer, instance.project.time_zone)])
    others = Instance.objects.visible_to(request.user).filter(instance_id=instance.instance_id)
    others = others.exclude(pk=instance.pk).order_by("project__name")
    former_projects = FormerProject.objects.visible_to(request.user).filter(instance=instance)
    params, list_url = _list_params(instance, now), reverse("restore-list")
    history = InstanceHistory.of(instance, request.user, params.query(), now)
    rows = history.restores[:RESTORES_SHOWN]
    in_progress = [restore for restore in rows if restore.status in IN_PROGRESS]
    left = time_left(in_progress, None, now)
    backups = instance.backups.order_by(*NEWEST_FIRST)
    restored = [
        (backup, number, restores_of_backup_url(backup.backup_id, params.permalink_asof))
        for backup, number in _restored(backups[:SHOWN], request.user)
    ]
    json_url = reverse("instance-detail-json", args=[instance.instance_id])
    sync_button = may(request.user, Permission.SYNC, instance.project)
    ended = {"status": ["failed", "succeed"], "from": "now-90d"}
    context = {
        "instance": instance,
        "instance_url": instance_url(instance),
        "json_url": f"{json_url}?{_query(project=instance.project.name)}",
        "places": _places(instance.project),
        "status": instance_status(instance),
        "current": _current(in_progress[0]) if in_progress else None,
        "current_url": history.url(in_progress[0]) if in_progress else "",
        "details": _details(
            instance,
            former_projects.values_list("project__name", flat=True),
            others.values_list("project__name", flat=True),
        ),
        "next_sync_at": next_sync_at(instance),
        "history": history,
        "last_success_ago": _ago(history.last_success, now),
        "table": InstanceRestoreTable(rows, params, now, time_left=left) if rows else None,
        "all_url": list_url + params.query(),
        "unresolved_url": list_url + params.query(status="failed", recovered="no"),
        "ended_url": list_url + params.query(**ended),
        "empty": empty_instance(instance),
        "backups": restored[:BACKUPS_SHOWN],
        "more_backups": restored[BACKUPS_SHOWN:],
        "backups_total": backups.count(),
        "sync": sync_state(instance, now, button=sync_button),
        "return_url": return_url(request),
    }
    return TemplateResponse(request, "instances/detail.html", context)


@json_endpoint
def instance_detail_json(request: HttpRequest, instance_id: str) -> JsonAnswer:
    """One instance with its newest restores and backups, or every one with this ID."""
    found = find_instances(instance_id, request.user, request.GET)
    if found.only is None:
        return {"instances": [_detail_json(row, request.user) for row in found.rows]}
    return _detail_json(found.only, request.user)


def _page(
    request: HttpRequest, params: InstanceListParams, fields: Sequence[str] = ()
) -> NumberedPage:
    instances = Instance.objects.visible_to(request.user).select_related("project__account")
    instances = instances.only(*fields) if fields else instances
    return numbered_page(params.apply_filters(instances).sorted_by(params.order_by), params)


def _stuck(instances: list[Instance]) -> set[int]:
    """The keys of the instances whose last restore is possibly stuck."""
    last = {row.pk: row.last_restore_id for row in instances if row.last_status in IN_PROGRESS}
    if not last:
        return set()
    stuck = Restore.objects.stuck().filter(instance__in=last)
    found = stuck.values_list("instance_id", "restore_id")
    return {key for key, restore_id in found if last[key] == restore_id}


def _list_params(instance: Instance, now: datetime) -> ListParams:
    """The parameters of the list of the restores of exactly this instance."""
    query = _query(project=instance.project.name, instance=instance.instance_id)
    return ListParams.parse(QueryDict(query), now)


def _places(project: Project) -> list[dict[str, str]]:
    """Customer, project and region of an instance, each with a link to what else is there."""
    instances, restores = reverse("instance-list"), reverse("restore-list")
    name, customer, region = project.name, project.customer, project.region
    places = [
        ("person", "Customer", customer, f"{instances}?{_query(customer=customer)}"),
        ("project", "Project", name, f"{instances}?{_query(project=name)}"),
        ("globe", "Region", region, f"{restores}?{_query(region=region)}"),
    ]
    return [
        {"icon": icon, "label": label, "name": text, "url": url}
        for icon, label, text, url in places
        if text
    ]


def _query(**params: str) -> str:
    return urlencode(params, safe=":/,")


def _ago(restore: Restore | None, now: datetime) -> str:
    """How long ago a restore was created."""
    if restore is None or restore.created_at is None:
        return ""
    return format_rough_duration((now - restore.created_at).total_seconds())


def _current(restore: Restore) -> Status:
    """The status of a restore in progress, with its progress."""
    status = restore.shown_status
    if restore.progress is not None and restore.status == RESTORING.value:
        status = replace(status, word=f"{status.word}, {format_percent(restore.progress)}")
    return status


def _restores(instance: Instance) -> RestoreQuerySet:
    return Restore.objects.filter(instance=instance).select_related(*RELATED)


def _restored(backups: Iterable[Backup], viewer: Viewer) -> list[tuple[Backup, CappedCount]]:
    """These backups, and how many restores of each the user can see."""
    rows = list(backups)
    restores = Restore.objects.visible_to(viewer).filter(backup_id=OuterRef("backup_id"))
    counts = dict(
        Backup.objects.filter(pk__in=[row.pk for row in rows])
        .annotate(restored=Capped(restores))
        .values_list("pk", "restored")
    )
    return [(row, CappedCount(counts.get(row.pk, 0))) for row in rows]


def _details(
    instance: Instance, former_projects: Iterable[str], other_projects: Iterable[str]
) -> list[tuple[str, str]]:
    names = [
        ("Former names", ", ".join(one.name for one in instance.former_names.all())),
        ("Former projects", ", ".join(former_projects)),
        ("Also in", ", ".join(other_projects)),
    ]
    return [
        *((label, text) for label, text in names if text),
        ("Engine", instance.engine),
        ("Specification", instance.spec),
        ("Availability zone", instance.az),
        ("IP", instance.ip),
        ("Domain", instance.domain),
        ("Provider status", instance.status),
    ]


def _detail_json(instance: Instance, viewer: Viewer) -> dict[str, Any]:
    backups = instance.backups.order_by(*NEWEST_FIRST)
    return {
        **instance_json(instance),
        "restores": [restore_json(restore) for restore in _restores(instance).newest(SHOWN)],
        "restores_total": instance.restores.count(),
        "backups": [
            backup_json(backup, min(restored.number, COUNT_LIMIT))
            for backup, restored in _restored(backups[:SHOWN], viewer)
        ],
        "backups_total": backups.count(),
    }
