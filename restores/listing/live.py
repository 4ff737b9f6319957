"""What can be foretold of the restores in progress that stand first."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from restores.insight.durations import clock, roughly
from restores.insight.facts import RECENT, Facts
from restores.listing.rows import SEEN, Row
from restores.models import Instance, Observation, Restore
from restores.pages.freshness import known_until
from restores.pages.past import unchanged
from restores.past import Past
from restores.querysets.prepared import ask
from restores.querysets.slots import Keys
from restores.statuses import RESTORING, SUCCEEDED, WAITING

_LATELY = timedelta(minutes=1)
_EARLIER = f"""
SELECT duration FROM restores_restore AS earlier
WHERE earlier.instance_id = one.instance_id AND earlier.status = '{SUCCEEDED.value}'
    AND earlier.created_at < one.created_at AND earlier.duration > 0
ORDER BY earlier.created_at DESC, earlier.id DESC LIMIT {RECENT}"""  # noqa: S608 - ours
_LISTED = {
    "sqlite": f"(SELECT json_group_array(duration) FROM ({_EARLIER}))",  # noqa: S608 - ours
    "postgresql": f"to_json(ARRAY({_EARLIER}))::text",
}


def foretell(rows: Sequence[Row], shown: Sequence[Any], past: Past | None, now: datetime) -> None:
    """Add to rows how long they will probably take, or why they are probably stuck.

    ``shown`` are the same restores, in the same order, as they were read.
    """
    if not rows:
        return
    seen, lengths = _seen(shown, past), _lengths(shown)
    at = past.asof if past else now
    until = {} if past else _known_until(shown, now)
    for row, restore in zip(rows, shown, strict=True):
        facts = _facts(restore, seen[row.pk], lengths.get(row.pk, ()), until.get(row.pk, at))
        _tell(row, facts)
        if facts.now < at and facts.elapsed is not None:
            row.took, row.since = clock(facts.elapsed), ""  # it stands still, too


def _known_until(shown: Sequence[Any], now: datetime) -> dict[int, datetime]:
    """Until when those are known whose last look is so long ago that it may be nobody can look."""
    old = [one for one in shown if one.delisted_at or _older(one.instance__proven_at, now)]
    if not old:
        return {}
    found = ask("instances", _instances, keys={one.instance_id for one in old})
    instances = {one.pk: one for one in found}
    return {one.pk: known_until(_restore(one, instances[one.instance_id]), now) for one in old}


def _instances() -> QuerySet[Instance]:
    return Instance.objects.filter(pk__in=Keys("keys")).select_related("project__account")


def _observed() -> QuerySet[Observation]:
    return Observation.objects.filter(restore__in=Keys("keys")).order_by("seen_at", "pk")


def _restore(row: Any, instance: Instance) -> Restore:
    """The restore as far as it was read, with its instance and project."""
    restore = Restore(**{name: getattr(row, name) for name in SEEN})
    restore.instance, restore.project = instance, instance.project
    return restore


def _older(proven: datetime | None, now: datetime) -> bool:
    return proven is None or now - proven > _LATELY


def _facts(
    restore: Any, seen: Sequence[Observation], earlier: Sequence[float], at: datetime
) -> Facts:
    return Facts(
        status=restore.status,
        now=at,
        created=restore.created_at,
        progress=restore.progress,
        unchanged=unchanged(restore.instance__proven_at, seen, at),
        steps=restore.status != RESTORING.value or restore.project__reports_steps,
        earlier=earlier,
    )


def _seen(shown: Sequence[Any], past: Past | None) -> Mapping[int, list[Observation]]:
    seen: defaultdict[int, list[Observation]] = defaultdict(list)
    for one in ask("observed", _observed, keys=[restore.pk for restore in shown]):
        if past is None or one.known_at <= past.asof:
            seen[one.restore_id].append(one)
    return seen


def _lengths(shown: Sequence[Any]) -> Mapping[int, list[float]]:
    """What earlier successes of each one's instance took, oldest first; one query for all."""
    keys = [one.pk for one in shown if one.created_at and one.status == RESTORING.value]
    if not keys:
        return {}
    vendor, holes = connection.vendor, ", ".join(["%s"] * len(keys))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, {_LISTED[vendor]} FROM restores_restore AS one WHERE id IN ({holes})",  # noqa: S608
            keys,
        )
        return {key: json.loads(lengths)[::-1] for key, lengths in cursor.fetchall()}


def _tell(row: Row, facts: Facts) -> None:
    if facts.stuck:
        row.look = row.bar_look = "stuck"
        row.word = "Probably stuck"
    so_far = roughly(facts.elapsed) if facts.elapsed is not None else ""
    if facts.status == WAITING.value:
        row.outcome = f"queued for {so_far}" if so_far else "queued"
        row.outcome = facts.stuck.reason if facts.stuck else row.outcome
        return
    if facts.progress is None:
        row.outcome = f"{so_far} so far" if so_far else row.outcome
    elif so_far:
        row.outcome += f" after {so_far}"
    parts = [row.outcome]
    if facts.stuck:
        parts.append(facts.stuck.reason)
    elif facts.estimate:
        parts.append(facts.estimate.text)
    row.outcome = " · ".join(parts)
