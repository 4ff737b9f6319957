"""The pages of instances: the list, and one instance with its restores and backups."""

from __future__ import annotations

from typing import Any

from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from restores.filters import InstanceListParams
from restores.instance_status import STATE_LABELS, instance_status, next_sync_at
from restores.models import Instance, Project, Restore
from restores.paginator import NumberedPage, next_url, numbered_page
from restores.querysets import RestoreQuerySet
from restores.restore_list.empty_state import empty_instance, sync_messages
from restores.serializers import RELATED, backup_json, errors_json, instance_json, restore_json
from restores.sync_status import visible_sync_status
from restores.tables import InstanceTable
from restores.views.api import JsonAnswer, json_endpoint, revalidated
from restores.views.navigation import find_instances, instance_url, restores_url
from restores.views.restore_rows import restore_rows
from restores.views.sync_now import return_url, sync_state

SHOWN = 50


@require_safe
@revalidated
def instance_list(request: HttpRequest) -> HttpResponse:
    """The instances that the user may see, by name or by how far they are known."""
    now = timezone.now()
    params = InstanceListParams.parse(request.GET, now)
    context: dict[str, Any] = {"params": params, "states": STATE_LABELS}
    if params.errors:
        return TemplateResponse(request, "instances/list.html", context, status=400)
    if params.canonical_query.lstrip("?") != request.META["QUERY_STRING"]:
        return redirect(request.path + params.canonical_query)
    projects = Project.objects.visible_to(request.user)
    page = _page(request, params)
    context |= {
        "page": page,
        "table": InstanceTable(
            page.rows, params, _newest_restores(page.rows), caption=f"Instances: {page.label}"
        ),
        "project_names": sorted({project.name for project in projects}),
        "customer_names": sorted({project.customer for project in projects} - {""}),
        "not_found": params.not_found(projects),
        "sync_messages": sync_messages(visible_sync_status(request.user), now),
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
    if found.only is None:
        choices = [(row, instance_url(row)) for row in found.rows]
        context: dict[str, Any] = {"instance_id": instance_id, "choices": choices}
        return TemplateResponse(request, "instances/several.html", context)
    instance, now = found.only, timezone.now()
    restores, backups = _restores(instance), instance.backups.order_by("-created_at", "-pk")
    context = {
        "instance": instance,
        "status": instance_status(instance),
        "details": _details(instance),
        "next_sync_at": next_sync_at(instance),
        "rows": restore_rows(restores.newest(SHOWN), now),
        "restores_total": restores.count(),
        "restores_url": restores_url(instance),
        "empty": empty_instance(instance),
        "backups": backups[:SHOWN],
        "backups_total": backups.count(),
        "sync": sync_state(instance, now),
        "return_url": return_url(request),
    }
    return TemplateResponse(request, "instances/detail.html", context)


@json_endpoint
def instance_detail_json(request: HttpRequest, instance_id: str) -> JsonAnswer:
    """One instance with its newest restores and backups, or every one with this ID."""
    found = find_instances(instance_id, request.user, request.GET)
    if found.only is None:
        return {"instances": [_detail_json(row) for row in found.rows]}
    return _detail_json(found.only)


def _page(request: HttpRequest, params: InstanceListParams) -> NumberedPage:
    instances = Instance.objects.visible_to(request.user).select_related("project__account")
    return numbered_page(params.apply_filters(instances).sorted_by(params.order_by), params)


def _newest_restores(instances: list[Instance]) -> dict[int, Restore]:
    """The newest restore of each instance that has one, in one query."""
    of_one = Restore.objects.filter(instance=OuterRef("pk")).order_by("-created_at", "-pk")
    newest = Instance.objects.filter(pk__in=[row.pk for row in instances]).annotate(
        newest=Subquery(of_one.values("pk")[:1])
    )
    restores = Restore.objects.filter(pk__in=newest.values("newest"))
    return {restore.instance_id: restore for restore in restores}


def _restores(instance: Instance) -> RestoreQuerySet:
    return Restore.objects.filter(instance=instance).select_related(*RELATED)


def _details(instance: Instance) -> list[tuple[str, str]]:
    return [
        ("Customer", instance.project.customer),
        ("Project", instance.project.name),
        ("Region", instance.project.region),
        ("Engine", instance.engine),
        ("Specification", instance.spec),
        ("Availability zone", instance.az),
        ("IP", instance.ip),
        ("Domain", instance.domain),
        ("Provider status", instance.status),
    ]


def _detail_json(instance: Instance) -> dict[str, Any]:
    backups = instance.backups.order_by("-created_at", "-pk")
    return {
        **instance_json(instance),
        "restores": [restore_json(restore) for restore in _restores(instance).newest(SHOWN)],
        "restores_total": instance.restores.count(),
        "backups": [backup_json(backup) for backup in backups[:SHOWN]],
        "backups_total": backups.count(),
    }
