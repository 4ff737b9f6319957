"""Who holds what is due: claims, leases and fences."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, F, QuerySet

from restores.models import Instance, Project
from restores.querysets import InstanceQuerySet
from restores.sync import turns

Order = tuple[Case | str, ...]

BATCH = 48  # three rounds of a look's threads; the two more of DESIGN would cost a fourth
LEASE = timedelta(seconds=90)
# Seconds of an account's rate in one batch: between batches a process turns to due projects.
BOOKED = 1
LIVE = timedelta(seconds=9)
AFTER_FAULT = timedelta(seconds=30)


def claim_project(now: datetime) -> Project | None:
    """Take the project whose turn it is."""
    with transaction.atomic():
        due = turns.projects(now).select_related("account")
        claimed = _claim(due.select_for_update(skip_locked=True, of=("self",))[:1], now)
    return claimed[0] if claimed else None


def claim_instances(now: datetime, rates: Mapping[str, float] | None = None) -> list[Instance]:
    """Take a batch of due instances of one project, as large as its account's rate allows."""
    order = turns.order(now), turns.order_within(now)
    return _claim_batch(turns.instances(now), order, now, rates or {})


def claim_more(project: Project, now: datetime) -> list[Instance]:
    """Take a whole batch of one project's due instances."""
    with transaction.atomic():
        due = turns.instances(now).order_by(*turns.order_within(now))
        return _claim_of(project, due.filter(project=project), BATCH, now)


def claim_news(
    project: Project, since: datetime, now: datetime, rates: Mapping[str, float] | None = None
) -> list[Instance]:
    """Take a batch of what the project's look that began at ``since`` has made due."""
    news = turns.instances(now).filter(project=project, next_sync_at__gte=since)
    order = "-next_sync_at", "pk"
    return _claim_batch(news, (order, order), now, rates or {})


def _claim_batch(
    due: InstanceQuerySet, order: tuple[Order, Order], now: datetime, rates: Mapping[str, float]
) -> list[Instance]:
    """Take the first and more of its project; alone, if its last look did not end.

    ``order`` of all that is due, and of those of one project.
    """
    with transaction.atomic():
        first = _keys(due.order_by(*order[0])).first()
        if first is None:
            return []
        head = Instance.objects.select_related("project__account").get(pk=first)
        if head.attempts:
            return _claim([head], now)
        size = batch_size(rates.get(head.project.account.name, BATCH))
        rest = due.filter(project_id=head.project_id).order_by(*order[1])
        return _claim_of(head.project, rest, size, now)


def _claim_of(project: Project, due: InstanceQuerySet, size: int, now: datetime) -> list[Instance]:
    """Take up to ``size`` of a project's due instances, none whose last look did not end."""
    ids = list(_keys(due.filter(attempts=0))[:size])
    rows = Instance.objects.in_bulk(ids)
    for row in rows.values():
        row.project = project
    return _claim([rows[pk] for pk in ids], now)


def _keys(due: InstanceQuerySet) -> QuerySet[Instance, int]:
    """The keys of those that nobody is claiming: whole rows would cost a sort as much again."""
    return due.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)


def take(project: Project, now: datetime) -> Project:
    """Take a project from whoever holds it: the other one's ending will not count."""
    with transaction.atomic():
        row = Project.objects.select_related("account").select_for_update(of=("self",))
        return _claim([row.get(pk=project.pk)], now)[0]


def claim_these(ids: Iterable[int], now: datetime) -> list[Instance]:
    """Take those of the given instances that nobody holds, due or not."""
    with transaction.atomic():
        free = Instance.objects.filter(turns.free(now), pk__in=list(ids))
        free = free.select_related("project__account").order_by("pk")
        return _claim(free.select_for_update(of=("self",)), now)


def batch_size(rate: float) -> int:
    """How many instances an account's batch may hold at ``rate`` calls per second."""
    return int(max(1, min(BATCH, rate * BOOKED)))


def park(now: datetime) -> None:
    """Show the instances whose looks keep ending their worker; they wait for a person."""
    lost = Instance.objects.filter(turns.free(now), attempts__gte=turns.PARKED_AFTER)
    lost.exclude(sync_error_kind="parked").update(
        sync_error_kind="parked",
        sync_error_message=f"{turns.PARKED_AFTER} syncs in a row did not finish; "
        "automatic sync is paused.",
        sync_error_since=now,
    )


def next_regular(instance: Instance, interval: int, now: datetime) -> datetime:
    """Return the instance's own moment within the coming interval: looks spread evenly."""
    own = zlib.crc32(f"{instance.project_id}/{instance.instance_id}".encode()) % interval
    # A look that came early by the slack is this moment's look, not the one before it.
    early = now + turns.SLACK
    return early + timedelta(seconds=(own - early.timestamp()) % interval or interval)


def after_fault(failures: int, interval: float, now: datetime) -> datetime:
    """Return when to try again: 30 s doubling, at most an interval, give or take a fifth."""
    wait = min(interval, AFTER_FAULT.total_seconds() * 2 ** min(failures, 12))
    return now + timedelta(seconds=wait * random.uniform(0.8, 1.2))  # noqa: S311 - not a secret


def _claim(rows: Iterable, now: datetime) -> list:
    claimed = list(rows)
    if claimed:
        type(claimed[0]).objects.filter(pk__in=[row.pk for row in claimed]).update(
            lease_until=now + LEASE,
            fencing_token=F("fencing_token") + 1,
            attempts=F("attempts") + 1,
        )
    for row in claimed:
        row.fencing_token, row.attempts, row.lease_until = (
            row.fencing_token + 1,
            row.attempts + 1,
            now + LEASE,
        )
    return claimed
