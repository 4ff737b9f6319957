"""How long restores in progress will probably take, and whether they are possibly stuck."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.db.models import OuterRef, Q, Subquery

from restores.asof import AsOf
from restores.explain.estimates import format_clock
from restores.explain.summary import RECENT, Facts, details
from restores.facts import unchanged_for
from restores.freshness import known_until
from restores.models import Instance, Observation, Restore
from restores.statuses import RESTORING

_LATELY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLeft:
    """How far a restore in progress is, in words, and what the estimate is based on.

    ``took`` is how long it had run when it was last synced, where nobody can sync it now.
    """

    text: str
    basis: str = ""
    stuck: bool = False
    took: str = ""


def time_left(restores: Sequence[Restore], asof: AsOf | None, now: datetime) -> dict[int, TimeLeft]:
    """Estimate how long restores in progress will take, or say why they are possibly stuck.

    By primary key; the instances and projects of the restores have been read.
    """
    if not restores:
        return {}
    observations: dict[int, list[Observation]] = defaultdict(list)
    keys = [restore.pk for restore in restores]
    for one in Observation.objects.filter(restore__in=keys).order_by("seen_at", "pk"):
        if asof is None or one.recorded_at <= asof.time:
            observations[one.restore_id].append(one)
    at = asof.time if asof else now
    known = {} if asof else _known_until(restores, now)
    durations = _earlier_durations(
        restore for restore in restores if restore.created_at and restore.status == RESTORING.value
    )
    found = {}
    for restore in restores:
        known_at = known.get(restore.pk, at)
        facts = Facts(
            status=restore.status,
            now=known_at,
            created_at=restore.created_at,
            progress=restore.progress,
            unchanged_for=unchanged_for(
                restore.instance.complete_to, observations[restore.pk], known_at
            ),
            reports_progress=restore.status != RESTORING.value or restore.project.reports_progress,
            earlier_durations=durations.get(restore.pk, ()),
        )
        stopped = known_at < at and facts.elapsed is not None
        found[restore.pk] = TimeLeft(
            text=details(facts),
            basis=facts.estimate.basis if facts.estimate else "",
            stuck=bool(facts.stuck),
            took=format_clock(facts.elapsed) if stopped and facts.elapsed is not None else "",
        )
    return found


def _known_until(restores: Iterable[Restore], now: datetime) -> dict[int, datetime]:
    """Up to when the state is known of those that may have stopped being synced."""
    old = [restore for restore in restores if not _synced_lately(restore, now)]
    instances = Instance.objects.select_related("project__account").in_bulk(
        [restore.instance_id for restore in old]
    )
    for restore in old:
        restore.instance = instances[restore.instance_id]
        restore.project = restore.instance.project
    return {restore.pk: known_until(restore, now) for restore in old}


def _synced_lately(restore: Restore, now: datetime) -> bool:
    complete_to = restore.instance.complete_to
    return (
        restore.removed_upstream_at is None
        and complete_to is not None
        and now - complete_to <= _LATELY
    )


def _earlier_durations(running: Iterable[Restore]) -> dict[int, list[float]]:
    """What the newest earlier successes of each one's instance took, oldest first."""
    restores = {restore.pk: restore for restore in running}
    if not restores:
        return {}
    earlier = Restore.objects.succeeded().filter(
        instance=OuterRef("instance"), created_at__lt=OuterRef("created_at"), duration__gt=0
    )
    nth = earlier.order_by("-created_at").values("created_at")[RECENT - 1 : RECENT]
    # Bounded one by one: the history of an instance can be long.
    since = Restore.objects.filter(pk__in=restores).values_list("pk", Subquery(nth))
    ranges = []
    for pk, start in since:
        one = restores[pk]
        own = Q(instance=one.instance_id, created_at__lt=one.created_at)
        ranges.append(own & Q(created_at__gte=start) if start else own)
    # The instances once more: for the "or" alone SQLite reads the successes of all instances.
    rows = Restore.objects.succeeded().filter(
        reduce(or_, ranges),
        instance__in={restore.instance_id for restore in restores.values()},
        duration__gt=0,
    )
    found: dict[int, list[float]] = {pk: [] for pk in restores}
    for instance, created_at, duration in rows.order_by("created_at", "pk").values_list(
        "instance_id", "created_at", "duration"
    ):
        for pk, one in restores.items():
            if one.instance_id == instance and one.created_at and created_at < one.created_at:
                found[pk].append(duration)
    return found
