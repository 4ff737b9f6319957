"""Restores as of a time: what was known then, and what has changed since."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any, NamedTuple

from django.db.models import (
    Case,
    CharField,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from restores.models import (
    OBSERVED_FIELDS,
    STILLNESS_FIELDS,
    FormerName,
    FormerProject,
    Observation,
    Project,
    Restore,
)
from restores.querysets import (
    RestoreQuerySet,
    Viewer,
    code_is,
    status_is,
    unknown_and_unfinished,
    unknown_is_unfinished,
)
from restores.statuses import (
    FAILED,
    FINAL,
    IN_PROGRESS,
    KNOWN,
    QUICK,
    SUCCEEDED,
    is_one_of,
    status_of,
)

_TIMES = ("created_at", "ended_at", "duration")


class State(NamedTuple):
    """The observed values of a restore."""

    status: str
    progress: float | None
    error_code: str
    created_at: datetime | None
    ended_at: datetime | None
    duration: float | None
    changed_at: datetime
    unchanged_since: datetime | None = None
    stuck_at: datetime | None = None


# Whether a state matches a filter.
Matches = Callable[[State], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class StateAt:
    """The last state of a restore observed by a time, and its current one."""

    then: State
    now: State

    @property
    def status(self) -> str:
        """The status at that time."""
        return self.then.status

    @property
    def error_code(self) -> str:
        """The error code at that time."""
        return self.then.error_code

    @property
    def error_code_now(self) -> str:
        """The current error code."""
        return self.now.error_code


@dataclass(frozen=True, slots=True, kw_only=True)
class AsOf:
    """A time, and what was different then: states of restores, names and projects.

    Its methods filter rows by their state at that time. The current state is compared, by
    index; the few rows that have changed since are added or left out by primary key.
    """

    time: datetime
    changed_since: Mapping[int, StateAt]
    # The names at that time of instances that have been renamed since, by key.
    instance_names: Mapping[int, str]
    project_names: Mapping[int, str]
    # The projects at that time of instances that have moved since, by the instance's key.
    projects: Mapping[int, Project]

    @classmethod
    def load(cls, rows: RestoreQuerySet, time: datetime, viewer: Viewer) -> AsOf:
        """Find which of the viewer's rows were different then; few were, however long ago."""
        known = rows.filter(first_seen_at__lte=time, moved_at__gt=time)
        newest = Subquery(_newest_observations(time).values("pk")[:1])
        found = [
            row
            for part in (known.filter(moved_at__lte=time + QUICK), known.filter(slow=True))
            for row in part.annotate(newest=newest).values_list("pk", "newest", *State._fields)
        ]
        observations = Observation.objects.in_bulk({row[1] for row in found if row[1]})
        changed = {
            key: _state_at(observations.get(newest), time, State(*now))
            for key, newest, *now in found
        }
        instances: dict[int, str] = {}
        projects: dict[int, str] = {}
        moved: dict[int, int] = {}
        # In one query: names, and projects, whose rows have both keys.
        columns = ("until", "pk", "instance_id", "project_id")
        names = FormerName.objects.filter(until__gt=time).order_by()
        places = FormerProject.objects.visible_to(viewer).filter(until__gt=time).order_by()
        no_name = Value("", output_field=CharField())
        former = names.values_list(*columns, "name").union(
            places.values_list(*columns, no_name), all=True
        )
        for _, _, instance, project, name in former.order_by("until", "pk"):
            if instance and project:
                moved.setdefault(instance, project)
            elif instance:
                instances.setdefault(instance, name)
            else:
                projects.setdefault(project, name)
        found_there = Project.objects.select_related("account").in_bulk({*moved.values()})
        return cls(
            time=time,
            changed_since=changed,
            instance_names=instances,
            project_names=projects,
            projects={instance: found_there[project] for instance, project in moved.items()},
        )

    def keys(self, matches: Matches) -> list[int]:
        """The restores that have changed since and whose state matched then."""
        return [key for key, state in self.changed_since.items() if matches(state.then)]

    def known(self, rows: RestoreQuerySet) -> RestoreQuerySet:
        """Recorded by then."""
        return rows.filter(first_seen_at__lte=self.time)

    def in_status(self, rows: RestoreQuerySet, statuses: Iterable[str]) -> RestoreQuerySet:
        """In one of these statuses then; ``other``: one that we don't know."""
        wanted = set(statuses)
        return self._filter(rows, status_is(wanted), lambda state: is_one_of(state.status, wanted))

    def stuck(self, rows: RestoreQuerySet) -> RestoreQuerySet:
        """In progress and possibly stuck then."""
        now = rows.stuck().filter(stuck_at__lte=self.time)

        def matches(state: State) -> bool:
            in_progress = state.status in IN_PROGRESS
            return in_progress and state.stuck_at is not None and state.stuck_at <= self.time

        return self._corrected(rows, now, matches)

    def unknown_and_unfinished(self, rows: RestoreQuerySet) -> RestoreQuerySet:
        """In a status that we don't know, and might still change then."""

        def matches(state: State) -> bool:
            return _unknown_and_unfinished(state, self.time)

        return self._filter(rows, unknown_and_unfinished(self.time), matches)

    def with_code(self, rows: RestoreQuerySet, codes: Iterable[str]) -> RestoreQuerySet:
        """With one of these error codes then, or any."""
        wanted = set(codes)

        def matches(state: State) -> bool:
            return bool(state.error_code) and bool({state.error_code, "any"} & wanted)

        return self._filter(rows, code_is(wanted), matches)

    def unresolved(self, rows: RestoreQuerySet) -> RestoreQuerySet:
        """Failed then, and no later restore of the instance was known to have succeeded."""
        rows, lasting = self.in_status(rows, [FAILED.value]), ~Exists(self._later_successes())
        return rows.filter(lasting if self._ends_revoked else Q(recovered_at=None) | lasting)

    def recovered(self, rows: RestoreQuerySet) -> RestoreQuerySet:
        """Failed then, and a later restore of the instance was known to have succeeded."""
        rows, recovered = self.in_status(rows, [FAILED.value]), Q(Exists(self._later_successes()))
        return rows.filter(recovered if self._ends_revoked else ~Q(recovered_at=None) & recovered)

    def created_in(
        self, rows: RestoreQuerySet, start: datetime | None, end: datetime | None
    ) -> RestoreQuerySet:
        """Created within the range, as far as was known."""
        found = rows.created_in(start, end)
        return self._corrected(rows, found, lambda state: _within(state.created_at, start, end))

    def ended_in(
        self, rows: RestoreQuerySet, start: datetime | None, end: datetime | None
    ) -> RestoreQuerySet:
        """Known by then to have ended within the range."""
        found = rows.ended_in(start, end)

        def matches(state: State) -> bool:
            return state.ended_at is not None and _within(state.ended_at, start, end)

        return self._corrected(rows, found, matches)

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
        return self._corrected(rows, found, lambda state: _ran_within(state, start, end))

    def sort_column(self, rows: RestoreQuerySet, column: str) -> tuple[RestoreQuerySet, str, Q]:
        """The rows, the column that holds their sort value at that time, and when it is empty."""
        if column in _TIMES and not self._other_values(column):
            # Restores that had no value then are left out of the order that the index gives.
            absent = self.keys(lambda state: getattr(state, column) is None)
            return rows, column, Q(**{column: None}) | Q(pk__in=absent)
        newest = Subquery(_newest_observations(self.time).values(column)[:1])
        changed = When(pk__in=list(self.changed_since), then=newest)
        rows = rows.annotate(then=Case(changed, default=F(column)))
        texts = column in ("status", "error_code")
        return rows, "then", Q(then="") if texts else Q(then=None)

    def sorts_differently(self, column: str) -> bool:
        """Whether the order by this column was different then."""
        if column == "created_at":
            states = self.changed_since.values()
            return any(state.then.created_at != state.now.created_at for state in states)
        return bool(self.changed_since) and column in OBSERVED_FIELDS

    def recovery_times(self, keys: Iterable[int]) -> dict[int, datetime]:
        """When each of these failed restores was known to have recovered, by primary key."""
        successes = self._later_successes().order_by("created_at", "pk")
        first = Subquery(successes.values(end=Coalesce("ended_at", "created_at"))[:1])
        rows = Restore.objects.filter(pk__in=list(keys)).annotate(then=first)
        return {key: at for key, at in rows.values_list("pk", "then") if at}

    def _filter(self, rows: RestoreQuerySet, now: Q, matches: Matches) -> RestoreQuerySet:
        return self._corrected(rows, rows.filter(now), matches)

    def _corrected(
        self, rows: RestoreQuerySet, found: RestoreQuerySet, matches: Matches
    ) -> RestoreQuerySet:
        """Correct the rows ``found`` to match now, using those that did or didn't match then."""
        no_longer: list[int] = []
        only_then: list[int] = []
        for key, state in self.changed_since.items():
            matched = matches(state.then)
            if matched != matches(state.now):
                (only_then if matched else no_longer).append(key)
        if only_then:
            found = found | rows.filter(pk__in=only_then)
        return found.exclude(pk__in=no_longer) if no_longer else found

    def _other_values(self, column: str) -> bool:
        """Whether a restore had a value in this column then that differs from its current one."""
        states = self.changed_since.values()
        return any(getattr(s.then, column) not in (None, getattr(s.now, column)) for s in states)

    def _later_successes(self) -> RestoreQuerySet:
        """The successes that came after the failed restore in the outer query."""
        later = Restore.objects.filter(
            instance=OuterRef("instance"), created_at__gt=OuterRef("created_at")
        )
        return self.in_status(self.known(later), [SUCCEEDED.value])

    @property
    def _ends_revoked(self) -> bool:
        """Whether an end was revoked since: then the current ``recovered_at`` says nothing."""
        changed = self.changed_since.values()
        return any(s.status in FINAL and s.status != s.now.status for s in changed)


@dataclass(frozen=True, slots=True)
class ThenAndNow:
    """A restore as it was then, and as it is now if that differs."""

    then: Restore
    now: Restore | None = None


def then_and_now(rows: Sequence[Restore], asof: AsOf | None) -> list[ThenAndNow]:
    """Pair restores as of then with their current state; live ones have only that."""
    if asof is None:
        return [ThenAndNow(row) for row in rows]
    changed = asof.changed_since
    failed = [
        row.pk
        for row in rows
        if (changed[row.pk].status if row.pk in changed else row.status) == FAILED.value
    ]
    recovered = asof.recovery_times(failed) if failed else {}
    names = {"instance": asof.instance_names, "project": asof.project_names}
    found = []
    for row in rows:
        then = copy.copy(row)
        renamed = False
        if row.instance_id in asof.projects:
            renamed, then.project = True, asof.projects[row.instance_id]
        for kind, former in names.items():
            key = getattr(then, f"{kind}_id")
            if key in former:
                owner = copy.copy(getattr(then, kind))
                renamed, owner.name = True, former[key]
                setattr(then, kind, owner)
        for name, value in _values_then(row, asof, recovered.get(row.pk)).items():
            setattr(then, name, value)
        found.append(ThenAndNow(then, row if renamed or _differs(then, row) else None))
    return found


def observations_of(restore: Restore, asof: AsOf | None) -> list[Observation]:
    """The restore's observations, oldest first; in a snapshot those recorded by then."""
    found = sorted(restore.observations.all(), key=lambda one: (one.seen_at, one.pk))
    return [one for one in found if asof is None or one.recorded_at <= asof.time]


def diff_from_now(then: Restore, now: Restore, zone: tzinfo, at: datetime) -> str:
    """Say how a restore has changed since then, at the time ``at``: “Now: Succeeded at 14:12”."""
    parts = []
    if (then.status, then.error_code) != (now.status, now.error_code):
        state = " ".join(filter(None, (status_of(now.status).word, now.error_code)))
        parts.append(state + _at(now.ended_at or now.moved_at, zone, at))
    elif then.progress != now.progress:
        parts.append("no progress reported" if now.progress is None else f"{now.progress:g}%")
    elif then.ended_at != now.ended_at:
        parts.append("ended" + _at(now.ended_at, zone, at))
    if then.created_at != now.created_at:
        parts.append("created" + (_at(now.created_at, zone, at) or " at an unknown time"))
    if (recovered := _recovered_at(now)) and not then.recovered_at:
        parts.append("recovered" + _at(recovered, zone, at))
    elif then.recovered_at and now.status == FAILED.value and not recovered:
        parts.append("unresolved")
    if (now.removed_upstream_at is None) != (then.removed_upstream_at is None):
        parts.append(
            "removed from the provider’s list" if now.removed_upstream_at else "listed again"
        )
    if then.instance.name != now.instance.name:
        parts.append(f"the instance is called {now.instance}")
    if then.project_id != now.project_id:
        parts.append(f"the instance is in the project {now.project}")
    elif then.project.name != now.project.name:
        parts.append(f"its project is called {now.project}")
    return "Now: " + ", ".join(parts)


def _newest_observations(time: datetime) -> QuerySet[Observation]:
    """The observations of the restore in the outer query recorded by then, newest first."""
    recorded = Observation.objects.filter(restore=OuterRef("pk"), recorded_at__lte=time)
    return recorded.order_by("-recorded_at", "-pk")


def _state_at(observation: Observation | None, time: datetime, now: State) -> StateAt:
    if observation is None:
        then = State("", None, "", now.created_at, None, None, time)
    else:
        names = (*OBSERVED_FIELDS, *STILLNESS_FIELDS)
        observed = {name: getattr(observation, name) for name in names}
        then = State(**observed, changed_at=observation.recorded_at)
    return StateAt(then=then, now=now)


def _within(at: datetime | None, start: datetime | None, end: datetime | None) -> bool:
    if at is None:
        return start is None and end is None
    return (start is None or at >= start) and (end is None or at < end)


def _ran_within(state: State, start: datetime | None, end: datetime | None) -> bool:
    """The same as ``RestoreQuerySet.running_in``, for one state."""
    created, ended = state.created_at, state.ended_at
    if created is None or (end is not None and created >= end):
        return False
    if start is None or created >= start or state.status in IN_PROGRESS:
        return True
    if _unknown_and_unfinished(state, start):
        return True
    return ended is not None and ended > start


def _unknown_and_unfinished(state: State, at: datetime) -> bool:
    """The same as the condition of the querysets, for one state with a creation time."""
    if state.created_at is None or state.status in KNOWN:
        return False
    return unknown_is_unfinished(state.created_at, state.changed_at, at)


def _values_then(row: Restore, asof: AsOf, recovered_at: datetime | None) -> dict[str, Any]:
    """The values at that time that differ from the current ones, or may."""
    values: dict[str, Any] = {"recovered_at": recovered_at, "as_of": asof.time}
    deferred = row.get_deferred_fields()
    for name in {"removed_upstream_at", "missing_since", "restoring_by"} - deferred:
        at = getattr(row, name)
        values[name] = at if at and at <= asof.time else None
    if state := asof.changed_since.get(row.pk):
        values |= state.then._asdict()
        values["updated_at"] = state.then.ended_at
    elif "changed_at" not in deferred and row.changed_at > asof.time:
        values["changed_at"] = row.moved_at or row.first_seen_at
    return values


def _differs(then: Restore, now: Restore) -> bool:
    return (
        any(getattr(then, name) != getattr(now, name) for name in OBSERVED_FIELDS)
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
