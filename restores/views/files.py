"""Files to download: the lists of restores and instances as CSV and for Excel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst

from restores import csv_export
from restores.filters import InstanceListParams, ListParams, Params, Scope
from restores.models import Instance
from restores.querysets import InstanceQuerySet
from restores.restore_list.empty_state import undated
from restores.restore_list.toolbar import CHIP_LABELS, ON_LABELS
from restores.running_exports import LIMIT, RETRY_AFTER, Parts, RunningExport, TooManyExports
from restores.sync_status import visible_sync_status
from restores.time_zone import show_zone_of, shown_range, zone_choice
from restores.timerange import range_label
from restores.views.exports import (
    format_complete_to,
    invalid,
    log_export,
    plain_text,
    text_endpoint,
)
from restores.xlsx_export import CONTENT_TYPE, MAX_ROWS, Link, Sheet, blocks, write_xlsx

About = list[tuple[str, Any]]


@text_endpoint
def restore_list_csv(request: HttpRequest) -> HttpResponseBase:
    """Every row of the list, not just one page."""
    params = ListParams.parse(request.GET, timezone.now())
    if params.errors:
        return invalid(params)
    scope = Scope(params, request.user)
    complete_to, without_time = csv_export.complete_to(scope), undated(params, scope)
    file_name = csv_export.file_name(params, complete_to)
    response = csv_file(
        request,
        csv_export.COLUMNS,
        lambda: csv_export.restore_rows(scope),
        f"{file_name}.csv",
        projects=scope.selected_keys,
    )
    response.headers["X-Time-Range"] = csv_export.time_range_header(params, complete_to)
    if number := scope.found.searched:
        response.headers["X-Searched"] = f"only the newest {number:,} restores"
    response.headers["X-Not-Found"] = str(len(scope.not_found))
    response.headers["X-Without-Time"] = str(without_time.count.number if without_time else 0)
    return response


@text_endpoint
def restore_list_xlsx(request: HttpRequest) -> HttpResponseBase:
    """The same rows for Excel; a second sheet describes them."""
    params = ListParams.parse(request.GET, timezone.now())
    if params.errors:
        return invalid(params)
    scope = Scope(params, request.user)
    show_zone_of(request, params.get("tz"), scope.customer_zones)
    # Before the rows: it must not claim more than they hold.
    complete_to, status = csv_export.complete_to(scope), scope.sync_status()
    parts = scope.parts(scope.restores)
    if sum(part.order_by()[: MAX_ROWS + 1].count() for part in parts) > MAX_ROWS:
        return too_large(request, reverse("restore-list-csv") + params.query())
    without_time, searched = undated(params, scope), scope.found.searched
    about = [
        *about_export(request, params),
        ("Data complete up to", complete_to or format_complete_to(scope, status)),
        ("Not included", without_time.text if without_time else ""),
        ("Searched", f"only the newest {searched:,} restores" if searched else ""),
        ("Link", _link("restore-list", params)),
    ]
    sheet = Sheet(
        name="Restores",
        columns=csv_export.COLUMNS,
        rows=chain.from_iterable(csv_export.restore_rows(scope)),
    )
    file_name = csv_export.file_name(params, complete_to)
    return xlsx_file(
        request,
        sheet,
        about,
        shown_range(params.time_range).zone,
        f"{file_name}.xlsx",
        projects=scope.selected_keys,
    )


@text_endpoint
def instance_list_csv(request: HttpRequest) -> HttpResponseBase:
    """Every instance of the list, not just one page."""
    params = InstanceListParams.parse(request.GET, timezone.now())
    if params.errors:
        return invalid(params)
    rows = _instances(params, request)
    return csv_file(
        request,
        csv_export.INSTANCE_COLUMNS,
        lambda: csv_export.instance_rows(rows),
        "instances.csv",
        projects=_projects_of(rows),
    )


@text_endpoint
def instance_list_xlsx(request: HttpRequest) -> HttpResponseBase:
    """The same instances for Excel."""
    params = InstanceListParams.parse(request.GET, timezone.now())
    if params.errors:
        return invalid(params)
    complete_to, rows = visible_sync_status(request.user).complete_to, _instances(params, request)
    if rows.order_by()[: MAX_ROWS + 1].count() > MAX_ROWS:
        return too_large(request, reverse("instance-list-csv") + params.query())
    about = [
        *about_export(request, params),
        ("Data complete up to", complete_to or "unknown for some instances"),
        ("Link", _link("instance-list", params)),
    ]
    sheet = Sheet(
        name="Instances",
        columns=csv_export.INSTANCE_COLUMNS,
        rows=chain.from_iterable(csv_export.instance_rows(rows)),
    )
    zone, projects = zone_choice(request).zone, _projects_of(rows)
    return xlsx_file(request, sheet, about, zone, "instances.xlsx", projects=projects)


def csv_file(
    request: HttpRequest,
    columns: Sequence[str],
    rows: Callable[[], Iterator[csv_export.Rows]],
    file_name: str,
    *,
    projects: Iterable[int],
) -> HttpResponseBase:
    """Send rows as CSV, in parts; the audit log names these projects."""

    def begin() -> Parts:
        log_export(request, projects)
        return csv_export.csv_lines(columns, rows())

    return _send(request, begin, file_name, "text/csv; charset=utf-8")


def xlsx_file(
    request: HttpRequest,
    sheet: Sheet,
    about: About,
    zone: ZoneInfo,
    file_name: str,
    *,
    projects: Iterable[int],
) -> HttpResponseBase:
    """Make a file for Excel and send it; entries of ``about`` without a value are left out."""
    pairs = [(name, value) for name, value in about if value]

    def begin() -> Parts:
        log_export(request, projects)
        return blocks(write_xlsx(sheet, pairs, zone))

    return _send(request, begin, file_name, CONTENT_TYPE)


def too_large(request: HttpRequest, csv_url: str) -> HttpResponse:
    """Say that a file for Excel would have too many rows, and lead to the CSV."""
    context = {"limit": MAX_ROWS, "csv_url": csv_url}
    return TemplateResponse(request, "too_large.html", context, status=400)


def about_export(request: HttpRequest, params: Params) -> About:
    """Who exported a list and when, its time range, and what it is filtered by."""
    about: About = [
        ("Exported at", timezone.now()),
        ("Exported by", request.user.get_username()),
    ]
    if isinstance(params, ListParams):
        time_range = shown_range(params.time_range)
        about += [
            ("Time range", range_label(time_range)),
            ("Match by", ON_LABELS[time_range.on][0]),
            ("From", time_range.start),
            ("To", time_range.end or time_range.now),
            ("Snapshot from", time_range.asof),
            ("Time zone", time_range.zone.key),
        ]
    filters = (name for name in params.values if params.DECLARED[name].filters)
    return about + [
        (CHIP_LABELS.get(name, capfirst(name)), ", ".join(params.getlist(name))) for name in filters
    ]


def _send(
    request: HttpRequest, begin: Callable[[], Parts], file_name: str, content_type: str
) -> HttpResponseBase:
    """Send a file in parts, unless the user has too many exports running already."""
    try:
        parts = RunningExport(request.user.pk or 0, begin)
    except TooManyExports:
        return _too_many_exports()
    response = StreamingHttpResponse(parts, content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{file_name}"'
    return response


def _too_many_exports() -> HttpResponse:
    response = plain_text(
        f"You already have {LIMIT} exports running. Try again once one of them has finished.\n", 429
    )
    response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


def _instances(params: InstanceListParams, request: HttpRequest) -> InstanceQuerySet:
    rows = params.apply_filters(Instance.objects.visible_to(request.user))
    return rows.sorted_by(params.order_by)


def _projects_of(instances: InstanceQuerySet) -> list[int]:
    return list(instances.order_by().values_list("project_id", flat=True).distinct())


def _link(name: str, params: Params) -> Link:
    return Link(settings.BASE_URL + reverse(name) + params.query())
