"""A list as of a time, compared with a model of everything that was observed by then."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from django.http import QueryDict
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from restores.asof import then_and_now
from restores.filters import ListParams, Scope
from restores.models import Observation, Restore
from restores.restore_list.counts import count_tabs
from restores.restore_list.pagination import read_all
from restores.statuses import FINAL, IN_PROGRESS, QUICK
from restores.sync.store import mark_recovered
from restores.timerange import to_iso
from tests.factories import NOW, make_instance, make_observation

MINUTE = timedelta(minutes=1)
STEPS = 12  # minutes from the start of a history to its end, with one sync each
START = NOW - timedelta(days=90)
CODES = {"failed": "dcs.08.0007"}


@dataclass(frozen=True)
class History:
    """When a restore was created, and each status with the minute in which it was seen."""

    instance: int
    created: int
    seen: tuple[tuple[int, str], ...]

    def status_at(self, minute):
        """The status known by then, or None."""
        known = [state for at, state in self.seen if at <= minute]
        return known[-1] if known else None

    def stuck_at(self, minute):
        """Whether it was in progress and had stood still for three minutes."""
        since = max((at for at, _ in self.seen if at <= minute), default=minute)
        return self.status_at(minute) in IN_PROGRESS and minute - since >= 3


@st.composite
def draw_history(draw):
    created = draw(st.integers(0, STEPS - 1))
    first = draw(st.integers(created, STEPS))
    states = draw(st.sampled_from(PATHS))
    rest = draw(st.lists(st.integers(first, STEPS), min_size=len(states), max_size=len(states)))
    minutes = sorted({first, *rest})[: len(states)]
    seen = zip(minutes, states[-len(minutes) :], strict=True)
    return History(draw(st.integers(0, 1)), created, tuple(seen))


PATHS = [
    ("waiting", "restoring", "succeed"),
    ("waiting", "restoring", "failed"),
    ("restoring", "failed"),
    ("restoring", "Aborted"),
    ("Aborted", "succeed"),
    ("failed", "succeed"),
    ("succeed", "failed"),
    ("succeed",),
    ("failed",),
    ("restoring",),
]


def at(minute):
    return START + minute * MINUTE


some_histories = st.lists(draw_history(), max_size=9)
parameters = st.fixed_dictionaries(
    {},
    optional={
        "status": st.lists(
            st.sampled_from(["waiting", "restoring", "succeed", "failed", "Aborted", "other"]),
            min_size=1,
        ),
        "stuck": st.just(["yes"]),
        "code": st.sampled_from([["any"], ["dcs.08.0007"]]),
        "recovered": st.sampled_from([["yes"], ["no"]]),
        "instance": st.sampled_from([["i0"], ["i1"]]),
        "on": st.sampled_from([["created"], ["ended"], ["running"], ["changed"]]),
        "sort": st.sampled_from([["created"], ["-status"], ["duration"], ["-ended"]]),
        "from": st.integers(0, STEPS).map(lambda minute: [to_iso(at(minute))]),
        "to": st.integers(1, STEPS + 2).map(lambda minute: [to_iso(at(minute))]),
    },
)


def ended(history, state):
    """The end as of a status: just before it was first seen final, but not before creation."""
    minute = next((at for at, one in history.seen if one in FINAL), 0)
    return max(at(minute) - MINUTE / 2, at(history.created)) if state in FINAL else None


def store(number, history, instance):
    """Store a history as syncs do, with the cloud's clock half an hour behind ours."""
    state = history.seen[-1][1]
    created, end = at(history.created), ended(history, state)
    first, last = at(history.seen[0][0]), at(history.seen[-1][0])
    restore = Restore.objects.create(
        instance=instance,
        project=instance.project,
        restore_id=f"r{number}",
        status=state,
        progress=progress_of(state),
        error_code=CODES.get(state, ""),
        created_at=created,
        ended_at=end,
        updated_at=end,
        duration=(end - created).total_seconds() if end else None,
        first_seen_at=first,
        changed_at=last,
        moved_at=last if last > first else None,
        slow=last - first > QUICK,
        stuck_at=last + 3 * MINUTE if state in IN_PROGRESS else None,
    )
    for minute, one in history.seen:
        end_then = ended(history, one)
        make_observation(
            restore,
            at(minute),
            seen_at=at(minute) - 30 * MINUTE,
            status=one,
            progress=progress_of(one),
            error_code=CODES.get(one, ""),
            stuck_at=at(minute) + 3 * MINUTE if one in IN_PROGRESS else None,
            ended_at=end_then,
            duration=(end_then - created).total_seconds() if end_then else None,
        )
    return restore


def progress_of(state):
    return {"waiting": None, "restoring": 40.0, "failed": 63.0}.get(state, 100.0)


def recovered_by(history, histories, minute):
    """Whether a later restore of its instance was known to have succeeded."""
    return any(
        other.instance == history.instance
        and other.created > history.created
        and other.status_at(minute) == "succeed"
        for other in histories
    )


def in_range(history, params, minute):
    """Whether its time, as known by then, is in the time range, which ends then at the latest."""
    start = datetime.fromisoformat(params["from"][0]) if "from" in params else START - MINUTE
    end = datetime.fromisoformat(params["to"][0]) if "to" in params else at(minute)
    on, state = params.get("on", ["created"])[0], history.status_at(minute)
    end_then = ended(history, state)
    if on == "running":
        created = at(history.created)
        running = state not in FINAL or created >= start
        return created < end and (running or "from" not in params or end_then > start)
    times = {
        "created": [at(history.created)],
        "changed": [at(seen) for seen, _ in history.seen if seen <= minute],
        "ended": [end_then] if end_then else [],
    }[on]
    return any(start <= time < end for time in times)


def expected(histories, params, minute):
    """ID, status and whether it has recovered, of each restore that the list showed then."""
    for number, history in enumerate(histories):
        state = history.status_at(minute)
        if state is None or not in_range(history, params, minute):
            continue
        recovered = recovered_by(history, histories, minute)
        wanted = params.get("recovered", [""])[0]
        statuses = {*params.get("status", [state])}
        if (
            (state in statuses or (state == "Aborted" and "other" in statuses))
            and (not params.get("stuck") or history.stuck_at(minute))
            and (not params.get("code") or state == "failed")
            and (not wanted or (state == "failed" and recovered == (wanted == "yes")))
            and (not params.get("instance") or f"i{history.instance}" in params["instance"])
        ):
            yield f"r{number}", state, recovered and state == "failed"


@pytest.fixture
def no_restores(db):
    """Make two instances without restores; called once per example."""

    def make():
        Observation.objects.all().delete()
        Restore.objects.all().delete()
        return [make_instance(name, instance_id=name) for name in ("i0", "i1")]

    return make


NO_DEADLINE = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture]}


@settings(max_examples=60, **NO_DEADLINE)
@given(some_histories, parameters, st.integers(0, STEPS + 1))
def test_a_snapshot_of_a_list_is_what_was_known_then(no_restores, root, histories, params, minute):
    assert_known_then(no_restores(), root, histories, params, minute)


@pytest.mark.long
@settings(max_examples=1000, **NO_DEADLINE)
@given(some_histories, parameters, st.integers(0, STEPS + 1))
def test_a_snapshot_of_a_list_is_what_was_known_then_in_many_histories(
    no_restores, root, histories, params, minute
):
    assert_known_then(no_restores(), root, histories, params, minute)


def assert_known_then(instances, root, histories, params, minute):
    """Rows, their statuses, counts and order are those of the model."""
    for number, history in enumerate(histories):
        store(number, history, instances[history.instance])
    for instance in instances:
        mark_recovered(instance)
    query = QueryDict(mutable=True)
    for name, values in (params | {"asof": [to_iso(at(minute))]}).items():
        query.setlist(name, values)
    list_params = ListParams.parse(query, NOW)
    # A time range that ends before it starts is refused, and nothing is shown.
    assume(not list_params.errors)

    scope = Scope(list_params, root)
    rows = [row for chunk in read_all(scope, Restore.objects.all(), 4) for row in chunk]
    then = [one.then for one in then_and_now(rows, scope.asof)]

    known = set(expected(histories, params, minute))
    assert {(row.restore_id, row.status, bool(row.recovered_at)) for row in then} == known
    assert len(then) == len(known)
    assert scope.restores.count() == len(known)
    for row in then:
        assert row.progress == progress_of(row.status)
        assert row.error_code == CODES.get(row.status, "")
        history = histories[int(row.restore_id[1:])]
        assert row.ended_at == ended(history, row.status)
        assert row.stuck == history.stuck_at(minute)
    assert_counted(scope, histories, params, minute)
    assert_ordered(list_params, then)


def assert_counted(scope, histories, params, minute):
    """The counts by status are those of then, regardless of the status filter."""
    other_filters = {
        name: given
        for name, given in params.items()
        if name not in ("status", "stuck", "recovered")
    }
    known = list(expected(histories, other_filters, minute))
    counted = {tab.label: tab.count.number for tab in count_tabs(scope)}
    assert counted["All"] == len(known)
    assert counted["Failed"] == sum(state == "failed" for _, state, _ in known)
    assert counted["In progress"] == sum(state in IN_PROGRESS for _, state, _ in known)
    assert counted.get("Other", 0) == sum(state == "Aborted" for _, state, _ in known)
    assert counted.get("Stuck", 0) == sum(
        histories[int(key[1:])].stuck_at(minute) for key, _, _ in known
    )
    assert counted["Unresolved"] == sum(
        state == "failed" and not recovered for _, state, recovered in known
    )


def assert_ordered(list_params, then):
    """Rows are sorted by their values then, and those without a value come last."""
    column = {"-status": "status", "duration": "duration"}.get(list_params.sort)
    if column:
        values = [getattr(row, column) for row in then]
        given = [value for value in values if value is not None]
        assert values == given + [None] * (len(values) - len(given))
        assert given == sorted(given, reverse=list_params.sort.startswith("-"))
