"""Project sync: count the running restores and list the instances of one project."""

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
from restores.models import Project
from restores.sync import interrupts, inventory, results
from restores.sync.accounts import Cloud
from restores.sync.inventory import InstanceList, all_instances
from restores.sync.store import LeaseLost

_EVERY = 5  # seconds
_SOON = 60  # seconds: when to list again what could not be trusted
_RESTORING = "restoring"
# Seconds for the first call: a cloud that hangs must not hold a process of the worker for long,
# and one that hung before for less.
_DEADLINE, _DEADLINE_AFTER_FAULT = 10.0, 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """``restoring``: how many are; ``named``: which those are; ``calls``: of an idle look."""

    restoring: int
    named: tuple[InstanceRecord, ...]
    listed: InstanceList | None
    calls: int
    skew: timedelta


def look_at_project(project: Project, cloud: Cloud, *, whole: bool = False) -> DcsError | None:
    """Count what is restoring and make its instances due; list them once per interval.

    ``whole`` lists them in any case. Returns the fault that prevented it, if any.
    """
    began = datetime.now(UTC)
    discover = whole or not project.next_discovery_at or project.next_discovery_at <= began
    deadline = _DEADLINE_AFTER_FAULT if project.failures else _DEADLINE
    try:
        with interrupts.heeded():
            seen = _ask(cloud.client(project), discover, deadline)
        _store(project, seen, began, cloud.account.rate)
    except LeaseLost:
        return InvalidResponse("Another worker took over meanwhile.")
    except RequestSkipped as skipped:
        results.given_back([project], blameless=True)
        return skipped.reason
    except DcsError as fault:
        with suppress(LeaseLost):
            results.project_failed(project, fault, datetime.now(UTC))
        return fault
    return None


def _ask(client: Client, discover: bool, deadline: float) -> _Seen:
    try:
        restoring, calls = client.restoring_count(deadline), 1
    except NotSupported:
        restoring, calls = None, 2
    found = () if restoring == 0 else all_instances(client, _RESTORING.upper()).records
    # Some clouds may take no notice of the state that was asked for.
    named = tuple(row for row in found if row.status.casefold() == _RESTORING)
    return _Seen(
        restoring=len(named) if restoring is None else restoring,
        named=named,
        listed=all_instances(client) if discover else None,
        calls=calls,
        skew=client.clock_skew,
    )


@transaction.atomic
def _store(project: Project, seen: _Seen, began: datetime, rate: float) -> None:
    now = datetime.now(UTC)
    facts: dict[str, Any] = {"restoring_count": seen.restoring, "restoring_count_at": began}
    flaw = ""
    if seen.listed is not None:
        flaw = inventory.store_instances(project, seen.listed, now)
        wait = min(_SOON, project.interval) if flaw else project.interval
        facts["next_discovery_at"] = now + timedelta(seconds=wait)
        if not flaw:
            facts["listed_at"] = began
    facts |= _note(project, seen, flaw, now)
    inventory.welcome(project, seen.named, now)
    inventory.make_due(project, [row.instance_id for row in seen.named], now)
    facts["next_sync_at"] = _next(project, began, _pause(project, seen.calls, rate))
    results.project_proven(project, **facts)


def _note(project: Project, seen: _Seen, flaw: str, now: datetime) -> dict[str, Any]:
    """Return what to show as a fault although the look worked; nothing waits because of it."""
    if flaw:
        kind, text = InvalidResponse.kind, f"The list of instances proves nothing: {flaw}."
    elif (
        seen.listed is None
        and project.sync_error_kind == InvalidResponse.kind
        and not project.failures
    ):
        kind, text = project.sync_error_kind, project.sync_error_message  # until a list is better
    elif abs(seen.skew) > errors.MAX_CLOCK_SKEW:
        kind, text = "clock", errors.describe_clock_skew(seen.skew)
    else:
        return {}
    since = project.sync_error_since if project.sync_error_kind == kind else now
    return {"sync_error_kind": kind, "sync_error_message": text, "sync_error_since": since}


def _next(project: Project, began: datetime, pause: timedelta) -> datetime:
    """Return the next look's moment: a look that came late does not make the next one late."""
    return max(project.next_sync_at or began, began - pause / 2) + pause


def _pause(project: Project, calls: int, rate: float) -> timedelta:
    """Every 5 s, but idle projects together use at most half of their account's calls."""
    siblings = Project.objects.monitored().filter(account=project.account).count()
    return timedelta(seconds=max(_EVERY, 2 * calls * siblings / rate))
