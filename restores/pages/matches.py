"""Which rows an id in a path means: instances and projects may share it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import urlencode

from django.http import Http404, QueryDict
from django.urls import reverse

from restores.models import Instance, Restore
from restores.pages.instances import visible_instances
from restores.paths import restore_path

if TYPE_CHECKING:
    from restores.querysets import Viewer

CHOICE = ("instance", "project")
Row = TypeVar("Row", Instance, Restore)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches(Generic[Row]):
    """The rows an id and its choice mean; ``shared`` when others have the same id."""

    rows: list[Row]
    shared: bool

    @property
    def only(self) -> Row | None:
        """The one row that is meant, if it is one."""
        return self.rows[0] if len(self.rows) == 1 else None


def restores_with(restore_id: str, viewer: Viewer, params: QueryDict) -> Matches[Restore]:
    """The visible restores with this id; ``?instance=`` and ``?project=`` choose among several.

    A choice that fits none of them chooses nothing: it is then the filter of the list that the
    reader comes from. Raises Http404, for an unknown id as for one that is not visible.
    """
    rows = Restore.objects.visible_to(viewer).filter(restore_id=restore_id)
    rows = rows.select_related("instance__project__account", "project__account")
    instances, projects = params.getlist("instance"), params.getlist("project")
    return _chosen(
        list(rows.order_by("project__name", "instance__name", "pk")),
        lambda row: (
            (not instances or row.instance.instance_id in instances)
            and (not projects or row.project.name in projects)
        ),
    )


def instances_with(instance_id: str, viewer: Viewer, params: QueryDict) -> Matches[Instance]:
    """The visible instances with this id; ``?project=`` chooses. Raises Http404."""
    rows = visible_instances(viewer).filter(instance_id=instance_id)
    projects = params.getlist("project")
    return _chosen(
        list(rows.order_by("project__name", "pk")),
        lambda row: not projects or row.project.name in projects,
    )


def restore_url(restore: Restore, params: QueryDict) -> str:
    """The page of exactly this restore, among several with its id, keeping the list's query."""
    choice = {"instance": restore.instance.instance_id, "project": restore.project.name}
    return f"{reverse('restore-detail', args=[restore.restore_id])}?{_with(params, choice)}"


def permalink(found: Matches[Restore]) -> str:
    """The one restore's shortest path: a choice stands in it only where its id is shared."""
    restore = found.rows[0]
    if found.shared:
        return restore_url(restore, QueryDict())
    return restore_path(restore.restore_id)


def instance_url(instance: Instance) -> str:
    """The page of exactly this instance, among several with its id."""
    choice = urlencode({"project": instance.project.name}, safe=":/,")
    return f"{reverse('instance-detail', args=[instance.instance_id])}?{choice}"


def list_query(params: QueryDict, *, shared: bool) -> str:
    """The query string of the list that the reader comes from.

    Where others share the id, instance and project were the choice among them; where it is
    alone they are the list's own filters.
    """
    return _with(params, {}) if shared else params.urlencode(safe=":/,")


def _chosen(found: list[Row], fits: Callable[[Row], bool]) -> Matches[Row]:
    if not found:
        raise Http404("There is none with this id, or you may not see it.")
    return Matches(rows=[row for row in found if fits(row)] or found, shared=len(found) > 1)


def _with(params: QueryDict, choice: dict[str, str]) -> str:
    kept = [(name, values) for name, values in params.lists() if name not in CHOICE]
    return urlencode([*kept, *choice.items()], doseq=True, safe=":/,")
