"""How long restores in progress will probably take, and whether they are possibly stuck."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_

from django.db.models import OuterRef, Q, Subquery

from restores.asof import AsOf
from restores.explain.estimates import RECENT, Usual, format_clock, usual_of
from restores.explain.summary import details
from restores.facts import row_facts
from restores.freshness import known_until
from restores.models import NO_SYNC_ERROR, Restore

# The fields of a restore that are read besides those of the list.
_FIELDS = (
    *("first_seen_at", "changed_at", "moved_at", "missing_since", "removed_upstream_at"),
    *("instance__complete_to", "instance__deleted_at"),
    *("instance__usual_p10", "instance__usual_p90", "instance__usual_count"),
    *("project__monitored", "project__interval"),
    *(
        f"{owner}__{name}"
        for owner in ("instance", "project", "project__account")
        for name in NO_SYNC_ERROR
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLeft:
    """How far a restore in progress is, in words, and what the estimate is based on.

    ``took`` is how long it had run when it was last synced, if it can't be synced now.
    """

    text: str
    basis: str = ""
    took: str = ""


def time_left(restores: Sequence[Restore], asof: AsOf | None, now: datetime) -> dict[int, TimeLeft]:
    """Estimate how long restores in progress will take, or say why they are possibly stuck.

    Returns them by primary key, and reads what else it needs.
    """
    if not restores:
        return {}
    keys = [restore.pk for restore in restores]
    rows = Restore.objects.select_related("instance", "project__account").only(*_FIELDS)
    current = rows.in_bulk(keys)
    # The values stored with the instances include what came after the snapshot.
    usual_then = _usual_before(keys) if asof else {}
    at = asof.time if asof else now
    found = {}
    for restore in restores:
        row = current[restore.pk]
        known_at = at if asof else known_until(row, now)
        usual = usual_then[restore.pk] if asof else row.instance.usual
        facts = row_facts(restore, known_at, usual)
        stopped = known_at < at and facts.elapsed is not None
        found[restore.pk] = TimeLeft(
            text=details(facts),
            basis=facts.estimate.basis if facts.estimate else "",
            took=format_clock(facts.elapsed) if stopped and facts.elapsed is not None else "",
        )
    return found


def _usual_before(keys: Sequence[int]) -> dict[int, Usual | None]:
    """What was usual for the instance of each restore when that was created."""
    earlier = Restore.objects.succeeded().filter(
        instance=OuterRef("instance"), created_at__lt=OuterRef("created_at"), duration__gt=0
    )
    oldest = Subquery(earlier.order_by("-created_at").values("created_at")[RECENT - 1 : RECENT])
    rows = Restore.objects.filter(pk__in=keys).annotate(oldest=oldest)
    restores = list(rows.values_list("pk", "instance_id", "created_at", "oldest"))
    # Each side of the "or" has its own range of the index, and there is no condition around it, or
    # SQLite would read all successes of the instances.
    ranges = [
        Q(instance=instance, status_group="succeeded", created_at__lt=created_at)
        & (Q(created_at__gte=oldest) if oldest else Q())
        for _, instance, created_at, oldest in restores
        if created_at
    ]
    columns = ("created_at", "pk", "instance_id", "duration")
    found = Restore.objects.filter(reduce(or_, ranges)).values_list(*columns) if ranges else []
    successes = sorted(found)
    return {
        pk: usual_of(
            [
                duration
                for at, _, owner, duration in successes
                if duration and owner == instance and created_at and at < created_at
            ]
        )
        for pk, instance, created_at, _ in restores
    }
