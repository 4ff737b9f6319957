"""The error codes of failed restores: their meaning and our advice.

Meanings follow the DCS API reference (restoration records, ``error_code``); the advice is ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One error code; ``during`` completes "Failed …", ``headline`` completes "What to do: …".

    Each of the ``steps`` is an instruction and, unless empty, the reason for it.
    """

    code: str
    meaning: str
    reason: str
    during: str
    headline: str
    steps: tuple[tuple[str, str], ...]
    data_at_risk: str  # "yes", "no", "unlikely" or "unknown"
    retry: str
    owner: str
    known: bool = True

    @property
    def advice(self) -> str:
        """The steps as one paragraph."""
        return " ".join(sentence for step in self.steps for sentence in step if sentence)


def explain(code: str) -> Code:
    """Explain a code; one that is unknown or absent is explained as such."""
    found = CATALOG.get(code.strip().casefold())
    if found:
        return found
    return _unknown(code) if code else _ABSENT


_KNOWN = (
    Code(
        code="dcs.08.0001",
        meaning="The backup and restore tool couldn’t be started.",
        reason="Restore tool didn’t start",
        during="because the restore tool didn’t start",
        headline="retry once after 5 minutes, then escalate",
        steps=(
            (
                "Check that the instance responds.",
                "This is a platform fault; the data is probably intact.",
            ),
            ("Retry once after 5 minutes.", ""),
            ("Open a ticket with the provider if that fails.", ""),
        ),
        data_at_risk="unlikely",
        retry="once, after 5 min",
        owner="provider (ticket)",
    ),
    Code(
        code="dcs.08.0002",
        meaning="The restore timed out.",
        reason="Timed out; data state unknown",
        during="because it timed out",
        headline="verify the data before retrying",
        steps=(
            (
                "Compare the key count and memory usage with the backup.",
                "The instance may be large or busy, and may contain old, new or mixed data.",
            ),
            ("Then retry off-peak.", ""),
            ("Open a ticket with the provider if it happens again.", ""),
        ),
        data_at_risk="unknown",
        retry="off-peak, after verifying the data",
        owner="support; provider if it recurs",
    ),
    Code(
        code="dcs.08.0003",
        meaning="A storage bucket couldn’t be deleted.",
        reason="Cleanup failed; data probably intact",
        during="because a storage bucket couldn’t be deleted",
        headline="verify the data and report the failed cleanup",
        steps=(
            (
                "Verify the data.",
                "This is a cleanup step, so the restore itself may have succeeded; a retry is "
                "rarely needed.",
            ),
            ("Report the leftover bucket to the provider.", ""),
        ),
        data_at_risk="unknown",
        retry="only if the data is wrong",
        owner="provider (object storage)",
    ),
    Code(
        code="dcs.08.0004",
        meaning="The access keys couldn’t be obtained.",
        reason="No access keys for object storage",
        during="because the access keys couldn’t be obtained",
        headline="check the agency and the account, then retry",
        steps=(
            (
                "Check the agency that gives DCS access to object storage.",
                "Authorization failed before any data was moved.",
            ),
            ("Check whether the account has overdue payments.", ""),
            ("Then retry.", ""),
        ),
        data_at_risk="no",
        retry="once authorization is fixed",
        owner="account administrator; provider",
    ),
    Code(
        code="dcs.08.0005",
        meaning="A storage bucket couldn’t be created.",
        reason="Storage bucket couldn’t be created",
        during="because a storage bucket couldn’t be created",
        headline="check object storage, then retry",
        steps=(
            (
                "Check the quota and permissions of object storage.",
                "The bucket creation failed before any data was moved.",
            ),
            ("Then retry.", ""),
        ),
        data_at_risk="no",
        retry="once object storage is fixed",
        owner="account administrator; provider",
    ),
    Code(
        code="dcs.08.0006",
        meaning="The size of the backup couldn’t be read.",
        reason="Backup size couldn’t be read",
        during="because the size of the backup couldn’t be read",
        headline="check that the backup still exists",
        steps=(
            (
                "Check that the backup exists and succeeded.",
                "It may have expired or been deleted (automatic backups are kept for up to 7 "
                "days).",
            ),
            ("Choose another one if it’s gone.", ""),
        ),
        data_at_risk="no",
        retry="with an existing backup",
        owner="support",
    ),
    Code(
        code="dcs.08.0007",
        meaning="Data synchronization failed during the restore.",
        reason="Data sync failed; data may be partial",
        during="during data synchronization",
        headline="verify the data before retrying",
        steps=(
            (
                "Compare the key count and memory usage with the backup.",
                "High severity: the instance may contain partial data.",
            ),
            ("Check capacity and version before you retry.", ""),
            ("Escalate to the cache on-call if clients see missing keys.", ""),
        ),
        data_at_risk="yes",
        retry="only after verifying the data",
        owner="cache on-call",
    ),
    Code(
        code="dcs.08.0008",
        meaning="A scheduled backup didn’t run because the instance was busy with another task.",
        reason="Instance busy with another task",
        during="because the instance was busy with another task",
        headline="wait for the other task, then try again",
        steps=(
            (
                "Wait until the other task finishes, then try again.",
                "The instance was busy. This is a backup error code; it says nothing about "
                "restored data.",
            ),
        ),
        data_at_risk="no",
        retry="once the other task has finished",
        owner="support",
    ),
)

CATALOG: Mapping[str, Code] = MappingProxyType({code.code: code for code in _KNOWN})

_ABSENT = Code(
    code="",
    meaning="No error code was reported.",
    reason="No error code reported",
    during="with no error code reported",
    headline="verify the data before retrying",
    steps=(
        ("Compare the key count and memory usage with the backup.", "The cause is unknown."),
        ("Contact the provider with the restore ID.", ""),
    ),
    data_at_risk="unknown",
    retry="only after verifying the data",
    owner="provider (ticket)",
)


def _unknown(code: str) -> Code:
    return Code(
        code=code,
        meaning=f"Unknown error code {code}.",
        reason="Unknown error code",
        during="with an unknown error code",
        headline="verify the data and ask the provider about the code",
        steps=(
            ("Compare the key count and memory usage with the backup before you retry.", ""),
            ("Ask the provider what the code means.", ""),
        ),
        data_at_risk="unknown",
        retry="only after verifying the data",
        owner="provider (ticket)",
        known=False,
    )
