"""Requests with an API token: which of them are allowed, and the errors for the rest.

A token opens only the endpoints for scripts, and only for reading. It replaces the session: a
request that has both sees what the token may see.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.debug import sensitive_variables

from restores.api_tokens import TooManyRequests, count_use, find_token, is_well_formed, viewer_of
from restores.views.api import json_error, not_allowed, unauthorized

# Found however it is sent: without "Bearer", or by mistake to a page.
_SENT = re.compile(r"dcs_[a-z0-9]{12}_")


class TokenAccess:
    """Middleware: sign in the user of an API token, for this request only."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        if "Authorization" in request.headers:
            patch_vary_headers(response, ["Authorization"])
        return response

    @sensitive_variables("header", "text")
    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> JsonResponse | None:
        """Reject a request that its token doesn't allow; the errors never repeat the token."""
        header = request.headers.get("Authorization", "")
        scheme, _, text = header.partition(" ")
        ours = _SENT.search(header)
        if not getattr(view, "takes_tokens", False):
            # Other headers are for others: a reverse proxy, a monitoring system.
            return json_error(403, _NOT_HERE) if ours else None
        if scheme.lower() != "bearer" and not ours:
            return None
        if request.method not in ("GET", "HEAD"):
            reason = "API tokens are read-only: use GET or HEAD."
            return not_allowed(reason, ("GET", "HEAD"))
        if scheme.lower() != "bearer" or not is_well_formed(text.strip()):
            return unauthorized(_MALFORMED)
        token = find_token(text.strip())
        if token is None:
            return unauthorized(_INVALID)
        try:
            count_use(token, timezone.now())
        except TooManyRequests as error:
            response = json_error(429, f"Too many requests. Try again in {error.seconds} s.")
            response.headers["Retry-After"] = str(error.seconds)
            return response
        request.user = viewer_of(token)
        return None


_NOT_HERE = "API tokens only work for addresses that end in .json, .csv, .xlsx or .md."
_MALFORMED = (
    'The header must be "Authorization: Bearer" followed by an API token: '
    "dcs_, 12 letters and digits, _ and 43 characters."
)
_INVALID = "The API token isn’t valid. It may be mistyped, expired or revoked."
