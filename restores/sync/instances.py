"""Instance sync: fetch the restores of claimed instances in threads, and store them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, transaction

from restores.dcs import errors
from restores.dcs.errors import (
    AuthenticationError,
    DcsError,
    InvalidResponse,
    RequestSkipped,
    Throttled,
    Unreachable,
)
from restores.dcs.records import BackupRecord, Page, RestoreRecord
from restores.log_ids import new_sync_id
from restores.models import Instance, Project
from restores.sync import inventory, project_state, results, scheduling, store
from restores.sync.accounts import AccountClient
from restores.sync.complete_fetch import FetchResult, fetch_complete
from restores.sync.conflicts import retry_on_conflict
from restores.sync.scheduling import LeaseLost

logger = logging.getLogger(__name__)

_THREADS = 16
# What arrives within this time is stored in one transaction: each one waits for the disk.
_GATHER_SECONDS = 0.05
# After this many unreachable instances in a row, the rest of the batch would only hang too.
_MAX_UNREACHABLE = 16
# When to try again what was skipped because of another call's response.
_RETRY_SKIPPED = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncResult:
    """The result of one instance sync: what was stored, or the error that prevented it.

    ``lease_lost``: the lease ended before the sync did, so nothing was stored.
    """

    instance: Instance
    stored: store.StoreResult | None = None
    error: DcsError | None = None
    lease_lost: bool = False


def sync_due_instances(accounts: Mapping[str, AccountClient]) -> int:
    """Sync a batch of due instances; return how many were claimed."""
    claimed = scheduling.claim_instances(datetime.now(UTC), _rates(accounts))
    return _sync_batch(claimed, accounts)


def sync_newly_due(accounts: Mapping[str, AccountClient], project: Project, since: datetime) -> int:
    """Sync a batch of those instances that the project's sync at ``since`` has made due."""
    now = datetime.now(UTC)
    claimed = scheduling.claim_newly_due(project, since, now, _rates(accounts))
    return _sync_batch(claimed, accounts)


def sync_instances(instances: Sequence[Instance], account: AccountClient) -> Iterator[SyncResult]:
    """Sync claimed instances of one project: threads fetch, this thread alone writes."""
    if not instances:
        return
    fetcher = _Fetcher(instances, account)
    pool = ThreadPoolExecutor(_THREADS)
    try:
        jobs = {
            # With the context of this thread, whose sync ID the log names.
            pool.submit(copy_context().run, fetcher.fetch, instance): instance
            for instance in instances
        }
        while jobs:
            done, _ = wait(jobs, timeout=_GATHER_SECONDS)
            yield from _finish_all([(jobs.pop(job), job) for job in done])
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        project_state.recount(instances[0].project_id)


def _rates(accounts: Mapping[str, AccountClient]) -> dict[str, float]:
    return {name: account.config.rate for name, account in accounts.items()}


@new_sync_id()
def _sync_batch(claimed: list[Instance], accounts: Mapping[str, AccountClient]) -> int:
    """Sync a claimed batch and release what is left of it; return how many were claimed.

    A sync that breaks off because the worker stops or the database is down does not count as an
    attempt. Any other one does, and its instances are claimed one by one from then on.
    """
    if not claimed:
        return 0
    remaining = {instance.pk: instance for instance in claimed}
    unreachable = 0
    try:
        for result in sync_instances(claimed, accounts[claimed[0].project.account.name]):
            if not result.lease_lost:
                del remaining[result.instance.pk]
            unreachable = unreachable + 1 if isinstance(result.error, Unreachable) else 0
            if unreachable >= _MAX_UNREACHABLE:
                break
        scheduling.release(list(remaining.values()), wait=_RETRY_SKIPPED)
    except BaseException as error:
        crashed = not isinstance(error, (SystemExit, OperationalError, InterfaceError))
        scheduling.release_after_crash(list(remaining.values()), count_attempt=crashed)
        raise
    return len(claimed)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fetched:
    """What the cloud returned for an instance, and its backups if they were due."""

    restores: FetchResult
    backups: tuple[BackupRecord, ...] | None
    backups_unavailable: bool

    @property
    def unchanged(self) -> bool:
        return self.restores.unchanged and self.backups is None and not self.backups_unavailable


class _Fetcher:
    """Fetches for the instances of a batch, in threads that write nothing."""

    def __init__(self, instances: Sequence[Instance], account: AccountClient) -> None:
        calls = len(instances) + sum(map(_backups_due, instances))
        self._client = account.client(instances[0].project, expected_calls=calls)
        self._backups_hang = False

    def fetch(self, instance: Instance) -> _Fetched:
        """Fetch the restores, and the backups if they are due."""
        due = _backups_due(instance)
        try:
            restores = self._restores(instance)
            backups = self._backups(instance) if due else None
        except (AuthenticationError, Throttled) as error:
            # Five rejected logins in a row lock a key, and a 429 asks every call to wait.
            self._client.stop(error)
            raise
        return _Fetched(
            restores=restores, backups=backups, backups_unavailable=due and backups is None
        )

    def _restores(self, instance: Instance) -> FetchResult:
        digests = iter([instance.digest])  # only the first response can be the known one

        def fetch(begin: datetime | None, end: datetime | None) -> Page[RestoreRecord]:
            known = next(digests, "")
            return self._client.restores(
                instance.instance_id, begin=begin, end=end, known_digest=known
            )

        return fetch_complete(fetch)

    def _backups(self, instance: Instance) -> tuple[BackupRecord, ...] | None:
        """Fetch the backups; without them the list of restores is just as good."""
        if self._backups_hang:
            return None
        try:
            return inventory.list_backups(self._client, instance.instance_id)
        except (AuthenticationError, Throttled, RequestSkipped):
            raise
        except DcsError as error:
            # A call that hangs would hold up every other sync of the batch.
            self._backups_hang = isinstance(error, Unreachable)
            logger.warning(
                "The backups of %s are unavailable: %s",
                instance.instance_id,
                error,
                extra={
                    "project": instance.project.name,
                    "instance": instance.instance_id,
                    "provider_request_id": error.request_id,
                },
            )
            return None


def _backups_due(instance: Instance) -> bool:
    due = instance.backups_due_at
    return due is None or due <= datetime.now(UTC)


def _finish_all(done: list[tuple[Instance, Future[_Fetched]]]) -> Iterator[SyncResult]:
    """Store what has been fetched: unchanged instances together, the others one by one."""
    unchanged = {
        instance.pk: (instance, job.result())
        for instance, job in done
        if not job.exception() and job.result().unchanged
    }
    finished = _finish_unchanged(list(unchanged.values())) if unchanged else False
    for instance, job in done:
        if finished and instance.pk in unchanged:
            yield SyncResult(instance=instance, stored=store.UNCHANGED)
        else:
            yield _finish(instance, job)


@retry_on_conflict
def _finish_unchanged(unchanged: list[tuple[Instance, _Fetched]]) -> bool:
    """Finish unchanged instances in one transaction; False if one of them was lost."""
    now = datetime.now(UTC)
    unchanged.sort(key=lambda pair: pair[0].pk)  # every worker locks rows in this order
    fields = [
        (instance, _synced_fields(instance, fetched, store.UNCHANGED, now))
        for instance, fetched in unchanged
    ]
    try:
        results.instances_synced(fields, now)
    except LeaseLost:
        return False
    return True


def _finish(instance: Instance, job: Future[_Fetched]) -> SyncResult:
    try:
        return _store(instance, job.result())
    except LeaseLost:
        too_late = InvalidResponse("The sync took too long and was reassigned.")
        return SyncResult(instance=instance, error=too_late, lease_lost=True)
    except RequestSkipped as skipped:
        scheduling.release([instance], wait=_RETRY_SKIPPED)
        return SyncResult(instance=instance, error=skipped.reason)
    except DcsError as error:
        try:
            results.instance_failed(instance, error, datetime.now(UTC))
        except LeaseLost:
            return SyncResult(instance=instance, error=error, lease_lost=True)
        return SyncResult(instance=instance, error=error)


@retry_on_conflict
@transaction.atomic
def _store(instance: Instance, fetched: _Fetched) -> SyncResult:
    """Store what was fetched and the result of the sync in one transaction."""
    restores, now = fetched.restores, datetime.now(UTC)
    changed = False
    if fetched.backups is not None:
        changed = inventory.store_backups(instance, fetched.backups, now)
    if restores.unchanged:
        stored = store.UNCHANGED
    else:
        stored = store.store_restores(instance, restores, now)
    error = _incomplete(restores, stored)
    if error:
        results.instance_failed(instance, error, now)
    else:
        fields = _synced_fields(instance, fetched, stored, now)
        results.instances_synced([(instance, fields)], now)
    if changed or stored.written:
        project_state.mark_changed(instance.project_id)
    return SyncResult(instance=instance, stored=stored, error=error)


def _synced_fields(
    instance: Instance, fetched: _Fetched, stored: store.StoreResult, now: datetime
) -> dict[str, Any]:
    """Return how current an instance is after a sync, and when the next ones are due."""
    regular = scheduling.next_regular_sync(instance, instance.project.interval, now)
    live = now + scheduling.LIVE_INTERVAL
    fields: dict[str, Any] = {
        "complete_to": fetched.restores.complete_to,
        "digest": fetched.restores.digest if stored.settled else "",
        "next_sync_at": min(live, regular) if stored.live else regular,
    }
    fields |= _clock_note(instance, fetched.restores.clock_skew, now)
    if stored.started:
        # The backup that a new restore comes from is worth knowing by the next sync.
        fields["backups_due_at"] = now
    elif fetched.backups is not None or fetched.backups_unavailable:
        fields["backups_due_at"] = regular
    return fields


def _clock_note(instance: Instance, skew: timedelta, now: datetime) -> dict[str, Any]:
    """Return a note on the clock, unless the instance's project has it already."""
    kind = errors.CLOCK_SKEW
    if abs(skew) <= errors.MAX_CLOCK_SKEW or instance.project.sync_error_kind == kind:
        return {}
    since = instance.sync_error_since if instance.sync_error_kind == kind else now
    message = errors.describe_clock_skew(skew)
    return {
        "sync_error_kind": kind,
        "sync_error_message": f"In the list of restores: {message}",
        "sync_error_since": since,
    }


def _incomplete(restores: FetchResult, stored: store.StoreResult) -> DcsError | None:
    """Return why a readable response may still lack a restore, None if it can’t."""
    if restores.incomplete:
        return InvalidResponse(f"The list of restores is incomplete: {restores.incomplete}.")
    if restores.skipped:
        return InvalidResponse(
            f"{restores.skipped} record(s) without a usable restore_id were skipped."
        )
    if stored.mass_removal:
        return store.MassRemoval(
            f"{stored.mass_removal} restores are missing from the list all at once."
        )
    return None
