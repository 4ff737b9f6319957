"""Security headers for every response, and a guard against malformed session cookies."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

POLICY = {
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
}

Respond = Callable[[HttpRequest], HttpResponseBase]


def headers(respond: Respond) -> Respond:
    """Add what is missing; outermost, so errors and files carry the headers too."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = respond(request)
        for name, value in POLICY.items():
            response.headers.setdefault(name, value)
        return response

    return middleware


def ignore_null_bytes(respond: Respond) -> Respond:
    """Drop a session cookie with a NUL byte.

    Django looks it up unchecked, and PostgreSQL refuses such a text: the answer would be 500.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if "\0" in request.COOKIES.get(settings.SESSION_COOKIE_NAME, ""):
            del request.COOKIES[settings.SESSION_COOKIE_NAME]
        return respond(request)

    return middleware
