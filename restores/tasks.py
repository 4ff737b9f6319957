"""What Celery runs; messages only say "look", the ledger says at what."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from math import ceil

from celery import shared_task
from django.db import DatabaseError, InterfaceError
from django.db.models import Count

from restores import shutdown
from restores.models import Heartbeat, Project
from restores.sync import accounts, clock, scheduling
from restores.sync.accounts import current_clouds
from restores.sync.instances import give_back, look_at_due, look_at_news
from restores.sync.interrupts import Interrupted, asked
from restores.sync.projects import look_at_project
from restores.sync.store import LeaseLost

# A message that nobody took by then is worth nothing: the next ticks have rung again.
_EXPIRES = 15
# Claims follow one another this long: the instances of a worker that died are claimed one by one.
_AGAIN = 8.0  # seconds


@shared_task
def tick() -> None:
    """Ring once for each project that is due and for each batch of due instances."""
    clouds, now = current_clouds(), datetime.now(UTC)
    clock.follow(now)
    scheduling.park(now)
    if accounts.due_accounts(clouds, now).exists():
        project_discovery.apply_async(expires=_EXPIRES)
    for _ in range(scheduling.projects(now).count()):
        project_look.apply_async(expires=_EXPIRES)
    waiting = scheduling.instances(now).order_by().values("project_id").annotate(due=Count("pk"))
    for project in waiting:
        for _ in range(ceil(project["due"] / scheduling.BATCH)):
            instance_looks.apply_async(expires=_EXPIRES)
    # Written last: only a worker that finishes work says so, and pages warn when none does.
    Heartbeat.objects.update_or_create(pk=1, defaults={"at": datetime.now(UTC)})


@shared_task
def project_look() -> None:
    """Look at due projects."""
    _repeat(_look_at_a_project)


@shared_task
def project_discovery() -> None:
    """Find the projects of an account that names none."""
    for _ in accounts.discover(current_clouds(), datetime.now(UTC)):
        return


@shared_task
def instance_looks() -> None:
    """Look at due instances, a batch at a time; projects that have become due go before."""
    _repeat(lambda: _look_at_a_project() or look_at_due(current_clouds()))


def _repeat(look: Callable[[], int]) -> None:
    """Look while there is something due, for a short while.

    Another process may have answered the bells of projects that had to wait for one another.
    """
    until = time.monotonic() + _AGAIN
    with shutdown.interruptible():
        while not asked() and look():
            if time.monotonic() > until:
                return


def _look_at_a_project() -> bool:
    """Look at a due project, and at once at those of its instances of which it gives news."""
    began = datetime.now(UTC)
    project = scheduling.claim_project(began)
    if project and _worked(project):
        look_at_news(current_clouds(), project, began)
    return project is not None


def _worked(project: Project) -> bool:
    try:
        return look_at_project(project, current_clouds()[project.account.name]) is None
    except LeaseLost:
        return False
    except (Interrupted, DatabaseError, InterfaceError):
        give_back([project], blameless=True)
        raise
