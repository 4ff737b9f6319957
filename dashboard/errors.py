"""The pages for a malformed request, 400, and for an uncaught exception.

The latter is a 500, or a 503 while the database is unavailable.
"""

import re
import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from restores import log_ids

# While connecting there is no SQLSTATE: messages of PostgreSQL, and of PgBouncer.
_CONNECTIONS_USED_UP = re.compile(
    "too many clients|too many connections|connection slots are reserved|no more connections"
)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Respond to a malformed request without reading it again (Django's ``handler400``).

    Django's own handler would read it for a CSRF token, and fail with a 500.
    """
    return HttpResponse(render_to_string("400.html"), status=400)


def server_error(request: HttpRequest) -> HttpResponse:
    """Respond to an uncaught exception without using the database (Django's ``handler500``).

    Unlike ``process_exception`` of a middleware it also sees what fails in other middleware, such
    as reading the session.
    """
    error = sys.exc_info()[1]
    damaged = error is not None and is_damaged(error)
    if damaged or isinstance(error, (OperationalError, InterfaceError)):
        context = {
            "damaged": damaged,
            "full": error is not None and _is_disk_full(error),
            "used_up": _CONNECTIONS_USED_UP.search(str(error)) is not None,
            "request_id": log_ids.request_id.get(),
        }
        page = render_to_string("503.html", context)
        response = HttpResponse(page, status=503)
        response["Retry-After"] = "600" if damaged else "10"
    else:
        response = HttpResponse(
            render_to_string("500.html", {"request_id": log_ids.request_id.get()}), status=500
        )
    response["Cache-Control"] = "no-store"
    return response


def is_damaged(error: BaseException) -> bool:
    """Whether the database says that its file is damaged."""
    # SQLITE_CORRUPT, SQLITE_NOTADB; data_corrupted, index_corrupted of PostgreSQL.
    sqlite = getattr(error.__cause__, "sqlite_errorname", "")
    sqlstate = getattr(error.__cause__, "sqlstate", None)
    return sqlite.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) or sqlstate in ("XX001", "XX002")


def _is_disk_full(error: BaseException) -> bool:
    # PostgreSQL has an SQLSTATE for it (disk_full), SQLite only its message.
    sqlstate = getattr(error.__cause__, "sqlstate", None)
    return sqlstate == "53100" or "disk is full" in str(error)
