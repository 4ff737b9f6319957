"""Exports as text for tickets: the list and one restore."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from restores import audit, ticket_text
from restores.asof import AsOf, ThenAndNow, diff_from_now, then_and_now
from restores.audit import Kind
from restores.explain.estimates import format_clock, format_timestamp
from restores.explain.summary import Facts, details
from restores.facts import facts_of, present_facts, row_facts
from restores.filters import FILTERS, ListParams, Params, Scope
from restores.freshness import known_until, last_seen
from restores.models import Restore
from restores.restore_list.counts import count, count_by_status
from restores.restore_list.empty_state import empty_list, undated
from restores.restore_list.pagination import paginate
from restores.restore_list.toolbar import ON_LABELS
from restores.serializers import RELATED
from restores.statuses import FAILED, IN_PROGRESS
from restores.sync_status import SyncStatus
from restores.ticket_text import timestamp
from restores.time_zone import show_zone_of
from restores.timerange import city, find_zone, permalink_asof, to_iso
from restores.views.api import CHALLENGE, revalidated, takes_tokens
from restores.views.handover import handover_text
from restores.views.navigation import (
    NOT_RECORDED,
    absolute_permalink,
    as_of_context,
    find_restores,
    permalink,
)

View = Callable[..., HttpResponseBase]
# What ``format`` may be; Markdown without one.
FORMATS = (*ticket_text.FORMATS, "customer", "provider")
LIST_FORMATS = (*FORMATS, "handover")

_SEVERAL_CUSTOMERS = (
    "format: customer: these restores belong to several customers; select one of them first\n"
)


def text_endpoint(view: View) -> View:
    """Turn a view into one for scripts, which reports errors in plain text.

    It changes nothing. The CSRF check would turn the 405 for other methods into a 403.
    """

    @login_not_required
    @csrf_exempt
    @require_safe
    @revalidated
    @takes_tokens
    @wraps(view)
    def endpoint(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            response = plain_text("Authentication required.\n", status=401)
            response.headers["WWW-Authenticate"] = CHALLENGE
            return response
        try:
            return view(request, *args, **kwargs)
        except Http404 as error:
            return plain_text(f"{error}\n", status=404)

    return endpoint


@text_endpoint
def restore_list_md(request: HttpRequest) -> HttpResponseBase:
    """One page of the list as text, in the format that ``format`` names."""
    query, form = _split_format(request)
    params = ListParams.parse(query, timezone.now())
    if params.errors:
        return invalid(params)
    if form not in ("", *LIST_FORMATS):
        return _unknown_format(form, LIST_FORMATS)
    scope = Scope(params, request.user)
    show_zone_of(request, params.get("tz"), scope.customer_zones)
    customers = customers_of(scope) if form == "customer" else set()
    if len(customers) > 1:
        return plain_text(_SEVERAL_CUSTOMERS, status=400)
    log_export(request, scope.selected_keys)
    match form:
        case "customer":
            report = list_report(scope, zone_of(customers, scope))
            return plain_text(ticket_text.list_customer_text(report))
        case "provider":
            return plain_text(ticket_text.list_provider_text(list_report(scope, "UTC")))
        case "handover":
            return plain_text(handover_text(scope, list(_filters(scope))))
    zone = str(timezone.get_current_timezone())
    return _document(ticket_text.list_document(list_report(scope, zone)), form)


@text_endpoint
def restore_detail_md(request: HttpRequest, restore_id: str) -> HttpResponseBase:
    """One restore as text, in the format that ``format`` names."""
    query, form = _split_format(request)
    found = find_restores(restore_id, request.user, query)
    if form not in ("", *FORMATS):
        return _unknown_format(form, FORMATS)
    if found.only is None:
        return plain_text("Several restores share this ID: add ?instance= and ?project=\n", 300)
    now = timezone.now()
    asof = as_of_context(found.only, query, request.user, now)
    params = ListParams.parse(query, now)
    if asof.error or any(error.param == "tz" for error in params.errors):
        return invalid(params)
    if asof.too_early:
        raise Http404(NOT_RECORDED)
    project = found.only.project
    show_zone_of(request, params.get("tz"), [(project.customer, project.time_zone)])
    zone = timezone.get_current_timezone()
    report = restore_report(found.only, permalink(found), now, asof.snapshot, zone)
    log_export(request, [project.pk])
    if form == "customer":
        return plain_text(ticket_text.restore_customer_text(report))
    if form == "provider":
        return plain_text(ticket_text.restore_provider_text(report))
    return _document(ticket_text.restore_document(report), form)


def restore_report(
    restore: Restore, path: str, now: datetime, snapshot: AsOf | None, zone: tzinfo
) -> ticket_text.RestoreReport:
    """Report one restore as known at ``now`` or in a snapshot; ``path`` is that of its page."""
    pair = then_and_now([restore], snapshot)[0]
    known_at = snapshot.time if snapshot else known_until(restore, now)
    restore, asof = pair.then, to_iso(snapshot.time) if snapshot else permalink_asof(now)
    project, instance = restore.project, restore.instance
    facts = facts_of(restore, known_at)
    return ticket_text.RestoreReport(
        facts=facts,
        current_facts=present_facts(pair, facts, now),
        url=absolute_permalink(path, asof),
        restore_id=restore.restore_id,
        restore_name=restore.restore_name,
        remark=restore.restore_remark,
        instance=instance.name,
        instance_id=instance.instance_id,
        project=project.name,
        project_id=project.project_id,
        region=project.region,
        customer=project.customer,
        customer_zone=project.time_zone,
        zone=zone,
        backup_id=restore.backup_id,
        backup_name=restore.backup_name,
        synced_at=None if snapshot else last_seen(restore),
        written_at=now,
        status=restore.shown_status.word,
        changes=_changes(pair, zone),
    )


def customers_of(scope: Scope) -> set[str]:
    """The customers whose restores a list has; all of its projects' if it is too long to check."""
    customers = {project.customer for project in scope.selected}
    if len(customers) == 1 or count(scope).capped:
        return customers
    return set(scope.restores.order_by().values_list("project__customer", flat=True).distinct())


def zone_of(customers: set[str], scope: Scope) -> str:
    """The time zone of these customers' projects; UTC if they have several or none."""
    zones = {project.time_zone for project in scope.selected if project.customer in customers}
    return zones.pop() if len(zones) == 1 else "UTC"


def list_report(scope: Scope, tz: str) -> ticket_text.ListReport:
    """Report the requested page of the list, with times in a zone and in UTC."""
    params = scope.params
    zone: tzinfo = find_zone(tz) or UTC
    # Before the rows: it must not claim more than they hold.
    sync_status = scope.sync_status()
    page = paginate(scope, Restore.objects.select_related(*RELATED).defer("raw", "search"))
    rows, total = then_and_now(page.rows, scope.asof), count(scope, recent=page.recent)
    without_time = undated(params, scope)
    return ticket_text.ListReport(
        url=settings.BASE_URL + reverse("restore-list") + params.query(),
        on=ON_LABELS[params.time_range.on][0].lower(),
        time_range=_format_time_range(params, zone),
        filters="; ".join(_filters(scope)),
        complete_to=format_complete_to(scope, sync_status),
        total=str(total),
        zone="UTC" if zone is UTC or tz == "UTC" else f"{city(tz)} time",
        counts={} if total.capped else count_by_status(scope),
        narrowed=params.filters_rows or bool(params.getlist("instance")),
        none=bool(rows) or empty_list(params, scope, sync_status, timezone.now()).kind == "none",
        undated=without_time.text if without_time else "",
        first=page.first,
        rows=tuple(_report_row(row, params, scope.asof, zone) for row in rows),
    )


def _filters(scope: Scope) -> Iterator[str]:
    for name in FILTERS:
        if values := scope.params.getlist(name):
            yield f"{name} = {', '.join(values)}"
    if missing := [value for _, value in scope.not_found]:
        yield f"no access or not found: {', '.join(missing)}"
    for one in scope.moved:
        yield f"{one.name} has moved from {one.former} to {one.project}"
    if number := scope.found.searched:
        yield f"only the newest {number:,} restores were searched"


def _report_row(
    row: ThenAndNow, params: ListParams, snapshot: AsOf | None, zone: tzinfo
) -> ticket_text.ReportRow:
    restore, now = row.then, params.time_range.now
    instance, project = restore.instance, restore.project
    facts = row_facts(restore, now if snapshot else known_until(restore, now))
    path = reverse("restore-detail", args=[restore.restore_id])
    return ticket_text.ReportRow(
        url=absolute_permalink(path, params.permalink_asof),
        restore_id=restore.restore_id,
        created=_cell(restore.created_at, zone) if restore.created_at else "not reported",
        provider_status=restore.status,
        status=restore.shown_status.word,
        instance=str(instance),
        instance_id=instance.instance_id,
        project_id=project.project_id,
        region=project.region,
        customer=project.customer,
        details=details(facts),
        error_code=restore.error_code,
        duration=_format_duration(facts),
        outcome="; ".join(filter(None, [_format_outcome(restore, zone), _changes(row, zone)])),
    )


def _format_duration(facts: Facts) -> str:
    if facts.duration is not None:
        return format_clock(facts.duration)
    if facts.status in IN_PROGRESS and facts.elapsed is not None:
        return f"{format_clock(facts.elapsed)} so far"
    return ""


def _format_outcome(restore: Restore, zone: tzinfo) -> str:
    if restore.status != FAILED.value:
        return ""
    recovered_at = restore.recovered_at
    return f"Recovered {timestamp(recovered_at, zone)}" if recovered_at else "Unresolved"


def _changes(row: ThenAndNow, zone: tzinfo) -> str:
    """The changes of a restore since the snapshot."""
    return diff_from_now(row.then, row.now, zone, timezone.now()) if row.now else ""


def format_complete_to(scope: Scope, status: SyncStatus) -> str:
    """Say how current the data of a list is."""
    if scope.asof:
        return "not available for snapshots"
    if status.complete_to is None:
        return "unknown for some instances"
    return format_timestamp(status.complete_to)


def _format_time_range(params: ListParams, zone: tzinfo) -> str:
    def time(at: datetime) -> str:
        return timestamp(at, zone)

    time_range = params.time_range
    start, end = time_range.start, time_range.end or time_range.asof
    if start and end:
        return f"from {time(start)} to {time(end)}"
    if start:
        return f"since {time(start)}, as of {time(time_range.now)}"
    return f"before {time(end or time_range.now)}"


def _cell(at: datetime, zone: tzinfo) -> str:
    """A time for a cell of a column that is headed with the zone."""
    return timestamp(at, zone).removesuffix(" UTC")


def _split_format(request: HttpRequest) -> tuple[QueryDict, str]:
    """The list's parameters, and the requested format."""
    query = request.GET.copy()
    form = query.get("format", "")
    query.pop("format", None)
    return query, form


def _document(document: ticket_text.Document, form: str) -> HttpResponse:
    content_type = {"": "text/markdown", "html": "text/html"}.get(form, "text/plain")
    return plain_text(ticket_text.FORMATS[form or "markdown"](document), content_type=content_type)


def plain_text(text: str, status: int = 200, content_type: str = "text/plain") -> HttpResponse:
    """Respond with text."""
    return HttpResponse(text, status=status, content_type=f"{content_type}; charset=utf-8")


def invalid(params: Params) -> HttpResponse:
    """Name each invalid parameter in a line."""
    lines = [f"{error.param}: {error.value}: {error.text}" for error in params.errors]
    return plain_text("\n".join(" ".join(line.split()) for line in lines) + "\n", status=400)


def _unknown_format(form: str, formats: Sequence[str]) -> HttpResponse:
    shown = " ".join(form[:200].split())
    return plain_text(f"format: {shown}: must be one of {', '.join(formats)}\n", status=400)


def log_export(request: HttpRequest, projects: Iterable[int]) -> None:
    """Add an export of these projects to the audit log; a HEAD request exports nothing."""
    if request.method == "GET":
        audit.record(request, Kind.EXPORTED, projects=projects, about=request.get_full_path())
