"""Scheduling: what is due, in which order, and which worker has claimed it.

The database holds the schedule. A worker claims due rows for the time of a lease, and every claim
increments the row's fencing token. A worker that comes back after its lease still has the old
token, so its writes are rejected.
"""

from __future__ import annotations

import logging
import random
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Case, Count, F, Q, When
from django.db.models.functions import Greatest

from restores.models import Instance, Project, Restore
from restores.querysets import InstanceQuerySet, ProjectQuerySet
from restores.sync import project_state

logger = logging.getLogger(__name__)

BATCH_SIZE = 48  # three rounds of the threads that fetch for a batch
LEASE = timedelta(seconds=90)
MAX_ATTEMPTS = 3
# How often an instance is synced while one of its restores may still change.
LIVE_INTERVAL = timedelta(seconds=9)
FIRST_RETRY = timedelta(seconds=30)
# A tick comes about every 5 s: what is due a little later counts as due now.
TICK_TOLERANCE = timedelta(seconds=1)
# If the next call that an account's rate limit allows is further away, its projects and instances
# are left for later: a sync would only block a worker process. A project sync is short, so it may
# wait a little longer.
MAX_WAIT = timedelta(seconds=2)
MAX_PROJECT_WAIT = timedelta(seconds=5)


class LeaseLost(Exception):
    """The lease has run out or another worker has claimed the row; nothing was written."""


def due_projects(now: datetime) -> ProjectQuerySet:
    """Return projects that are due and unclaimed: working ones first, then those of idle accounts.

    An endpoint that hangs must not occupy every worker process: of an account's failing projects
    one is synced at a time, and once two of them are unreachable, one of all its projects.
    """
    claimed = Project.objects.filter(lease_until__gte=now)
    unreachable = Project.objects.monitored().filter(failures__gt=0, sync_error_kind="unreachable")
    per_account = unreachable.values("account_id").annotate(count=Count("pk"))
    accounts_down = per_account.filter(count__gt=1).values("account_id")
    one_at_a_time = Q(failures__gt=0) | Q(account_id__in=accounts_down)
    failing = Q(failures__gt=0) | Q(account_id__in=unreachable.values("account_id"))
    return (
        Project.objects.monitored()
        .filter(
            Q(next_sync_at=None) | Q(next_sync_at__lte=now + TICK_TOLERANCE),
            unclaimed(now),
            account_available(now, now + MAX_PROJECT_WAIT, "account__"),
        )
        .exclude(one_at_a_time, account_id__in=claimed.filter(one_at_a_time).values("account_id"))
        .order_by(
            Case(When(failing, then=1), default=0),
            Case(When(account_id__in=claimed.values("account_id"), then=1), default=0),
            F("next_sync_at").asc(nulls_first=True),
            "pk",
        )
    )


def due_instances(now: datetime) -> InstanceQuerySet:
    """Return instances that are due and unclaimed, in projects whose own sync works.

    After a rejected login only project syncs go on, which make a single call: the calls of a whole
    batch would all be rejected, and five rejections in a row lock an access key.
    """
    return Instance.objects.monitored().filter(
        unclaimed(now),
        account_available(now, now + MAX_WAIT, "project__account__"),
        next_sync_at__lte=now + TICK_TOLERANCE,
        attempts__lt=MAX_ATTEMPTS,
        # Not its sync_error_kind: some sync errors are only worth showing.
        project__failures=0,
        project__account__refusals=0,
    )


def unclaimed(now: datetime) -> Q:
    """Match rows that no worker holds."""
    return Q(lease_until=None) | Q(lease_until__lt=now)


def account_available(now: datetime, reserved_by: datetime, prefix: str = "") -> Q:
    """Match accounts that are not paused and whose next free call is at ``reserved_by`` or before.

    ``prefix`` is the lookup that leads to the account.
    """
    paused, reserved = f"{prefix}paused_until", f"{prefix}reserved_until"
    not_paused = Q(**{paused: None}) | Q(**{f"{paused}__lte": now})
    return not_paused & (Q(**{reserved: None}) | Q(**{f"{reserved}__lte": reserved_by}))


def claim_project(now: datetime) -> Project | None:
    """Claim the first due project."""
    with _claiming() as claimed:
        due = due_projects(now).select_related("account")
        claimed += _claim(due.select_for_update(skip_locked=True, of=("self",))[:1], now)
    return claimed[0] if claimed else None


def claim_instances(now: datetime, rates: Mapping[str, float] | None = None) -> list[Instance]:
    """Claim a batch of due instances of one project, as large as its account's rate allows.

    Instances with unfinished restores come first, then those of accounts that are idle, then those
    that have been due the longest.
    """
    live = Restore.objects.unfinished(now).values("instance_id")
    claimed = Instance.objects.filter(lease_until__gte=now).values("project__account_id")
    busy = Q(project__account__reserved_until__gt=now) | Q(project__account_id__in=claimed)
    due = due_instances(now).order_by(
        Case(When(pk__in=live, then=0), default=1),
        Case(When(busy, then=1), default=0),
        "next_sync_at",
        "pk",
    )
    return _claim_batch(due, rates or {}, now)


def claim_newly_due(
    project: Project, since: datetime, now: datetime, rates: Mapping[str, float] | None = None
) -> list[Instance]:
    """Claim a batch of those instances that the project's sync at ``since`` has made due."""
    due = due_instances(now).filter(project=project, next_sync_at__gte=since)
    return _claim_batch(due.order_by("-next_sync_at", "pk"), rates or {}, now)


def claim_selected(ids: Iterable[int], now: datetime) -> list[Instance]:
    """Claim those of the given instances that no worker holds, due or not."""
    with transaction.atomic():
        rows = Instance.objects.filter(unclaimed(now), pk__in=list(ids))
        rows = rows.select_related("project__account").order_by("pk")
        return _claim(rows.select_for_update(of=("self",)), now)


def take_over_project(project: Project, now: datetime) -> Project:
    """Claim a project, even from another worker, whose result is then rejected."""
    with transaction.atomic():
        rows = Project.objects.select_related("account").select_for_update(of=("self",))
        return _claim([rows.get(pk=project.pk)], now)[0]


def release(
    claimed: Sequence[Instance] | Sequence[Project],
    *,
    count_attempt: bool = False,
    wait: timedelta = timedelta(0),
) -> int:
    """Release claims whose sync has not finished; return how many.

    ``count_attempt`` where the row itself may be to blame: after three such attempts an instance
    is no longer synced.
    """
    if not claimed:
        return 0
    fields: dict[str, Any] = {"lease_until": None}
    if not count_attempt:
        fields["attempts"] = Greatest(F("attempts") - 1, 0)
    if wait:
        fields["next_sync_at"] = datetime.now(UTC) + wait
    ours = Q()
    for row in claimed:
        # If our claim was rolled back, a later one of another worker has the same token.
        ours |= Q(pk=row.pk, fencing_token=row.fencing_token, lease_until__lte=row.lease_until)
    return type(claimed[0])._default_manager.filter(ours).update(**fields)


def release_after_crash(
    claimed: Sequence[Instance] | Sequence[Project], *, count_attempt: bool
) -> None:
    """Release claims as soon as the database responds; most outages are shorter than a lease."""
    until = time.monotonic() + LEASE.total_seconds()
    while time.monotonic() < until:
        try:
            count = release(claimed, count_attempt=count_attempt)
            logger.warning("A sync was interrupted; %d claims were released.", count)
            return
        except (OperationalError, InterfaceError):
            connection.close()
            time.sleep(1)


def lock_claimed(instance: Instance) -> None:
    """Lock an instance until the end of the transaction, or raise ``LeaseLost``."""
    rows = Instance.objects.select_for_update()
    if not rows.filter(pk=instance.pk, fencing_token=instance.fencing_token).exists():
        raise LeaseLost(instance.instance_id)


def quarantine(now: datetime) -> None:
    """Show the instances whose syncs kept crashing the worker; they wait for a person."""
    crashing = Instance.objects.filter(unclaimed(now), attempts__gte=MAX_ATTEMPTS)
    crashing = crashing.exclude(sync_error_kind="parked")
    projects = set(crashing.values_list("project_id", flat=True))
    crashing.update(
        sync_error_kind="parked",
        sync_error_message=f"{MAX_ATTEMPTS} syncs in a row did not finish; "
        "automatic sync is paused.",
        sync_error_since=now,
        sync_error_request_id="",
    )
    for project in sorted(projects):
        project_state.recount(project)


def batch_size(rate: float) -> int:
    """Return how many instances fit into a batch at ``rate`` calls per second.

    A batch takes about a second: between batches a worker process turns to due projects.
    """
    return int(max(1, min(BATCH_SIZE, rate)))


def next_regular_sync(instance: Instance, interval: int, now: datetime) -> datetime:
    """Return the instance's own time within the coming interval, so that syncs are spread out."""
    offset = zlib.crc32(f"{instance.project_id}/{instance.instance_id}".encode()) % interval
    # A sync that came early by the tolerance was the one for this time.
    after = now + TICK_TOLERANCE
    return after + timedelta(seconds=(offset - after.timestamp()) % interval or interval)


def next_retry(failures: int, interval: float, now: datetime) -> datetime:
    """Return when to try again: after 30 s, doubled by each failure up to the interval, ±20%."""
    wait = min(interval, FIRST_RETRY.total_seconds() * 2 ** min(failures, 12))
    return now + timedelta(seconds=wait * random.uniform(0.8, 1.2))  # noqa: S311 - not a secret


def _claim_batch(
    due: InstanceQuerySet, rates: Mapping[str, float], now: datetime
) -> list[Instance]:
    """Claim the first instance and more of its project; alone if its last sync did not finish."""
    due = due.select_related("project__account")
    due = due.select_for_update(skip_locked=True, of=("self",))
    with _claiming() as claimed:
        first = due.first()
        if first is None:
            return []
        if first.attempts:
            claimed += _claim([first], now)
        else:
            size = batch_size(rates.get(first.project.account.name, BATCH_SIZE))
            claimed += _claim(due.filter(project_id=first.project_id, attempts=0)[:size], now)
    return claimed


@contextmanager
def _claiming() -> Iterator[list[Any]]:
    """Claim in a transaction; release what may have been claimed if its commit got no response."""
    claimed: list[Any] = []
    try:
        with transaction.atomic():
            yield claimed
    except (OperationalError, InterfaceError):
        if claimed:
            release_after_crash(claimed, count_attempt=False)
        raise


def _claim(rows: Iterable, now: datetime) -> list:
    claimed = list(rows)
    if claimed:
        type(claimed[0]).objects.filter(pk__in=[row.pk for row in claimed]).update(
            lease_until=now + LEASE,
            fencing_token=F("fencing_token") + 1,
            attempts=F("attempts") + 1,
        )
    for row in claimed:
        row.lease_until = now + LEASE
        row.fencing_token += 1
        row.attempts += 1
    return claimed
