"""Who is due and who holds it: claims, leases and fences."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, Count, F, Q, When

from restores.models import Instance, Project, Restore
from restores.querysets import UNKNOWN_RUNS, InstanceQuerySet, ProjectQuerySet

BATCH = 48  # three rounds of a look's threads; the two more of DESIGN would cost a fourth
LEASE = timedelta(seconds=90)
PARKED_AFTER = 3
# Seconds of an account's rate in one batch: between batches a process turns to due projects.
BOOKED = 1
# An account whose slots begin later than that rests: a look would only hold up a process. A
# project's look is short, so it may wait a little.
PATIENCE = timedelta(seconds=2)
PROJECT_PATIENCE = timedelta(seconds=5)
# Ticks come every 5 s give or take: what is due by a hair later is due now.
SLACK = timedelta(seconds=1)
LIVE = timedelta(seconds=9)


def due_projects(now: datetime) -> ProjectQuerySet:
    """Projects whose look is due and that nobody holds.

    Of an account's projects whose looks fail, one at a time, and of all its projects once two
    cannot be reached: a cloud that hangs must not take every process of the worker.
    """
    held = Project.objects.filter(lease_until__gte=now)
    mute = _silent().values("account_id").annotate(count=Count("pk")).filter(count__gt=1)
    probed = Q(failures__gt=0) | Q(account_id__in=mute.values("account_id"))
    return (
        Project.objects.watched()
        .filter(
            Q(next_look_at=None) | Q(next_look_at__lte=now + SLACK),
            _free(now),
            *_open_accounts(now + PROJECT_PATIENCE, now),
        )
        .exclude(probed, account_id__in=held.filter(probed).values("account_id"))
    )


def due_instances(now: datetime) -> InstanceQuerySet:
    """Instances that are due and free, in projects whose own look works.

    After a refusal only projects are asked, a call each: a batch would be refused many times.
    """
    return Instance.objects.watched().filter(
        _free(now),
        *_open_accounts(now + PATIENCE, now, "project__"),
        next_due_at__lte=now + SLACK,
        attempts__lt=PARKED_AFTER,
        # Not its fault_kind: some faults are only worth showing.
        project__failures=0,
        project__account__refusals=0,
    )


def claim_project(now: datetime) -> Project | None:
    """Take a due project: none that fails or may hang as well, of an idle account, longest due."""
    with transaction.atomic():
        failing = Q(failures__gt=0) | Q(account_id__in=_silent().values("account_id"))
        healthy = Case(When(failing, then=1), default=0)
        first = F("next_look_at").asc(nulls_first=True)
        held = Project.objects.filter(lease_until__gte=now).values("account_id")
        idle = Case(When(account_id__in=held, then=1), default=0)
        due = due_projects(now).select_related("account").order_by(healthy, idle, first, "pk")
        claimed = _claim(due.select_for_update(skip_locked=True, of=("self",))[:1], now)
    return claimed[0] if claimed else None


def claim_instances(now: datetime, rates: Mapping[str, float] | None = None) -> list[Instance]:
    """Take a batch of due instances of one project, as large as its account's rate allows.

    Those with unfinished restores first, then those of accounts that nobody asks now, then those
    due for longest.
    """
    order = _finished(now), _asked(now), "next_due_at", "pk"
    return _claim_batch(due_instances(now).order_by(*order), now, rates or {})


def claim_news(
    project: Project, since: datetime, now: datetime, rates: Mapping[str, float] | None = None
) -> list[Instance]:
    """Take a batch of what the project's look that began at ``since`` has made due."""
    news = due_instances(now).filter(project=project, next_due_at__gte=since)
    return _claim_batch(news.order_by("-next_due_at", "pk"), now, rates or {})


def _claim_batch(
    due: InstanceQuerySet, now: datetime, rates: Mapping[str, float]
) -> list[Instance]:
    """Take the first and more of its project; alone, if its last look did not end."""
    with transaction.atomic():
        # Keys alone: whole rows would cost the sort of all that is due as much again.
        free = due.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)
        first = free.first()
        if first is None:
            return []
        head = Instance.objects.select_related("project__account").get(pk=first)
        if head.attempts:
            return _claim([head], now)
        size = batch_size(rates.get(head.project.account.name, BATCH))
        ids = list(free.filter(project_id=head.project_id, attempts=0)[:size])
        rows = Instance.objects.in_bulk(ids)
        for row in rows.values():
            row.project = head.project
        return _claim([rows[pk] for pk in ids], now)


def take(project: Project, now: datetime) -> Project:
    """Take a project from whoever holds it: the other one's ending will not count."""
    with transaction.atomic():
        row = Project.objects.select_related("account").select_for_update(of=("self",))
        return _claim([row.get(pk=project.pk)], now)[0]


def claim_these(ids: Iterable[int], now: datetime) -> list[Instance]:
    """Take those of the given instances that nobody holds, due or not."""
    with transaction.atomic():
        free = Instance.objects.filter(_free(now), pk__in=list(ids))
        free = free.select_related("project__account").order_by("pk")
        return _claim(free.select_for_update(of=("self",)), now)


def batch_size(rate: float) -> int:
    """How many instances an account's batch may hold at ``rate`` calls per second."""
    return int(max(1, min(BATCH, rate * BOOKED)))


def park(now: datetime) -> None:
    """Show the instances whose looks keep ending their worker; they wait for a person."""
    lost = Instance.objects.filter(_free(now), attempts__gte=PARKED_AFTER)
    lost.exclude(fault_kind="parked").update(
        fault_kind="parked",
        fault_text=f"{PARKED_AFTER} looks in a row did not end; no further one is begun.",
        fault_since=now,
    )


def next_regular(instance: Instance, interval: int, now: datetime) -> datetime:
    """Return the instance's own moment within the coming interval: looks spread evenly."""
    own = zlib.crc32(f"{instance.project_id}/{instance.instance_id}".encode()) % interval
    # A look that came early by the slack is this moment's look, not the one before it.
    early = now + SLACK
    return early + timedelta(seconds=(own - early.timestamp()) % interval or interval)


def after_fault(failures: int, interval: float, now: datetime) -> datetime:
    """Return when to try again: 30 s doubling, at most an interval, give or take a fifth."""
    wait = min(interval, 30 * 2 ** min(failures, 12))
    return now + timedelta(seconds=wait * random.uniform(0.8, 1.2))  # noqa: S311 - not a secret


def _finished(now: datetime) -> Case:
    """Order by this for those first whose restores are on their way: they are what people watch."""
    live = Restore.objects.unfinished(now - UNKNOWN_RUNS).values("instance_id")
    return Case(When(pk__in=live, then=0), default=1)


def _asked(now: datetime) -> Case:
    """Order by this for those first whose account's slots are not in use."""
    return Case(When(project__account__next_slot_at__gt=now, then=1), default=0)


def _silent() -> ProjectQuerySet:
    return Project.objects.watched().filter(failures__gt=0, fault_kind="unreachable")


def _free(now: datetime) -> Q:
    return Q(lease_until=None) | Q(lease_until__lt=now)


def _open_accounts(booked: datetime, now: datetime, path: str = "") -> tuple[Q, Q]:
    paused, slot = f"{path}account__paused_until", f"{path}account__next_slot_at"
    return (
        Q(**{paused: None}) | Q(**{f"{paused}__lte": now}),
        Q(**{slot: None}) | Q(**{f"{slot}__lte": booked}),
    )


def _claim(rows: Iterable, now: datetime) -> list:
    claimed = list(rows)
    if claimed:
        type(claimed[0]).objects.filter(pk__in=[row.pk for row in claimed]).update(
            lease_until=now + LEASE, fence=F("fence") + 1, attempts=F("attempts") + 1
        )
    for row in claimed:
        row.fence, row.attempts, row.lease_until = row.fence + 1, row.attempts + 1, now + LEASE
    return claimed
