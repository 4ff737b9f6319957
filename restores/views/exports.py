"""Exports: the list as CSV, the list and one restore as text for tickets."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe

from restores import ticket_text
from restores.csv_export import complete_to, csv_lines, file_name, window_header
from restores.filters import ListParams, scope_of
from restores.models import Event
from restores.pages.tickets import list_report, restore_report
from restores.views.api import revalidated
from restores.views.navigation import NOT_RECORDED, as_of_context, find_restores, permalink

View = Callable[..., HttpResponseBase]
TYPES = {"html": "text/html", "": "text/markdown"}
FORMATS = (*ticket_text.FORMATS, "customer", "escalation")


def text_twin(view: View) -> View:
    """Turn a view into one for scripts: it answers in plain text whatever it cannot answer."""

    @login_not_required
    @require_safe
    @revalidated
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return _text("Authentication required.\n", status=401)
        try:
            return view(request, *args, **kwargs)
        except Http404 as error:
            return _text(f"{error}\n", status=404)

    return answer


@text_twin
def restore_list_csv(request: HttpRequest) -> HttpResponseBase:
    """Every row of the list, whatever its page."""
    params = ListParams.parse(request.GET, timezone.now())
    if params.errors:
        return _refused(params)
    scope = scope_of(params, request.user)
    complete = complete_to(scope)
    _note(request)
    response = StreamingHttpResponse(
        csv_lines(params, scope), content_type="text/csv; charset=utf-8"
    )
    response.headers["X-Time-Range"] = window_header(params, complete)
    response.headers["Content-Disposition"] = (
        f'attachment; filename="{file_name(params, complete)}"'
    )
    return response


@text_twin
def restore_list_md(request: HttpRequest) -> HttpResponseBase:
    """The page of the list as text; ``format`` chooses which."""
    query, form = _formatted(request)
    params = ListParams.parse(query, timezone.now())
    if params.errors:
        return _refused(params)
    if form not in ("", *FORMATS):
        return _no_format(form)
    scope = scope_of(params, request.user)
    report = list_report(params, scope)
    _note(request)
    if form == "customer":
        return _text(ticket_text.list_customer_text(report))
    if form == "escalation":
        return _text(ticket_text.list_escalation(report))
    return _written(ticket_text.list_document(report), form)


@text_twin
def restore_detail_md(request: HttpRequest, restore_id: str) -> HttpResponseBase:
    """One restore as text; ``format`` chooses which."""
    query, form = _formatted(request)
    found = find_restores(restore_id, request.user, query)
    if form not in ("", *FORMATS):
        return _no_format(form)
    if found.only is None:
        return _text("Several restores share this ID: add ?instance= and ?project=\n", 300)
    now = timezone.now()
    asof = as_of_context(found.only, query, now)
    if asof.error:
        return _refused(ListParams.parse(query, now))
    if asof.too_early:
        raise Http404(NOT_RECORDED)
    report = restore_report(found.only, permalink(found), now, asof.past)
    _note(request)
    if form == "customer":
        return _text(ticket_text.restore_customer_text(report))
    if form == "escalation":
        return _text(ticket_text.restore_escalation(report))
    return _written(ticket_text.restore_document(report), form)


def _formatted(request: HttpRequest) -> tuple[QueryDict, str]:
    """The list's parameters, and the format asked for."""
    query = request.GET.copy()
    form = query.get("format", "")
    query.pop("format", None)
    return query, form


def _written(document: ticket_text.Document, form: str) -> HttpResponse:
    kind = TYPES.get(form, "text/plain")
    return _text(ticket_text.FORMATS[form or "markdown"](document), kind=kind)


def _text(text: str, status: int = 200, kind: str = "text/plain") -> HttpResponse:
    return HttpResponse(text, status=status, content_type=f"{kind}; charset=utf-8")


def _refused(params: ListParams) -> HttpResponse:
    lines = [f"{one.param}: {one.value}: {one.reason}" for one in params.errors]
    return _text("\n".join(" ".join(line.split()) for line in lines) + "\n", status=400)


def _no_format(form: str) -> HttpResponse:
    shown = " ".join(form[:200].split())
    return _text(f"format: {shown}: must be one of {', '.join(FORMATS)}\n", status=400)


def _note(request: HttpRequest) -> None:
    """Keep who took what away; a HEAD takes nothing."""
    if request.method == "GET":
        subject = request.get_full_path()[:500]
        Event.objects.create(user_id=request.user.pk, what="exported", subject=subject)
