"""The list of restores, the values to filter it by, and the same as JSON."""

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
from restores.querysets.asking import together
from restores.restore_list import counts, leaf
from restores.restore_list.counts import CAP, states, tally
from restores.restore_list.empty_state import empty_list, sync_messages, unfinished
from restores.restore_list.facets import facets
from restores.restore_list.leaf import PINNED, Leaf, nearest, next_query, previous_query
from restores.restore_list.live import time_left
from restores.restore_list.toolbar import toolbar
from restores.serializers import RELATED, errors_json, sync_status_json, then_and_now_json
from restores.stalled import heartbeat, stalled_since
from restores.statuses import IN_PROGRESS
from restores.sync_status import Coverage
from restores.tables import RESTORE_FIELDS, RestoreTable
from restores.views.api import JsonAnswer, json_endpoint, revalidated


@require_safe
def restore_list(request: HttpRequest) -> HttpResponseBase:
    """One page of restores, filtered, sorted and paged by the query string."""
    now = timezone.now()
    params = ListParams.parse(request.GET, now)
    if params.normalized_query:
        return redirect(request.path + params.normalized_query)
    if params.errors:
        return _invalid(request, params, now)
    if params.canonical_query.lstrip("?") != request.META["QUERY_STRING"]:
        return redirect(request.path + params.canonical_query)
    scope = page_scope(params, request.user)
    changes, beats = newest_changes(scope), heartbeat()
    coverage, stalled = scope.coverage(changes, beats), stalled_since(now, beats)
    tag = list_tag(scope, coverage, changes, now=now, stalled=stalled)

    def page() -> HttpResponse:
        tools = toolbar(scope, now)
        context = {
            "params": params,
            "scope": scope,
            "tag": tag,
            "stalled": stalled,
            "toolbar": tools,
            "title": f"{tools.time.on}: {tools.time.label}",
            "sync_messages": [] if scope.past else sync_messages(coverage, now),
            "unfinished": unfinished(params, request.user),
            **_rows(scope, coverage, now, caption=f"{tools.time.on.lower()} {tools.time.label}"),
        }
        return TemplateResponse(request, "restores/list.html", context)

    return unless_known(request, tag, coverage, page)


def _invalid(request: HttpRequest, params: ListParams, now: datetime) -> HttpResponse:
    """The page of parameters that cannot be parsed: the forms, the errors and no rows."""
    context = {
        "params": params,
        "toolbar": toolbar(Scope(params, request.user), now),
        "title": "Invalid filters",
    }
    return TemplateResponse(request, "restores/list.html", context, status=400)


def _rows(scope: Scope, coverage: Coverage, now: datetime, caption: str) -> dict[str, Any]:
    """The table with its counts and the links to other pages, or why there is none."""
    params = scope.params
    _ask_at_once(scope)
    page, source = nearest(params, scope, _fields)
    rows = beside(page.rows, scope.past)
    restores = [row.then for row in rows]
    more = source is not scope
    tabs = states(source.any_state, params, more=more)
    table = RestoreTable(
        restores,
        params,
        now,
        caption=caption,
        changed={row.now.pk: row.now for row in rows if row.now},
        pinned=page.pinned,
        in_progress=next(tab for tab in tabs if tab.label == "In progress"),
        time_left=time_left(_estimated(restores, page), scope.past, now),
    )
    current = next((tab.tally for tab in tabs if tab.current), None)
    beyond = not rows and page.earlier
    return {
        "table": table,
        "tabs": tabs,
        "total": current or tally(source.restores, more=more),
        "first": page.first,
        "last": (page.first or 1) + len(rows) - 1,
        "previous": previous_query(params, page, restores[0] if rows else None),
        "next": next_query(params, page, restores[-1] if rows else None),
        "last_page": _last_page(scope) if beyond else "",
        "empty": None if rows or beyond else empty_list(params, scope, coverage, now),
    }


def _fields(rows: Any) -> Any:
    return rows.values_list(*RESTORE_FIELDS, named=True)


def _ask_at_once(scope: Scope) -> None:
    """Ask what the page is going to ask in any case; without a plan it would be asked twice."""
    if scope.restores.plan.key:
        rows = leaf.posed(scope.restores, scope.params, _fields)
        together(*rows, *counts.posed(scope.any_state), *scope.names.values())


def _estimated(restores: list[Any], page: Leaf) -> list[Any]:
    """The restores in progress whose time left is estimated: not all, it takes their history."""
    in_progress = [one for one in restores if one.status in IN_PROGRESS]
    pinned = [one for one in in_progress if one.pk in page.pinned]
    others = [one for one in in_progress if one.created_at and one.pk not in page.pinned]
    # The last are the oldest, which are the likeliest to be stuck.
    return [*pinned, *others[-PINNED:]]


def _last_page(scope: Scope) -> str:
    pages = -(-scope.restores.order_by().count() // scope.params.size)
    return scope.params.query(page=str(max(1, pages)))


@require_safe
@revalidated
def facet_list(request: HttpRequest) -> HttpResponse:
    """The values that the list of the same query string can be filtered by, with counts."""
    now = timezone.now()
    params = ListParams.parse(request.GET, now)
    scope = Scope(params, request.user)
    if params.errors:
        return _invalid(request, params, now)
    context = {"params": params, "toolbar": toolbar(scope, now, facets(params, request.user))}
    return TemplateResponse(request, "restores/facets.html", context)


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
