"""Whose turn it is: what is due, free to take and worth asking, and who comes first."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Case, Count, F, Q, When

from restores.models import Instance, Project, Restore
from restores.querysets import UNKNOWN_RUNS, InstanceQuerySet, ProjectQuerySet

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
