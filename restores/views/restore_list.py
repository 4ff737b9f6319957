"""The list of restores and its twin."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from restores.conditional import list_tag, newest_changes, unless_known
from restores.filters import ListParams, Scope, page_scope, scope_of
from restores.pages.moments import moment
from restores.restore_list import listing
from restores.restore_list.facets import facets
from restores.restore_list.nearby import beginning, nearest_to, unended
from restores.restore_list.panels import panels
from restores.restore_list.twin import listing_json, problems_json
from restores.stalled import heartbeat, stalled_since
from restores.sync_status import Coverage
from restores.tables.restores import heads, shown
from restores.views.twin import Answer, fresh, twin


@require_safe
def restore_list(request: HttpRequest) -> HttpResponseBase:
    """Restores, narrowed, sorted and paged by the query string."""
    now = timezone.now()
    params = ListParams.parse(request.GET, now)
    if params.normalized_query:
        return redirect(request.path + params.normalized_query)
    if params.errors:
        return _answer(request, Scope(params, request.user), now, status=400)
    if params.canonical_query.lstrip("?") != request.META["QUERY_STRING"]:
        return redirect(request.path + params.canonical_query)
    scope = page_scope(params, request.user)
    changes, beats = newest_changes(scope), heartbeat()
    coverage, stalled = scope.coverage(changes, beats), stalled_since(now, beats)
    tag = list_tag(scope, coverage, changes, now=now, stalled=stalled)
    marks = {"tag": tag, "stalled": moment(stalled)}
    return unless_known(request, tag, coverage, lambda: _page(request, scope, coverage, now, marks))


def _page(
    request: HttpRequest, scope: Scope, coverage: Coverage, now: datetime, marks: dict[str, Any]
) -> HttpResponse:
    params = scope.params
    found = listing(params, scope, coverage, now)
    empty = found.absence and not scope.not_found
    more = {
        "listing": found,
        "near": nearest_to(params, request.user) if empty else [],
        "beginning": beginning(params, request.user) if empty else "",
        "unended": unended(params, request.user),
        "scope": scope,
        "heads": heads(params),
        "cols": shown(params),
    }
    return _answer(request, scope, now, more | marks)


def _answer(
    request: HttpRequest,
    scope: Scope,
    now: datetime,
    more: dict[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {"params": scope.params, "panels": panels(scope, now), **(more or {})}
    return TemplateResponse(request, "restores/list.html", context, status=status)


@require_safe
@fresh
def facet_list(request: HttpRequest) -> HttpResponse:
    """What the list of the same query string could be narrowed to, with counts."""
    now = timezone.now()
    params = ListParams.parse(request.GET, now)
    context = {"params": params, "panels": panels(Scope(params, request.user), now)}
    if params.errors:
        return TemplateResponse(request, "restores/list.html", context, status=400)
    values = {"facets": facets(params, request.user)}
    return TemplateResponse(request, "restores/facets.html", context | values)


@twin
def restore_list_json(request: HttpRequest) -> Answer:
    """The same rows as JSON, with the window resolved and the address of the next page."""
    params = ListParams.parse(request.GET, timezone.now())
    if params.errors:
        return JsonResponse(problems_json(params), status=400)
    return listing_json(params, scope_of(params, request.user))
