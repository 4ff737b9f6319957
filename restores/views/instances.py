"""The instances, and one of them with its restores and backups."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from restores.models import Project
from restores.pages.coverage import coverage_for
from restores.pages.instance import instance_page, instance_page_json
from restores.pages.instances import instance_json, instance_rows, visible_instances
from restores.pages.look import here, look
from restores.pages.matches import instance_url, instances_with
from restores.pages.paging import leaf, next_url
from restores.pages.parameters import InstanceParameters
from restores.restore_list.known import sayings
from restores.views.twin import Answer, fresh, twin


@require_safe
@fresh
def instance_list(request: HttpRequest) -> HttpResponse:
    """The instances that the user may see, by name or by how far they are known."""
    params = InstanceParameters(request.GET)
    context: dict[str, Any] = {"params": params}
    if params.problems:
        return TemplateResponse(request, "instances/list.html", context, status=400)
    if params.canonical() != request.META["QUERY_STRING"]:
        return redirect(f"{request.path}?{params.canonical()}".rstrip("?"))
    instances = visible_instances(request.user)
    page = leaf(params.narrow(instances), params)
    context |= {
        "leaf": page,
        "rows": instance_rows(page.rows),
        "names": Project.objects.visible_to(request.user).names(),
        "missing": params.not_found(request.user),
        "sayings": sayings(coverage_for(request.user), timezone.now()),
    }
    return TemplateResponse(request, "instances/list.html", context)


@twin
def instance_list_json(request: HttpRequest) -> Answer:
    """The same rows as JSON."""
    params = InstanceParameters(request.GET)
    if params.problems:
        return JsonResponse(params.errors_json(), status=400)
    page = leaf(params.narrow(visible_instances(request.user)), params)
    return {
        "instances": [instance_json(instance) for instance in page.rows],
        "total": page.total,
        "ignored": params.ignored,
        "not_found": params.not_found(request.user),
        "next": next_url(page, request.path),
    }


@require_safe
@fresh
def instance_detail(request: HttpRequest, instance_id: str) -> HttpResponse:
    """One instance; where projects share its id, a page to choose from."""
    found = instances_with(instance_id, request.user, request.GET)
    if found.only is None:
        choices = [(row, instance_url(row)) for row in found.rows]
        context: dict[str, Any] = {"instance_id": instance_id, "choices": choices}
        return TemplateResponse(request, "instances/several.html", context)
    context = {
        "page": instance_page(found.only),
        "look": look(found.only, timezone.now()),
        "here": here(request),
    }
    return TemplateResponse(request, "instances/detail.html", context)


@twin
def instance_detail_json(request: HttpRequest, instance_id: str) -> Answer:
    """One instance with its newest restores and its backups, or every one with this id."""
    found = instances_with(instance_id, request.user, request.GET)
    if found.only is None:
        return {"instances": [instance_page_json(row) for row in found.rows]}
    return instance_page_json(found.only)
