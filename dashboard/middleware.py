"""Middleware: security headers for every response, and guards against malformed requests."""

import codecs
import logging
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import (
    BadRequest,
    DisallowedHost,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.http import HttpRequest, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase

from dashboard.errors import bad_request

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

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def security_headers(get_response: GetResponse) -> GetResponse:
    """Add the headers that are missing; outermost, so that errors and static files get them too."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return middleware


def refuse_other_hosts(get_response: GetResponse) -> GetResponse:
    """Answer 400 to a Host that isn't in ALLOWED_HOSTS, on every path.

    Django checks it only where a view asks for the host.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        try:
            request.get_host()
        except DisallowedHost as error:
            logger.warning("%s", error)
            return bad_request(request, error)
        return get_response(request)

    return middleware


def refuse_unreadable_forms(get_response: GetResponse) -> GetResponse:
    """Answer 400 to a form that can't be read, whatever its path.

    Otherwise it would fail wherever it is read first: in a view, the CSRF check or an error page.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        try:
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


def _read_form(request: HttpRequest) -> None:
    longest = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if request.path_info not in settings.LARGE_FORMS:
        longest = min(longest, settings.LARGEST_FORM)
    if int(request.META.get("CONTENT_LENGTH") or 0) > longest:
        raise RequestDataTooBig
    if request.encoding and codecs.lookup(request.encoding).name != "utf-8":
        if request.method == "POST":
            raise BadRequest
        request.encoding = "utf-8"  # or the query string would be decoded by it
    request.POST  # noqa: B018 - parsed when it is first accessed


def drop_invalid_session_cookie(get_response: GetResponse) -> GetResponse:
    """Drop a session cookie with a NUL byte.

    Django looks it up unchecked and PostgreSQL rejects such a text: the response would be a 500.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if "\0" in request.COOKIES.get(settings.SESSION_COOKIE_NAME, ""):
            del request.COOKIES[settings.SESSION_COOKIE_NAME]
        return get_response(request)

    return middleware
