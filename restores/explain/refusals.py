"""The error codes with which DCS refuses to start a restore, so that no record is created.

From the DCS error code table (``DCS.NNNN`` and the number of the v1 API); the advice is ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One refusal; ``v1_code`` is its number in the v1 API, if it has one."""

    code: str
    v1_code: str
    http: int
    meaning: str
    advice: str
    data_at_risk: str  # "no" or "unknown"
    retry: str
    owner: str
    customer_message: str
    known: bool = True


def refusal(code: str) -> Refusal | None:
    """Find a refusal by its code or its v1 code, ignoring case."""
    return _BY_CODE.get(code.strip().casefold())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """Properties of refusals that are handled alike; ``customer_reason`` ends a sentence."""

    advice: str
    retry: str
    owner: str
    customer_reason: str


_BUSY = _Kind(
    advice="Wait until it has finished, then start the restore again.",
    retry="once it has finished",
    owner="support",
    customer_reason="because the instance was busy with another task",
)
_FAULT = _Kind(
    advice="This is a platform fault: verify the data, retry once, then open a ticket with the "
    "provider and include the time.",
    retry="once, after verifying the data",
    owner="provider (ticket)",
    customer_reason="",
)
_ORDER = _Kind(
    advice="Have the order completed or canceled, then start the restore again.",
    retry="once the order is completed or canceled",
    owner="account administrator",
    customer_reason="because an order for the instance is still open",
)
_NOT_RUNNING = _Kind(
    advice="Get the instance to RUNNING first, then start the restore again.",
    retry="once the instance is running",
    owner="support",
    customer_reason="because the instance wasn’t running",
)
_NOT_OFFERED = _Kind(
    advice="Ask the provider which instance types and regions support backup and restore.",
    retry="never on this instance",
    owner="support",
    customer_reason="because this type of instance doesn’t support it",
)

_REFUSALS: tuple[tuple[str, str, _Kind], ...] = (
    ("4017", "Another job on this instance is still running.", _BUSY),
    (
        "4026",
        "The instance’s current status doesn’t allow a restore.",
        replace(
            _NOT_RUNNING,
            advice="Check the instance’s status: it must be RUNNING. Then start the restore again.",
        ),
    ),
    ("4049", "The instance isn’t running.", _NOT_RUNNING),
    (
        "4086",
        "Only master/standby instances can be restored.",
        replace(
            _NOT_OFFERED,
            advice="Single-node instances have no backups; their data can’t be restored this way.",
        ),
    ),
    (
        "4087",
        "The selected backup didn’t succeed.",
        _Kind(
            advice="Choose a backup with the status “succeed”.",
            retry="with another backup",
            owner="support",
            customer_reason="because the selected backup is incomplete",
        ),
    ),
    ("4095", "Backup and restore aren’t available on this system.", _NOT_OFFERED),
    ("4096", "A backup of this instance is running.", _BUSY),
    ("4097", "A restore of this instance is already running.", _BUSY),
    (
        "4098",
        "The remark is longer than 128 characters.",
        _Kind(
            advice="Shorten the remark; the limit may be in bytes.",
            retry="with a shorter remark",
            owner="support",
            customer_reason="because of a mistake in our request",
        ),
    ),
    ("4101", "A backup file couldn’t be deleted.", _FAULT),
    (
        "4104",
        "The instance is recovering from an internal fault.",
        _Kind(
            advice="Wait until it has recovered; open a ticket with the provider if that takes "
            "more than 30 minutes.",
            retry="once it has recovered",
            owner="support; provider after 30 min",
            customer_reason="because the instance was recovering from a fault",
        ),
    ),
    (
        "4107",
        "An order to scale up the instance hasn’t been paid.",
        replace(
            _ORDER,
            advice="Have the order paid or canceled, then start the restore again.",
            retry="once the order is paid or canceled",
        ),
    ),
    ("4108", "An order to scale the instance is pending.", _ORDER),
    ("4111", "The instance is restarting.", _BUSY),
    ("4113", "The instance is being scaled.", _BUSY),
    ("4114", "The instance’s configuration is being changed.", _BUSY),
    ("4115", "The instance’s password is being changed.", _BUSY),
    ("4116", "The instance is being upgraded.", _BUSY),
    ("4117", "The instance is being rolled back.", _BUSY),
    ("4118", "The instance is still being created.", _BUSY),
    ("4120", "The instance is being frozen.", _BUSY),
    ("4121", "The instance’s password is being reset.", _BUSY),
    ("4231", "An offline key analysis is running.", _BUSY),
    ("4842", "The job couldn’t be run.", _FAULT),
    ("4975", "The instance is being created or restarted.", _BUSY),
    ("5082", "The backup user couldn’t be registered.", _FAULT),
    ("5083", "The backup user couldn’t be saved.", _FAULT),
    ("5090", "The backup details couldn’t be saved.", _FAULT),
    ("5091", "The restore script failed.", _FAULT),
    ("5092", "Backup and restore failed.", _FAULT),
    ("5095", "The restore script failed again on retry.", _FAULT),
)
_WITHOUT_V1_CODE = {"4049", "4121", "4231", "4975"}


def _v1_code(number: str) -> str:
    if number in _WITHOUT_V1_CODE:
        return ""
    return f"111{number[0]}00{number[1:]}"


def _customer_message(kind: _Kind) -> str:
    if kind is _FAULT:
        return (
            "The restore did not complete. We’re checking your data and will contact you before "
            "starting another restore."
        )
    return f"The restore couldn’t be started {kind.customer_reason}. Your data wasn’t changed."


REFUSALS: Mapping[str, Refusal] = MappingProxyType(
    {
        f"DCS.{number}": Refusal(
            code=f"DCS.{number}",
            v1_code=_v1_code(number),
            http=500 if kind is _FAULT else 400,
            meaning=meaning,
            advice=kind.advice,
            # A restore that was refused changed nothing; one that broke off may have.
            data_at_risk="unknown" if kind is _FAULT else "no",
            retry=kind.retry,
            owner=kind.owner,
            customer_message=_customer_message(kind),
        )
        for number, meaning, kind in _REFUSALS
    }
)

_BY_CODE = {
    name.casefold(): item
    for item in REFUSALS.values()
    for name in (item.code, item.v1_code)
    if name
}
