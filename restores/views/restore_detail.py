"""The page of one restore, explained."""

from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from restores.beside import beside
from restores.filters import ListParams
from restores.models import Restore
from restores.pages.lines import line
from restores.pages.restore import restore_page, restore_page_json
from restores.serializers import errors_json
from restores.views.api import JsonAnswer, json_endpoint, revalidated
from restores.views.navigation import (
    NOT_RECORDED,
    as_of_context,
    find_restores,
    list_navigation,
    list_url,
    permalink,
    restore_url,
    same_backup,
    same_instance,
)
from restores.views.sync_now import return_url, sync_state


@require_safe
@revalidated
def restore_detail(request: HttpRequest, restore_id: str) -> HttpResponse:
    """One restore; a page to choose from where instances share its ID."""
    now = timezone.now()
    found = find_restores(restore_id, request.user, request.GET)
    if found.only is None:
        return _choose(request, restore_id, found.rows, now)
    asof = as_of_context(found.only, request.GET, now)
    at = asof.past.asof if asof.past else now
    context = {
        "page": restore_page(found.only, now, asof.past),
        "same_instance": same_instance(found.only, request.user, at, asof.past),
        "same_backup": same_backup(found.only, request.user, at, asof.past),
        "navigation": list_navigation(
            found.only, request.GET, request.user, now, shared=found.shared
        ),
        "asof": asof,
        "sync": sync_state(found.only.instance, now),
        "return_url": return_url(request),
        "permalink": permalink(found),
    }
    return TemplateResponse(
        request, "restores/detail.html", context, status=400 if asof.error else 200
    )


def _choose(
    request: HttpRequest, restore_id: str, rows: list[Restore], now: datetime
) -> HttpResponse:
    """List the restores that share an ID, as of the page's time."""
    contexts = [as_of_context(row, request.GET, now) for row in rows]
    pairs = list(zip(rows, contexts, strict=True))
    recorded = [(row, asof) for row, asof in pairs if not asof.too_early]
    context = {
        "restore_id": restore_id,
        "choices": [
            (line(beside([row], asof.past)[0].then), restore_url(row, request.GET))
            for row, asof in recorded or pairs
        ],
        "list_url": list_url(request.GET, now, shared=True),
        # Where not all of them were recorded yet, the page says so.
        "asof": next((asof for asof in contexts if asof.too_early), contexts[0]),
    }
    status = 400 if contexts[0].error else 200
    return TemplateResponse(request, "restores/several.html", context, status=status)


@json_endpoint
def restore_detail_json(request: HttpRequest, restore_id: str) -> JsonAnswer:
    """One restore with its record and observations, or every one with this ID."""
    now = timezone.now()
    found = find_restores(restore_id, request.user, request.GET)
    contexts = [as_of_context(row, request.GET, now) for row in found.rows]
    if contexts[0].error:
        return JsonResponse(errors_json(ListParams.parse(request.GET, now)), status=400)
    recorded = [
        (row, asof) for row, asof in zip(found.rows, contexts, strict=True) if not asof.too_early
    ]
    if not recorded:
        raise Http404(NOT_RECORDED)
    rows = [restore_page_json(row, asof.past) for row, asof in recorded]
    return {"restores": rows} if found.only is None else rows[0]
