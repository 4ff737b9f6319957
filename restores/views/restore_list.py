"""The list of restores, its facets, and the same as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from restores.beside import beside
from restores.conditional import list_tag, newest_changes, unless_known
from restores.filters import ListParams, Scope, page_scope, scope_of
from restores.restore_list import listing
from restores.restore_list.counts import CAP, tally
from restores.restore_list.facets import facets
from restores.restore_list.leaf import nearest, next_query
from restores.restore_list.nearby import beginning, nearest_to, unended
from restores.restore_list.panels import panels
from restores.serializers import RELATED, errors_json, sync_status_json, then_and_now_json
from restores.stalled import heartbeat, stalled_since
from restores.sync_status import Coverage
from restores.tables.restores import heads, shown
from restores.views.api import JsonAnswer, json_endpoint, revalidated


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
    marks = {"tag": tag, "stalled": stalled}
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
@revalidated
def facet_list(request: HttpRequest) -> HttpResponse:
    """What the list of the same query string could be narrowed to, with counts."""
    now = timezone.now()
    params = ListParams.parse(request.GET, now)
    context = {"params": params, "panels": panels(Scope(params, request.user), now)}
    if params.errors:
        return TemplateResponse(request, "restores/list.html", context, status=400)
    values = {"facets": facets(params, request.user)}
    return TemplateResponse(request, "restores/facets.html", context | values)


@json_endpoint
def restore_list_json(request: HttpRequest) -> JsonAnswer:
    """One page of the list as JSON, with the time range resolved and the next page's URL."""
    params = ListParams.parse(request.GET, timezone.now())
    if params.errors:
        return JsonResponse(errors_json(params), status=400)
    scope = scope_of(params, request.user)
    # Before the rows: it must not claim more than they hold.
    sync_status = sync_status_json(scope.coverage())
    if scope.past:
        # Up to when the data was complete at that time isn't stored.
        sync_status["complete_to"] = None
    page, source = nearest(params, scope, lambda rows: rows.select_related(*RELATED))
    rows = beside(page.rows, scope.past)
    following = next_query(params, page, rows[-1].then if rows else None, counted=False)
    total = tally(source.restores, more=source is not scope)
    return {
        "restores": [then_and_now_json(row) for row in rows],
        "total": min(total.number, CAP),
        "total_capped": total.capped,
        "time_range": params.resolved_range,
        **sync_status,
        "ignored": params.ignored,
        "not_found": [value for _, value in scope.not_found],
        "next": f"{settings.BASE_URL}{request.path}{following}" if following else None,
    }
