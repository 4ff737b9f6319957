"""Instance sync: fetch the restores of claimed instances in threads, and store them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.db import InterfaceError, OperationalError, connection, transaction

from restores.dcs.client import Client
from restores.dcs.errors import (
    AuthenticationError,
    DcsError,
    InvalidResponse,
    RequestSkipped,
    Throttled,
    Unreachable,
)
from restores.dcs.records import BackupRecord, Page, RestoreRecord
from restores.models import Instance, Project
from restores.sync import interrupts, inventory, results, scheduling, store
from restores.sync.accounts import Cloud
from restores.sync.complete_fetch import Answer, ask_all
from restores.sync.conflicts import persistent
from restores.sync.interrupts import Interrupted
from restores.sync.store import Vanished

logger = logging.getLogger(__name__)

_THREADS = 16
# So many seconds' answers are written in one transaction: each costs the disk a wait.
_GATHER = 0.05
# When to try again what was not asked because of another call's answer.
_REST = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look at an instance brought: changes, or the fault that prevented it.

    ``late``: its lease was over before it ended, so nothing of it was written.
    """

    instance: Instance
    stored: store.Stored | None = None
    fault: DcsError | None = None
    late: bool = False


def look_at(
    instances: Sequence[Instance], cloud: Cloud, more: Callable[[], Sequence[Instance]] = list
) -> Iterator[Look]:
    """Look at claimed instances of one project: threads ask, this thread alone writes.

    ``more`` claims others of that project, while the last calls are still out.
    """
    asking = Asking(cloud)
    jobs: dict[Future[Brought], Instance] = {}
    pool = ThreadPoolExecutor(_THREADS)
    try:
        while instances or jobs:
            if instances:
                ask = partial(asking.brought, asking.client(instances))
                jobs |= {pool.submit(ask, each): each for each in instances}
            done, _ = wait(jobs, timeout=_GATHER)
            interrupts.check()
            yield from _all_ended({job: jobs.pop(job) for job in done})
            instances = more() if len(jobs) < 2 * _THREADS else ()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _all_ended(done: dict[Future[Brought], Instance]) -> Iterator[Look]:
    same = {job: instance for job, instance in done.items() if _same(job)}
    settled = _settled([(instance, job.result()) for job, instance in same.items()])
    for job, instance in done.items():
        if settled and job in same:
            yield Look(instance=instance, stored=store.SAME)
        else:
            yield _ended(instance, job)


def _same(job: Future[Brought]) -> bool:
    if job.exception() or not job.result().answer.same:
        return False
    return job.result().backups is None and not job.result().untold


@persistent
def _settled(same: list[tuple[Instance, Brought]]) -> bool:
    """End looks that brought nothing new in one transaction; False if one was not ours any more."""
    now = datetime.now(UTC)
    same.sort(key=lambda ended: ended[0].pk)  # everybody locks rows in this order
    proven = [(instance, _facts(instance, brought, store.SAME, now)) for instance, brought in same]
    try:
        results.instances_proven(proven, now)
    except store.LeaseLost:
        return False
    return True


def _ended(instance: Instance, job: Future[Brought]) -> Look:
    try:
        return _stored(instance, job.result())
    except store.LeaseLost:
        fault: DcsError = InvalidResponse("The look took longer than its lease.")
        return Look(instance=instance, fault=fault, late=True)
    except RequestSkipped as skipped:
        results.given_back([instance], blameless=True, wait=_REST)
        return Look(instance=instance, fault=skipped.reason)
    except DcsError as error:
        fault = error
    try:
        results.instance_failed(instance, fault, datetime.now(UTC), instance.project.interval)
    except store.LeaseLost:
        return Look(instance=instance, fault=fault, late=True)
    return Look(instance=instance, fault=fault)


@persistent
def _stored(instance: Instance, brought: Brought) -> Look:
    """Write what was brought and the look's ending in one transaction."""
    answer, now = brought.answer, datetime.now(UTC)
    with transaction.atomic():
        if brought.backups is not None:
            inventory.store_backups(instance, brought.backups, now)
        stored = store.SAME if answer.same else store.store_restores(instance, answer, now)
        flaw = _flaw(answer, stored)
        if flaw:
            results.instance_failed(instance, flaw, now, instance.project.interval)
        else:
            facts = _facts(instance, brought, stored, now)
            results.instances_proven([(instance, facts)], now)
    return Look(instance=instance, stored=stored, fault=flaw)


def _facts(
    instance: Instance, brought: Brought, stored: store.Stored, now: datetime
) -> dict[str, Any]:
    """Return what a proof says of its instance, and when to look again."""
    answer = brought.answer
    facts: dict[str, Any] = {
        "complete_to": answer.at,
        "digest": answer.digest if stored.settled else "",
    }
    regular = scheduling.next_regular(instance, instance.project.interval, now)
    facts["next_sync_at"] = min(now + scheduling.LIVE, regular) if stored.live else regular
    if stored.begun:
        # The backup that a new restore comes from is worth knowing at the very next look.
        facts["backups_due_at"] = now
    elif brought.backups is not None or brought.untold:
        facts["backups_due_at"] = regular
    return facts


def _flaw(answer: Answer, stored: store.Stored) -> DcsError | None:
    """Return why an answer that was read is still no proof."""
    if answer.flaw:
        return InvalidResponse(f"The list of restores is incomplete: {answer.flaw}.")
    if answer.skipped:
        return InvalidResponse(
            f"{answer.skipped} record(s) without a usable restore_id were skipped."
        )
    if stored.vanished:
        return Vanished(f"{stored.vanished} restores are missing from the list all at once.")
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What the cloud told of an instance, and its backups if they were asked for."""

    answer: Answer
    backups: tuple[BackupRecord, ...] | None
    untold: bool  # asked for its backups, the cloud did not tell


class Asking:
    """The calls of one look at instances of a project: what one meets, the others mind."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._clients: list[Client] = []
        self._tells_backups = True

    def client(self, instances: Sequence[Instance]) -> Client:
        """Return a client for some of the instances, stopped if those before are."""
        calls = len(instances) + sum(map(_backups_due, instances))
        client = self._cloud.client(instances[0].project, expected=calls)
        self._clients.append(client)
        if stopped := self._clients[0].stopped:
            client.stop(stopped)
        return client

    def brought(self, client: Client, instance: Instance) -> Brought:
        """Ask; a refusal stops all clients."""
        try:
            return self._ask(client, instance)
        except (AuthenticationError, Throttled) as fault:
            # Five refusals in a row lock a key upstream, and a break is asked for from all calls.
            for each in self._clients:
                each.stop(fault)
            raise

    def _ask(self, client: Client, instance: Instance) -> Brought:
        wanted = _backups_due(instance)
        known = iter([instance.digest])  # what one response proved, only the first one can repeat

        def ask(begin: datetime | None, end: datetime | None) -> Page[RestoreRecord]:
            known_now = next(known, "")
            return client.restores(
                instance.instance_id, begin=begin, end=end, known_digest=known_now
            )

        answer = ask_all(ask)
        backups = self._backups(client, instance) if wanted else None
        return Brought(answer=answer, backups=backups, untold=wanted and backups is None)

    def _backups(self, client: Client, instance: Instance) -> tuple[BackupRecord, ...] | None:
        """Ask for the backups; without them the list of restores is as good."""
        if not self._tells_backups:
            return None
        try:
            return client.backups(instance.instance_id).rows
        except (AuthenticationError, Throttled, RequestSkipped):
            raise
        except DcsError as fault:
            # A call that hangs would hold up as many looks as there are.
            self._tells_backups = not isinstance(fault, Unreachable)
            logger.warning("The backups of %s were not told: %s", instance.instance_id, fault)
            return None


def _backups_due(instance: Instance) -> bool:
    due = instance.backups_due_at
    return due is None or due <= datetime.now(UTC)


# So many looks in a row without an answer: the rest would only hang as well.
_HOPELESS = 16
# Seconds for which further batches are claimed; then it is the turn of due projects.
_GROWS = 1.0


def look_at_due(clouds: Mapping[str, Cloud]) -> int:
    """Look at due instances of one project, for a second or so; return how many were claimed."""
    rates = _rates(clouds)
    claimed = scheduling.claim_instances(datetime.now(UTC), rates)
    return _look_at(_Claims(claimed, rates), clouds)


def look_at_news(clouds: Mapping[str, Cloud], project: Project, since: datetime) -> int:
    """Look at what the project's look that began at ``since`` has made due."""
    claimed = scheduling.claim_news(project, since, datetime.now(UTC), _rates(clouds))
    return _look_at(_Claims(claimed, {}), clouds)


def _rates(clouds: Mapping[str, Cloud]) -> dict[str, float]:
    return {name: cloud.account.rate for name, cloud in clouds.items()}


class _Claims:
    """Instances of one project that this process has claimed; ``left`` are not ended yet."""

    def __init__(self, claimed: Sequence[Instance], rates: Mapping[str, float]) -> None:
        self.count = len(claimed)
        self.project = claimed[0].project if claimed else None
        self.left = {instance.pk: instance for instance in claimed}
        rate = rates.get(self.project.account.name, 0) if self.project else 0
        # An account that is held up by its rate has no use for more of them at once.
        self._growing = rate >= 2 * scheduling.BATCH and self.count == scheduling.BATCH
        self._until = time.monotonic() + _GROWS
        self._unanswered = 0

    def more(self) -> list[Instance]:
        """Claim another batch of the project, if that still works and has not lasted too long."""
        if not self.project or not self._growing or time.monotonic() > self._until:
            return []
        further = scheduling.claim_more(self.project, datetime.now(UTC))
        self.left |= {instance.pk: instance for instance in further}
        self.count += len(further)
        self._growing = len(further) == scheduling.BATCH
        return further

    def ended(self, look: Look) -> None:
        """Take note of a look's end; after a fault no further one is begun."""
        if not look.late:
            del self.left[look.instance.pk]
        self._growing = self._growing and not look.fault
        self._unanswered = self._unanswered + 1 if isinstance(look.fault, Unreachable) else 0

    @property
    def hopeless(self) -> bool:
        return self._unanswered >= _HOPELESS


def _look_at(claims: _Claims, clouds: Mapping[str, Cloud]) -> int:
    """Look at what was claimed; return how many they were.

    A look that breaks off without its own doing, because the worker ends or the database is away,
    is due again at once; one that raises or takes too long is claimed alone from then on.
    """
    if not claims.project:
        return 0
    try:
        _look(claims, clouds[claims.project.account.name])
    except (Interrupted, OperationalError, InterfaceError):
        give_back(list(claims.left.values()), blameless=True)
        raise
    except BaseException:
        give_back(list(claims.left.values()), blameless=False)
        raise
    return claims.count


def _look(claims: _Claims, cloud: Cloud) -> None:
    for look in look_at(list(claims.left.values()), cloud, claims.more):
        claims.ended(look)
        if claims.hopeless:
            break
    results.given_back(list(claims.left.values()), blameless=True, wait=_REST)


def give_back(claimed: Sequence[Instance] | Sequence[Project], *, blameless: bool) -> None:
    """Give back as soon as the database lets us; the leases would last longer than most outages."""
    until = time.monotonic() + scheduling.LEASE.total_seconds()
    while time.monotonic() < until:
        try:
            count = results.given_back(claimed, blameless=blameless)
            logger.warning("A look was broken off; %d claims are given back.", count)
            return
        except (OperationalError, InterfaceError):
            connection.close()
            time.sleep(1)
