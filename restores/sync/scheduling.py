"""Scheduling: what is due, in which order, and which worker has claimed it."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, Count, F, Q, QuerySet, When

from restores.models import Instance, Project, Restore
from restores.querysets import UNKNOWN_RUNS, InstanceQuerySet, ProjectQuerySet

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
        due = projects(now).select_related("account")
        claimed = _claim(due.select_for_update(skip_locked=True, of=("self",))[:1], now)
    return claimed[0] if claimed else None


def claim_instances(now: datetime, rates: Mapping[str, float] | None = None) -> list[Instance]:
    """Take a batch of due instances of one project, as large as its account's rate allows."""
    ordering = order(now), order_within(now)
    return _claim_batch(instances(now), ordering, now, rates or {})


def claim_more(project: Project, now: datetime) -> list[Instance]:
    """Take a whole batch of one project's due instances."""
    with transaction.atomic():
        due = instances(now).order_by(*order_within(now))
        return _claim_of(project, due.filter(project=project), BATCH, now)


def claim_news(
    project: Project, since: datetime, now: datetime, rates: Mapping[str, float] | None = None
) -> list[Instance]:
    """Take a batch of what the project's look that began at ``since`` has made due."""
    news = instances(now).filter(project=project, next_sync_at__gte=since)
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
        unclaimed = Instance.objects.filter(free(now), pk__in=list(ids))
        unclaimed = unclaimed.select_related("project__account").order_by("pk")
        return _claim(unclaimed.select_for_update(of=("self",)), now)


def batch_size(rate: float) -> int:
    """How many instances an account's batch may hold at ``rate`` calls per second."""
    return int(max(1, min(BATCH, rate * BOOKED)))


def park(now: datetime) -> None:
    """Show the instances whose looks keep ending their worker; they wait for a person."""
    lost = Instance.objects.filter(free(now), attempts__gte=PARKED_AFTER)
    lost.exclude(sync_error_kind="parked").update(
        sync_error_kind="parked",
        sync_error_message=f"{PARKED_AFTER} syncs in a row did not finish; "
        "automatic sync is paused.",
        sync_error_since=now,
    )


def next_regular(instance: Instance, interval: int, now: datetime) -> datetime:
    """Return the instance's own moment within the coming interval: looks spread evenly."""
    own = zlib.crc32(f"{instance.project_id}/{instance.instance_id}".encode()) % interval
    # A look that came early by the slack is this moment's look, not the one before it.
    early = now + SLACK
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


PARKED_AFTER = 3
# An account whose slots begin later than that rests: a look would only hold up a process. A
# project's look is short, so it may wait a little.
PATIENCE = timedelta(seconds=2)
PROJECT_PATIENCE = timedelta(seconds=5)
# Ticks come every 5 s give or take: what is due by a hair later is due now.
SLACK = timedelta(seconds=1)


def projects(now: datetime) -> ProjectQuerySet:
    """Projects that are due and free: those that work first, then those of an idle account.

    Of an account's projects whose looks fail, one at a time, and of all its projects once two
    cannot be reached: a cloud that hangs must not take every process of the worker.
    """
    held = Project.objects.filter(lease_until__gte=now)
    silent = Project.objects.monitored().filter(failures__gt=0, sync_error_kind="unreachable")
    mute = silent.values("account_id").annotate(count=Count("pk")).filter(count__gt=1)
    probed = Q(failures__gt=0) | Q(account_id__in=mute.values("account_id"))
    failing = Q(failures__gt=0) | Q(account_id__in=silent.values("account_id"))
    return (
        Project.objects.monitored()
        .filter(
            Q(next_sync_at=None) | Q(next_sync_at__lte=now + SLACK),
            free(now),
            *open_accounts(now + PROJECT_PATIENCE, now, "account__"),
        )
        .exclude(probed, account_id__in=held.filter(probed).values("account_id"))
        .order_by(
            Case(When(failing, then=1), default=0),
            Case(When(account_id__in=held.values("account_id"), then=1), default=0),
            F("next_sync_at").asc(nulls_first=True),
            "pk",
        )
    )


def instances(now: datetime) -> InstanceQuerySet:
    """Instances that are due and free, in projects whose own look works.

    After a refusal only projects are asked, a call each: a batch would be refused many times.
    """
    return Instance.objects.monitored().filter(
        free(now),
        *open_accounts(now + PATIENCE, now, "project__account__"),
        next_sync_at__lte=now + SLACK,
        attempts__lt=PARKED_AFTER,
        # Not its sync_error_kind: some faults are only worth showing.
        project__failures=0,
        project__account__refusals=0,
    )


def order(now: datetime) -> tuple[Case | str, ...]:
    """First those with unfinished restores, then those of accounts that nobody asks, then age."""
    first, *rest = order_within(now)
    return first, _asked(now), *rest


def order_within(now: datetime) -> tuple[Case | str, ...]:
    """The same for instances of one account."""
    return _finished(now), "next_sync_at", "pk"


def _finished(now: datetime) -> Case:
    """Order by this for those first whose restores are on their way: they are what people watch."""
    live = Restore.objects.unfinished(now - UNKNOWN_RUNS).values("instance_id")
    return Case(When(pk__in=live, then=0), default=1)


def _asked(now: datetime) -> Case:
    """Order by this for those first whose account nobody asks now, or waits for."""
    held = Instance.objects.filter(lease_until__gte=now).values("project__account_id")
    used = Q(project__account__reserved_until__gt=now) | Q(project__account_id__in=held)
    return Case(When(used, then=1), default=0)


def free(now: datetime) -> Q:
    """Those that nobody holds."""
    return Q(lease_until=None) | Q(lease_until__lt=now)


def open_accounts(booked: datetime, now: datetime, path: str) -> tuple[Q, Q]:
    """Accounts, at the end of a ``path``, that do not rest and have a slot by ``booked``."""
    paused, slot = f"{path}paused_until", f"{path}reserved_until"
    return (
        Q(**{paused: None}) | Q(**{f"{paused}__lte": now}),
        Q(**{slot: None}) | Q(**{f"{slot}__lte": booked}),
    )
