"""The downtime report: how long instances were being restored, for support or a customer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from restores.csv_export import time_range_header
from restores.downtime_report import (
    MAX_RESTORES,
    DowntimeReport,
    InstanceDowntime,
    Sum,
    TooManyRestores,
    Total,
    downtime_report,
)
from restores.explain.downtime import customer_notes
from restores.explain.estimates import format_date
from restores.filters import DowntimeParams, Scope
from restores.restore_list.empty_state import empty_list, sync_messages
from restores.restore_list.toolbar import time_menu
from restores.serializers import errors_json, moved_json, sync_status_json
from restores.time_zone import show_zone_of, shown_range
from restores.timerange import (
    ParamError,
    city,
    find_zone,
    pin,
    range_label,
    to_iso,
    to_params,
)
from restores.views.api import JsonAnswer, json_endpoint, revalidated
from restores.views.exports import format_complete_to, invalid, text_endpoint, zone_of
from restores.views.files import About, about_export, csv_file, xlsx_file
from restores.xlsx_export import Link, Sheet

# The fields of the JSON: of each instance and of each total, and the columns of the files.
_SUM_FIELDS = ("restores", "running", "uncounted", "minutes_min", "minutes_max")
COLUMNS = ("instance_id", "instance_name", "project", "customer", *_SUM_FIELDS)
CUSTOMER_COLUMNS = (
    "Instance",
    "Instance ID",
    "Restores",
    "Unavailable for at least (minutes)",
    "Unavailable for at most (minutes)",
)
# More would make a page too large; the files have every instance.
MAX_SHOWN = 300
MAX_NAMED = 50
# The parameters that choose where, each with a field.
_PLACES = ("customer", "project", "instance")


@require_safe
@revalidated
def downtime(request: HttpRequest) -> HttpResponse:
    """The report as a page: for support, or as one customer may read it."""
    now = timezone.now()
    params = DowntimeParams.parse(request.GET, now)
    if params.normalized_query:
        return redirect(request.path + params.normalized_query)
    canonical = params.canonical_query.lstrip("?")
    if not params.errors and canonical != request.META["QUERY_STRING"]:
        return redirect(request.path + params.canonical_query)
    scope = Scope(params.as_list(), request.user)
    show_zone_of(request, params.get("tz"), scope.customer_zones)
    found = _report(params, scope)
    if found is None:
        return _page(request, params, scope, {}, status=400)
    if params.get("audience"):
        document = _customer_document(params, scope, found)
        return TemplateResponse(request, "downtime/customer.html", {"document": document})
    empty = None if found.rows else empty_list(scope.params, scope, found.sync_status, now)
    context = {
        "report": found,
        "groups": list(_groups(params, found)),
        "max_shown": MAX_SHOWN,
        "left_out": max(0, found.total.instances - MAX_SHOWN),
        "named": found.uncounted[:MAX_NAMED],
        "more_uncounted": max(0, len(found.uncounted) - MAX_NAMED),
        "empty": empty,
        "scope": scope,
        "sync_messages": [] if scope.asof else sync_messages(found.sync_status, now),
        "customer_url": _customer_url(params, scope, found),
    }
    return _page(request, params, scope, context)


@json_endpoint
def downtime_json(request: HttpRequest) -> JsonAnswer:
    """The report as JSON: an object per instance, project and customer, and for all."""
    params = DowntimeParams.parse(request.GET, timezone.now())
    scope = Scope(params.as_list(), request.user)
    found = _report(params, scope)
    if found is None:
        return JsonResponse(errors_json(params), status=400)
    sync_status = sync_status_json(found.sync_status)
    if scope.asof:
        # The time up to which the data was complete then isn't stored.
        sync_status["complete_to"] = None
    answer = {
        "rows": [_row_json(row) for row in found.rows],
        "totals": _total_json(found.total),
        "time_range": params.resolved_range,
        "complete_to": sync_status["complete_to"],
        "complete": found.complete,
    }
    if params.get("audience"):
        return answer
    return answer | {
        "projects": [
            {"project": one.name, "customer": one.rows[0].customer or None} | _total_json(one)
            for one in found.total.projects
        ],
        "customers": [
            {"customer": one.name or None} | _total_json(one) for one in found.total.customers
        ],
        "without_time": [
            {
                "restore_id": one.restore_id,
                "instance_id": one.instance_id,
                "instance_name": one.instance_name or None,
                "reason": one.reason,
            }
            for one in found.uncounted
        ],
        **sync_status,
        "ignored": params.ignored,
        "not_found": [value for _, value in scope.not_found],
        "renamed": dict(scope.renamed),
        "moved": [moved_json(one) for one in scope.moved],
    }


@text_endpoint
def downtime_csv(request: HttpRequest) -> HttpResponseBase:
    """The report as CSV: a row per instance."""
    params = DowntimeParams.parse(request.GET, timezone.now())
    scope = Scope(params.as_list(), request.user)
    found = _report(params, scope)
    if found is None:
        return invalid(params)
    name, projects = f"{_file_name(params)}.csv", scope.selected_keys
    if params.get("audience"):
        rows = list(map(_customer_row, found.rows))
        return csv_file(request, CUSTOMER_COLUMNS, lambda: iter([rows]), name, projects=projects)
    rows = list(map(_values, found.rows))
    response = csv_file(request, COLUMNS, lambda: iter([rows]), name, projects=projects)
    complete_to = None if scope.asof else found.sync_status.complete_to
    response.headers["X-Time-Range"] = time_range_header(params, complete_to)
    response.headers["X-Without-Time"] = str(len(found.uncounted))
    return response


@text_endpoint
def downtime_xlsx(request: HttpRequest) -> HttpResponseBase:
    """The report for Excel: a row per instance and the total; a second sheet describes them."""
    params = DowntimeParams.parse(request.GET, timezone.now())
    scope = Scope(params.as_list(), request.user)
    found = _report(params, scope)
    if found is None:
        return invalid(params)
    show_zone_of(request, params.get("tz"), scope.customer_zones)
    name = f"{_file_name(params)}.xlsx"
    if params.get("audience"):
        return _customer_xlsx(request, scope, _customer_document(params, scope, found), name)
    complete_to = None if scope.asof else found.sync_status.complete_to
    url = settings.BASE_URL + reverse("downtime") + params.query()
    about: About = [
        *about_export(request, params),
        ("Data complete up to", complete_to or format_complete_to(scope, found.sync_status)),
        ("Complete for this range", _YES_NO[found.complete]),
        ("Still running", found.total.running),
        *(("Not counted", f"{one.restore_id}: {one.reason}") for one in found.uncounted),
        ("Link", Link(url)),
    ]
    sheet = Sheet(
        name="Downtime",
        columns=COLUMNS,
        rows=map(_values, found.rows),
        total=_values_of_total(found.total),
    )
    zone = shown_range(params.time_range).zone
    return xlsx_file(request, sheet, about, zone, name, projects=scope.selected_keys)


def _customer_xlsx(
    request: HttpRequest, scope: Scope, document: CustomerDocument, file_name: str
) -> HttpResponseBase:
    sheet = Sheet(
        name="Downtime",
        columns=CUSTOMER_COLUMNS,
        rows=map(_customer_row, document.rows),
        total=_customer_total(document.total),
    )
    notes = [("Please note", note) for note in document.notes]
    about = [("Customer", document.customer), ("Period", document.period), *notes]
    projects = scope.selected_keys
    return xlsx_file(request, sheet, about, document.zone, file_name, projects=projects)


_YES_NO = {True: "yes", False: "not yet", None: "not available for snapshots"}


def _report(params: DowntimeParams, scope: Scope) -> DowntimeReport | None:
    """The report, or None with the reason among the errors of the parameters."""
    if params.errors:
        return None
    try:
        return downtime_report(scope)
    except TooManyRestores:
        reason = (
            f"has more than {MAX_RESTORES:,} restores in this range. Choose a shorter range, a "
            "customer or a project"
        )
        error = ParamError(param="from", value=params.raw.get("from", ""), reason=reason)
        params.errors.append(error)
        return None


def _page(
    request: HttpRequest,
    params: DowntimeParams,
    scope: Scope,
    context: dict[str, Any],
    status: int = 200,
) -> HttpResponse:
    errors = {error.param: error.reason for error in params.errors}
    zones = sorted({project.time_zone for project in scope.visible} - {""})
    menu = time_menu(params, reverse("downtime"), params.time_range.now, errors, zones)
    context |= {
        "params": params,
        "time": menu,
        "label": f"{menu.label[:1].lower()}{menu.label[1:]}",
        "not_found": [value for _, value in scope.not_found],
        "customer_names": sorted({project.customer for project in scope.visible} - {""}),
        "project_names": sorted({project.name for project in scope.visible}),
        "hidden": _hidden(params),
        "several": {
            name: params.getlist(name) for name in _PLACES if len(params.getlist(name)) > 1
        },
        "live_query": params.query(asof=None) or "?",
        "clear_query": params.query(**dict.fromkeys((*_PLACES, "region", "ids"))) or "?",
    }
    return TemplateResponse(request, "downtime/report.html", context, status=status)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row of the page, with its links."""

    row: InstanceDowntime
    instance_url: str
    restores_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The instances of a project; ``customer`` is the sum below a customer's last project."""

    project: Total
    lines: list[Line]
    customer_name: str
    customer: Total | None


def _groups(params: DowntimeParams, found: DowntimeReport) -> Iterator[Group]:
    """The projects with their instances; if there are many, those with the longest downtime."""
    longest = sorted(found.rows, key=lambda row: row.most, reverse=True)
    shown = {id(row) for row in longest[:MAX_SHOWN]}
    for customer in found.total.customers:
        projects = customer.projects
        for number, project in enumerate(projects, start=1):
            last = number == len(projects) > 1
            yield Group(
                project=project,
                lines=[_line(params, row) for row in project.rows if id(row) in shown],
                customer_name=customer.name or "No customer",
                customer=customer if last else None,
            )


def _line(params: DowntimeParams, row: InstanceDowntime) -> Line:
    place = {"project": row.project, "instance": row.instance_id}
    instance_path = reverse("instance-detail", args=[row.instance_id])
    return Line(
        row=row,
        instance_url=f"{instance_path}?{urlencode({'project': row.project}, safe=':/,')}",
        restores_url=reverse("restore-list") + params.as_list(**place).query(),
    )


def _hidden(params: DowntimeParams) -> list[tuple[str, str]]:
    """The values that the form has no field for: a field takes only one."""
    shown = [name for name in _PLACES if len(params.getlist(name)) < 2]
    # A live page leads to a live page, however long its form was open.
    asof = params.permalink_asof if params.time_range.asof else None
    fields = params.hidden_fields(asof=asof)
    return [(name, value) for name, value in fields if name not in shown]


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerDocument:
    """The report as its customer may read it, in the customer's time zone."""

    customer: str
    period: str
    zone: ZoneInfo
    rows: list[InstanceDowntime]
    total: Total
    notes: list[str]


def _customer_document(
    params: DowntimeParams, scope: Scope, found: DowntimeReport
) -> CustomerDocument:
    customer = params.get("customer")
    zone = find_zone(params.get("tz") or zone_of({customer}, scope)) or ZoneInfo("UTC")
    time_range, place = params.time_range, _place(zone)
    # Named after its dates, however its edges were written.
    end = time_range.end or time_range.now
    period = range_label(replace(time_range, tz=zone.key, end=end, edges=("", to_iso(end))))
    return CustomerDocument(
        customer=customer,
        period=f"{period[:1].upper()}{period[1:]} ({place})",
        zone=zone,
        rows=list(found.rows),
        total=found.total,
        notes=customer_notes(
            rows=bool(found.rows),
            running=found.total.running,
            uncounted=len(found.uncounted),
            complete=found.complete,
            known=not scope.not_found,
            known_at=_format_local(time_range.now, zone, place),
        ),
    )


def _place(zone: ZoneInfo) -> str:
    return zone.key if zone.key.startswith("UTC") else f"{city(zone.key)} time"


def _format_local(at: datetime, zone: ZoneInfo, place: str) -> str:
    local = at.astimezone(zone)
    return f"{local:%H:%M} on {format_date(local)} ({place})"


def _customer_url(params: DowntimeParams, scope: Scope, found: DowntimeReport) -> str:
    """The report of the only customer, in its time zone; empty if there are several or none."""
    customers = params.getlist("customer") or tuple({row.customer for row in found.rows})
    if len(customers) != 1 or not customers[0]:
        return ""
    # The range stays the same, although days begin at another time there.
    time_range = params.time_range
    edges = to_params(time_range)
    if any("/" in edge for edge in time_range.edges):
        edges = pin(time_range) or edges
    zone = params.get("tz") or zone_of(set(customers), scope)
    return params.query(
        customer=customers[0],
        audience="customer",
        tz=zone if zone != "UTC" else None,
        **{"from": edges.get("from"), "to": edges.get("to")},
    )


def _row_json(row: InstanceDowntime) -> dict[str, Any]:
    return {
        "instance_id": row.instance_id,
        "instance_name": row.instance_name or None,
        "project": row.project,
        "customer": row.customer or None,
        **_sum_json(row),
    }


def _total_json(total: Total) -> dict[str, Any]:
    return {"instances": total.instances, **_sum_json(total)}


def _sum_json(found: Sum) -> dict[str, Any]:
    return {name: getattr(found, name) for name in _SUM_FIELDS}


def _values(row: InstanceDowntime) -> list[Any]:
    return [getattr(row, name) for name in COLUMNS]


def _values_of_total(total: Total) -> list[Any]:
    others = len(COLUMNS) - len(_SUM_FIELDS) - 1
    return ["Total", *[None] * others, *_sum_json(total).values()]


def _customer_row(row: InstanceDowntime) -> list[Any]:
    return [row.label, row.instance_id, row.restores, row.minutes_min, row.minutes_max]


def _customer_total(total: Total) -> list[Any]:
    return ["Total", None, total.restores, total.minutes_min, total.minutes_max]


def _file_name(params: DowntimeParams) -> str:
    """Name the file by its time range: ``downtime_20261101T000000Z_20261201T000000Z``."""
    edges = params.resolved_range
    end = edges["to"] or to_iso(params.time_range.now)
    parts = (edges["from"] or "begin", end)
    return f"downtime_{'_'.join(re.sub('[^0-9A-Za-z.]', '', part) for part in parts)}"
