"""The audit log, for superusers and for the admins of projects, and the same rows as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from restores.audit import Kind, audit_rows, visible_events
from restores.csv_export import CHUNK_SIZE, Rows
from restores.filters import AuditParams
from restores.paginator import numbered_page
from restores.permissions import Permission, manages_any, projects_where
from restores.querysets import EventQuerySet, ProjectQuerySet, Viewer
from restores.restore_list.toolbar import time_menu
from restores.tables import AuditTable
from restores.time_zone import show_zone_of
from restores.views.api import revalidated
from restores.views.exports import invalid, plain_text, text_endpoint
from restores.views.files import csv_file

COLUMNS = ("at", "user", "what", "about", "address", "projects")
# Older events are found by a time range, and all are in the CSV.
MAX_LISTED = 10_000
_DENIED = "To read the audit log, you need the admin role in a project. Ask one of its admins."


@require_safe
@revalidated
def audit_log(request: HttpRequest) -> HttpResponse:
    """Who did what, the newest first; an admin sees what is about their projects."""
    if not manages_any(request.user):
        raise PermissionDenied(_DENIED)
    params = AuditParams.parse(request.GET, timezone.now())
    if params.normalized_query:
        return redirect(request.path + params.normalized_query)
    projects = projects_where(request.user, Permission.MANAGE_MEMBERS)
    errors = {error.param: error.reason for error in params.errors}
    context: dict[str, Any] = {
        "params": params,
        "kinds": list(Kind),
        "project_names": list(projects.order_by("name").values_list("name", flat=True).distinct()),
    }
    if params.errors:
        context["time"] = time_menu(params, request.path, params.time_range.now, errors, ())
        return TemplateResponse(request, "audit_log.html", context, status=400)
    if params.canonical_query.lstrip("?") != request.META["QUERY_STRING"]:
        return redirect(request.path + params.canonical_query)
    show_zone_of(request, params.get("tz"))
    page = numbered_page(_events(params, request.user), params, limit=MAX_LISTED)
    context |= {
        "time": time_menu(params, request.path, params.time_range.now, errors, ()),
        "page": page,
        "table": AuditTable(audit_rows(page.rows, request.user), params),
        "not_found": _not_found(params, projects),
        "csv_url": reverse("audit-csv") + params.query(),
        "hidden": [
            (name, value)
            for name, value in params.hidden_fields()
            if name in ("from", "to", "tz", "size")
        ],
        "clear_query": params.query(what=None, user=None, project=None) or "?",
    }
    return TemplateResponse(request, "audit_log.html", context)


@text_endpoint
def audit_log_csv(request: HttpRequest) -> HttpResponseBase:
    """Every event of the list, not just one page."""
    if not manages_any(request.user):
        return plain_text(f"{_DENIED}\n", status=403)
    params = AuditParams.parse(request.GET, timezone.now())
    if params.errors:
        return invalid(params)
    projects = _selected(params, projects_where(request.user, Permission.MANAGE_MEMBERS))
    return csv_file(
        request,
        COLUMNS,
        lambda: _chunks(_events(params, request.user), request.user),
        "audit.csv",
        projects=projects.values_list("pk", flat=True),
    )


def _events(params: AuditParams, user: Viewer) -> EventQuerySet:
    events, time_range = visible_events(user), params.time_range
    if what := params.get("what"):
        events = events.filter(what=what)
    if username := params.get("user"):
        events = events.filter(username=username)
    if params.get("project"):
        projects = projects_where(user, Permission.MANAGE_MEMBERS)
        events = events.about(_selected(params, projects))
    if time_range.start:
        events = events.filter(at__gte=time_range.start)
    if time_range.end:
        events = events.filter(at__lt=time_range.end)
    return events


def _selected(params: AuditParams, projects: ProjectQuerySet) -> ProjectQuerySet:
    name = params.get("project")
    return projects.named(name) if name else projects


def _not_found(params: AuditParams, projects: ProjectQuerySet) -> list[str]:
    return [] if _selected(params, projects).exists() else list(params.getlist("project"))


def _chunks(events: EventQuerySet, reader: Viewer) -> Iterator[Rows]:
    rows = events.iterator(CHUNK_SIZE)
    while chunk := list(islice(rows, CHUNK_SIZE)):
        yield [[getattr(row, column) for column in COLUMNS] for row in audit_rows(chunk, reader)]
