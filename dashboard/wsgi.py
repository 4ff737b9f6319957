"""The WSGI application of the web process."""

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

from dashboard.static_files import require_static_files

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# After a worker has ended with this status, gunicorn ends too instead of starting another one.
_WORKER_BOOT_ERROR = 3

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
try:
    django.setup()
    # First, because the application's middleware reads them, too.
    require_static_files()
    _django = get_wsgi_application()
except ImproperlyConfigured as error:
    sys.stderr.write(f"{error}\n")
    sys.exit(_WORKER_BOOT_ERROR)


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Serve a request, even one whose body claims a charset that isn't for text.

    Django decodes the query string with that charset when it creates the request (5.2). A failure
    there is outside all error handling; no other one gets here.
    """
    environ["PATH_INFO"] = _without_prefix(environ["PATH_INFO"])
    try:
        # A copy, because Django changes the path in it.
        return _django(environ.copy(), start_response)
    except Exception:
        # Then a form is refused for lack of a boundary; for other bodies the type doesn't matter.
        environ["CONTENT_TYPE"] = "multipart/form-data"
        return _django(environ, start_response)


def _without_prefix(path: str) -> str:
    """Remove the path of BASE_URL, which a reverse proxy passes on and health checks may omit."""
    prefix = settings.FORCE_SCRIPT_NAME or ""
    return path[len(prefix) :] if f"{path}/".startswith(f"{prefix}/") else path
