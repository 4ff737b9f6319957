"""Celery tasks. A message only wakes a worker; what to sync is claimed from the database."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from math import ceil

from celery import shared_task
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Count

from restores import shutdown
from restores.models import Heartbeat, UserSession
from restores.sync import accounts, call_counts, scheduling
from restores.sync.accounts import load_accounts
from restores.sync.instances import sync_due_instances, sync_newly_due
from restores.sync.projects import sync_project

# Seconds. A message that nobody has taken by then is useless: later ticks have sent new ones.
_EXPIRES = 15
# Seconds for which a task claims one batch after another: the instances of a worker that died are
# claimed one by one, and one message may stand for several batches.
_CLAIM_FOR = 8.0


@shared_task
def tick() -> None:
    """Wake workers for every due project and for every batch of due instances."""
    loaded, now = load_accounts(), datetime.now(UTC)
    scheduling.quarantine(now)
    if accounts.due_for_discovery(loaded, now).exists():
        discover_projects.delay()
    for _ in range(scheduling.due_projects(now).count()):
        sync_projects.delay()
    due = scheduling.due_instances(now).order_by()
    for count in (
        due.values("project_id").annotate(count=Count("pk")).values_list("count", flat=True)
    ):
        for _ in range(ceil(count / scheduling.BATCH_SIZE)):
            sync_instances.delay()
    # Last: only a worker that finishes work has a heartbeat, and pages warn when there is none.
    Heartbeat.objects.update_or_create(
        pk=Heartbeat.TICK_FINISHED, defaults={"at": datetime.now(UTC)}
    )


@shared_task(expires=_EXPIRES)
def analyze() -> None:
    """Refresh SQLite's table statistics; PostgreSQL does so by itself.

    Without them, SQLite uses an index of statuses for a filter by code or end and reads all
    restores of a status: ten seconds instead of a tenth of one, with a million restores.
    """
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


@shared_task(expires=_EXPIRES)
def clear_sessions() -> None:
    """Delete sessions that have ended; Django keeps them forever."""
    call_command("clearsessions")
    # Those whose session was deleted by a version that doesn't know them.
    UserSession.objects.exclude(session__in=Session.objects.all()).delete()


@shared_task(expires=_EXPIRES)
def discover_projects() -> None:
    """Discover the projects of one account that names none."""
    next(accounts.discover(load_accounts(), datetime.now(UTC)), None)
    call_counts.save()


@shared_task(expires=_EXPIRES)
def sync_projects() -> None:
    """Sync due projects, one after another."""
    _repeat(_sync_due_project)


@shared_task(expires=_EXPIRES)
def sync_instances() -> None:
    """Sync due instances, one batch after another; projects that have become due go first."""
    _repeat(lambda: _sync_due_project() or sync_due_instances(load_accounts()))


def _repeat(sync: Callable[[], int]) -> None:
    """Sync until nothing is due, the worker stops, or this task has taken long enough."""
    until = time.monotonic() + _CLAIM_FOR
    while not shutdown.stopping() and sync() and time.monotonic() < until:
        pass
    call_counts.save()


def _sync_due_project() -> bool:
    """Sync a due project, and immediately those of its instances that this has made due.

    Returns whether a project was due.
    """
    started = datetime.now(UTC)
    project = scheduling.claim_project(started)
    if project is None:
        return False
    try:
        error = sync_project(project, load_accounts()[project.account.name])
    except (SystemExit, DatabaseError, InterfaceError):
        scheduling.release_after_crash([project], count_attempt=False)
        raise
    if error is None:
        sync_newly_due(load_accounts(), project, started)
    return True
