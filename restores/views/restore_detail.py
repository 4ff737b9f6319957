"""One restore, explained."""

from datetime import datetime

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from restores.beside import beside
from restores.filters import ListParams
from restores.models import Restore
from restores.pages.lines import line
from restores.pages.look import here, look
from restores.pages.matches import permalink, restore_url, restores_with
from restores.pages.restore import restore_page, restore_page_json
from restores.pages.trail import NOT_YET, past_of_one, trail, way_back
from restores.restore_list.twin import problems_json
from restores.views.twin import Answer, fresh, twin


@require_safe
@fresh
def restore_detail(request: HttpRequest, restore_id: str) -> HttpResponse:
    """One restore; where instances share its id, a page to choose from."""
    now = timezone.now()
    found = restores_with(restore_id, request.user, request.GET)
    if found.only is None:
        return _several(request, restore_id, found.rows, now)
    past = past_of_one(found.only, request.GET, now)
    context = {
        "page": restore_page(found.only, request.user, now, past.known),
        "trail": trail(found.only, request.GET, request.user, now, shared=found.shared),
        "past": past,
        "look": look(found.only.instance, now),
        "here": here(request),
        "permalink": settings.BASE_URL + permalink(found),
        "canonical": permalink(found),
    }
    return TemplateResponse(
        request, "restores/detail.html", context, status=400 if past.unreadable else 200
    )


def _several(
    request: HttpRequest, restore_id: str, rows: list[Restore], now: datetime
) -> HttpResponse:
    """The restores that share an id, in their states of the page's moment."""
    pasts = [past_of_one(row, request.GET, now) for row in rows]
    both = list(zip(rows, pasts, strict=True))
    known = [(row, past) for row, past in both if not past.early]
    context = {
        "restore_id": restore_id,
        "choices": [
            (line(beside([row], past.known)[0].then), restore_url(row, request.GET))
            for row, past in known or both
        ],
        "back": way_back(request.GET, now, shared=True).url,
        # Of a moment when not all were known, the page says so.
        "past": next((past for past in pasts if past.early), pasts[0]),
    }
    status = 400 if pasts[0].unreadable else 200
    return TemplateResponse(request, "restores/several.html", context, status=status)


@twin
def restore_detail_json(request: HttpRequest, restore_id: str) -> Answer:
    """One restore with its record and observations, or every one with this id."""
    now = timezone.now()
    found = restores_with(restore_id, request.user, request.GET)
    pasts = [past_of_one(row, request.GET, now) for row in found.rows]
    if pasts[0].unreadable:
        return JsonResponse(problems_json(ListParams.parse(request.GET, now)), status=400)
    known = [(row, past) for row, past in zip(found.rows, pasts, strict=True) if not past.early]
    if not known:
        raise Http404(NOT_YET)
    rows = [restore_page_json(row, past.known) for row, past in known]
    return {"restores": rows} if found.only is None else rows[0]
