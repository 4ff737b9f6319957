"""The error codes of failed restores: what the cloud means by them and what we advise.

Meanings follow the DCS API reference (restoration records, ``error_code``); advice is ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One error code; ``during`` completes "Failed …", ``headline`` completes "What to do: …"."""

    code: str
    meaning: str
    reason: str
    during: str
    headline: str
    advice: str
    data_at_risk: str  # "yes", "no" or "unclear"
    retry: str
    who: str
    severity: str  # "high", "medium" or "low"
    known: bool = True


def explain(code: str) -> Code:
    """What a code means; one that is not in our list, or absent, explains itself as such."""
    found = CATALOGUE.get(code.strip().casefold())
    if found:
        return found
    return _unlisted(code) if code else _ABSENT


_LISTED = (
    Code(
        code="dcs.08.0001",
        meaning="the backup and restore tool could not be started.",
        reason="Restore tool did not start",
        during="because the restore tool did not start",
        headline="retry once after 5 minutes, then escalate",
        advice="A fault on the platform's side; the data is probably untouched. Check that the "
        "instance answers, retry once after 5 minutes, and open a provider ticket if that fails.",
        data_at_risk="no",
        retry="once, after 5 min",
        who="the provider, by ticket",
        severity="medium",
    ),
    Code(
        code="dcs.08.0002",
        meaning="the restore ran out of time.",
        reason="Timed out, end state unclear",
        during="because it ran out of time",
        headline="check the state of the data before any retry",
        advice="The instance may be large or busy, and it may hold old, new or mixed data. Compare "
        "key count and memory with the backup, then retry off-peak; open a provider ticket if it "
        "happens again.",
        data_at_risk="unclear",
        retry="off-peak, after checking",
        who="support; the provider if repeated",
        severity="high",
    ),
    Code(
        code="dcs.08.0003",
        meaning="a storage bucket could not be deleted.",
        reason="Clean-up failed, data may be fine",
        during="because a storage bucket could not be deleted",
        headline="verify the data, report the clean-up fault",
        advice="This is a clean-up step, so the restore itself may have worked. Verify the data; a "
        "retry is rarely needed. Report the left-over bucket to the provider.",
        data_at_risk="unclear",
        retry="only if the data is wrong",
        who="the provider (object storage)",
        severity="medium",
    ),
    Code(
        code="dcs.08.0004",
        meaning="the access keys could not be obtained.",
        reason="No access keys for storage",
        during="because access keys could not be obtained",
        headline="check agency and account, then retry",
        advice="An authorisation fault before any data was moved. Check the agency that lets DCS "
        "reach object storage and whether the account is in arrears, then retry.",
        data_at_risk="no",
        retry="after fixing the authorisation",
        who="account administrator; the provider",
        severity="medium",
    ),
    Code(
        code="dcs.08.0005",
        meaning="a storage bucket could not be created.",
        reason="No storage bucket could be created",
        during="because a storage bucket could not be created",
        headline="check object storage, then retry",
        advice="Object storage refused a bucket before any data was moved. Check its quota and "
        "permissions, then retry.",
        data_at_risk="no",
        retry="after fixing object storage",
        who="account administrator; the provider",
        severity="medium",
    ),
    Code(
        code="dcs.08.0006",
        meaning="the size of the backup data could not be read.",
        reason="Backup size not readable",
        during="because the size of the backup could not be read",
        headline="confirm that the backup still exists",
        advice="The backup may be expired or deleted: automatic ones live 7 days at most. Confirm "
        "that it exists and succeeded; if it is gone, choose another.",
        data_at_risk="no",
        retry="with a backup that exists",
        who="support",
        severity="medium",
    ),
    Code(
        code="dcs.08.0007",
        meaning="synchronising data failed during the restore.",
        reason="Data sync failed, data may be partial",
        during="while data was being synchronised",
        headline="check the data before any retry",
        advice="Treat as severe; the instance may hold partial data. Compare key count and memory "
        "with the backup, check capacity and version, then decide. Escalate to cache on-call if "
        "clients see missing keys.",
        data_at_risk="yes",
        retry="only after checking",
        who="cache on-call",
        severity="high",
    ),
    Code(
        code="dcs.08.0008",
        meaning="a scheduled backup did not run because another task kept the instance busy.",
        reason="Instance busy with another task",
        during="because another task kept the instance busy",
        headline="wait for the other task, then try again",
        advice="Another task held the instance. The code belongs to backups and says nothing of "
        "restored data. Wait until the task ends, then try again.",
        data_at_risk="no",
        retry="when the other task has ended",
        who="support",
        severity="low",
    ),
)

CATALOGUE: Mapping[str, Code] = MappingProxyType({code.code: code for code in _LISTED})

_ABSENT = Code(
    code="",
    meaning="nothing: it gave no code.",
    reason="No error code given",
    during="without an error code",
    headline="check the data before any retry",
    advice="Without a code the cause is open. Compare key count and memory with the backup, then "
    "ask the provider with the restore's id.",
    data_at_risk="unclear",
    retry="only after checking",
    who="the provider, by ticket",
    severity="high",
)


def _unlisted(code: str) -> Code:
    return Code(
        code=code,
        meaning="a code that is not in our list.",
        reason="Code not in our list",
        during="with a code that is not in our list",
        headline="check the data, ask the provider about the code",
        advice="We do not know this code. Compare key count and memory with the backup before any "
        "retry, and ask the provider what the code means.",
        data_at_risk="unclear",
        retry="only after checking",
        who="the provider, by ticket",
        severity="high",
        known=False,
    )
