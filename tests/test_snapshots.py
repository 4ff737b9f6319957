"""What the list says of a moment in the past, against an oracle of everything ever observed."""

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
from tests.factories import NOW, make_instance

MINUTE = timedelta(minutes=1)
STEPS = 12  # minutes from the begin of a world to its end, one look each
BEGIN = NOW - timedelta(days=90)
CODES = {"failed": "dcs.08.0007"}


@dataclass(frozen=True)
class Life:
    """A restore's life: when it was created, and each state with the minute it was seen in."""

    instance: int
    created: int
    seen: tuple[tuple[int, str], ...]

    def by(self, minute):
        """The state it was known in, None before it was."""
        known = [state for at, state in self.seen if at <= minute]
        return known[-1] if known else None


@st.composite
def lives(draw):
    created = draw(st.integers(0, STEPS - 1))
    first = draw(st.integers(created, STEPS))
    states = draw(st.sampled_from(PATHS))
    rest = draw(st.lists(st.integers(first, STEPS), min_size=len(states), max_size=len(states)))
    minutes = sorted({first, *rest})[: len(states)]
    seen = zip(minutes, states[-len(minutes) :], strict=True)
    return Life(draw(st.integers(0, 1)), created, tuple(seen))


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
    return BEGIN + minute * MINUTE


worlds = st.lists(lives(), max_size=9)
asked_for = st.fixed_dictionaries(
    {},
    optional={
        "status": st.lists(
            st.sampled_from(["waiting", "restoring", "succeed", "failed", "Aborted"]), min_size=1
        ),
        "code": st.sampled_from([["any"], ["dcs.08.0007"]]),
        "recovered": st.sampled_from([["yes"], ["no"]]),
        "instance": st.sampled_from([["i0"], ["i1"]]),
        "on": st.sampled_from([["created"], ["ended"], ["running"], ["changed"]]),
        "sort": st.sampled_from([["created"], ["-status"], ["progress"], ["duration"], ["-ended"]]),
        "from": st.integers(0, STEPS).map(lambda minute: [to_iso(at(minute))]),
        "to": st.integers(1, STEPS + 2).map(lambda minute: [to_iso(at(minute))]),
    },
)


def ended(life, state):
    """The end that a state brings: a minute before it was seen, but not before its creation."""
    minute = next(at for at, one in life.seen if one == state)
    return max(at(minute) - MINUTE / 2, at(life.created)) if state in FINAL else None


def store(number, life, instance):
    """A life as the collector leaves it, the clock of the cloud half an hour behind ours."""
    state = life.seen[-1][1]
    created, end = at(life.created), ended(life, state)
    first, last = at(life.seen[0][0]), at(life.seen[-1][0])
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
    )
    for minute, one in life.seen:
        Observation.objects.create(
            restore=restore,
            seen_at=at(minute) - 30 * MINUTE,
            recorded_at=at(minute),
            status=one,
            progress=progress_of(one),
            error_code=CODES.get(one, ""),
        )
    return restore


def progress_of(state):
    return {"waiting": None, "restoring": 40.0, "failed": 63.0}.get(state, 100.0)


def recovered_by(life, everything, minute):
    """Whether a later restore of its instance was known to have succeeded."""
    return any(
        other.instance == life.instance
        and other.created > life.created
        and other.by(minute) == "succeed"
        for other in everything
    )


def in_window(life, params, minute):
    """Whether its time, as known by then, lies within the window; without an end it ended then."""
    start = datetime.fromisoformat(params["from"][0]) if "from" in params else BEGIN - MINUTE
    end = datetime.fromisoformat(params["to"][0]) if "to" in params else at(minute)
    on, state = params.get("on", ["created"])[0], life.by(minute)
    # An end that was another then is not kept.
    over = ended(life, state) if state in FINAL and state == life.seen[-1][1] else None
    if on == "running":
        created = at(life.created)
        still = state not in FINAL or created >= start
        return created < end and (still or "from" not in params or (over and over > start))
    times = {
        "created": [at(life.created)],
        "changed": [at(seen) for seen, _ in life.seen if seen <= minute],
        "ended": [over] if over else [],
    }[on]
    return any(start <= time < end for time in times)


def expected(everything, params, minute):
    """The lives that a list asked for then would have shown."""
    for number, life in enumerate(everything):
        state = life.by(minute)
        if state is None or not in_window(life, params, minute):
            continue
        healed = recovered_by(life, everything, minute)
        wanted = params.get("recovered", [""])[0]
        if (
            (not params.get("status") or state in params["status"])
            and (not params.get("code") or state == "failed")
            and (not wanted or (state == "failed" and healed == (wanted == "yes")))
            and (not params.get("instance") or f"i{life.instance}" in params["instance"])
        ):
            yield f"r{number}", state, healed and state == "failed"


@pytest.fixture
def empty(db):
    """Two instances, and whatever an earlier example left taken away."""

    def make():
        Observation.objects.all().delete()
        Restore.objects.all().delete()
        return [make_instance(name, instance_id=name) for name in ("i0", "i1")]

    return make


UNHURRIED = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture]}


@settings(max_examples=60, **UNHURRIED)
@given(worlds, asked_for, st.integers(0, STEPS + 1))
def test_a_list_of_the_past_is_what_was_known_then(empty, root, everything, params, minute):
    assert_known_then(empty(), root, everything, params, minute)


@pytest.mark.long
@settings(max_examples=1000, **UNHURRIED)
@given(worlds, asked_for, st.integers(0, STEPS + 1))
def test_a_list_of_the_past_is_what_was_known_then_in_many_worlds(
    empty, root, everything, params, minute
):
    assert_known_then(empty(), root, everything, params, minute)


def assert_known_then(instances, root, everything, params, minute):
    """Rows, their states, counts and order are those that the oracle remembers."""
    for number, life in enumerate(everything):
        store(number, life, instances[life.instance])
    for instance in instances:
        mark_recovered(instance)
    query = QueryDict(mutable=True)
    for name, values in (params | {"asof": [to_iso(at(minute))]}).items():
        query.setlist(name, values)
    view = ListParams.parse(query, NOW)
    # A window that ends before it begins is refused, and nothing is shown.
    assume(not view.errors)

    scope = Scope(view, root)
    rows = [row for chunk in read_all(scope, Restore.objects.all(), 4) for row in chunk]
    then = [one.then for one in then_and_now(rows, scope.asof)]

    known = set(expected(everything, params, minute))
    assert {(row.restore_id, row.status, bool(row.recovered_at)) for row in then} == known
    assert len(then) == len(known)
    assert scope.restores.count() == len(known)
    for row in then:
        assert row.progress == progress_of(row.status)
        assert row.error_code == CODES.get(row.status, "")
        assert row.ended_at is None or (row.status in FINAL and row.ended_at <= at(minute))
    assert_counted(scope, everything, params, minute)
    assert_ordered(view, then)


def assert_counted(scope, everything, params, minute):
    """The counts of the states are those of then, whatever state was asked for."""
    narrowing = {
        name: given for name, given in params.items() if name not in ("status", "recovered")
    }
    known = list(expected(everything, narrowing, minute))
    counted = {tab.label: tab.count.number for tab in count_tabs(scope)}
    assert counted["All"] == len(known)
    assert counted["Failed"] == sum(state == "failed" for _, state, _ in known)
    assert counted["In progress"] == sum(state in IN_PROGRESS for _, state, _ in known)
    assert counted["Unresolved"] == sum(
        state == "failed" and not healed for _, state, healed in known
    )


def assert_ordered(view, then):
    """Sorted by the values of then, what has none last."""
    column = {"-status": "status", "progress": "progress", "duration": "duration"}.get(view.sort)
    if column:
        values = [getattr(row, column) for row in then]
        given = [value for value in values if value is not None]
        assert values == given + [None] * (len(values) - len(given))
        assert given == sorted(given, reverse=view.sort.startswith("-"))
