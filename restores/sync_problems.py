"""Problems of the sync: sync errors with one cause, what they affect, and who has to act."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Count, Min, Q
from django.urls import reverse

from restores.explain.estimates import format_rough_duration
from restores.formatting import format_datetime
from restores.models import Account, Instance, Project
from restores.querysets import InstanceQuerySet
from restores.sync_errors import SyncError, first_sync_error

_NAMED = 3
# A list takes no more values of one filter.
_MAX_VALUES = 20
_ALL_INSTANCES = "?state=problem"


@dataclass(frozen=True, kw_only=True)
class SyncProblem:
    """Sync errors of one kind: of an account, of some of its projects, or of their instances.

    ``where`` names what fails, ``instance`` if that is a single one. ``instances`` counts those
    affected, ``complete_to`` is the oldest time up to which one of them is complete. ``query``
    leads to them on the sync status page.
    """

    now: datetime
    error: SyncError
    where: str
    projects: Sequence[Project]
    instances: int
    never_synced: int
    complete_to: datetime | None
    next_sync_at: datetime | None
    instance: Instance | None = None
    whole_account: bool = False

    @property
    def title(self) -> str:
        """What is wrong and where: ``Unreachable: project shop-prod``."""
        return f"{self.error.label}: {self.where}"

    @property
    def css_class(self) -> str:
        """How bad it is, as a color: a whole account fails, something does, or nothing does."""
        if not self.error.blocking:
            return "note"
        return "failed" if self.whole_account else "stuck"

    @property
    def order(self) -> tuple[bool, bool, int, datetime]:
        """The worst problem comes first."""
        since = self.error.since or self.now
        return not self.error.blocking, not self.whole_account, -self.instances, since

    @property
    def lasting(self) -> str:
        """Since when, and for how long: ``23 Nov 2026, 15:37:41 UTC, 32 min``."""
        if self.error.since is None:
            return ""
        lasted = format_rough_duration((self.now - self.error.since).total_seconds())
        return f"{format_datetime(self.error.since)} ({lasted})"

    @property
    def affected(self) -> str:
        """The affected instances, counted and named."""
        instances = _counted(self.instances, "instance")
        names = [project.name for project in self.projects]
        if len(names) == 1:
            (project,) = self.projects
            customer = f" of {project.customer}" if project.customer else ""
            return f"{instances} in the project {names[0]}{customer}."
        more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
        named = f"{', '.join(names[:_NAMED])}{more}"
        return f"{instances} in {_counted(len(names), 'project')}: {named}."

    @property
    def known(self) -> str:
        """The consequences for the data."""
        if not self.error.blocking:
            return "Syncs continue."
        parts = []
        if self.complete_to:
            parts.append(
                f"Data complete only up to {format_datetime(self.complete_to)}: "
                "later restores may be missing."
            )
        if self.never_synced:
            have = "has" if self.never_synced == 1 else "have"
            parts.append(f"{_counted(self.never_synced, 'instance')} {have} never been synced.")
        return " ".join(parts)

    @property
    def owner(self) -> str:
        """Who has to act, from the projects file; empty if none is named there."""
        return ", ".join(sorted({one.owner for one in self.projects if one.owner}))

    @property
    def query(self) -> str:
        """The affected instances on the sync status page."""
        if len(self.projects) > _MAX_VALUES:
            return _ALL_INSTANCES
        names = sorted(project.name for project in self.projects)
        pairs = [("project", name) for name in names]
        pairs += [("state", "problem")] if self.error.blocking else []
        return f"?{urlencode(pairs, safe=':/,')}"

    @property
    def text(self) -> str:
        """The problem as plain text, for the person who has to act."""
        error = self.error
        lines = [
            self.title,
            f"Since: {self.lasting}" if self.lasting else "",
            f"Affected: {self.affected} {self.known}",
            f"Message: {error.message}" if error.message else "",
            f"Request ID: {error.request_id}" if error.request_id else "",
            f"Next attempt: {format_datetime(self.next_sync_at)}" if self.next_sync_at else "",
            f"What to do: {error.advice}",
            f"Owner: {self.owner}" if self.owner else "",
            f"{settings.BASE_URL}{reverse('sync-status')}{self.query}",
        ]
        return "\n".join(filter(None, lines))


def find_problems(
    projects: Sequence[Project], instances: InstanceQuerySet, now: datetime
) -> list[SyncProblem]:
    """Find the problems of these projects, read with account and state, the worst first.

    An error that only repeats that of the project or the account isn't a separate problem.
    """
    monitored = [project for project in projects if project.monitored]
    found = [
        *_account_problems(monitored, now),
        *_project_problems(monitored, now),
        *_instance_problems(monitored, instances, now),
    ]
    return sorted(found, key=lambda problem: problem.order)


def _account_problems(projects: Iterable[Project], now: datetime) -> Iterable[SyncProblem]:
    by_account: defaultdict[Account, list[Project]] = defaultdict(list)
    for project in projects:
        by_account[project.account].append(project)
    for account, affected in by_account.items():
        if error := first_sync_error(account):
            problem = _problem(error, f"account {account.name}", affected, now)
            yield replace(problem, whole_account=True, next_sync_at=account.paused_until)


def _project_problems(projects: Iterable[Project], now: datetime) -> Iterable[SyncProblem]:
    groups: defaultdict[tuple[str, str], list[Project]] = defaultdict(list)
    for project in projects:
        account = project.account
        kind = project.sync_error_kind
        if not kind and project.listed_at is None and not account.sync_error_kind:
            kind = "unlisted"
        if kind and kind != account.sync_error_kind:
            groups[account.name, kind].append(project)
    for (account_name, kind), affected in groups.items():
        first = min(affected, key=lambda one: one.sync_error_since or now)
        error = first_sync_error(first) or SyncError(kind, "", None, "")
        where = f"project {first.name}"
        if len(affected) > 1:
            where = f"{len(affected):,} projects of account {account_name}"
        yield _problem(error, where, affected, now)


def _problem(
    error: SyncError, where: str, projects: Sequence[Project], now: datetime
) -> SyncProblem:
    states = [project.state for project in projects]
    return SyncProblem(
        now=now,
        error=error,
        where=where,
        projects=projects,
        instances=sum(state.instance_count for state in states),
        never_synced=sum(state.never_synced_count for state in states),
        complete_to=_oldest(state.oldest_complete_to for state in states),
        next_sync_at=_oldest(project.next_sync_at for project in projects),
    )


def _instance_problems(
    projects: Iterable[Project], instances: InstanceQuerySet, now: datetime
) -> Iterable[SyncProblem]:
    by_key = {project.pk: project for project in projects if project.state.sync_error_count}
    if not by_key:
        return
    failing = instances.filter(project__in=by_key, single_node=False, deleted_at=None)
    failing = failing.exclude(sync_error_kind="").order_by()
    groups: defaultdict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in failing.values("project_id", "sync_error_kind").annotate(
        number=Count("pk"),
        never_synced=Count("pk", filter=Q(complete_to=None)),
        complete_to=Min("complete_to"),
        next_sync_at=Min("next_sync_at"),
        since=Min("sync_error_since"),
        example=Min("pk"),
    ):
        project, kind = by_key[row["project_id"]], row["sync_error_kind"]
        if kind not in (project.sync_error_kind, project.account.sync_error_kind):
            groups[project.account.name, kind].append(row)
    examples = Instance.objects.in_bulk([rows[0]["example"] for rows in groups.values()])
    for rows in groups.values():
        example, number = examples[rows[0]["example"]], sum(row["number"] for row in rows)
        affected = [by_key[row["project_id"]] for row in rows]
        where = f"instance {example}"
        if number > 1:
            place = f"project {affected[0]}"
            where = f"{number:,} instances of "
            where += place if len(affected) == 1 else f"{len(affected):,} projects"
        error = first_sync_error(example)
        if error is None:  # it has been synced since it was counted
            continue
        yield SyncProblem(
            now=now,
            error=replace(error, since=_oldest(row["since"] for row in rows)),
            where=where,
            projects=affected,
            instances=number,
            never_synced=sum(row["never_synced"] for row in rows),
            complete_to=_oldest(row["complete_to"] for row in rows),
            next_sync_at=_oldest(row["next_sync_at"] for row in rows)
            if error.kind != "parked"
            else None,
            instance=example if number == 1 else None,
        )


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _oldest(times: Iterable[datetime | None]) -> datetime | None:
    return min((time for time in times if time), default=None)
