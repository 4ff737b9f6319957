"""Exports: the list as CSV, the list and one restore as text for tickets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from restores import csv_export, ticket_text
from restores.asof import AsOf, ThenAndNow, diff_from_now, observations_of, then_and_now
from restores.explain.estimates import format_clock, format_timestamp
from restores.explain.summary import Facts, details
from restores.facts import facts_of, present_facts
from restores.filters import FILTERS, ListParams, Scope
from restores.freshness import known_until, last_seen
from restores.models import Event, Restore
from restores.restore_list.counts import count, count_by_status
from restores.restore_list.pagination import paginate
from restores.restore_list.toolbar import ON_LABELS
from restores.serializers import RELATED
from restores.statuses import FAILED, IN_PROGRESS, status_of
from restores.timerange import permalink_asof, to_iso
from restores.views.api import revalidated
from restores.views.navigation import NOT_RECORDED, as_of_context, find_restores, permalink

View = Callable[..., HttpResponseBase]
# What ``format`` may be; Markdown without one.
FORMATS = (*ticket_text.FORMATS, "customer", "escalation")


def text_endpoint(view: View) -> View:
    """Turn a view into one for scripts, which answers errors in plain text."""

    @login_not_required
    @require_safe
    @revalidated
    @wraps(view)
    def endpoint(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return _text("Authentication required.\n", status=401)
        try:
            return view(request, *args, **kwargs)
        except Http404 as error:
            return _text(f"{error}\n", status=404)

    return endpoint


@text_endpoint
def restore_list_csv(request: HttpRequest) -> HttpResponseBase:
    """Every row of the list, whatever its page."""
    params = ListParams.parse(request.GET, timezone.now())
    if params.errors:
        return _invalid(params)
    scope = Scope(params, request.user)
    complete_to = csv_export.complete_to(scope)
    _log_export(request)
    response = StreamingHttpResponse(
        csv_export.csv_lines(scope), content_type="text/csv; charset=utf-8"
    )
    response.headers["X-Time-Range"] = csv_export.time_range_header(params, complete_to)
    file_name = csv_export.file_name(params, complete_to)
    response.headers["Content-Disposition"] = f'attachment; filename="{file_name}"'
    return response


@text_endpoint
def restore_list_md(request: HttpRequest) -> HttpResponseBase:
    """One page of the list as text, in the format that ``format`` names."""
    query, form = _split_format(request)
    params = ListParams.parse(query, timezone.now())
    if params.errors:
        return _invalid(params)
    if form not in ("", *FORMATS):
        return _unknown_format(form)
    report = list_report(Scope(params, request.user))
    _log_export(request)
    if form == "customer":
        return _text(ticket_text.list_customer_text(report))
    if form == "escalation":
        return _text(ticket_text.list_escalation(report))
    return _document(ticket_text.list_document(report), form)


@text_endpoint
def restore_detail_md(request: HttpRequest, restore_id: str) -> HttpResponseBase:
    """One restore as text, in the format that ``format`` names."""
    query, form = _split_format(request)
    found = find_restores(restore_id, request.user, query)
    if form not in ("", *FORMATS):
        return _unknown_format(form)
    if found.only is None:
        return _text("Several restores share this ID: add ?instance= and ?project=\n", 300)
    now = timezone.now()
    asof = as_of_context(found.only, query, request.user, now)
    if asof.error:
        return _invalid(ListParams.parse(query, now))
    if asof.too_early:
        raise Http404(NOT_RECORDED)
    report = restore_report(found.only, permalink(found), now, asof.snapshot)
    _log_export(request)
    if form == "customer":
        return _text(ticket_text.restore_customer_text(report))
    if form == "escalation":
        return _text(ticket_text.restore_escalation(report))
    return _document(ticket_text.restore_document(report), form)


def restore_report(
    restore: Restore, path: str, now: datetime, snapshot: AsOf | None
) -> ticket_text.RestoreReport:
    """Report one restore as known at ``now`` or in a snapshot; ``path`` is that of its page."""
    pair = then_and_now([restore], snapshot)[0]
    known_at = snapshot.time if snapshot else known_until(restore, now)
    restore, asof = pair.then, to_iso(snapshot.time) if snapshot else permalink_asof(now)
    project, instance = restore.project, restore.instance
    facts = facts_of(restore, observations_of(restore, snapshot), known_at)
    return ticket_text.RestoreReport(
        facts=facts,
        current_facts=present_facts(pair, facts, now),
        url=_permalink(path, asof),
        restore_id=restore.restore_id,
        restore_name=restore.restore_name,
        remark=restore.restore_remark,
        instance=instance.name,
        instance_id=instance.instance_id,
        project=project.name,
        project_id=project.project_id,
        region=project.region,
        customer=project.customer,
        zone=project.time_zone,
        backup_id=restore.backup_id,
        backup_name=restore.backup_name,
        synced_at=None if snapshot else last_seen(restore),
        written_at=now,
        status=status_of(restore.status).word,
        changes=_changes(pair),
    )


def list_report(scope: Scope) -> ticket_text.ListReport:
    """Report the requested page of the list."""
    params = scope.params
    # Before the rows: it must not claim more than they hold.
    complete_to = _format_complete_to(scope)
    page = paginate(scope, Restore.objects.select_related(*RELATED).defer("raw", "search"))
    rows, total = then_and_now(page.rows, scope.asof), count(scope, recent=page.recent)
    return ticket_text.ListReport(
        url=settings.BASE_URL + reverse("restore-list") + params.query(),
        on=ON_LABELS[params.time_range.on][0].lower(),
        time_range=_format_time_range(params),
        filters="; ".join(
            f"{name} = {', '.join(params.getlist(name))}"
            for name in FILTERS
            if params.getlist(name)
        ),
        complete_to=complete_to,
        total=str(total),
        counts={} if total.capped else count_by_status(scope),
        narrowed=params.filters_rows or bool(params.getlist("instance")),
        first=page.first,
        rows=tuple(_report_row(row, params, scope.asof) for row in rows),
    )


def _report_row(
    row: ThenAndNow, params: ListParams, snapshot: AsOf | None
) -> ticket_text.ReportRow:
    restore, now = row.then, params.time_range.now
    instance, project = restore.instance, restore.project
    facts = Facts(
        status=restore.status,
        now=now if snapshot else known_until(restore, now),
        created_at=restore.created_at,
        ended_at=restore.ended_at,
        progress=restore.progress,
        error_code=restore.error_code,
    )
    path = reverse("restore-detail", args=[restore.restore_id])
    return ticket_text.ReportRow(
        url=_permalink(path, params.permalink_asof),
        restore_id=restore.restore_id,
        created=_timestamp(restore.created_at) if restore.created_at else "not reported",
        provider_status=restore.status,
        status=status_of(restore.status).word,
        instance=str(instance),
        instance_id=instance.instance_id,
        project_id=project.project_id,
        region=project.region,
        customer=project.customer,
        details=details(facts),
        error_code=restore.error_code,
        duration=_format_duration(facts),
        outcome="; ".join(filter(None, [_format_outcome(restore), _changes(row)])),
    )


def _format_duration(facts: Facts) -> str:
    if facts.duration is not None:
        return format_clock(facts.duration)
    if facts.status in IN_PROGRESS and facts.elapsed is not None:
        return f"{format_clock(facts.elapsed)} so far"
    return ""


def _format_outcome(restore: Restore) -> str:
    if restore.status != FAILED.value:
        return ""
    recovered_at = restore.recovered_at
    return f"Recovered {_timestamp(recovered_at)} UTC" if recovered_at else "Unresolved"


def _changes(row: ThenAndNow) -> str:
    """What has changed in a restore since the snapshot."""
    return diff_from_now(row.then, row.now, UTC, timezone.now()) if row.now else ""


def _format_complete_to(scope: Scope) -> str:
    if scope.asof:
        return "not available for snapshots"
    complete_to = csv_export.complete_to(scope)
    return format_timestamp(complete_to) if complete_to else "unknown for some instances"


def _format_time_range(params: ListParams) -> str:
    time_range = params.time_range
    start, end = time_range.start, time_range.end or time_range.asof
    if start and end:
        return f"from {_timestamp(start)} to {_timestamp(end)} UTC"
    if start:
        return f"since {_timestamp(start)} UTC, as of {_timestamp(time_range.now)} UTC"
    return f"before {_timestamp(end or time_range.now)} UTC"


def _timestamp(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _permalink(path: str, asof: str) -> str:
    join = "&" if "?" in path else "?"
    return f"{settings.BASE_URL}{path}{join}{urlencode({'asof': asof}, safe=':/,')}"


def _split_format(request: HttpRequest) -> tuple[QueryDict, str]:
    """The list's parameters, and the requested format."""
    query = request.GET.copy()
    form = query.get("format", "")
    query.pop("format", None)
    return query, form


def _document(document: ticket_text.Document, form: str) -> HttpResponse:
    content_type = {"": "text/markdown", "html": "text/html"}.get(form, "text/plain")
    return _text(ticket_text.FORMATS[form or "markdown"](document), content_type=content_type)


def _text(text: str, status: int = 200, content_type: str = "text/plain") -> HttpResponse:
    return HttpResponse(text, status=status, content_type=f"{content_type}; charset=utf-8")


def _invalid(params: ListParams) -> HttpResponse:
    lines = [f"{error.param}: {error.value}: {error.reason}" for error in params.errors]
    return _text("\n".join(" ".join(line.split()) for line in lines) + "\n", status=400)


def _unknown_format(form: str) -> HttpResponse:
    shown = " ".join(form[:200].split())
    return _text(f"format: {shown}: must be one of {', '.join(FORMATS)}\n", status=400)


def _log_export(request: HttpRequest) -> None:
    """Add the export to the audit log; a HEAD request exports nothing."""
    if request.method == "GET":
        subject = request.get_full_path()[:500]
        Event.objects.create(user_id=request.user.pk, what="exported", subject=subject)
