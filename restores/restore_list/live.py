"""What can be foretold of the restores in progress that stand first."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from restores.explain.estimates import format_clock
from restores.explain.summary import RECENT, Facts, details
from restores.freshness import known_until
from restores.models import Instance, Observation, Restore
from restores.pages.past import unchanged
from restores.past import Past
from restores.querysets.asking import pose, together
from restores.querysets.slots import Keys
from restores.statuses import RESTORING, SUCCEEDED

# When a restore was seen last, from which follows until when it is known.
_SEEN = ("removed_upstream_at", "moved_at", "missing_since", "first_seen_at", "changed_at")
_LATELY = timedelta(minutes=1)
_EARLIER = f"""
SELECT duration FROM restores_restore AS earlier
WHERE earlier.instance_id = restores_restore.instance_id AND earlier.status = '{SUCCEEDED.value}'
    AND earlier.created_at < restores_restore.created_at AND earlier.duration > 0
ORDER BY earlier.created_at DESC, earlier.id DESC LIMIT {RECENT}"""  # noqa: S608 - ours
_LISTED = {
    "sqlite": f"SELECT json_group_array(duration) FROM ({_EARLIER})",  # noqa: S608 - ours
    "postgresql": f"to_json(ARRAY({_EARLIER}))::text",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLeft:
    """How far a restore in progress is, in words, and what the estimate is based on.

    ``took`` is how long it had run when it was last synced, where nobody can sync it now.
    """

    text: str
    basis: str = ""
    stuck: bool = False
    took: str = ""


def time_left(shown: Sequence[Any], past: Past | None, now: datetime) -> dict[int, TimeLeft]:
    """Estimate how long restores in progress will take, or say why they are possibly stuck."""
    if not shown:
        return {}
    running = [one.pk for one in shown if one.created_at and one.status == RESTORING.value]
    old = [] if past else [one for one in shown if _unseen_lately(one, now)]
    observed = pose("observed", _observed, keys=[one.pk for one in shown])
    lengths = pose("lengths", _lengths, keys=running)
    instances = pose("instances", _instances, keys={one.instance_id for one in old})
    together(observed, lengths, instances)
    seen, until = _seen(observed.rows, past), _known_until(old, instances.rows, now)
    earlier = {pk: json.loads(newest)[::-1] for pk, newest in lengths.rows}
    at = past.asof if past else now
    return {
        one.pk: _time_left(
            _facts(one, seen[one.pk], earlier.get(one.pk, ()), until.get(one.pk, at)), at
        )
        for one in shown
    }


def _unseen_lately(restore: Any, now: datetime) -> bool:
    """Whether its last look is so long ago that it may be nobody can look."""
    proven = restore.instance__complete_to
    return bool(restore.removed_upstream_at) or proven is None or now - proven > _LATELY


def _known_until(
    shown: Sequence[Any], instances: Sequence[Instance], now: datetime
) -> dict[int, datetime]:
    by_key = {one.pk: one for one in instances}
    return {one.pk: known_until(_restore(one, by_key[one.instance_id]), now) for one in shown}


def _instances() -> QuerySet[Instance]:
    return Instance.objects.filter(pk__in=Keys("keys")).select_related("project__account")


def _observed() -> QuerySet[Observation]:
    return Observation.objects.filter(restore__in=Keys("keys")).order_by("seen_at", "pk")


def _lengths() -> QuerySet[Any, Any]:
    """What earlier successes of each one's instance took, newest first, as JSON."""
    listed = RawSQL(_LISTED[connection.vendor], ())  # noqa: S611 - ours
    return Restore.objects.filter(pk__in=Keys("keys")).values_list("pk", listed)


def _restore(row: Any, instance: Instance) -> Restore:
    """The restore as far as it was read, with its instance and project."""
    restore = Restore(**{name: getattr(row, name) for name in _SEEN})
    restore.instance, restore.project = instance, instance.project
    return restore


def _facts(
    restore: Any, seen: Sequence[Observation], earlier: Sequence[float], at: datetime
) -> Facts:
    return Facts(
        status=restore.status,
        now=at,
        created_at=restore.created_at,
        progress=restore.progress,
        unchanged_for=unchanged(restore.instance__complete_to, seen, at),
        reports_progress=restore.status != RESTORING.value or restore.project__reports_progress,
        earlier_durations=earlier,
    )


def _seen(found: Iterable[Observation], past: Past | None) -> Mapping[int, list[Observation]]:
    seen: defaultdict[int, list[Observation]] = defaultdict(list)
    for one in found:
        if past is None or one.recorded_at <= past.asof:
            seen[one.restore_id].append(one)
    return seen


def _time_left(facts: Facts, at: datetime) -> TimeLeft:
    stopped = facts.now < at and facts.elapsed is not None
    return TimeLeft(
        text=details(facts),
        basis=facts.estimate.basis if facts.estimate else "",
        stuck=bool(facts.stuck),
        took=format_clock(facts.elapsed) if stopped and facts.elapsed is not None else "",
    )
