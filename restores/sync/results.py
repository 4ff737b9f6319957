"""Results of syncs.

The outcome of a sync or its error is stored, the lease is released and the next sync is scheduled,
in one update that applies only while the claim is still valid. Otherwise ``LeaseLost`` is raised,
which rolls back the transaction around it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F

from restores.dcs.errors import AuthenticationError, DcsError, InstanceNotFound, Throttled
from restores.dcs.records import shorten
from restores.models import NO_SYNC_ERROR, Account, Instance, Project
from restores.sync import rate_limit, scheduling
from restores.sync.scheduling import LeaseLost

logger = logging.getLogger(__name__)

# After a failed project sync nothing of the project is synced until one works: seconds until the
# next attempt, doubled by each failure.
_FIRST_PROJECT_RETRY, _LAST_PROJECT_RETRY = 10, 60
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=5), timedelta(hours=1)
_RELEASED: dict[str, Any] = {"lease_until": None, "attempts": 0}


@transaction.atomic
def instances_synced(results: Iterable[tuple[Instance, dict[str, Any]]], now: datetime) -> None:
    """Record complete syncs, each with further fields: all of them, or none if one is lost."""
    for instance, fields in results:
        _finish(instance, NO_SYNC_ERROR | {"failures": 0, "synced_at": now} | fields)
        _log_recovery(instance)


def instance_failed(instance: Instance, error: DcsError, now: datetime) -> None:
    """Record a failed sync: stored restores stay, and the error is shown."""
    fields = {
        "synced_at": now,
        "next_sync_at": scheduling.next_retry(instance.failures, instance.project.interval, now),
        "failures": F("failures") + 1,
    }
    if isinstance(error, InstanceNotFound):
        fields["deleted_at"] = now
    _finish(instance, _error_fields(instance, error, now) | fields)
    _log_error(instance, error)
    _report_to_account(instance.project.account, error, now)


def project_synced(project: Project, **fields: Any) -> None:
    """Record a project sync that worked, with further fields."""
    _finish(project, NO_SYNC_ERROR | {"failures": 0} | fields)
    _log_recovery(project)
    rejected = Account.objects.filter(pk=project.account_id).exclude(
        refusals=0, sync_error_kind__in=("", "discovery")
    )
    rejected.update(refusals=0, paused_until=None, **NO_SYNC_ERROR)


def project_failed(project: Project, error: DcsError, now: datetime) -> None:
    """Record a failed project sync; nothing of the project is synced until one works."""
    wait = min(_LAST_PROJECT_RETRY, _FIRST_PROJECT_RETRY * 2 ** min(project.failures, 8))
    fields = {"next_sync_at": now + timedelta(seconds=wait), "failures": F("failures") + 1}
    _finish(project, _error_fields(project, error, now) | fields)
    _log_error(project, error)
    _report_to_account(project.account, error, now)


def discovery_succeeded(account: Account, next_discovery_at: datetime) -> None:
    """Record that an account's projects were discovered."""
    rows = Account.objects.filter(pk=account.pk)
    rows.update(next_discovery_at=next_discovery_at)
    rows.filter(sync_error_kind="discovery").update(**NO_SYNC_ERROR)


def discovery_failed(account: Account, error: DcsError, now: datetime) -> None:
    """Record a failed discovery; known projects stay monitored."""
    _report_to_account(account, error, now)
    fields = _error_fields(account, error, now) | {"sync_error_kind": "discovery"}
    if account.sync_error_kind == "discovery":
        fields["sync_error_since"] = account.sync_error_since
    Account.objects.filter(pk=account.pk, sync_error_kind__in=("", "discovery")).update(**fields)
    _log_error(account, error)


def pause_after(refusals: int) -> timedelta | None:
    """Return how long an account is paused after this many rejected logins in a row.

    Five lock an access key upstream, so the second one already pauses the account.
    """
    if refusals < 2:
        return None
    return min(_FIRST_PAUSE * 2 ** min(refusals - 2, 8), _LONGEST_PAUSE)


def _finish(row: Instance | Project, fields: dict[str, Any]) -> None:
    valid = type(row)._default_manager.filter(
        pk=row.pk, fencing_token=row.fencing_token, lease_until__gte=datetime.now(UTC)
    )
    if not valid.update(**_RELEASED, **fields):
        raise LeaseLost(str(row))


def _log_error(row: Instance | Project | Account, error: DcsError) -> None:
    """Log the first of several equal errors in a row: an outage must not fill the log."""
    discovery = isinstance(row, Account)
    if row.sync_error_kind != ("discovery" if discovery else error.kind):
        what = "Project discovery" if discovery else "Sync"
        extra = _place(row) | {"provider_request_id": error.request_id}
        logger.warning("%s of %s failed: %s", what, _name(row), error, extra=extra)


def _log_recovery(row: Instance | Project) -> None:
    if row.failures:
        logger.info("Sync of %s works again.", _name(row), extra=_place(row))


def _name(row: Instance | Project | Account) -> str:
    """Return what a log line is about, such as ``instance ID of project NAME``."""
    if isinstance(row, Instance):
        return f"instance {row.instance_id} of project {row.project.name}"
    return f"{type(row).__name__.lower()} {row.name}"


def _place(row: Instance | Project | Account) -> dict[str, str]:
    if isinstance(row, Instance):
        return _place(row.project) | {"instance": row.instance_id}
    if isinstance(row, Project):
        return _place(row.account) | {"project": row.name}
    return {"account": row.name}


def _error_fields(
    row: Instance | Project | Account, error: DcsError, now: datetime
) -> dict[str, Any]:
    return {
        "sync_error_kind": error.kind,
        "sync_error_message": shorten(error.message, 500),
        "sync_error_since": row.sync_error_since if row.sync_error_kind == error.kind else now,
        "sync_error_request_id": error.request_id[:128],
    }


def _report_to_account(account: Account, error: DcsError, now: datetime) -> None:
    if isinstance(error, Throttled):
        rate_limit.hold(account.pk, error.until)
    if isinstance(error, AuthenticationError):
        _count_refusal(account.pk, error, now)


@transaction.atomic
def _count_refusal(account_id: int, error: AuthenticationError, now: datetime) -> None:
    account = Account.objects.select_for_update().get(pk=account_id)
    if account.paused_until and account.paused_until > now:
        return  # the threads of one batch are rejected together: that counts once
    fields: dict[str, Any] = {"refusals": account.refusals + 1}
    if pause := pause_after(account.refusals + 1):
        fields |= _error_fields(account, error, now) | {"paused_until": now + pause}
    Account.objects.filter(pk=account_id).update(**fields)
