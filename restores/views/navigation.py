"""Navigation from the page of a restore: restores with its ID, its list, related restores.

Several instances, and several projects, can have restores with the same ID.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, QueryDict
from django.urls import reverse

from restores.asof import AsOf, then_and_now
from restores.filters import ListParams, Scope
from restores.models import Instance, Restore
from restores.querysets import RestoreQuerySet, VisibleQuerySet
from restores.restore_list.counts import COUNT_LIMIT, CappedCount, capped_counts, count
from restores.restore_list.pagination import find_neighbors
from restores.restore_list.toolbar import filter_summary
from restores.serializers import RELATED
from restores.spellings import all_spellings
from restores.statuses import FAILED
from restores.sync_status import VisibleProject
from restores.timerange import to_iso
from restores.views.restore_rows import RestoreRow, restore_rows

if TYPE_CHECKING:
    from restores.querysets import Viewer

NOT_FOUND = "Not found, or you don’t have access to it."
NOT_RECORDED = "This restore wasn’t recorded yet at that time."
RELATED_SHOWN = 6
Row = TypeVar("Row", Instance, Restore)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches(Generic[Row]):
    """The rows that an ID and a choice among them select; ``shared`` if others have the same ID."""

    rows: list[Row]
    shared: bool

    @property
    def only(self) -> Row | None:
        """The selected row, if there is exactly one."""
        return self.rows[0] if len(self.rows) == 1 else None


def find_restores(restore_id: str, user: Viewer, query: QueryDict) -> Matches[Restore]:
    """Find the visible restores with an ID; ``instance`` and ``project`` choose among several.

    A choice that matches none of them is ignored: it is a filter of the list that the reader
    comes from. Raises Http404 for an unknown ID as for one that isn't visible.
    """
    rows = Restore.objects.visible_to(user)
    rows = rows.select_related("instance__project__account", "project__account")
    rows = rows.prefetch_related("observations")
    found = _spelled(
        rows.order_by("project__name", "instance__name", "pk"), "restore_id", restore_id
    )
    one_instance = len({row.instance.instance_id for row in found}) == 1
    instances, projects = query.getlist("instance"), query.getlist("project")
    spelled = {one for text in instances for one in all_spellings(text)}
    matches = _choose(
        found,
        lambda row: (
            (not instances or row.instance.instance_id.lower() in spelled)
            and (not projects or row.project.is_one_of(projects))
        ),
        lambda row: not one_instance or row.instance.deleted_at is None,
    )
    return replace(matches, shared=len(found) > 1)


def find_instances(instance_id: str, user: Viewer, query: QueryDict) -> Matches[Instance]:
    """Find the visible instances with an ID; ``project`` chooses among several. Raises Http404."""
    rows = Instance.objects.visible_to(user).select_related("project__account")
    projects = query.getlist("project")
    return _choose(
        _spelled(rows.order_by("project__name", "pk"), "instance_id", instance_id),
        lambda row: not projects or row.project.is_one_of(projects),
        lambda row: row.deleted_at is None,
    )


def canonical_url(name: str, ids: Iterable[str], request: HttpRequest) -> str:
    """Where to redirect a page whose path spells IDs as a ticket does; empty if nowhere."""
    found = sorted(set(ids))
    url = reverse(name, args=found[:1])
    if len(found) > 1:
        return f"{reverse('restore-list')}?{urlencode({'ids': ','.join(found)}, safe=':/,')}"
    query = request.META["QUERY_STRING"]
    return "" if url == request.path else f"{url}?{query}" if query else url


def restore_url(restore: Restore, query: QueryDict) -> str:
    """The page of exactly this restore among several with its ID, keeping the list's query."""
    choice = {"instance": restore.instance.instance_id, "project": restore.project.name}
    path = reverse("restore-detail", args=[restore.restore_id])
    return f"{path}?{_replace_choice(query, choice)}"


def permalink(found: Matches[Restore]) -> str:
    """The shortest path of one restore: with a choice only where its ID is shared."""
    restore = found.rows[0]
    if found.shared:
        return restore_url(restore, QueryDict())
    return reverse("restore-detail", args=[restore.restore_id])


def absolute_permalink(path: str, asof: str) -> str:
    """The address for text outside the dashboard: a snapshot of the page at ``path``."""
    join = "&" if "?" in path else "?"
    return f"{settings.BASE_URL}{path}{join}{urlencode({'asof': asof}, safe=':/,')}"


def instance_url(instance: Instance) -> str:
    """The page of exactly this instance among several with its ID."""
    path = reverse("instance-detail", args=[instance.instance_id])
    return f"{path}?{urlencode({'project': instance.project.name}, safe=':/,')}"


def restores_url(instance: Instance) -> str:
    """The list of the restores of exactly this instance."""
    query = {"project": instance.project.name, "instance": instance.instance_id}
    return f"{reverse('restore-list')}?{urlencode(query, safe=':/,')}"


def restores_of_backup_url(backup_id: str, asof: str = "") -> str:
    """The list of the restores of a backup, to any instance."""
    query = {"ids": backup_id} | ({"asof": asof} if asof else {})
    return f"{reverse('restore-list')}?{urlencode(query, safe=':/,')}"


def list_query(query: QueryDict, *, shared: bool) -> str:
    """The query string of the list that the reader comes from.

    Where the ID is shared, ``instance`` and ``project`` are the choice among the restores that
    have it; otherwise they are filters of the list.
    """
    return _replace_choice(query, {}) if shared else query.urlencode(safe=":/,")


@dataclass(frozen=True, slots=True, kw_only=True)
class AsOfContext:
    """The ``asof`` of a restore's page.

    ``snapshot`` covers all restores that the user may see; it is None on a live page.
    ``too_early`` is the given time if the restore wasn't recorded yet by then, ``error`` why
    the time can't be read; both show current data.
    ``permalink_asof`` is what every link of the page carries; ``permalink_query`` and
    ``live_query`` are the page's own query with and without it.
    """

    permalink_asof: str
    permalink_query: str
    live_query: str
    snapshot: AsOf | None
    too_early: datetime | None
    error: str


def as_of_context(restore: Restore, query: QueryDict, user: Viewer, now: datetime) -> AsOfContext:
    """Read the time as of which a restore's page is to be shown."""
    params = _asof_params(query, now)
    asof = params.time_range.asof
    recorded = asof if asof and restore.first_seen_at <= asof else None
    return AsOfContext(
        permalink_asof=params.permalink_asof,
        permalink_query=_replace_asof(query, params.permalink_asof),
        live_query=_replace_asof(query, ""),
        snapshot=_as_of(user, recorded) if recorded else None,
        too_early=asof if asof and not recorded else None,
        error="; ".join(f"“{error.value}” {error.text}" for error in params.errors),
    )


def _as_of(user: Viewer, time: datetime) -> AsOf:
    return AsOf.load(Restore.objects.visible_to(user), time, user)


def _asof_params(query: QueryDict, now: datetime) -> ListParams:
    only_asof = QueryDict(mutable=True)
    for name in ("asof", "tz"):
        only_asof.setlist(name, query.getlist(name))
    return ListParams.parse(only_asof, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListNavigation:
    """The list that a restore's page was opened from, and the restores before and after it there.

    ``url`` is the list as of the page's time and ``label`` its filters in words, empty if it has
    none. ``position`` is the restore's number in a filtered list and ``total`` of how many; 0 if
    the list no longer holds it, and far down.
    """

    url: str
    label: str
    previous: str = ""
    next: str = ""
    position: int = 0
    total: CappedCount | None = None


def opened_list(query: QueryDict, now: datetime, *, shared: bool) -> tuple[ListParams, str]:
    """The list that a restore's page was opened from, and its URL as of the page's own time."""
    text = list_query(query, shared=shared)
    params = ListParams.parse(QueryDict(text), now)
    home = reverse("restore-list")
    return params, home + (f"?{text}" if params.errors else params.permalink_query)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedRestores:
    """The newest of some restores, how many there are in all, and the list of them."""

    rows: list[RestoreRow]
    total: CappedCount
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarFailures:
    """How many other restores failed with the same code at about the same time, and their list.

    The list has the restore itself, too.
    """

    others: int
    url: str


class Related:
    """The restores that a viewer can go to from one, at the page's time or in its snapshot."""

    def __init__(
        self, restore: Restore, viewer: Viewer, now: datetime, snapshot: AsOf | None
    ) -> None:
        """Read the viewer's projects, once for everything that is related."""
        self._restore, self._viewer, self._now, self._snapshot = restore, viewer, now, snapshot
        self._projects = VisibleProject.visible_to(viewer)

    def list_navigation(self, query: QueryDict, *, shared: bool) -> ListNavigation:
        """Find the neighbors in the list's order; none if the list's query is invalid."""
        params, url = opened_list(query, self._now, shared=shared)
        if params.errors:
            return ListNavigation(url=url, label="back to your list")
        label = filter_summary(params)
        scope = self._scope(params)
        neighbors = find_neighbors(scope, self._restore)
        listed = bool(label) and scope.restores.filter(pk=self._restore.pk).exists()
        ahead = neighbors.count_ahead() if listed else COUNT_LIMIT
        return ListNavigation(
            url=url,
            label=label,
            previous=_neighbor_url(neighbors.previous, params),
            next=_neighbor_url(neighbors.next, params),
            position=ahead + 1 if ahead < COUNT_LIMIT else 0,
            total=count(scope) if ahead < COUNT_LIMIT else None,
        )

    def restores(self) -> tuple[RelatedRestores, RelatedRestores | None]:
        """The newest restores of the same instance, this one among them if it is that new, and
        the newest others of the same backup, to any instance.
        """
        backup_id, rows = self._restore.backup_id, Restore.objects.select_related(*RELATED)
        # The viewer who sees this restore sees the others of its instance.
        instance = self._known(rows.filter(instance=self._restore.instance_id))
        visible = self._known(self._in_projects(rows))
        backup = visible.filter(backup_id=backup_id) if backup_id else visible.none()
        totals = capped_counts(self._viewer, [instance, backup])
        same_instance = self._newest(instance, totals[0], restores_url(self._restore.instance))
        if not backup_id:
            return same_instance, None
        others = backup.exclude(pk=self._restore.pk)
        return same_instance, self._newest(others, totals[1], restores_of_backup_url(backup_id))

    def similar_failures(self) -> SimilarFailures | None:
        """The other failures with the same code within an hour of this one, if there are any."""
        restore, hour = self._restore, timedelta(hours=1)
        if restore.status != FAILED.value or not restore.error_code or not restore.ended_at:
            return None
        query = {
            "status": FAILED.value,
            "code": restore.error_code,
            "on": "ended",
            "from": to_iso(restore.ended_at - hour),
            "to": to_iso(restore.ended_at + hour),
        }
        params = ListParams.parse(QueryDict(urlencode(query)), self._now)
        others = count(self._scope(params)).number - 1
        url = reverse("restore-list") + params.live_query
        return SimilarFailures(others=others, url=url) if others > 0 else None

    def _scope(self, params: ListParams) -> Scope:
        return Scope(params, self._viewer, self._snapshot, self._projects)

    def _in_projects(self, rows: RestoreQuerySet) -> RestoreQuerySet:
        """Rows of the viewer's projects, by key: a join would lead to another index."""
        if self._viewer.is_superuser:
            return rows
        return rows.filter(project__in=[project.pk for project in self._projects])

    def _known(self, rows: RestoreQuerySet) -> RestoreQuerySet:
        return self._snapshot.known(rows) if self._snapshot else rows

    def _newest(self, rows: RestoreQuerySet, total: int, url: str) -> RelatedRestores:
        at = self._snapshot.time if self._snapshot else self._now
        newest = [row.then for row in then_and_now(rows.newest(RELATED_SHOWN), self._snapshot)]
        return RelatedRestores(rows=restore_rows(newest, at), total=CappedCount(total), url=url)


def _spelled(rows: VisibleQuerySet, column: str, text: str) -> list[Any]:
    """The rows with this ID, or else those whose ID a ticket may spell like this."""
    found = list(rows.filter(**{f"{column}__lower__in": all_spellings(text)}))
    return [row for row in found if getattr(row, column) == text] or found


def _choose(
    found: list[Row], fits: Callable[[Row], bool], exists: Callable[[Row], bool]
) -> Matches[Row]:
    """Choose the rows that fit, and of those the rows of what still exists."""
    if not found:
        raise Http404(NOT_FOUND)
    fitting = [row for row in found if fits(row)] or found
    existing = [row for row in fitting if exists(row)]
    return Matches(rows=existing or fitting, shared=len(found) > 1)


def _replace_choice(query: QueryDict, choice: dict[str, str]) -> str:
    kept = [(name, values) for name, values in query.lists() if name not in ("instance", "project")]
    return urlencode([*kept, *choice.items()], doseq=True, safe=":/,")


def _replace_asof(query: QueryDict, asof: str) -> str:
    params = query.copy()
    params.pop("asof", None)
    if asof:
        params["asof"] = asof
    return "?" + params.urlencode(safe=":/,")


def _neighbor_url(restore_id: str | None, params: ListParams) -> str:
    if restore_id is None:
        return ""
    return reverse("restore-detail", args=[restore_id]) + params.query(page=params.get("page"))
