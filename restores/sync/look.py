"""One look: ask the cloud, store what it says, and settle when to look again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction

from restores.dcs.faults import BadAnswer, Fault, NotAsked
from restores.models import Instance
from restores.sync import endings, interrupts, ledger, roll, store
from restores.sync.asking import Asking, Brought
from restores.sync.clouds import Cloud
from restores.sync.conflicts import persistent
from restores.sync.delisting import Vanished
from restores.sync.windows import Answer

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
    fault: Fault | None = None
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
        endings.instances_proven(proven, now)
    except store.LeaseLost:
        return False
    return True


def _ended(instance: Instance, job: Future[Brought]) -> Look:
    try:
        return _stored(instance, job.result())
    except store.LeaseLost:
        fault: Fault = BadAnswer("The look took longer than its lease.")
        return Look(instance=instance, fault=fault, late=True)
    except NotAsked as skipped:
        endings.given_back([instance], blameless=True, wait=_REST)
        return Look(instance=instance, fault=skipped.because)
    except Fault as error:
        fault = error
    try:
        endings.instance_failed(instance, fault, datetime.now(UTC), instance.project.interval)
    except store.LeaseLost:
        return Look(instance=instance, fault=fault, late=True)
    return Look(instance=instance, fault=fault)


@persistent
def _stored(instance: Instance, brought: Brought) -> Look:
    """Write what was brought and the look's ending in one transaction."""
    answer, now = brought.answer, datetime.now(UTC)
    with transaction.atomic():
        if brought.backups is not None:
            roll.store_backups(instance, brought.backups, now)
        stored = store.SAME if answer.same else store.store_restores(instance, answer, now)
        flaw = _flaw(answer, stored)
        if flaw:
            endings.instance_failed(instance, flaw, now, instance.project.interval)
        else:
            facts = _facts(instance, brought, stored, now)
            endings.instances_proven([(instance, facts)], now)
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
    regular = ledger.next_regular(instance, instance.project.interval, now)
    facts["next_sync_at"] = min(now + ledger.LIVE, regular) if stored.live else regular
    if stored.begun:
        # The backup that a new restore comes from is worth knowing at the very next look.
        facts["backups_due_at"] = now
    elif brought.backups is not None or brought.untold:
        facts["backups_due_at"] = regular
    return facts


def _flaw(answer: Answer, stored: store.Stored) -> Fault | None:
    """Return why an answer that was read is still no proof."""
    if answer.flaw:
        return BadAnswer(f"The list of restores is incomplete: {answer.flaw}.")
    if answer.skipped:
        return BadAnswer(f"{answer.skipped} record(s) without a usable restore_id were skipped.")
    if stored.vanished:
        return Vanished(f"{stored.vanished} restores are missing from the list all at once.")
    return None
