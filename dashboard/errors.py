"""The page for an uncaught exception: 500, or 503 while the database is unavailable."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer an uncaught exception without using the database (Django's ``handler500``).

    Unlike ``process_exception`` of a middleware it also sees what fails in other middleware, such
    as reading the session.
    """
    error = sys.exc_info()[1]
    if isinstance(error, (OperationalError, InterfaceError)):
        page = render_to_string("503.html", {"full": _is_disk_full(error)})
        response = HttpResponse(page, status=503)
        response["Retry-After"] = "10"
    else:
        response = HttpResponse(render_to_string("500.html"), status=500)
    response["Cache-Control"] = "no-store"
    return response


def _is_disk_full(error: BaseException) -> bool:
    # PostgreSQL has an SQLSTATE for it (disk_full), SQLite only its message.
    sqlstate = getattr(error.__cause__, "sqlstate", None)
    return sqlstate == "53100" or "disk is full" in str(error)
