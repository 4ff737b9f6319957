"""The states of a restore: words, icons and which of them are final."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Status:
    """One state: the cloud's value, our word, and the name of its icon and color."""

    value: str
    word: str
    css_class: str


WAITING = Status("waiting", "Queued", "waiting")
RESTORING = Status("restoring", "Restoring", "running")
SUCCEEDED = Status("succeed", "Succeeded", "done")
FAILED = Status("failed", "Failed", "failed")
# Shown in place of "Failed" if no later restore of the instance has succeeded.
UNRESOLVED = replace(FAILED, word="Failed · unresolved")
# Shown in place of the status of a restore in progress that should be further along.
STUCK = Status("stuck", "Possibly stuck", "stuck")

KNOWN = {status.value: status for status in (WAITING, RESTORING, SUCCEEDED, FAILED)}
IN_PROGRESS = (WAITING.value, RESTORING.value)
FINAL = (SUCCEEDED.value, FAILED.value)
# The groups that the tabs of the list count; a status that we don't know is in none of them.
GROUPS = {
    "succeeded": (SUCCEEDED.value,),
    "failed": (FAILED.value,),
    "in_progress": IN_PROGRESS,
}
# The group of the others, and the value of the filter "status" that stands for any of them.
OTHER = "other"
# The most characters that are shown of a status that we don't know.
MAX_WORD = 60
# A restore seen to change for longer is marked slow; all others have finally changed by then.
QUICK = timedelta(hours=2)


def status_of(value: str) -> Status:
    """Return a state's words; one the cloud invented is shown as the cloud spells it."""
    word = value if len(value) <= MAX_WORD else f"{value[: MAX_WORD - 1]}…"
    return KNOWN.get(value) or Status(value, word or "No status", "unknown")


def is_one_of(status: str, wanted: Collection[str]) -> bool:
    """Whether a status is one of those wanted, of which ``other`` is any that we don't know."""
    return status in wanted or (OTHER in wanted and status not in KNOWN)


def group_of(status: str) -> str:
    """Return the group of a status."""
    return next((group for group, statuses in GROUPS.items() if status in statuses), OTHER)
