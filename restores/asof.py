"""Restores as of a time: what was known then, and what has changed since."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce

from restores.models import Observation, Restore
from restores.querysets import UNKNOWN_RUNS, RestoreQuerySet, code_is, status_is
from restores.statuses import FAILED, FINAL, IN_PROGRESS, KNOWN, QUICK, SUCCEEDED, status_of

# Whether a status and an error code match a filter.
Matches = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class StateAt:
    """The state in which a restore was last observed by a time, and the one it has now."""

    status: str
    progress: float | None
    error_code: str
    recorded_at: datetime
    status_now: str
    error_code_now: str

    @property
    def ended(self) -> bool:
        """Whether it already had the end that it has now."""
        return self.status in FINAL and self.status == self.status_now


@dataclass(frozen=True, slots=True, kw_only=True)
class AsOf:
    """A time, and by primary key the restores whose state has changed since.

    Its methods filter rows by their state of that time. A state is compared as it is now, by
    index; the few rows that have changed since are added or left out by primary key.
    """

    time: datetime
    changed_since: Mapping[int, StateAt]

    @classmethod
    def load(cls, rows: RestoreQuerySet, time: datetime) -> AsOf:
        """Find which of the rows were in another state by then; few were, whatever its age."""
        known = rows.filter(first_seen_at__lte=time, moved_at__gt=time)
        newest = Subquery(_newest_observations(time).values("pk")[:1])
        found = [
            row
            for part in (known.filter(moved_at__lte=time + QUICK), known.filter(slow=True))
            for row in part.annotate(newest=newest).values_list(
                "pk", "status", "error_code", "newest"
            )
        ]
        observations = Observation.objects.in_bulk({row[-1] for row in found if row[-1]})
        changed = {
            key: _state_at(observations.get(observation), time, status, code)
            for key, status, code, observation in found
        }
        return cls(time=time, changed_since=changed)

    def keys(self, matches: Matches) -> list[int]:
        """The restores changed since whose status and error code of then match."""
        return [key for key, s in self.changed_since.items() if matches(s.status, s.error_code)]

    def known(self, rows: RestoreQuerySet) -> RestoreQuerySet:
        """Recorded by then."""
        return rows.filter(first_seen_at__lte=self.time)

    def in_status(self, rows: RestoreQuerySet, statuses: Iterable[str]) -> RestoreQuerySet:
        """In one of these statuses then."""
        wanted = set(statuses)
        return self._filter(rows, status_is(wanted), lambda status, _: status in wanted)

    def in_other_status(self, rows: RestoreQuerySet) -> RestoreQuerySet:
        """In a status then that we don't know."""
        return self._filter(rows, Q(status_group="other"), lambda status, _: status not in KNOWN)

    def with_code(self, rows: RestoreQuerySet, codes: Iterable[str]) -> RestoreQuerySet:
        """With one of these error codes then, or any."""
        wanted = set(codes)
        return self._filter(
            rows, code_is(wanted), lambda _, code: bool(code) and (bool({code, "any"} & wanted))
        )

    def unresolved(self, rows: RestoreQuerySet) -> RestoreQuerySet:
        """Failed then, and no later restore of the instance was known to have succeeded."""
        rows, lasting = self.in_status(rows, [FAILED.value]), ~Exists(self._later_successes())
        return rows.filter(lasting if self._ends_revoked else Q(recovered_at=None) | lasting)

    def recovered(self, rows: RestoreQuerySet) -> RestoreQuerySet:
        """Failed then, and a later restore of the instance was known to have succeeded."""
        rows, recovered = self.in_status(rows, [FAILED.value]), Q(Exists(self._later_successes()))
        return rows.filter(recovered if self._ends_revoked else ~Q(recovered_at=None) & recovered)

    def ended_in(
        self, rows: RestoreQuerySet, start: datetime | None, end: datetime | None
    ) -> RestoreQuerySet:
        """Known by then to have ended within the range."""
        return rows.ended_in(start, end).exclude(self._not_ended())

    def changed_in(
        self, rows: RestoreQuerySet, start: datetime | None, end: datetime | None
    ) -> RestoreQuerySet:
        """Seen by then to begin, change or end within the range."""
        after = self.time + timedelta(microseconds=1)
        return rows.changed_in(start, min(end or after, after))

    def running_in(
        self, rows: RestoreQuerySet, start: datetime | None, end: datetime | None
    ) -> RestoreQuerySet:
        """Waiting or restoring within the range, as far as was known."""
        found = rows.running_in(start, end)
        if start is None:
            return found
        began = Q(created_at__lt=end) if end else Q()
        unknown = self.keys(lambda status, _: status not in KNOWN)
        young = Q(created_at__gt=start - UNKNOWN_RUNS)
        running = Q(pk__in=self.keys(lambda status, _: status in IN_PROGRESS))
        # Of an end other than the present one nothing is kept: it had ended, nobody knows when.
        final = self.keys(lambda status, _: status in FINAL)
        revoked = [key for key in final if not self.changed_since[key].ended]
        found = found.exclude(pk__in=revoked, created_at__lt=start)
        found = found.exclude(Q(pk__in=unknown) & ~young)
        return found | rows.filter(began & (running | Q(pk__in=unknown) & young))

    def sort_column(self, rows: RestoreQuerySet, column: str) -> tuple[RestoreQuerySet, str, Q]:
        """The rows with the column of then that they are sorted by, and when it has no value."""
        if column in ("ended_at", "duration"):
            return rows, column, Q(**{column: None}) | self._not_ended()
        newest = Subquery(_newest_observations(self.time).values(column)[:1])
        changed = When(pk__in=list(self.changed_since), then=newest)
        rows = rows.annotate(then=Case(changed, default=F(column)))
        return rows, "then", Q(then=None) if column == "progress" else Q(then="")

    def sorts_differently(self, column: str) -> bool:
        """Whether the order by this column was another one then."""
        return bool(self.changed_since) and column in (
            "ended_at",
            "duration",
            "status",
            "progress",
            "error_code",
        )

    def recovery_times(self, keys: Iterable[int]) -> dict[int, datetime]:
        """When each of these failed restores was known to have recovered, by primary key."""
        successes = self._later_successes().order_by("created_at", "pk")
        first = Subquery(successes.values(end=Coalesce("ended_at", "created_at"))[:1])
        rows = Restore.objects.filter(pk__in=list(keys)).annotate(then=first)
        return {key: at for key, at in rows.values_list("pk", "then") if at}

    def _filter(self, rows: RestoreQuerySet, now: Q, matches: Matches) -> RestoreQuerySet:
        no_longer: list[int] = []
        only_then: list[int] = []
        for key, state in self.changed_since.items():
            matched = matches(state.status, state.error_code)
            if matched != matches(state.status_now, state.error_code_now):
                (only_then if matched else no_longer).append(key)
        rows = rows.filter(now | Q(pk__in=only_then) if only_then else now)
        return rows.exclude(pk__in=no_longer) if no_longer else rows

    def _not_ended(self) -> Q:
        """Not known to have ended then, or with an end that is not kept: it has another now."""
        changed = self.changed_since
        endless = [key for key, state in changed.items() if not state.ended]
        return Q(pk__in=endless) | Q(pk__in=list(changed), ended_at__gt=self.time)

    def _later_successes(self) -> RestoreQuerySet:
        """Of the failed restore in the outer query, the successes that came after it."""
        later = Restore.objects.filter(
            instance=OuterRef("instance"), created_at__gt=OuterRef("created_at")
        )
        return self.in_status(self.known(later), [SUCCEEDED.value])

    @property
    def _ends_revoked(self) -> bool:
        """Whether an end was revoked since: then the present ``recovered_at`` tells nothing."""
        changed = self.changed_since.values()
        return any(s.status in FINAL and s.status != s.status_now for s in changed)


@dataclass(frozen=True, slots=True)
class ThenAndNow:
    """A restore as it was then, and as it is now if that differs."""

    then: Restore
    now: Restore | None = None


def then_and_now(rows: Sequence[Restore], asof: AsOf | None) -> list[ThenAndNow]:
    """Restores as of then next to what they are now; live ones only as they are."""
    if asof is None:
        return [ThenAndNow(row) for row in rows]
    changed = asof.changed_since
    failed = [
        row.pk
        for row in rows
        if (changed[row.pk].status if row.pk in changed else row.status) == FAILED.value
    ]
    recovered = asof.recovery_times(failed) if failed else {}
    found = []
    for row in rows:
        then = copy.copy(row)
        for name, value in _values_then(row, asof, recovered.get(row.pk)).items():
            setattr(then, name, value)
        found.append(ThenAndNow(then, row if _differs(then, row) else None))
    return found


def observations_of(restore: Restore, asof: AsOf | None) -> list[Observation]:
    """The restore's observations, oldest first; in a snapshot those recorded by then."""
    found = sorted(restore.observations.all(), key=lambda one: (one.seen_at, one.pk))
    return [one for one in found if asof is None or one.recorded_at <= asof.time]


def diff_from_now(then: Restore, now: Restore, zone: tzinfo, at: datetime) -> str:
    """What has become of a restore since then, at the time ``at``: “Now: Succeeded at 14:12”."""
    parts = []
    if (then.status, then.error_code) != (now.status, now.error_code):
        state = " ".join(filter(None, (status_of(now.status).word, now.error_code)))
        parts.append(state + _at(now.ended_at or now.moved_at, zone, at))
    elif then.progress != now.progress:
        parts.append("no progress reported" if now.progress is None else f"{now.progress:g}%")
    if (recovered := _recovered_at(now)) and not then.recovered_at:
        parts.append("recovered" + _at(recovered, zone, at))
    elif then.recovered_at and now.status == FAILED.value and not recovered:
        parts.append("unresolved")
    if (now.removed_upstream_at is None) != (then.removed_upstream_at is None):
        parts.append(
            "removed from the provider’s list" if now.removed_upstream_at else "listed again"
        )
    return "Now: " + ", ".join(parts)


def _newest_observations(time: datetime) -> QuerySet[Observation]:
    """Of the restore in the outer query, the observations recorded by then, newest first."""
    recorded = Observation.objects.filter(restore=OuterRef("pk"), recorded_at__lte=time)
    return recorded.order_by("-recorded_at", "-pk")


def _state_at(observation: Observation | None, time: datetime, status: str, code: str) -> StateAt:
    return StateAt(
        status=observation.status if observation else "",
        progress=observation.progress if observation else None,
        error_code=observation.error_code if observation else "",
        recorded_at=observation.recorded_at if observation else time,
        status_now=status,
        error_code_now=code,
    )


def _values_then(row: Restore, asof: AsOf, recovered_at: datetime | None) -> dict[str, Any]:
    """The values of then that differ from those of now, or may."""
    values: dict[str, Any] = {"recovered_at": recovered_at}
    deferred = row.get_deferred_fields()
    for name in {"removed_upstream_at", "missing_since", "restoring_by"} - deferred:
        at = getattr(row, name)
        values[name] = at if at and at <= asof.time else None
    if state := asof.changed_since.get(row.pk):
        ended = row.ended_at if state.ended else None
        kept = ended is not None and ended <= asof.time
        values |= {
            "status": state.status,
            "progress": state.progress,
            "error_code": state.error_code,
            "updated_at": ended if kept else None,
            "ended_at": ended if kept else None,
            "duration": row.duration if kept else None,
            "changed_at": state.recorded_at,
        }
    elif "changed_at" not in deferred and row.changed_at > asof.time:
        values["changed_at"] = row.moved_at or row.first_seen_at
    return values


def _differs(then: Restore, now: Restore) -> bool:
    return (
        (then.status, then.progress, then.error_code) != (now.status, now.progress, now.error_code)
        or (then.recovered_at is None) != (_recovered_at(now) is None)
        or (then.removed_upstream_at is None) != (now.removed_upstream_at is None)
    )


def _recovered_at(row: Restore) -> datetime | None:
    return row.recovered_at if row.status == FAILED.value else None


def _at(time: datetime | None, zone: tzinfo, now: datetime) -> str:
    """`` at 14:12``, with the day unless it is today's."""
    if time is None:
        return ""
    local, today = time.astimezone(zone), now.astimezone(zone).date()
    if local.date() == today:
        return f" at {local:%H:%M}"
    year = "" if local.year == today.year else f" {local.year}"
    return f" on {local.day} {local:%b}{year} at {local:%H:%M}"
