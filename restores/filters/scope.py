"""The rows that a list's URL asks for, among those its reader may see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.db.models import Q

from restores.filters.asked import Asked
from restores.filters.text import sought
from restores.models import Instance, Project, Restore
from restores.past import Past, past_of
from restores.querysets import InstanceQuerySet, ProjectQuerySet, RestoreQuerySet
from restores.snapshots import as_of
from restores.statuses import FAILED

if TYPE_CHECKING:
    from restores.querysets import Viewer

_LABELS = {"customer": "customer", "region": "region", "project": "name"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """``restores`` is what was asked for; ``any_state`` the same without status and recovered.

    ``instances`` are those whose restores could be among them: what must have been looked at
    before we may say that there is none; ``projects`` those in which more of them may be, not
    listed yet. ``not_found`` names values that nothing visible has.
    With an ``asof`` the rows are those known by then, in their states of then: ``past``.
    With a text ``near`` is the same among the newest rows only: where these fill a page, the
    older ones need not be read. Its ``whole`` are all rows again, to be read one by one where
    something else makes them few.
    """

    restores: RestoreQuerySet
    any_state: RestoreQuerySet
    instances: InstanceQuerySet
    projects: ProjectQuerySet
    not_found: tuple[tuple[str, str], ...]
    past: Past | None
    near: Scope | None = None
    whole: RestoreQuerySet | None = None

    def unwatched(self) -> bool:
        """Whether an instance among them is in a project that nobody watches any more."""
        return self.instances.filter(project__configured=False).exists()


def scope_of(asked: Asked, viewer: Viewer) -> Scope:
    """Narrow everything the viewer may see to what was asked for."""
    window = asked.window
    rows = Restore.objects.visible_to(viewer)
    past = past_of(rows, window.asof) if window.asof else None
    rows = _placed(asked, as_of(rows, past) if past else rows)
    rows = _described(asked, rows)
    within = {
        "created": rows.created_in,
        "ended": rows.ended_in,
        "running": rows.running_in,
        "changed": rows.changed_in,
    }
    rows = within[window.on](window.start, window.end)
    found, near = sought(rows, asked)
    scope = Scope(
        restores=_in_state(asked, found),
        any_state=found,
        instances=instances_of(asked, viewer),
        projects=projects_of(asked, viewer),
        not_found=tuple(_not_found(asked, viewer)),
        past=past,
    )
    if near is None:
        return scope
    rows, walked = near
    newest = replace(scope, restores=_in_state(asked, rows), any_state=rows)
    return replace(scope, near=replace(newest, whole=_in_state(asked, walked)))


def instances_of(asked: Asked, viewer: Viewer) -> InstanceQuerySet:
    """The instances whose restores could be among those asked for."""
    instances = Instance.objects.visible_to(viewer).filter(_labelled(asked, "project__"))
    names = asked.all("instance")
    return instances.called(names) if names else instances


def projects_of(asked: Asked, viewer: Viewer) -> ProjectQuerySet:
    """The projects in which they could be."""
    projects = Project.objects.visible_to(viewer).filter(_labelled(asked, ""))
    if names := asked.all("instance"):
        of_these = Instance.objects.called(names).values("project_id")
        projects = projects.filter(pk__in=of_these)
    return projects


def _placed(asked: Asked, rows: RestoreQuerySet) -> RestoreQuerySet:
    """Narrowed to places; their keys are read first, so that the rows' own indexes serve."""
    projects = _labelled(asked, "")
    if projects:
        rows = rows.of_projects(Project.objects.filter(projects).values_list("pk", flat=True))
    if names := asked.all("instance"):
        found = list(Instance.objects.called(names).values_list("pk", flat=True))
        rows = (
            rows.filter(instance=found[0]) if len(found) == 1 else rows.filter(instance__in=found)
        )
    return rows


def _described(asked: Asked, rows: RestoreQuerySet) -> RestoreQuerySet:
    if codes := asked.all("code"):
        rows = rows.with_code(codes)
    if ids := asked.ids:
        # Keys of instances are read first: each side of the "or" then has an index.
        named = Instance.objects.filter(instance_id__in=ids).values_list("pk", flat=True)
        of_instance = Q(instance__in=list(named))
        rows = rows.filter(Q(restore_id__in=ids) | Q(backup_id__in=ids) | of_instance)
    return rows


def _in_state(asked: Asked, rows: RestoreQuerySet) -> RestoreQuerySet:
    statuses, recovered = asked.all("status"), asked.one("recovered")
    # Recovered or not, it failed: asked for once, the index of those still failed serves.
    if statuses and not (recovered and FAILED.value in statuses):
        rows = rows.in_status(statuses)
    if recovered:
        rows = rows.still_failed() if recovered == "no" else rows.recovered()
    return rows


def _labelled(asked: Asked, path: str) -> Q:
    """Customers, regions and projects, as a condition on rows with a path to the project."""
    asked_for = {name: asked.all(name) for name in _LABELS if asked.all(name)}
    return Q(**{f"{path}{_LABELS[name]}__in": values for name, values in asked_for.items()})


def _not_found(asked: Asked, viewer: Viewer) -> Iterator[tuple[str, str]]:
    restores = Restore.objects.visible_to(viewer)
    instances = Instance.objects.visible_to(viewer)
    for name, column in _LABELS.items():
        for value in asked.all(name):
            if not Project.objects.visible_to(viewer).filter(**{column: value}).exists():
                yield name, value
    for value in asked.all("instance"):
        if not instances.called([value]).exists():
            yield "instance", value
    for value in asked.all("code"):
        if value != "any" and not restores.filter(error_code=value).exists():
            yield "code", value
    if asked.ids:
        known = {
            *restores.filter(restore_id__in=asked.ids).values_list("restore_id", flat=True),
            *restores.filter(backup_id__in=asked.ids).values_list("backup_id", flat=True),
            *instances.filter(instance_id__in=asked.ids).values_list("instance_id", flat=True),
        }
        yield from (("ids", value) for value in asked.ids if value not in known)
