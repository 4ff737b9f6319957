"""The list of restores, the values to filter it by, and both as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from restores.asof import then_and_now
from restores.conditional import list_etag, unless_unchanged
from restores.filters import ListParams, Scope
from restores.models import Restore
from restores.restore_list.counts import COUNT_LIMIT, count, count_tabs
from restores.restore_list.empty_state import empty_list, sync_messages, undated, unfinished
from restores.restore_list.facets import facets
from restores.restore_list.histogram import COLUMNS, histogram
from restores.restore_list.pagination import PINNED, next_query, paginate, previous_query
from restores.restore_list.time_left import time_left
from restores.restore_list.toolbar import (
    ON_LABELS,
    range_days,
    range_in_words,
    toolbar,
    unclear,
)
from restores.serializers import (
    RELATED,
    errors_json,
    found_id_json,
    moved_json,
    sync_status_json,
    then_and_now_json,
)
from restores.statuses import IN_PROGRESS
from restores.sync_status import SyncStatus, stalled_sync
from restores.tables import RESTORE_FIELDS, SNAPSHOT_FIELDS, RestoreTable, shown_columns
from restores.time_zone import show_zone_of
from restores.timerange import range_label
from restores.views.api import JsonAnswer, json_endpoint, revalidated

TOO_MANY = f"Too many restores for a histogram (max. {COUNT_LIMIT:,}). Choose a shorter time range."


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
    scope = Scope(params, request.user)
    show_zone_of(request, params.get("tz"), scope.customer_zones)
    # Before the rows: it must not claim more than they hold.
    sync_status, stalled = scope.sync_status(), stalled_sync(now)
    histogram_on = request.COOKIES.get("histogram") != "off"
    etag = list_etag(scope, sync_status, now=now, stalled=stalled, histogram=histogram_on)

    def page() -> HttpResponse:
        tools = toolbar(scope, now)
        caption = f"Restores, {tools.time.on.lower()} {tools.time.label}"
        context = {
            "params": params,
            "scope": scope,
            "tag": etag,
            "stalled": stalled,
            "toolbar": tools,
            "title": f"{tools.time.on}: {tools.time.label}",
            "sync_messages": [] if scope.asof else sync_messages(sync_status, now),
            "unfinished": unfinished(params, request.user),
            "undated": undated(params, scope),
            "histogram_on": histogram_on,
            "histogram": _histogram_urls(params) if histogram_on else None,
            "too_many": TOO_MANY,
            **_rows(scope, sync_status, now, caption),
        }
        return TemplateResponse(request, "restores/list.html", context)

    return unless_unchanged(request, etag, sync_status, page)


def _histogram_urls(params: ListParams) -> dict[str, str] | None:
    """The URLs of the histogram of a list: for its script, and as of now for a link."""
    if params.time_range.on not in COLUMNS:
        return None
    query = params.permalink_query if params.time_range.asof else params.live_query
    url = reverse("histogram")
    return {"url": url + query, "link": url + params.query()}


@require_safe
@revalidated
def histogram_page(request: HttpRequest) -> HttpResponse:
    """When the restores of the list with the same query string were created, or ended."""
    now = timezone.now()
    params = ListParams.parse(request.GET, now)
    if params.errors:
        return _invalid(request, params, now)
    on, drawn, reason = params.time_range.on, None, ""
    if on not in COLUMNS:
        reason = "The histogram is only available by creation or finish time."
    elif (drawn := histogram(Scope(params, request.user))) is None:
        reason = TOO_MANY
    context = {
        "params": params,
        "histogram": drawn,
        "reason": reason,
        "title": f"{ON_LABELS[on][0]}: {range_label(params.time_range)}",
    }
    return TemplateResponse(request, "restores/histogram.html", context)


def _invalid(request: HttpRequest, params: ListParams, now: datetime) -> HttpResponse:
    """The page of parameters that cannot be parsed: the forms, the errors and no rows."""
    context = {
        "params": params,
        "toolbar": toolbar(Scope(params, request.user), now),
        "title": "Invalid filters",
    }
    return TemplateResponse(request, "restores/list.html", context, status=400)


def _rows(scope: Scope, sync_status: SyncStatus, now: datetime, caption: str) -> dict[str, Any]:
    """The table with its counts and the links to other pages, or why there is none."""
    params = scope.params
    fields = (*RESTORE_FIELDS, *SNAPSHOT_FIELDS) if scope.asof else RESTORE_FIELDS
    fetch = Restore.objects.select_related("instance", "project").only(*fields)
    if "downtime" in shown_columns(params):
        # Estimates need to know how fresh a restore in progress is.
        fetch = Restore.objects.select_related(*RELATED).defer("raw", "search")
    page = paginate(scope, fetch)
    rows = then_and_now(page.rows, scope.asof)
    restores = [row.then for row in rows]
    # A restore may have ended since its key was read.
    pinned = {one.pk for one in restores if one.pk in page.pinned and one.status in IN_PROGRESS}
    tabs = count_tabs(scope, recent=page.recent)
    table = RestoreTable(
        restores,
        params,
        now,
        caption=caption,
        changed={row.now.pk: row.now for row in rows if row.now},
        pinned=pinned,
        in_progress=next(tab for tab in tabs if tab.label == "In progress"),
        time_left=time_left(_estimated(restores, pinned), scope.asof, now),
    )
    current = next((tab.count for tab in tabs if tab.current), None)
    beyond = not rows and page.has_previous
    return {
        "table": table,
        "tabs": tabs,
        "total": current or count(scope, recent=page.recent),
        "first": page.first,
        "last": (page.first or 1) + len(rows) - 1,
        "previous": previous_query(params, page),
        "next": next_query(params, page),
        "last_page": _last_page(scope) if beyond else "",
        "empty": None if rows or beyond else empty_list(params, scope, sync_status, now),
    }


def _estimated(restores: list[Restore], pinned: set[int]) -> list[Restore]:
    """The restores in progress whose time left is estimated: not all, as it takes their history."""
    in_progress = [one for one in restores if one.status in IN_PROGRESS]
    first = [one for one in in_progress if one.pk in pinned]
    others = [one for one in in_progress if one.created_at and one.pk not in pinned]
    stuck = [one for one in others if one.stuck]
    # The last are the oldest, which matter most.
    return [*first, *stuck[:PINNED], *[one for one in others if not one.stuck][-PINNED:]]


def _last_page(scope: Scope) -> str:
    pages = -(-scope.restores.order_by().count() // scope.params.size)
    return scope.params.query(page=str(max(1, pages)))


@require_safe
@revalidated
def facet_list(request: HttpRequest) -> HttpResponse:
    """The values that the list with the same query string can be filtered by, with counts."""
    now = timezone.now()
    params = ListParams.parse(request.GET, now)
    scope = Scope(params, request.user)
    if params.errors:
        return _invalid(request, params, now)
    context = {"params": params, "toolbar": toolbar(scope, now, facets(scope))}
    return TemplateResponse(request, "restores/facets.html", context)


@json_endpoint
def time_range_json(request: HttpRequest) -> JsonAnswer:
    """A time range that somebody is typing: in words and as days, or what is wrong so far."""
    now = timezone.now()
    params = ListParams.parse(request.GET, now)
    if params.normalized_query:
        params = ListParams.parse(QueryDict(params.normalized_query.removeprefix("?")), now)
    if params.errors:
        error = unclear(params)[0]
        return {"wrong": f"“{error.value}” {error.text}."}
    return {"words": range_in_words(params.time_range), "days": range_days(params.time_range)}


@json_endpoint
def restore_list_json(request: HttpRequest) -> JsonAnswer:
    """One page of the list as JSON, with the time range resolved and the next page's URL."""
    params = ListParams.parse(request.GET, timezone.now())
    if params.errors:
        return JsonResponse(errors_json(params), status=400)
    scope = Scope(params, request.user)
    # Before the rows: it must not claim more than they hold.
    sync_status = sync_status_json(scope.sync_status())
    if scope.asof:
        # The time up to which the data was complete then isn't stored.
        sync_status["complete_to"] = None
    page = paginate(scope, Restore.objects.select_related(*RELATED).defer("raw", "search"))
    rows = then_and_now(page.rows, scope.asof)
    following = next_query(params, page, numbered=False)
    total, without_time = count(scope, recent=page.recent), undated(params, scope)
    return {
        "restores": [then_and_now_json(row) for row in rows],
        "total": min(total.number, COUNT_LIMIT),
        "total_capped": total.capped,
        "without_time": without_time.count.number if without_time else 0,
        "time_range": params.resolved_range,
        **sync_status,
        "ignored": params.ignored,
        "not_found": [value for _, value in scope.not_found],
        "ids": [found_id_json(one) for one in scope.ids],
        "renamed": dict(scope.renamed),
        "moved": [moved_json(one) for one in scope.moved],
        "searched": scope.found.searched or None,
        "next": f"{settings.BASE_URL}{request.path}{following}" if following else None,
    }
