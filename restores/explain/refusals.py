"""The codes with which a cloud refuses to start a restore, so that no record ever exists.

From the DCS error code table (``DCS.NNNN`` and its v1 numeric twin); advice is ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One refusal; ``twin`` is the older API's number for it, if it has one."""

    code: str
    twin: str
    http: int
    meaning: str
    advice: str


def refusal(code: str) -> Refusal | None:
    """The refusal with this code or numeric twin, letter case aside."""
    return _BY_NAME.get(code.strip().casefold())


_WAIT = "Wait until that has ended, then start the restore again."
_PROVIDER = "A fault on the platform's side: retry once, then open a provider ticket with the time."
_BUSY = {
    "4096": "a backup of this instance is running.",
    "4097": "a restore of this instance is already running.",
    "4017": "another job of this instance is still running.",
    "4111": "the instance is restarting.",
    "4113": "the instance is being scaled.",
    "4114": "the instance's configuration is being changed.",
    "4115": "the instance's password is being changed.",
    "4116": "the instance is being upgraded.",
    "4117": "the instance is being rolled back.",
    "4118": "the instance is still being created.",
    "4120": "the instance is being frozen.",
    "4121": "the instance's password is being reset.",
    "4231": "an offline key analysis is running.",
    "4975": "the instance is being created or restarted.",
}
_FAULTS = {
    "4101": "a backup file could not be deleted.",
    "4842": "the job could not be carried out.",
    "5082": "the backup user could not be registered.",
    "5083": "the backup user could not be saved.",
    "5090": "the backup's details could not be saved.",
    "5091": "the restore script failed.",
    "5092": "saving and restoring failed.",
    "5095": "the restore script failed again on retry.",
}
_OTHERS = {
    "4026": (
        "the instance's present state does not allow it.",
        "Look at the instance's status; it must be RUNNING. Then start the restore again.",
    ),
    "4049": (
        "the instance is not running.",
        "Bring the instance to RUNNING first, then start the restore again.",
    ),
    "4086": (
        "only master/standby instances can be restored.",
        "A single-node instance has no backups; its data cannot be restored this way.",
    ),
    "4087": ("the chosen backup did not succeed.", "Choose a backup whose status is succeed."),
    "4095": (
        "this system offers no backup and restore.",
        "Ask the provider which instance types and regions offer it.",
    ),
    "4098": (
        "the remark is longer than 128 characters.",
        "Shorten the remark; the cloud may count bytes.",
    ),
    "4104": (
        "the instance is recovering from an internal fault.",
        "Wait for the recovery; open a provider ticket if it lasts longer than 30 minutes.",
    ),
    "4107": (
        "an order to scale up the instance is unpaid.",
        "Have the order paid or cancelled, then start the restore again.",
    ),
    "4108": (
        "an order to scale the instance is pending.",
        "Have the order finished or cancelled, then start the restore again.",
    ),
}
_TEXTS = (
    {number: (meaning, _WAIT) for number, meaning in _BUSY.items()}
    | {number: (meaning, _PROVIDER) for number, meaning in _FAULTS.items()}
    | _OTHERS
)
_WITHOUT_TWIN = {"4049", "4121", "4231", "4975"}


def _twin(number: str) -> str:
    if number in _WITHOUT_TWIN:
        return ""
    return f"111{number[0]}00{number[1:]}"


REFUSALS: Mapping[str, Refusal] = MappingProxyType(
    {
        f"DCS.{number}": Refusal(
            code=f"DCS.{number}",
            twin=_twin(number),
            http=500 if number in _FAULTS else 400,
            meaning=meaning,
            advice=advice,
        )
        for number, (meaning, advice) in sorted(_TEXTS.items())
    }
)

_BY_NAME = {
    name.casefold(): item for item in REFUSALS.values() for name in (item.code, item.twin) if name
}
