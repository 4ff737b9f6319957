"""The time zone of the pages: the form that chooses it, and suggestions while somebody types."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods

from restores.time_zone import COOKIE_AGE, CUSTOMER, zone_options
from restores.timerange import find_zones, suggest_zones
from restores.views.api import JsonAnswer, json_endpoint, revalidated

_MAX_NAME = 64
_SUGGESTED = 8


@require_http_methods(["GET", "HEAD", "POST"])
@revalidated
def time_zone(request: HttpRequest) -> HttpResponse:
    """Keep the chosen time zone in a cookie, and go back to the page where it was chosen."""
    context: dict[str, Any] = {"next": request.POST.get("next") or reverse("overview")}
    if request.method != "POST":
        return TemplateResponse(request, "time_zone.html", context)
    name = request.POST.get("zone", "").strip()
    found = (CUSTOMER,) if name == CUSTOMER else find_zones(name[:_MAX_NAME] or "UTC")
    if len(found) != 1:
        shown = name if len(name) <= _MAX_NAME else f"{name[:_MAX_NAME]}…"
        context |= {"invalid": shown, "meanings": zone_options(found, timezone.now())}
        return TemplateResponse(request, "time_zone.html", context, status=400)
    response = redirect(_return_url(request.POST, found[0]))
    response.set_cookie(
        settings.ZONE_COOKIE_NAME,
        found[0],
        max_age=COOKIE_AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


@json_endpoint
def time_zones_json(request: HttpRequest) -> JsonAnswer:
    """The time zones that the text may mean: by city, country or offset."""
    names = suggest_zones(request.GET.get("q", "")[:_MAX_NAME], _SUGGESTED)
    return {"time_zones": [asdict(one) for one in zone_options(names, timezone.now())]}


def _return_url(form: QueryDict, zone: str) -> str:
    """The page in the chosen zone: a zone in its URL would win over the cookie."""
    url = form.get("next", "")
    if not (url.startswith("/") and url_has_allowed_host_and_scheme(url, allowed_hosts=None)):
        return reverse("overview")
    path, _, query = url.partition("?")
    params = QueryDict(query, mutable=True)
    if params.pop("tz", None) and zone != CUSTOMER:
        params["tz"] = zone
    return f"{path}?{params.urlencode(safe=':/,')}" if params else path
