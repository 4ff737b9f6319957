"""Health checks: is the process alive, and is it ready to serve?"""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from restores.migration_state import unknown_migrations


@login_not_required
@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Respond with the version, without checking anything else."""
    return HttpResponse(f"ok\nversion: {settings.VERSION}\n", content_type="text/plain")


@login_not_required
@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Check that the database responds and that every migration is applied.

    Migrations only add, so a database that is newer than this code is reported but isn't a failure.
    """
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
        unknown = unknown_migrations()
    except DatabaseError:
        return HttpResponse("database: unavailable\n", content_type="text/plain", status=503)
    if pending:
        text = f"migrations: {len(pending)} not applied\n"
        return HttpResponse(text, content_type="text/plain", status=503)
    note = f"migrations: this code is older than {', '.join(unknown)}\n" if unknown else ""
    return HttpResponse(f"ok\n{note}", content_type="text/plain")
