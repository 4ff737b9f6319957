"""The sync status page: what is monitored, how current it is, and what to do about problems."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from restores.filters import SyncStatusParams
from restores.instance_status import (
    STATE_LABELS,
    instance_sync_error,
    project_sync_error,
)
from restores.migration_state import unknown_migrations
from restores.models import Account, Instance, Project, Restore
from restores.paginator import NumberedPage, next_url, numbered_page
from restores.restore_list.empty_state import Undated, all_undated, undated_messages
from restores.serializers import errors_json
from restores.sync_errors import SyncError, first_sync_error
from restores.sync_problems import find_problems
from restores.sync_status import (
    SyncStatus,
    VisibleProject,
    stalled_sync,
    sync_stalled_since,
    visible_sync_status,
)
from restores.tables import INSTANCE_FIELDS, ProjectTable, SyncStatusTable
from restores.timerange import iso_or_none
from restores.views.api import JsonAnswer, json_endpoint, revalidated

if TYPE_CHECKING:
    from restores.querysets import Viewer

PROBLEMS_SHOWN = 20


@require_safe
@revalidated
def sync_status(request: HttpRequest) -> HttpResponse:
    """Problems, the worst first, then accounts, and all projects and instances."""
    now = timezone.now()
    params = SyncStatusParams.parse(request.GET, now)
    context: dict[str, Any] = {"params": params, "states": STATE_LABELS}
    if params.errors:
        return TemplateResponse(request, "sync_status.html", context, status=400)
    if params.canonical_query.lstrip("?") != request.META["QUERY_STRING"]:
        return redirect(request.path + params.canonical_query)
    projects = _visible_projects(request.user)
    page = _page(request, params, INSTANCE_FIELDS)
    rows = project_rows(projects)
    problems = find_problems(projects, Instance.objects.visible_to(request.user), now)
    context |= {
        "page": page,
        "table": SyncStatusTable(page.rows, params),
        "problems": problems[:PROBLEMS_SHOWN],
        "more_problems": len(problems[PROBLEMS_SHOWN:]),
        "service": _service(projects, now),
        "accounts": account_rows(projects, now),
        "up_to_date": _up_to_date(rows),
        "projects": ProjectTable(rows, params) if projects else None,
        "project_names": sorted({project.name for project in projects}),
        "not_found": params.not_found(projects),
        "sync_messages": undated_messages(_undated(request.user)),
        "unknown_migrations": unknown_migrations(),
    }
    return TemplateResponse(request, "sync_status.html", context)


@json_endpoint
def sync_status_json(request: HttpRequest) -> JsonAnswer:
    """The same as JSON."""
    now = timezone.now()
    params = SyncStatusParams.parse(request.GET, now)
    if params.errors:
        return JsonResponse(errors_json(params), status=400)
    projects, undated = _visible_projects(request.user), _undated(request.user)
    page = _page(request, params)
    return {
        "complete_to": iso_or_none(_sync_status(request.user, projects).complete_to),
        "collector_stalled_since": iso_or_none(sync_stalled_since(now)),
        "restores_without_time": undated.count.number if undated else 0,
        "unknown_migrations": unknown_migrations(),
        "accounts": [_account_json(row) for row in account_rows(projects, now)],
        "projects": [_project_json(row) for row in project_rows(projects)],
        "instances": [_instance_json(instance) for instance in page.rows],
        "total": page.total,
        "ignored": params.ignored,
        "not_found": params.not_found(projects),
        "next": next_url(page, request.path),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """One account of the user's projects, and until when its calls are reserved or paused."""

    account: Account
    projects: int
    sync_error: SyncError | None
    paused_until: datetime | None
    reserved_until: datetime | None
    queue_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectRow:
    """One project: how many instances it has, and how current they are."""

    project: Project
    monitored: int
    single_node: int
    with_problems: int
    complete_to: datetime | None
    next_sync_at: datetime | None
    sync_error: SyncError | None
    own_sync_error: SyncError | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpToDate:
    """The projects without a problem, and what they have in common; ``others`` are the rest."""

    projects: int
    monitored: int
    instances: int
    complete_to: datetime | None
    others: tuple[str, ...]


def account_rows(projects: list[Project], now: datetime) -> list[AccountRow]:
    """The accounts of these projects, those with a sync error first."""
    counts = Counter(project.account for project in projects)
    rows = [_account_row(account, count, now) for account, count in counts.items()]
    return sorted(rows, key=lambda row: (row.sync_error is None, row.account.name))


def project_rows(projects: list[Project]) -> list[ProjectRow]:
    """The projects, those with a sync error first, those no longer monitored last."""
    return sorted(
        map(_project_row, projects),
        key=lambda row: (not row.project.monitored, row.sync_error is None, not row.with_problems),
    )


def _up_to_date(rows: list[ProjectRow]) -> UpToDate:
    monitored = [row for row in rows if row.project.monitored]
    healthy = [
        row
        for row in monitored
        if not (row.sync_error and row.sync_error.blocking) and not row.with_problems
    ]
    complete = [row for row in healthy if row.complete_to]
    others = (
        (len(healthy) - len(complete), "not synced yet"),
        (len(rows) - len(monitored), "no longer monitored"),
    )
    return UpToDate(
        projects=len(complete),
        monitored=len(monitored),
        instances=sum(row.monitored for row in complete),
        complete_to=min((row.complete_to for row in complete if row.complete_to), default=None),
        others=tuple(f"{number} {what}" for number, what in others if number),
    )


def _service(projects: list[Project], now: datetime) -> dict[str, Any]:
    """Whether the sync service is running, and its state."""
    monitored = [project for project in projects if project.monitored]
    counted = [one.restoring_count_at for one in monitored if one.restoring_count_at]
    due = [one.next_sync_at for one in monitored if one.next_sync_at]
    return {
        "stalled": stalled_sync(now),
        "restoring": sum(one.restoring_count or 0 for one in monitored),
        "counted_at": min(counted, default=None),
        "next_sync_at": min(due, default=None),
    }


def _page(
    request: HttpRequest, params: SyncStatusParams, fields: Sequence[str] = ()
) -> NumberedPage:
    instances = Instance.objects.visible_to(request.user).select_related("project__account")
    instances = instances.only(*fields) if fields else instances
    return numbered_page(params.apply_filters(instances).problems_first(), params)


def _undated(user: Viewer) -> Undated | None:
    return all_undated(user, Restore.objects.visible_to(user), "?sort=created")


def _sync_status(user: Viewer, projects: list[Project]) -> SyncStatus:
    return visible_sync_status(user, [VisibleProject.of(project) for project in projects])


def _visible_projects(user: Viewer) -> list[Project]:
    projects = Project.objects.visible_to(user).select_related("account", "state")
    return list(projects.order_by("name", "pk"))


def _account_row(account: Account, projects: int, now: datetime) -> AccountRow:
    reserved, paused = account.reserved_until, account.paused_until
    ahead = (reserved - now).total_seconds() if reserved else 0.0
    return AccountRow(
        account=account,
        projects=projects,
        sync_error=first_sync_error(account),
        paused_until=paused if paused and paused > now else None,
        reserved_until=reserved if ahead > 0 else None,
        queue_seconds=max(0, ceil(ahead)),
    )


def _project_row(project: Project) -> ProjectRow:
    state = project.state
    return ProjectRow(
        project=project,
        monitored=state.instance_count if project.monitored else 0,
        single_node=state.single_node_count,
        with_problems=state.sync_error_count,
        complete_to=_complete_to(project),
        next_sync_at=project.next_sync_at if project.monitored else None,
        sync_error=project_sync_error(project),
        own_sync_error=first_sync_error(project),
    )


def _complete_to(project: Project) -> datetime | None:
    # No later than the list of instances: one that we haven't heard of isn't covered.
    state, listed_at = project.state, project.listed_at
    oldest = state.healthy_oldest_complete_to
    if not state.instance_count:
        oldest = oldest or listed_at
    if state.healthy_never_synced_count or listed_at is None or oldest is None:
        return None
    return min(listed_at, oldest)


def _account_json(row: AccountRow) -> dict[str, Any]:
    return {
        "name": row.account.name,
        "paused_until": iso_or_none(row.paused_until),
        "booked_until": iso_or_none(row.reserved_until),
        "refusals": row.account.refusals,
        "sync_error": row.sync_error and row.sync_error.json(),
    }


def _project_json(row: ProjectRow) -> dict[str, Any]:
    project = row.project
    return {
        "name": project.name,
        "project_id": project.project_id,
        "account": project.account.name,
        "owner": project.owner or None,
        "monitored": project.monitored,
        "instances": row.monitored,
        "single_node_instances": row.single_node,
        "interval_seconds": project.interval,
        "complete_to": iso_or_none(row.complete_to),
        "counted_at": iso_or_none(project.restoring_count_at),
        "next_sync_at": iso_or_none(row.next_sync_at),
        "sync_error": row.sync_error and row.sync_error.json(),
    }


def _instance_json(instance: Instance) -> dict[str, Any]:
    error = instance_sync_error(instance)
    return {
        "instance_id": instance.instance_id,
        "instance_name": instance.name or None,
        "project": instance.project.name,
        "complete_to": iso_or_none(instance.complete_to),
        "next_sync_at": iso_or_none(instance.next_sync_at),
        "sync_error": error and error.json(),
    }
