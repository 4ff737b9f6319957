"""Coverage never claims more than was proven (DESIGN §4.4): random histories of a whole cloud."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import time_machine
from django.db import transaction
from hypothesis import example, given, settings
from hypothesis import strategies as st

from restores.dcs.errors import Unreachable
from restores.dcs.records import InstanceRecord, Page, RestoreRecord
from restores.models import Account, Instance, Project, Restore
from restores.sync import scheduling
from restores.sync.instances import sync_instances
from restores.sync.projects import sync_project
from restores.sync_status import explain_empty, sync_status_of
from tests.factories import NOW, make_account, make_instance, make_project
from tests.sync.records import make_record, with_digest

pytestmark = pytest.mark.django_db
PROJECTS = ("shop", "bank")
AT_ONCE, HOUR = timedelta(milliseconds=1), timedelta(hours=1)


@dataclass
class Tenant:
    """An instance as it really was, with every restore it ever had."""

    project: str
    instance_id: str
    alive: bool = True
    ever_listed: bool = False
    left_out_since: datetime | None = None
    restores: list[RestoreRecord] = field(default_factory=list)

    def restore(self) -> None:
        key = f"{self.instance_id}-{len(self.restores)}"
        self.restores.append(make_record(key, created_at=datetime.now(UTC)))

    @property
    def listed_as(self) -> InstanceRecord:
        names = ("name", "engine", "spec", "az", "ip", "domain", "status")
        texts = dict.fromkeys(names, self.instance_id)
        return InstanceRecord(instance_id=self.instance_id, single_node=False, **texts)


@dataclass
class Cloud:
    """A cloud and its client at once; ``trouble`` is how it answers just now."""

    clock: time_machine.Traveller
    tenants: list[Tenant] = field(default_factory=list)
    trouble: str = ""
    project: str = ""
    config = SimpleNamespace(rate=1000)
    clock_skew = timedelta()
    stopped = None

    def client(self, project, expected_calls=0):
        self.project = project.name
        return self

    def stop(self, because): ...

    def restoring_count(self, deadline=None):
        self.fail_if_away()
        return 0

    def instances(self, *, status=None, offset=0, limit=1000):
        self.fail_if_away()
        alive = [t for t in self.tenants if t.alive and t.project == self.project]
        shown = alive[:-1] if self.trouble == "cut" else alive
        for tenant in shown:
            tenant.ever_listed = True
        return self.page([tenant.listed_as for tenant in shown], total=len(alive))

    def restores(self, instance_id, *, begin=None, end=None, known_digest="", **_paging):
        self.fail_if_away()
        tenant = next(t for t in self.tenants if t.instance_id == instance_id)
        rows = [r for r in tenant.restores if begin is None or begin <= r.created_at <= end]
        page = self.page(rows[:-1] if self.trouble == "cut" else rows, total=len(rows))
        if self.trouble == "left out":
            page = self.page([], total=0)
        if self.trouble == "busy":  # it begins after the answer and before we store it
            self.clock.shift(0.4)
            tenant.restore()
        return with_digest(page, known_digest)

    def backups(self, instance_id, *, offset=0, limit=1000):
        return self.page([], total=0)

    def page(self, rows, total):
        at = datetime.now(UTC).replace(microsecond=0)
        return Page(rows=tuple(rows), skipped=0, total=total, server_time=at)

    def fail_if_away(self):
        if self.trouble == "away":
            raise Unreachable("It answered 503.")


class World:
    """What really happened at the cloud, and a collector that looks at it now and then."""

    def __init__(self, clock):
        self.clock, self.cloud = clock, Cloud(clock)
        for name in PROJECTS:
            project = make_project(name, account=make_account("all"), listed_at=None)
            self.build(project.name)

    def build(self, project):
        tenant = Tenant(project=project, instance_id=f"i-{len(self.cloud.tenants)}")
        self.cloud.tenants.append(tenant)
        for _ in range(7):
            self.clock.shift(0.3)
            tenant.restore()

    def happen(self, what, number, trouble):
        """One event; ``number`` says where, or for how long."""
        self.clock.shift(1.7)
        project = PROJECTS[number % 2]
        tenant = self.cloud.tenants[number % len(self.cloud.tenants)]
        match what:
            case "wait":
                self.clock.shift(number * 9)
            case "list":
                self.roll_call(project, trouble)
            case "look":
                self.look(tenant, trouble)
            case "round":
                for each in self.cloud.tenants:
                    self.look(each, trouble if each is tenant else "")
            case "restore" if tenant.alive:
                tenant.restore()
            case "build":
                self.build(project)
            case "delete":
                tenant.alive = False
            case "forget":
                Project.objects.filter(name=project).update(monitored=False)
            case "refuse":
                Account.objects.update(sync_error_kind="credentials")

    def roll_call(self, name, trouble):
        self.cloud.trouble = trouble
        Project.objects.filter(name=name).update(monitored=True)
        project = scheduling.take_over_project(Project.objects.get(name=name), datetime.now(UTC))
        sync_project(project, self.cloud, full=True)

    def look(self, tenant, trouble):
        monitored = Instance.objects.monitored().filter(instance_id=tenant.instance_id)
        claimed = scheduling.claim_selected([row.pk for row in monitored], datetime.now(UTC))
        if claimed and tenant.alive:
            self.cloud.trouble = self.limited(trouble, tenant, claimed[0])
            assert all(sync_instances(claimed, self.cloud))

    def limited(self, trouble, tenant, instance):
        """What a cloud leaves out for an hour is believed to be gone; here it comes back."""
        now = datetime.now(UTC)
        since = tenant.left_out_since or now
        if trouble == "left out":
            few = instance.restores.filter(removed_upstream_at=None).count() < 6
            if few or now - since > 0.8 * HOUR:
                trouble = ""
        if trouble in ("", "busy"):
            tenant.left_out_since = None
        elif trouble == "left out":
            tenant.left_out_since = since
        return trouble

    def missed(self) -> Iterator[tuple[Tenant, list[RestoreRecord]]]:
        """The restores that we don't hold; an instance between two lists was never ours."""
        held = set(Restore.objects.values_list("restore_id", flat=True))
        monitored = set(Project.objects.monitored().values_list("name", flat=True))
        for tenant in self.cloud.tenants:
            missing = [r for r in tenant.restores if r.restore_id not in held]
            ours = tenant.project in monitored and (tenant.alive or tenant.ever_listed)
            if missing and ours:
                yield tenant, missing


def scopes(tenant):
    """Everything, one project, one instance."""
    yield Instance.objects.all(), Project.objects.all()
    place = {"name": tenant.project}
    yield Instance.objects.filter(project__name=tenant.project), Project.objects.filter(**place)
    yield Instance.objects.filter(instance_id=tenant.instance_id), None


def check(world):
    """Beside each restore that we don't know stand the claims that it would belie."""
    for tenant, missing in world.missed():
        for instances, projects in scopes(tenant):
            coverage = sync_status_of(instances, projects, limit=1000)
            claims_complete(tenant, missing, coverage)
            for record in {id(r): r for r in (missing[0], missing[-1])}.values():
                for start, end in windows(record.created_at):
                    if not Restore.objects.filter(instance__in=instances).created_in(start, end):
                        answer = explain_empty(coverage, instances, start, end)
                        assert answer.kind != "none", f"{record.restore_id} in {start} to {end}"


def claims_complete(tenant, missing, coverage):
    named = {fault.instance_id or fault.project for fault in coverage.errors}
    spoilt = named & {tenant.instance_id, tenant.project}
    if tenant.alive and not spoilt and coverage.complete_to:
        assert missing[0].created_at >= coverage.complete_to, f"{missing[0].restore_id} is missing"


def windows(moment):
    yield moment, moment + AT_ONCE
    yield moment - timedelta(seconds=1), moment + timedelta(minutes=7)
    yield moment, None
    yield None, moment + AT_ONCE


RARE = ["build", "delete", "forget", "refuse"]
EVENTS = st.tuples(
    st.sampled_from(["wait", "list", "restore", "look", "look", *["round"] * 3, *RARE]),
    st.integers(0, 300),
    st.sampled_from(["", "", "", "busy", "away", "cut", "left out"]),
)


def live(begun, events):
    """A history, from the first list on or from good looks at all; every claim must be true."""
    with time_machine.travel(NOW, tick=False) as clock, transaction.atomic():
        world = World(clock)
        if begun:
            calm_down(world)
        for event in events:
            world.happen(*event)
        check(world)
        calm_down(world)
        check(world)
        transaction.set_rollback(True)


def calm_down(world):
    """After one good round everything is known: an empty window of today was empty."""
    Account.objects.update(sync_error_kind="")
    world.clock.shift(60)
    for _ in range(2):
        for name in PROJECTS:
            world.happen("list", PROJECTS.index(name), "")
        world.happen("round", 0, "")
    assert not [tenant for tenant, _ in world.missed() if tenant.alive]
    if any(tenant.alive for tenant in world.cloud.tenants):
        quiet = datetime.now(UTC) - timedelta(seconds=60)
        coverage = sync_status_of(Instance.objects.all(), Project.objects.all())
        answer = explain_empty(coverage, Instance.objects.all(), quiet, quiet + AT_ONCE)
        assert (coverage.complete_to > quiet, coverage.errors) == (True, ())
        assert answer.kind == "none" or answer.lost


GOOD = ("round", 0, "")
WAIT = ("wait", 40, "")


@example(True, [("build", 0, ""), WAIT, GOOD])
@example(True, [("restore", 0, ""), WAIT, ("round", 0, "away"), ("list", 0, ""), ("list", 1, "")])
@example(True, [("restore", 0, ""), WAIT, ("round", 0, "left out"), ("list", 0, "")])
@example(True, [("restore", 0, ""), WAIT, ("round", 0, "cut"), ("list", 0, "cut"), GOOD])
@example(True, [("restore", 1, ""), ("delete", 1, ""), ("list", 1, ""), WAIT, GOOD])
@example(True, [("restore", 0, ""), ("forget", 0, ""), WAIT, GOOD, ("list", 0, "")])
@example(True, [("restore", 0, ""), ("refuse", 0, ""), WAIT, ("round", 0, "away")])
@example(False, [("list", 0, ""), GOOD, WAIT])
@settings(max_examples=16, deadline=None, derandomize=True, database=None)
@given(st.booleans(), st.lists(EVENTS, min_size=3, max_size=20))
def test_no_history_lets_coverage_claim_what_was_not_proven(begun, events):
    live(begun, events)


@pytest.mark.long
@settings(max_examples=2000, deadline=None, derandomize=True, database=None)
@given(st.booleans(), st.lists(EVENTS, min_size=5, max_size=60))
def test_no_long_history_does_either(begun, events):
    live(begun, events)


def answered(start=NOW - HOUR, end=NOW, **scope):
    instances = Instance.objects.filter(**scope)
    coverage = sync_status_of(instances, Project.objects.filter(name__in=PROJECTS))
    return coverage, explain_empty(coverage, instances, start, end)


def test_an_empty_window_before_every_proof_was_empty():
    make_instance(project=make_project("shop"))
    assert answered()[1].kind == "none"
    assert answered(end=NOW + HOUR)[1].kind == answered(end=None)[1].kind == "unknown"


def test_a_fault_that_came_after_the_window_does_not_spoil_what_was_known():
    make_instance(project=make_project("shop"), sync_error_kind="unreachable")
    coverage, answer = answered()
    assert (coverage.complete_to, coverage.fully_complete_to, answer.kind) == (None, NOW, "none")


@pytest.mark.parametrize("monitored", [True, False])
def test_where_nothing_is_watched_nothing_is_complete_and_nothing_can_be_said(monitored):
    project = make_project("shop", monitored=monitored)
    make_instance(project=project, single_node=monitored)
    coverage, answer = answered()
    assert (coverage.complete_to, answer.kind) == (None, "not_monitored")


def test_a_project_that_was_never_listed_is_named_and_leaves_everything_unknown():
    make_instance(project=make_project("shop"))
    make_project("bank", listed_at=None)
    coverage, answer = answered()
    assert (coverage.complete_to, answer.kind) == (None, "unknown")
    assert [(fault.project, fault.kind) for fault in coverage.errors] == [("bank", "unlisted")]


def test_what_an_instance_did_between_its_last_look_and_its_end_stays_unknown():
    project = make_project("shop")
    make_instance("kept", project=project)
    gone = make_instance("gone", project=project, complete_to=NOW - HOUR, deleted_at=NOW - HOUR / 2)
    assert answered()[1].lost == (gone,)
    assert answered(NOW - 3 * HOUR, NOW - 2 * HOUR)[1].kind == "none"
    assert answered(NOW - HOUR / 4, NOW)[1].kind == "none"
