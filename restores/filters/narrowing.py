"""How restores are narrowed, one kind of parameter at a time."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from restores.filters.params import ListParams
from restores.models import Instance
from restores.querysets import RestoreQuerySet
from restores.statuses import FAILED

PrimaryKeys = tuple[int, ...]


def placed(
    rows: RestoreQuerySet, projects: PrimaryKeys | None, instances: PrimaryKeys | None = None
) -> RestoreQuerySet:
    """Of these projects and instances, None for all; keys let the rows' own indexes serve."""
    if projects is not None:
        rows = rows.of_projects(projects)
    if instances is None:
        return rows
    if len(instances) == 1:
        return rows.filter(instance=instances[0])
    return rows.filter(instance__in=instances)


def described(rows: RestoreQuerySet, params: ListParams) -> RestoreQuerySet:
    """With the codes and the ids asked for."""
    if codes := params.getlist("code"):
        rows = rows.with_code(codes)
    if ids := params.ids:
        # Keys of instances are read first: each side of the "or" then has an index.
        named = Instance.objects.filter(instance_id__in=ids).values_list("pk", flat=True)
        of_instance = Q(instance__in=list(named))
        rows = rows.filter(Q(restore_id__in=ids) | Q(backup_id__in=ids) | of_instance)
    return rows


def within(
    rows: RestoreQuerySet,
    on: str,
    start: datetime | None,
    end: datetime | None,
    seam: datetime | None = None,
) -> RestoreQuerySet:
    """Within the window; for ``seam`` see ``running_in``."""
    if on == "running":
        return rows.running_in(start, end, seam)
    ways = {"created": rows.created_in, "ended": rows.ended_in, "changed": rows.changed_in}
    return ways[on](start, end)


def in_state(rows: RestoreQuerySet, params: ListParams) -> RestoreQuerySet:
    """In the states asked for, recovered or not."""
    statuses, recovered = params.getlist("status"), params.get("recovered")
    # Recovered or not, it failed: asked for once, the index of those still failed serves.
    if statuses and not (recovered and FAILED.value in statuses):
        rows = rows.in_status(statuses)
    if recovered:
        rows = rows.still_failed() if recovered == "no" else rows.recovered()
    return rows
