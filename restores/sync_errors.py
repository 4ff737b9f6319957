"""Sync errors: what kept us from syncing, since when, and what somebody can do about it.

A sync error is our failure to fetch from the cloud, never a failed restore.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from restores.models import Project, SyncErrorMixin
from restores.querysets import NON_BLOCKING_KINDS, InstanceQuerySet
from restores.timerange import iso_or_none

_FIELDS = ("sync_error_kind", "sync_error_message", "sync_error_since", "sync_error_request_id")


@dataclass(frozen=True, slots=True)
class SyncErrorKind:
    """A short label, and advice: the first step for the person who can act."""

    kind: str
    label: str
    advice: str


_KINDS = {
    "credentials": (
        "Credentials rejected",
        "Check the account’s access key or password in the projects file, and that it hasn’t "
        "expired. We’ve stopped retrying to avoid locking the key. Once the file changes, we "
        "retry immediately.",
    ),
    "permission": (
        "Permission missing",
        "Give the account’s user the read role for DCS in this project. "
        "“manage.py check_projects” names the missing permission.",
    ),
    "throttled": (
        "Rate-limited by the provider",
        "No action needed: we back off as requested. If it persists, lower “rate” in the projects "
        "file or ask the provider for a higher limit.",
    ),
    "unreachable": (
        "Unreachable",
        "Check the endpoint, its DNS name and certificate, and the network in between. "
        "We keep retrying with increasing delays.",
    ),
    "bad_answer": (
        "Invalid response",
        "Send the message and the request ID to the provider. Stored data is unchanged; this "
        "response was discarded.",
    ),
    "vanished": (
        "Restores missing",
        "Many restores are missing from the provider’s list at once. We keep showing them; after "
        "three consistent syncs over an hour we mark them as removed. If it persists, ask the "
        "provider.",
    ),
    "gone": (
        "Not found",
        "The provider no longer knows it. If it was deleted on purpose, no action is needed: its "
        "history is kept.",
    ),
    "not_offered": (
        "Not supported",
        "This provider doesn’t support the call; we use a slower method, so restores appear "
        "within one interval.",
    ),
    "clock": (
        "Clock skew",
        "Correct the clock of the machine that runs the worker (NTP): signatures and times depend "
        "on it.",
    ),
    "discovery": (
        "Project discovery failed",
        "Allow the account’s user to list projects in IAM, check “iam_endpoint” in the projects "
        "file, or name the projects there. Known projects are still monitored.",
    ),
    "parked": (
        "Syncs paused",
        "Syncing this instance crashed the worker three times. See the worker log; “Sync now” "
        "retries it in isolation.",
    ),
    "unlisted": (
        "Instances not loaded yet",
        "They are loaded at the project’s next sync. If it persists, see the worker log.",
    ),
}


# Every kind that is stored with a row.
KINDS = tuple(kind for kind in _KINDS if kind != "unlisted")


def describe_kind(kind: str) -> SyncErrorKind:
    """Label and advice for a kind; an unknown kind is its own label."""
    advice = "See the message; run “manage.py sync” for details."
    label, advice = _KINDS.get(kind, (kind.replace("_", " ").capitalize(), advice))
    return SyncErrorKind(kind, label, advice)


@dataclass(frozen=True, slots=True)
class SyncError:
    """A sync error of a project (or its account), or of one instance of the project."""

    kind: str
    message: str
    since: datetime | None
    request_id: str
    project: str = ""
    instance_id: str = ""
    instance_name: str = ""

    @property
    def label(self) -> str:
        """The kind in a few words."""
        return describe_kind(self.kind).label

    @property
    def advice(self) -> str:
        """The first step for the person who can act."""
        return describe_kind(self.kind).advice

    @property
    def blocking(self) -> bool:
        """Whether syncs fail because of it; other errors are only worth a note."""
        return self.kind not in NON_BLOCKING_KINDS

    def json(self) -> dict[str, str | None]:
        """The error of a row that is named next to it; absent is null."""
        return {
            "class": self.kind,
            "since": iso_or_none(self.since),
            "text": self.message or None,
            "request_id": self.request_id or None,
        }

    def json_with_place(self) -> dict[str, str | None]:
        """The error in a list of errors: also where it occurred."""
        return {
            **self.json(),
            "project": self.project,
            "instance_id": self.instance_id or None,
            "instance_name": self.instance_name or None,
        }


def first_sync_error(*rows: SyncErrorMixin) -> SyncError | None:
    """The first error among rows, given as account, project, instance.

    The widest comes first, but a blocking error before one that is only worth a note.
    """
    for row in sorted(rows, key=lambda row: row.sync_error_kind in NON_BLOCKING_KINDS):
        if row.sync_error_kind:
            return SyncError(*(getattr(row, name) for name in _FIELDS))
    return None


def project_errors(keys: Sequence[int]) -> list[SyncError]:
    """The errors of projects and their accounts; a project that was never listed has one, too."""
    rows = Project.objects.filter(pk__in=keys).select_related("account").order_by("name", "pk")
    found = []
    for project in rows:
        if error := first_sync_error(project.account, project):
            found.append(replace(error, project=project.name))
        elif project.listed_at is None:
            message = "The instances of this project haven’t been loaded yet."
            found.append(SyncError("unlisted", message, None, "", project.name))
    return found


def instance_errors(instances: InstanceQuerySet, limit: int) -> list[SyncError]:
    """The instances' own errors, by name."""
    columns = (*_FIELDS, "project__name", "instance_id", "name")
    rows = instances.exclude(sync_error_kind="").order_by("name", "pk").values_list(*columns)
    return [SyncError(*row) for row in rows[:limit]]
