"""The sync status never claims more than is proven: random histories of a whole cloud."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import transaction
from django.http import QueryDict
from hypothesis import example, given, settings
from hypothesis import strategies as st

from restores.dcs.errors import Unreachable
from restores.dcs.records import InstanceRecord, Page, RestoreRecord
from restores.filters import ListParams, Scope
from restores.models import Account, Instance, Project, Restore
from restores.sync import scheduling
from restores.sync.instances import sync_instances
from restores.sync.projects import sync_project
from restores.sync_status import explain_empty
from tests.factories import NOW, make_account, make_instance, make_project
from tests.sync.records import make_record, with_digest

pytestmark = pytest.mark.django_db
PROJECTS = ("shop", "bank")
MILLISECOND, HOUR = timedelta(milliseconds=1), timedelta(hours=1)


@dataclass
class CloudInstance:
    """An instance in the cloud, with every restore it ever had."""

    project: str
    instance_id: str
    exists: bool = True
    ever_listed: bool = False
    omitted_since: datetime | None = None
    restores: list[RestoreRecord] = field(default_factory=list)

    def restore(self) -> None:
        key = f"{self.instance_id}-{len(self.restores)}"
        self.restores.append(make_record(key, created_at=datetime.now(UTC)))

    @property
    def record(self) -> InstanceRecord:
        names = ("name", "engine", "spec", "az", "ip", "domain", "status")
        texts = dict.fromkeys(names, self.instance_id)
        return InstanceRecord(instance_id=self.instance_id, single_node=False, **texts)


@dataclass
class Cloud:
    """A cloud and its client in one; ``failure`` is how its responses are wrong at present."""

    clock: time_machine.Traveller
    inventory: list[CloudInstance] = field(default_factory=list)
    failure: str = ""
    project: str = ""
    config = SimpleNamespace(rate=1000)
    clock_skew = timedelta()
    stopped = None

    def client(self, project, expected_calls=0):
        self.project = project.name
        return self

    def stop(self, because): ...

    def restoring_count(self, deadline=None):
        self.fail_if_unreachable()
        return 0

    def instances(self, *, status=None, offset=0):
        self.fail_if_unreachable()
        existing = [one for one in self.inventory if one.exists and one.project == self.project]
        listed = existing[:-1] if self.failure == "truncated" else existing
        for instance in listed:
            instance.ever_listed = True
        return self.page([instance.record for instance in listed], total=len(existing))

    def restores(self, instance_id, *, begin=None, end=None, known_digest=""):
        self.fail_if_unreachable()
        instance = next(one for one in self.inventory if one.instance_id == instance_id)
        rows = [r for r in instance.restores if begin is None or begin <= r.created_at <= end]
        page = self.page(rows[:-1] if self.failure == "truncated" else rows, total=len(rows))
        if self.failure == "omitted":
            page = self.page([], total=0)
        if self.failure == "busy":  # a restore starts after the response and before we store it
            self.clock.shift(0.4)
            instance.restore()
        return with_digest(page, known_digest)

    def backups(self, instance_id, *, offset=0):
        return self.page([], total=0)

    def page(self, rows, total):
        at = datetime.now(UTC).replace(microsecond=0)
        return Page(rows=tuple(rows), skipped=0, total=total, server_time=at)

    def fail_if_unreachable(self):
        if self.failure == "unreachable":
            raise Unreachable("It answered 503.")


class World:
    """What really happens in the cloud, and a worker that syncs it now and then."""

    def __init__(self, clock):
        self.clock, self.cloud = clock, Cloud(clock)
        for name in PROJECTS:
            project = make_project(name, account=make_account("all"), listed_at=None)
            self.create_instance(project.name)

    def create_instance(self, project):
        instance = CloudInstance(project=project, instance_id=f"i-{len(self.cloud.inventory)}")
        self.cloud.inventory.append(instance)
        for _ in range(7):
            self.clock.shift(0.3)
            instance.restore()

    def apply(self, event, number, failure):
        """Apply one event; ``number`` says where, or for how long."""
        self.clock.shift(1.7)
        project = PROJECTS[number % 2]
        instance = self.cloud.inventory[number % len(self.cloud.inventory)]
        match event:
            case "wait":
                self.clock.shift(number * 9)
            case "list":
                self.list_instances(project, failure)
            case "sync":
                self.sync(instance, failure)
            case "sync all":
                for each in self.cloud.inventory:
                    self.sync(each, failure if each is instance else "")
            case "restore" if instance.exists:
                instance.restore()
            case "create":
                self.create_instance(project)
            case "delete":
                instance.exists = False
            case "stop monitoring":
                Project.objects.filter(name=project).update(monitored=False)
            case "reject credentials":
                Account.objects.update(sync_error_kind="credentials")

    def list_instances(self, name, failure):
        self.cloud.failure = failure
        Project.objects.filter(name=name).update(monitored=True)
        project = scheduling.take_over_project(Project.objects.get(name=name), datetime.now(UTC))
        sync_project(project, self.cloud, full=True)

    def sync(self, instance, failure):
        monitored = Instance.objects.monitored().filter(instance_id=instance.instance_id)
        claimed = scheduling.claim_selected([row.pk for row in monitored], datetime.now(UTC))
        if claimed and instance.exists:
            self.cloud.failure = self.limited(failure, instance, claimed[0])
            assert all(sync_instances(claimed, self.cloud))

    def limited(self, failure, instance, stored):
        """End an omission in time: after an hour, what is omitted counts as removed."""
        now = datetime.now(UTC)
        since = instance.omitted_since or now
        if failure == "omitted":
            few = stored.restores.filter(removed_upstream_at=None).count() < 6
            if few or now - since > 0.8 * HOUR:
                failure = ""
        if failure in ("", "busy"):
            instance.omitted_since = None
        elif failure == "omitted":
            instance.omitted_since = since
        return failure

    def missing(self) -> Iterator[tuple[CloudInstance, list[RestoreRecord]]]:
        """Restores that we haven't stored, except of instances that no list ever showed us."""
        stored = set(Restore.objects.values_list("restore_id", flat=True))
        monitored = set(Project.objects.monitored().values_list("name", flat=True))
        for instance in self.cloud.inventory:
            missing = [r for r in instance.restores if r.restore_id not in stored]
            expected = instance.exists or instance.ever_listed
            if missing and expected and instance.project in monitored:
                yield instance, missing


def scopes_with(instance):
    """Everything, its project, the instance alone."""
    for query in ("", f"project={instance.project}", f"instance={instance.instance_id}"):
        yield scope_of(query)


def scope_of(query):
    """What a superuser sees under a query string of the list."""
    return Scope(ListParams.parse(QueryDict(query), datetime.now(UTC)), User(is_superuser=True))


def assert_claims_are_true(world):
    """For each restore that isn't stored, check every claim that it would contradict."""
    for instance, missing in world.missing():
        for scope in scopes_with(instance):
            status, instances = scope.sync_status(), scope.instances
            assert_not_complete_past(instance, missing, status)
            for record in {id(r): r for r in (missing[0], missing[-1])}.values():
                for start, end in ranges_around(record.created_at):
                    if not Restore.objects.filter(instance__in=instances).created_in(start, end):
                        result = explain_empty(status, instances, start, end)
                        assert result.kind != "none", f"{record.restore_id} in {start} to {end}"


def assert_not_complete_past(instance, missing, status):
    with_errors = {error.instance_id or error.project for error in status.errors}
    known_incomplete = with_errors & {instance.instance_id, instance.project}
    if instance.exists and not known_incomplete and status.complete_to:
        assert missing[0].created_at >= status.complete_to, f"{missing[0].restore_id} is missing"


def ranges_around(time):
    yield time, time + MILLISECOND
    yield time - timedelta(seconds=1), time + timedelta(minutes=7)
    yield time, None
    yield None, time + MILLISECOND


RARE = ["create", "delete", "stop monitoring", "reject credentials"]
EVENTS = st.tuples(
    st.sampled_from(["wait", "list", "restore", "sync", "sync", *["sync all"] * 3, *RARE]),
    st.integers(0, 300),
    st.sampled_from(["", "", "", "busy", "unreachable", "truncated", "omitted"]),
)


def run_history(synced_before, events):
    """Apply the events, to an empty database or to one in sync; then check every claim."""
    with time_machine.travel(NOW, tick=False) as clock, transaction.atomic():
        world = World(clock)
        if synced_before:
            sync_everything(world)
        for event in events:
            world.apply(*event)
        assert_claims_are_true(world)
        sync_everything(world)
        assert_claims_are_true(world)
        transaction.set_rollback(True)


def sync_everything(world):
    """Sync without failures, after which everything is known, and "none" is said again."""
    Account.objects.update(sync_error_kind="")
    world.clock.shift(60)
    for _ in range(2):
        for name in PROJECTS:
            world.apply("list", PROJECTS.index(name), "")
        world.apply("sync all", 0, "")
    assert not [instance for instance, _ in world.missing() if instance.exists]
    if any(instance.exists for instance in world.cloud.inventory):
        quiet = datetime.now(UTC) - timedelta(seconds=60)
        status = scope_of("").sync_status()
        result = explain_empty(status, Instance.objects.all(), quiet, quiet + MILLISECOND)
        assert (status.complete_to > quiet, status.errors) == (True, ())
        assert result.kind == "none" or result.lost


SYNC_ALL = ("sync all", 0, "")
WAIT = ("wait", 40, "")
UNREACHABLE = ("sync all", 0, "unreachable")


@example(True, [("create", 0, ""), WAIT, SYNC_ALL])
@example(True, [("restore", 0, ""), WAIT, UNREACHABLE, ("list", 0, ""), ("list", 1, "")])
@example(True, [("restore", 0, ""), WAIT, ("sync all", 0, "omitted"), ("list", 0, "")])
@example(
    True,
    [("restore", 0, ""), WAIT, ("sync all", 0, "truncated"), ("list", 0, "truncated"), SYNC_ALL],
)
@example(True, [("restore", 1, ""), ("delete", 1, ""), ("list", 1, ""), WAIT, SYNC_ALL])
@example(True, [("restore", 0, ""), ("stop monitoring", 0, ""), WAIT, SYNC_ALL, ("list", 0, "")])
@example(True, [("restore", 0, ""), ("reject credentials", 0, ""), WAIT, UNREACHABLE])
@example(False, [("list", 0, ""), SYNC_ALL, WAIT])
@settings(max_examples=16, deadline=None, derandomize=True, database=None)
@given(st.booleans(), st.lists(EVENTS, min_size=3, max_size=20))
def test_no_history_makes_the_sync_status_claim_what_is_not_proven(synced_before, events):
    run_history(synced_before, events)


@pytest.mark.long
@settings(max_examples=2000, deadline=None, derandomize=True, database=None)
@given(st.booleans(), st.lists(EVENTS, min_size=5, max_size=60))
def test_no_long_history_makes_the_sync_status_claim_what_is_not_proven(synced_before, events):
    run_history(synced_before, events)


def explained(query="", start=NOW - HOUR, end=NOW):
    scope = scope_of(query)
    status = scope.sync_status()
    return status, explain_empty(status, scope.instances, start, end)


def test_no_restores_is_claimed_only_if_data_is_complete_up_to_the_end_of_the_range():
    make_instance(project=make_project("shop"))
    assert explained()[1].kind == "none"
    assert explained(end=NOW + HOUR)[1].kind == explained(end=None)[1].kind == "unknown"


def test_a_sync_error_does_not_change_what_was_known_before_it():
    make_instance(project=make_project("shop"), sync_error_kind="unreachable")
    status, result = explained()
    assert (status.complete_to, status.fully_complete_to, result.kind) == (None, NOW, "none")


@pytest.mark.parametrize("monitored", [True, False])
def test_where_nothing_is_monitored_nothing_is_claimed(monitored):
    project = make_project("shop", monitored=monitored)
    make_instance(project=project, single_node=monitored)
    status, result = explained()
    assert (status.complete_to, result.kind) == (None, "not_monitored")


def test_a_project_that_was_never_listed_is_named_and_leaves_everything_unknown():
    make_instance(project=make_project("shop"))
    make_project("bank", listed_at=None)
    status, result = explained()
    assert (status.complete_to, result.kind) == (None, "unknown")
    assert [(error.project, error.kind) for error in status.errors] == [("bank", "unlisted")]


def test_what_an_instance_did_between_its_last_sync_and_its_deletion_stays_unknown():
    project = make_project("shop")
    make_instance("kept", project=project)
    deleted = make_instance(
        "deleted", project=project, complete_to=NOW - HOUR, deleted_at=NOW - HOUR / 2
    )
    assert explained()[1].lost == (deleted,)
    assert explained(start=NOW - 3 * HOUR, end=NOW - 2 * HOUR)[1].kind == "none"
    assert explained(start=NOW - HOUR / 4)[1].kind == "none"
