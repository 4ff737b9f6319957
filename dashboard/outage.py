"""The error page: 503 while the database is unavailable, else 500.

It is ``handler500`` and not a middleware: ``process_exception`` doesn't see what fails in other
middleware, and the session is read there.
"""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string


def error_page(request: HttpRequest) -> HttpResponse:
    """Answer an uncaught exception (Django's ``handler500``); reads nothing from the database."""
    error = sys.exc_info()[1]
    if isinstance(error, (OperationalError, InterfaceError)):
        page = render_to_string("503.html", {"full": _disk_full(error)})
        response = HttpResponse(page, status=503)
        response["Retry-After"] = "10"
    else:
        response = HttpResponse(render_to_string("500.html"), status=500)
    response["Cache-Control"] = "no-store"
    return response


def _disk_full(error: BaseException) -> bool:
    # PostgreSQL's disk_full by its state, SQLite's by its only words.
    full = getattr(error.__cause__, "sqlstate", None) == "53100"
    return full or "disk is full" in str(error)
