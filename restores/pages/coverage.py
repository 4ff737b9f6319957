"""What the coverage page says: what is monitored, how far it is known, and what keeps it back."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import TYPE_CHECKING, Any

from restores.models import Account, Instance, Project
from restores.pages.moments import Moment, moment
from restores.pages.standing import Trouble, instance_trouble, project_trouble, trouble_of
from restores.sync_status import Coverage, coverage_of
from restores.timerange import instant

if TYPE_CHECKING:
    from restores.querysets import Viewer


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """One account as far as the viewer's projects hang on it, and how its calls are used.

    The rate stands in the projects file alone; the ledger knows the slots booked ahead.
    """

    account: Account
    projects: int
    trouble: Trouble | None
    paused_until: Moment | None
    booked_until: Moment | None
    booked: str

    def json(self) -> dict[str, Any]:
        """The account for the twin."""
        return {
            "name": self.account.name,
            "paused_until": self.paused_until and self.paused_until.iso,
            "booked_until": self.booked_until and self.booked_until.iso,
            "refusals": self.account.refusals,
            "fault": self.trouble and self.trouble.json(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectRow:
    """One project: how far it is known and when we look next."""

    project: Project
    monitored: int
    single_node: int
    faulty: int
    interval: str
    complete_to: Moment | None
    counted_at: Moment | None
    next_look: Moment | None
    trouble: Trouble | None
    own_trouble: Trouble | None

    def json(self) -> dict[str, Any]:
        """The project for the twin."""
        return {
            "name": self.project.name,
            "project_id": self.project.project_id,
            "account": self.project.account.name,
            "monitored": self.project.monitored,
            "instances": self.monitored,
            "single_node_instances": self.single_node,
            "interval_seconds": self.project.interval,
            "complete_to": self.complete_to and self.complete_to.iso,
            "counted_at": self.counted_at and self.counted_at.iso,
            "next_sync_at": self.next_look and self.next_look.iso,
            "fault": self.trouble and self.trouble.json(),
        }


def account_rows(projects: list[Project], now: datetime) -> list[AccountRow]:
    """The accounts of these projects, those in trouble first."""
    counts = Counter(project.account for project in projects)
    rows = [_account_row(account, count, now) for account, count in counts.items()]
    return sorted(rows, key=lambda row: (row.trouble is None, row.account.name))


def visible_projects(viewer: Viewer) -> list[Project]:
    """The projects a user may see, with their proofs, by name."""
    rows = Project.objects.visible_to(viewer).select_related("account")
    return list(rows.with_proofs().order_by("name", "pk"))


def coverage_for(viewer: Viewer) -> Coverage:
    """How far all that a user may see is known; a project that was never listed counts too."""
    return coverage_of(
        Instance.objects.visible_to(viewer), projects=Project.objects.visible_to(viewer)
    )


def project_rows(projects: list[Project]) -> list[ProjectRow]:
    """The projects' lines, those in trouble first, those no longer monitored last."""
    rows = [_project_row(project) for project in projects]
    return sorted(
        rows,
        key=lambda row: (not row.project.monitored, row.trouble is None, not row.faulty),
    )


def instance_coverage_json(instance: Instance) -> dict[str, Any]:
    """One instance for the twin."""
    trouble = instance_trouble(instance)
    return {
        "instance_id": instance.instance_id,
        "instance_name": instance.name or None,
        "project": instance.project.name,
        "complete_to": instance.complete_to and instant(instance.complete_to),
        "next_sync_at": instance.next_sync_at and instant(instance.next_sync_at),
        "fault": trouble and trouble.json(),
    }


def interval_words(seconds: int) -> str:
    """An interval as the projects file writes it, in words: 15 min, 2 h, 90 s."""
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _account_row(account: Account, projects: int, now: datetime) -> AccountRow:
    booked, paused = account.reserved_until, account.paused_until
    ahead = (booked - now).total_seconds() if booked else 0.0
    return AccountRow(
        account=account,
        projects=projects,
        trouble=trouble_of(account),
        paused_until=moment(paused) if paused and paused > now else None,
        booked_until=moment(booked) if ahead > 0 else None,
        booked=f"{max(0, ceil(ahead)):,} s",
    )


def _project_row(project: Project) -> ProjectRow:
    counts: Any = project
    return ProjectRow(
        project=project,
        monitored=counts.watched_count if project.monitored else 0,
        single_node=counts.single_count,
        faulty=counts.faulty_count,
        interval=interval_words(project.interval),
        complete_to=moment(_complete_to(project)),
        counted_at=moment(project.restoring_count_at),
        next_look=moment(project.next_sync_at) if project.monitored else None,
        trouble=project_trouble(project),
        own_trouble=trouble_of(project),
    )


def _complete_to(project: Any) -> datetime | None:
    # The list of instances is a proof too: an instance we have not heard of is not covered.
    proven = project.oldest_proof or (project.listed_at if not project.watched_count else None)
    if project.never_synced or project.listed_at is None or proven is None:
        return None
    return min(project.listed_at, proven)
