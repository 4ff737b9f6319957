"""What is monitored, how far it is known, and what keeps us from knowing more."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from restores.pages.coverage import (
    account_rows,
    coverage_for,
    instance_coverage_json,
    project_rows,
    visible_projects,
)
from restores.pages.instances import instance_rows, visible_instances
from restores.pages.paging import leaf, next_url
from restores.pages.parameters import CoverageParameters
from restores.restore_list.known import sayings
from restores.stalled import stalled_since
from restores.timerange import instant
from restores.views.twin import Answer, fresh, twin


@require_safe
@fresh
def coverage(request: HttpRequest) -> HttpResponse:
    """Accounts, projects and instances, trouble first."""
    params = CoverageParameters(request.GET)
    context: dict[str, Any] = {"params": params}
    if params.problems:
        return TemplateResponse(request, "coverage.html", context, status=400)
    if params.canonical() != request.META["QUERY_STRING"]:
        return redirect(f"{request.path}?{params.canonical()}".rstrip("?"))
    now = timezone.now()
    instances = visible_instances(request.user)
    projects = visible_projects(request.user)
    page = leaf(params.narrow(instances), params)
    context |= {
        "leaf": page,
        "rows": instance_rows(page.rows),
        "accounts": account_rows(projects, now),
        "projects": project_rows(projects),
        "names": sorted({project.name for project in projects}),
        "missing": params.not_found(request.user),
        "sayings": sayings(coverage_for(request.user), now),
    }
    return TemplateResponse(request, "coverage.html", context)


@twin
def coverage_json(request: HttpRequest) -> Answer:
    """The same as JSON."""
    params = CoverageParameters(request.GET)
    if params.problems:
        return JsonResponse(params.errors_json(), status=400)
    instances = visible_instances(request.user)
    projects = visible_projects(request.user)
    page = leaf(params.narrow(instances), params)
    now = timezone.now()
    complete_to, stalled = coverage_for(request.user).complete_to, stalled_since(now)
    return {
        "complete_to": complete_to and instant(complete_to),
        "collector_stalled_since": stalled and instant(stalled),
        "accounts": [row.json() for row in account_rows(projects, now)],
        "projects": [row.json() for row in project_rows(projects)],
        "instances": [instance_coverage_json(instance) for instance in page.rows],
        "total": page.total,
        "ignored": params.ignored,
        "not_found": params.not_found(request.user),
        "next": next_url(page, request.path),
    }
