"""How a look ends in the ledger: proof or fault, the lease given back, the next look set.

A worker that comes back after its lease writes nothing: each ending raises ``LeaseLost`` then,
which undoes the transaction it stands in.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Greatest

from restores.dcs.errors import AuthenticationError, DcsError, InstanceNotFound, Throttled
from restores.models import Account, Instance, Project
from restores.sync import rate_limit, scheduling
from restores.sync.store import LeaseLost, adapted

_PAUSE, _LONGEST_PAUSE = timedelta(minutes=5), timedelta(hours=1)
_BREAKER = (10, 60)  # seconds: the first and the longest wait after a failed project look
_CLEAR: dict[str, Any] = {
    "sync_error_kind": "",
    "sync_error_message": "",
    "sync_error_since": None,
    "sync_error_request_id": "",
    "failures": 0,
}
_RELEASE: dict[str, Any] = {"lease_until": None, "attempts": 0}
_PROVE = (
    f"UPDATE {Instance._meta.db_table} SET {{}} "  # noqa: S608 - column names of ours
    "WHERE id = %s AND fencing_token = %s AND lease_until >= %s"
)


def instances_proven(proven: Sequence[tuple[Instance, dict[str, Any]]], now: datetime) -> None:
    """End looks that proved their instances: all of them, or none by ``LeaseLost``.

    With each come further fields, for all the same ones. Not by ``update``: Django would take
    longer to find the words than an unchanged look takes in all.
    """
    if not proven:
        return
    common = _CLEAR | _RELEASE | {"synced_at": now}
    names = [*common, *proven[0][1]]
    lines = [
        adapted((*common.values(), *facts.values(), row.pk, row.fencing_token, datetime.now(UTC)))
        for row, facts in proven
    ]
    update = _PROVE.format(", ".join(f"{name} = %s" for name in names))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(update, lines)
        if cursor.rowcount != len(lines):
            raise LeaseLost(", ".join(str(row) for row, _ in proven))


def instance_failed(instance: Instance, fault: DcsError, now: datetime, interval: int) -> None:
    """End a look that brought nothing: the old rows stay, the fault is shown."""
    wait = scheduling.after_fault(instance.failures, interval, now)
    facts = {"synced_at": now, "next_sync_at": wait, "failures": F("failures") + 1}
    if isinstance(fault, InstanceNotFound):
        facts["deleted_at"] = now
    _write(instance, _shown(instance, fault, now) | _RELEASE | facts)
    _tell_account(instance.project.account, fault, now)


def project_proven(project: Project, **facts: Any) -> None:
    """End a project look that worked; ``facts`` are further fields."""
    _write(project, _CLEAR | _RELEASE | facts)
    rested = {key: value for key, value in _CLEAR.items() if key != "failures"}
    refused = Account.objects.filter(pk=project.account_id).exclude(
        refusals=0, sync_error_kind__in=("", "discovery")
    )
    refused.update(refusals=0, paused_until=None, **rested)


def project_failed(project: Project, fault: DcsError, now: datetime) -> None:
    """End a project look that failed; nothing of the project is looked at until one works."""
    first, longest = _BREAKER
    wait = min(longest, first * 2 ** min(project.failures, 8))
    facts = {"next_sync_at": now + timedelta(seconds=wait), "failures": F("failures") + 1}
    _write(project, _shown(project, fault, now) | _RELEASE | facts)
    _tell_account(project.account, fault, now)


def discovery_proven(account: Account, again: datetime) -> None:
    """End the finding of an account's projects that worked."""
    mine = Account.objects.filter(pk=account.pk)
    mine.update(next_discovery_at=again)
    rested = {key: value for key, value in _CLEAR.items() if key != "failures"}
    mine.filter(sync_error_kind="discovery").update(**rested)


def discovery_failed(account: Account, fault: DcsError, now: datetime) -> None:
    """End the finding of an account's projects that failed; those we know stay monitored."""
    _tell_account(account, fault, now)
    facts = _shown(account, fault, now) | {"sync_error_kind": "discovery"}
    if account.sync_error_kind == "discovery":
        facts["sync_error_since"] = account.sync_error_since
    Account.objects.filter(pk=account.pk, sync_error_kind__in=("", "discovery")).update(**facts)


def given_back(
    claimed: Sequence[Instance] | Sequence[Project],
    *,
    blameless: bool,
    wait: timedelta = timedelta(0),
) -> int:
    """End the leases of those whose look has not ended; return how many they were.

    ``blameless``: it was not their doing, so the claim does not count as an attempt.
    """
    if not claimed:
        return 0
    facts: dict[str, Any] = {"lease_until": None}
    if blameless:
        facts["attempts"] = Greatest(F("attempts") - 1, 0)
    if wait:
        facts["next_sync_at"] = datetime.now(UTC) + wait
    ours = Q()
    for row in claimed:
        ours |= Q(pk=row.pk, fencing_token=row.fencing_token)
    rows = type(claimed[0])._default_manager.filter(ours).exclude(lease_until=None)
    return rows.update(**facts)


def _shown(row: Instance | Project | Account, fault: DcsError, now: datetime) -> dict[str, Any]:
    return {
        "sync_error_kind": fault.kind,
        "sync_error_message": fault.message[:500],
        "sync_error_since": row.sync_error_since if row.sync_error_kind == fault.kind else now,
        "sync_error_request_id": fault.request_id[:128],
    }


def _tell_account(account: Account, fault: DcsError, now: datetime) -> None:
    if isinstance(fault, Throttled):
        rate_limit.hold_slots(account.pk, fault.until)
    if isinstance(fault, AuthenticationError):
        _refuse(account.pk, fault, now)


@transaction.atomic
def _refuse(account_id: int, fault: AuthenticationError, now: datetime) -> None:
    account = Account.objects.select_for_update().get(pk=account_id)
    if account.paused_until and account.paused_until > now:
        return  # threads of one batch are refused together: that is one refusal
    facts: dict[str, Any] = {"refusals": account.refusals + 1}
    if rest := pause(account.refusals + 1):
        facts |= _shown(account, fault, now) | {"paused_until": now + rest}
    Account.objects.filter(pk=account_id).update(**facts)


def _write(row: Instance | Project, facts: dict[str, Any]) -> None:
    held = {"fencing_token": row.fencing_token, "lease_until__gte": datetime.now(UTC)}
    if not type(row)._default_manager.filter(pk=row.pk, **held).update(**facts):
        raise LeaseLost(str(row))


def pause(refusals: int) -> timedelta | None:
    """How long an account rests after so many refusals in a row.

    Five lock an access key upstream, so the second one already stops us.
    """
    if refusals < 2:
        return None
    return min(_PAUSE * 2 ** min(refusals - 2, 8), _LONGEST_PAUSE)
