"""Project sync: count the running restores of a project and list its instances."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction

from restores.dcs import errors
from restores.dcs.client import Client
from restores.dcs.errors import DcsError, InvalidResponse, NotSupported, RequestSkipped
from restores.dcs.records import InstanceRecord
from restores.log_ids import new_sync_id
from restores.models import Project
from restores.sync import inventory, project_state, results, scheduling
from restores.sync.accounts import AccountClient
from restores.sync.inventory import InstanceList, list_instances
from restores.sync.scheduling import LeaseLost

_INTERVAL = 5  # seconds
_RETRY_LIST = 60  # seconds until an incomplete list of instances is fetched again
_RESTORING = "restoring"
# Seconds for the first call: an endpoint that hangs must not hold a worker process for long, and
# one that failed before for less.
_DEADLINE, _DEADLINE_AFTER_ERROR = 10.0, 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fetched:
    """``restoring``: the instances in restore; ``listed``: all instances, if they were due."""

    restoring_count: int
    restoring: tuple[InstanceRecord, ...]
    listed: InstanceList | None
    calls_when_idle: int
    skew: timedelta


@new_sync_id()
def sync_project(
    project: Project, account: AccountClient, *, full: bool = False
) -> DcsError | None:
    """Count what is restoring, make those instances due, and list all instances once per interval.

    ``full`` lists them in any case. Returns the error that prevented the sync, if any.
    """
    started = datetime.now(UTC)
    list_due = full or not project.next_discovery_at or project.next_discovery_at <= started
    deadline = _DEADLINE_AFTER_ERROR if project.failures else _DEADLINE
    try:
        fetched = _fetch(account.client(project), list_due, deadline)
        _store(project, fetched, started, account.config.rate)
    except LeaseLost:
        return InvalidResponse("Another worker took over.")
    except RequestSkipped as skipped:
        scheduling.release([project])
        return skipped.reason
    except DcsError as error:
        with suppress(LeaseLost):
            results.project_failed(project, error, datetime.now(UTC))
        return error
    return None


def _fetch(client: Client, list_due: bool, deadline: float) -> _Fetched:
    try:
        count, calls = client.restoring_count(deadline), 1
    except NotSupported:
        count, calls = None, 2
    found = () if count == 0 else list_instances(client, _RESTORING.upper()).records
    # Some clouds may ignore the status filter.
    restoring = tuple(row for row in found if row.status.casefold() == _RESTORING)
    return _Fetched(
        restoring_count=len(restoring) if count is None else count,
        restoring=restoring,
        listed=list_instances(client) if list_due else None,
        calls_when_idle=calls,
        skew=client.clock_skew,
    )


@transaction.atomic
def _store(project: Project, fetched: _Fetched, started: datetime, rate: float) -> None:
    now = datetime.now(UTC)
    fields: dict[str, Any] = {
        "restoring_count": fetched.restoring_count,
        "restoring_count_at": started,
    }
    incomplete = ""
    if fetched.listed is not None:
        incomplete = inventory.store_instances(project, fetched.listed, now)
        wait = min(_RETRY_LIST, project.interval) if incomplete else project.interval
        fields["next_discovery_at"] = now + timedelta(seconds=wait)
        if not incomplete:
            fields["listed_at"] = started
    inventory.register_restoring(project, fetched.restoring, now)
    inventory.schedule_restoring(project, [row.instance_id for row in fetched.restoring], now)
    if fetched.listed is not None or fetched.restoring:
        project_state.recount(project.pk)
    # A sync that came late does not make the next one late.
    pause = _pause(project, fetched.calls_when_idle, rate)
    fields["next_sync_at"] = max(project.next_sync_at or started, started - pause / 2) + pause
    results.project_synced(project, **fields, **_warning(project, fetched, incomplete, now))


def _warning(project: Project, fetched: _Fetched, incomplete: str, now: datetime) -> dict[str, Any]:
    """Return what to show as a sync error although the sync worked; nothing waits because of it."""
    if incomplete:
        kind, message = InvalidResponse.kind, f"The list of instances is incomplete: {incomplete}."
    elif (
        fetched.listed is None
        and project.sync_error_kind == InvalidResponse.kind
        and not project.failures
    ):
        # It stays until a list is complete.
        kind, message = project.sync_error_kind, project.sync_error_message
    elif abs(fetched.skew) > errors.MAX_CLOCK_SKEW:
        kind, message = errors.CLOCK_SKEW, errors.describe_clock_skew(fetched.skew)
    else:
        return {}
    since = project.sync_error_since if project.sync_error_kind == kind else now
    return {"sync_error_kind": kind, "sync_error_message": message, "sync_error_since": since}


def _pause(project: Project, calls: int, rate: float) -> timedelta:
    """Every 5 s, but idle projects together use at most half of their account's calls."""
    siblings = Project.objects.monitored().filter(account=project.account).count()
    return timedelta(seconds=max(_INTERVAL, 2 * calls * siblings / rate))
