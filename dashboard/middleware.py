"""Middleware: a request ID and security headers, and guards against malformed requests."""

import codecs
import logging
import re
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import (
    BadRequest,
    DisallowedHost,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.core.signals import request_finished
from django.dispatch import receiver
from django.http import (
    HttpRequest,
    HttpResponse,
    StreamingHttpResponse,
    UnreadablePostError,
)
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase

from dashboard.errors import bad_request
from restores import log_ids
from restores.views.api import unauthorized

logger = logging.getLogger(__name__)

SECURITY_HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "object-src 'none'",
        )
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    # Also for redirects and errors: shared caches must keep nothing that signed-in users see.
    "Cache-Control": "private, no-cache",
}

_REQUEST_ID = r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}"
_HEALTH_CHECKS = ("/healthz", "/readyz")

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def request_ids(get_response: GetResponse) -> GetResponse:
    """Give each request an ID, for the log and the response: the proxy's, if it sends one.

    One that could be mistaken for something else in a log is replaced.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if re.fullmatch(_REQUEST_ID, given) else log_ids.new_id()
        log_ids.request_id.set(request_id)
        response = get_response(request)
        response.headers["X-Request-ID"] = request_id
        return response

    return middleware


@receiver(request_finished)
def _forget_request_id(**_: Any) -> None:
    # Not in the middleware: a streamed response continues after it.
    log_ids.request_id.set("")


def security_headers(get_response: GetResponse) -> GetResponse:
    """Add the headers that are missing; outermost, so that errors and static files get them too."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return middleware


def leave_out_bodies(get_response: GetResponse) -> GetResponse:
    """Send no body in response to HEAD: gunicorn logs a warning for each that it has to drop.

    Views and Django leave that to the server. A file that is streamed isn't even created.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if request.method == "HEAD":
            if isinstance(response, StreamingHttpResponse):
                response.streaming_content = ()
            elif isinstance(response, HttpResponse):
                response.content = b""
        return response

    return middleware


def refuse_other_hosts(get_response: GetResponse) -> GetResponse:
    """Respond with 400 to a Host that isn't in ALLOWED_HOSTS, on every path.

    Django checks it only where a view asks for the host.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        try:
            request.get_host()
        except DisallowedHost as error:
            logger.info("%s", error)
            return bad_request(request, error)
        return get_response(request)

    return middleware


def refuse_unreadable_forms(get_response: GetResponse) -> GetResponse:
    """Respond with 400 to a form that can't be read, on any path; a large one requires a user.

    Otherwise it would fail where it is first read: in a view, the CSRF check or an error page.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        try:
            if _is_large(request) and not request.user.is_authenticated:
                return _sign_in_first(request)
            _read_form(request)
        except _UNREADABLE as error:
            return bad_request(request, error)
        return get_response(request)

    return middleware


# ValueError: text that isn't in its charset; LookupError: a charset that isn't for text.
_UNREADABLE = (
    BadRequest,
    SuspiciousOperation,
    MultiPartParserError,
    UnreadablePostError,
    ValueError,
    LookupError,
)


def _is_large(request: HttpRequest) -> bool:
    return _length(request) > settings.LARGEST_SIGNED_OUT_FORM


def _length(request: HttpRequest) -> int:
    return int(request.META.get("CONTENT_LENGTH") or 0)


def _sign_in_first(request: HttpRequest) -> HttpResponseBase:
    """Respond to a large form from somebody who isn't signed in, without reading it."""
    if request.path_info not in settings.LARGE_FORMS:
        raise RequestDataTooBig
    if request.path_info.endswith(".json"):
        return unauthorized("Authentication required.")
    return redirect_to_login(request.path)


def _read_form(request: HttpRequest) -> None:
    longest = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if request.path_info not in settings.LARGE_FORMS:
        longest = min(longest, settings.LARGEST_FORM)
    if _length(request) > longest:
        raise RequestDataTooBig
    if request.encoding and codecs.lookup(request.encoding).name != "utf-8":
        if request.method == "POST":
            raise BadRequest
        request.encoding = "utf-8"  # or the query string would be decoded by it
    request.POST  # noqa: B018 - parsed when it is first accessed


def drop_session_cookie(get_response: GetResponse) -> GetResponse:
    """Drop a session cookie with a NUL byte, and any that comes with a health check.

    Django looks up a NUL byte unchecked and PostgreSQL rejects it: the response would be a 500.
    Health checks must work without a database, but LoginRequiredMiddleware looks for a user before
    it looks at the view (Django 5.2).
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        name = settings.SESSION_COOKIE_NAME
        if "\0" in request.COOKIES.get(name, "") or request.path_info in _HEALTH_CHECKS:
            request.COOKIES.pop(name, None)
        return get_response(request)

    return middleware
