"""Whatever the cloud responds, each "none" and each "complete up to" on a page is true."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace

import pytest
import requests
import time_machine
from django.contrib.auth import get_user_model
from django.db import transaction
from django.http import QueryDict
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from restores.dcs.client import Client
from restores.dcs.http import Response
from restores.filters import ListParams, Scope
from restores.models import Instance, Restore
from restores.restore_list.empty_state import empty_list, undated
from restores.sync import scheduling
from restores.sync.instances import sync_instances
from tests.factories import NOW, make_instance, make_project

pytestmark = pytest.mark.django_db
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
FINAL = ("succeed", "failed")
# Each writes a time in a way that can be parsed.
READABLE = [
    lambda t: f"{t:%Y-%m-%dT%H:%M:%S}.000Z",
    lambda t: f"{t:%Y-%m-%d %H:%M:%S} +0000 UTC",
    lambda t: f"{t:%a, %d %b %Y %H:%M:%S} GMT",
    lambda t: f"{t + timedelta(hours=8):%Y-%m-%dT%H:%M:%S}+0800",
    lambda t: f"{t:%Y%m%dT%H%M%SZ}",
    lambda t: f"{t:%Y%m%d%H%M%S}",
    lambda t: int(t.timestamp()),
    lambda t: str(int(t.timestamp() * 1000)),
]
# Each writes something that can't be parsed, or isn't plausible.
UNREADABLE = [
    lambda t: None,
    lambda t: {},
    lambda t: "",
    lambda t: f"{t:%d/%m/%y %H:%M}",
    lambda t: f"{t:%Y-%m-%dT%H:%M:%S} CST",
    lambda t: "0001-01-01T00:00:00Z",
    lambda t: f"{t + timedelta(days=400):%Y-%m-%dT%H:%M:%SZ}",
    lambda t: "9998-01-01T00:00:00Z",
    lambda t: [[f"{t:%H:%M}"]],
    lambda t: "t" * 70_000,
]
TIMES = st.sampled_from(READABLE * 2 + UNREADABLE)


def nested(levels):
    value = 1
    for _ in range(levels):
        value = [value]
    return value


@dataclass(frozen=True)
class ActualRestore:
    """A restore as it really was, and the record that the cloud lists for it."""

    key: str
    created: datetime
    ended: datetime | None
    record: dict


@st.composite
def actual_restores(draw, number):
    status = draw(st.sampled_from(["succeed", "failed", "restoring", "waiting", "Paused"]))
    created = NOW - draw(st.integers(1, 600)) * MINUTE
    ended = min(created + draw(st.integers(0, 90)) * MINUTE, NOW) if status in FINAL else None
    record = {
        "restore_id": f"r-{number}",
        "status": draw(st.sampled_from([status, f" {status.upper()}\n"])),
        "progress": draw(st.sampled_from(["100.00", "37,5 %", None, 250, [1]])),
        "created_at": draw(TIMES)(created),
        "updated_at": draw(TIMES)(ended or created),
        "restore_name": draw(st.sampled_from(["restore_1", "n" * 9000, None, {}, ["x"]])),
    }
    match draw(st.integers(0, 9)):
        case 0:
            record["unknown"] = nested(draw(st.sampled_from([3, 30, 300])))
        case 1:
            record["unknown"] = ["x" * 50] * 3000
        case 2:
            record["restore_id"] = draw(st.sampled_from([None, "", {}, "x" * 500, 1.5]))
        case 3:
            record["restore_id"] = "r-0"
        case 4:
            record = draw(st.sampled_from([None, 7, [], "record"]))
    return ActualRestore(f"r-{number}", created, ended, record)


worlds = st.integers(0, 5).flatmap(lambda count: st.tuples(*map(actual_restores, range(count))))
responses = st.fixed_dictionaries(
    {
        "listed": st.sampled_from([None, None, None, 1, 0]),
        "total": st.sampled_from([0, 0, 0, 0, 1, -1, None, "many"]),
        "encoding": st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1"]),
        "truncated": st.sampled_from([0, 0, 0, 0, 1]),
        "date": st.sampled_from([0, 0, 0, -1, 1, 24 * 60, -24 * 60, 10**6, None, "soon"]),
    }
)


class Cloud(Client):
    """The client with a fixed response in place of the network."""

    config = SimpleNamespace(rate=1000)

    def __init__(self):
        super().__init__(None, "https://dcs.example", "p", None, lambda: None)
        self.body, self.headers = b"", {}

    def client(self, project, expected_calls=0):
        return self

    def get(self, path, params=None, **_options):
        sent = requests.Request("GET", f"https://dcs.example{path}").prepare()
        if "/backups" in path:
            return Response(request=sent, status=204, headers={}, body=b"")
        return Response(request=sent, status=200, headers=self.headers, body=self.body)


def set_response(cloud, world, *, listed, total, encoding, truncated, date):
    rows = [one.record for one in world][:listed]
    number = total if isinstance(total, str | None) else str(len(world) + total)
    body = json.dumps({"restore_record_response": rows, "total_num": number}, ensure_ascii=False)
    encoded = body.encode(encoding)
    cloud.body = encoded[: len(encoded) - truncated]
    minutes = date if isinstance(date, int) else 0
    at = datetime.now(UTC) + min(minutes, 365 * 24 * 60) * MINUTE
    header = date if isinstance(date, str) else format_datetime(at, usegmt=True)
    cloud.headers = {} if date is None else {"Date": header}


def is_undetectable(world, *, listed, total, **_others):
    """Whether a response omits restores and has a total that agrees with it."""
    return isinstance(total, int) and len(world[:listed]) == len(world) + total < len(world)


def assert_claims_are_true(world, root):
    """For each actual restore, check every claim that it would contradict."""
    now = datetime.now(UTC)
    instance = Instance.objects.get()
    assert instance.complete_to is None or instance.complete_to <= now
    ids = [one.record.get("restore_id") for one in world if isinstance(one.record, dict)]
    stored_ids = set(Restore.objects.values_list("restore_id", flat=True))
    for one in world:
        # Two records with one ID are one restore, and which of them is right can't be known. A
        # record with the ID of another restore says nothing about its own.
        own = isinstance(one.record, dict) and one.record.get("restore_id") == one.key
        stored = one.key in stored_ids and own and ids.count(one.key) == 1
        if instance.complete_to and not instance.sync_error_kind:
            assert stored or one.created > instance.complete_to, f"{one.key} is missing"
        ranges = [("created", one.created, SECOND), ("running", one.created, 7 * MINUTE)]
        ranges += [("ended", one.ended, SECOND)] if one.ended else []
        for on, at, length in ranges:
            assert_range(on, at, min(at + length, now), one, stored, root)


def assert_range(on, start, end, one, stored, root):
    query = {"on": on, "from": f"{start:%Y-%m-%dT%H:%M:%SZ}"}
    query |= {"to": f"{end:%Y-%m-%dT%H:%M:%SZ}"} if end > start else {}
    given = QueryDict(mutable=True)
    given.update(query)
    params = ListParams.parse(given, datetime.now(UTC))
    assert not params.errors
    scope = Scope(params, root)
    rows = set(scope.restores.values_list("restore_id", flat=True))
    if one.key in rows:
        return
    if stored and not Restore.objects.filter(restore_id=one.key, status="Paused").exists():
        assert undated(params, scope), f"{one.key} is missing from {query}"
    if not rows:
        state = empty_list(params, scope, scope.sync_status(), datetime.now(UTC))
        assert state.kind != "none", f"{one.key} was there, {query}"


def check_responses(world, given_responses):
    assume(not any(is_undetectable(world, **one) for one in given_responses))
    with time_machine.travel(NOW, tick=False) as clock, transaction.atomic():
        root = get_user_model().objects.create_superuser("root")
        make_instance(project=make_project(), complete_to=None)
        cloud = Cloud()
        for one in given_responses:
            clock.shift(7)
            set_response(cloud, world, **one)
            claimed = scheduling.claim_selected([Instance.objects.get().pk], datetime.now(UTC))
            assert all(sync_instances(claimed, cloud))
            type(claimed[0].project).objects.update(listed_at=datetime.now(UTC))
        clock.shift(1)
        assert_claims_are_true(world, root)
        transaction.set_rollback(True)


@settings(max_examples=25, deadline=None, derandomize=True, database=None)
@given(worlds, st.lists(responses, min_size=1, max_size=3))
def test_no_response_makes_a_page_claim_what_is_not_true(world, given_responses):
    check_responses(world, given_responses)


@pytest.mark.long
@settings(max_examples=5000, deadline=None, derandomize=True, database=None)
@given(worlds, st.lists(responses, min_size=1, max_size=3))
def test_none_of_many_responses_makes_a_page_claim_what_is_not_true(world, given_responses):
    check_responses(world, given_responses)
