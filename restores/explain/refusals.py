"""The error codes with which DCS refuses to start a restore, so that no record is created.

From the DCS error code table (``DCS.NNNN`` and the number of the v1 API); the advice is ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One refusal; ``v1_code`` is its number in the v1 API, if it has one."""

    code: str
    v1_code: str
    http: int
    meaning: str
    advice: str


def refusal(code: str) -> Refusal | None:
    """Find a refusal by its code or its v1 code, ignoring case."""
    return _BY_CODE.get(code.strip().casefold())


_WAIT = "Wait until it has finished, then start the restore again."
_PROVIDER = (
    "This is a platform fault: retry once, then open a ticket with the provider and include the "
    "time."
)
_BUSY = {
    "4096": "A backup of this instance is running.",
    "4097": "A restore of this instance is already running.",
    "4017": "Another job of this instance is still running.",
    "4111": "The instance is restarting.",
    "4113": "The instance is being scaled.",
    "4114": "The instance’s configuration is being changed.",
    "4115": "The instance’s password is being changed.",
    "4116": "The instance is being upgraded.",
    "4117": "The instance is being rolled back.",
    "4118": "The instance is still being created.",
    "4120": "The instance is being frozen.",
    "4121": "The instance’s password is being reset.",
    "4231": "An offline key analysis is running.",
    "4975": "The instance is being created or restarted.",
}
_FAULTS = {
    "4101": "A backup file couldn’t be deleted.",
    "4842": "The job couldn’t be run.",
    "5082": "The backup user couldn’t be registered.",
    "5083": "The backup user couldn’t be saved.",
    "5090": "The backup details couldn’t be saved.",
    "5091": "The restore script failed.",
    "5092": "Backup and restore failed.",
    "5095": "The restore script failed again on retry.",
}
_OTHERS = {
    "4026": (
        "The instance’s current status doesn’t allow a restore.",
        "Check the instance’s status: it must be RUNNING. Then start the restore again.",
    ),
    "4049": (
        "The instance isn’t running.",
        "Get the instance to RUNNING first, then start the restore again.",
    ),
    "4086": (
        "Only master/standby instances can be restored.",
        "Single-node instances have no backups; their data can’t be restored this way.",
    ),
    "4087": ("The selected backup didn’t succeed.", "Choose a backup with the status “succeed”."),
    "4095": (
        "Backup and restore aren’t available on this system.",
        "Ask the provider which instance types and regions support them.",
    ),
    "4098": (
        "The remark is longer than 128 characters.",
        "Shorten the remark; the limit may be in bytes.",
    ),
    "4104": (
        "The instance is recovering from an internal fault.",
        "Wait until it has recovered; open a ticket with the provider if that takes more than "
        "30 minutes.",
    ),
    "4107": (
        "An order to scale up the instance hasn’t been paid.",
        "Have the order paid or canceled, then start the restore again.",
    ),
    "4108": (
        "An order to scale the instance is pending.",
        "Have the order completed or canceled, then start the restore again.",
    ),
}
_TEXTS = (
    {number: (meaning, _WAIT) for number, meaning in _BUSY.items()}
    | {number: (meaning, _PROVIDER) for number, meaning in _FAULTS.items()}
    | _OTHERS
)
_WITHOUT_V1_CODE = {"4049", "4121", "4231", "4975"}


def _v1_code(number: str) -> str:
    if number in _WITHOUT_V1_CODE:
        return ""
    return f"111{number[0]}00{number[1:]}"


REFUSALS: Mapping[str, Refusal] = MappingProxyType(
    {
        f"DCS.{number}": Refusal(
            code=f"DCS.{number}",
            v1_code=_v1_code(number),
            http=500 if number in _FAULTS else 400,
            meaning=meaning,
            advice=advice,
        )
        for number, (meaning, advice) in sorted(_TEXTS.items())
    }
)

_BY_CODE = {
    name.casefold(): item
    for item in REFUSALS.values()
    for name in (item.code, item.v1_code)
    if name
}
