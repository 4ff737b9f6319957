"""Failures of the cloud API, rows A1 to A25 of docs/failure-modes.md, against real parts."""

import json
import random
import re
import socket
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from restores import tasks
from restores.dcs import http
from restores.dcs.client import PageLimit
from restores.dcs.errors import DcsError
from restores.dcs.iam import accessible_projects
from restores.filters import ListParams, Scope
from restores.models import Account, Instance, Observation, Project, ProjectState, Restore
from restores.sync import accounts, inventory, projects, rate_limit, results, scheduling
from restores.sync.instances import sync_instances
from restores.sync_status import visible_sync_status
from simulator.faults import gzip_bomb
from simulator.restores import Scenario
from simulator.server import Simulator
from tests.dcs.conftest import ANY_JSON
from tests.faults.scene import LANTERN, Scene, record

pytestmark = pytest.mark.django_db(transaction=True)
SUPERUSER = User(is_superuser=True)


@pytest.fixture
def simulator():
    # Its epoch is in a month: no restore starts by itself while a test counts calls.
    later = datetime.now(UTC) + timedelta(days=30)
    with Simulator(instances=24, restores=60, epoch=later) as running:
        yield running


@pytest.fixture
def make_scene(simulator, tmp_path, monkeypatch, settings):
    def make(**options):
        scene = Scene(simulator, tmp_path, monkeypatch, settings, **options)
        scene.sync_project()
        simulator.log.clear()
        return scene

    return make


@pytest.fixture
def scene(make_scene):
    return make_scene()


def assert_sync_error(scene, result, kind, words=""):
    """Stored rows and ``complete_to`` stay, and the sync error is shown."""
    instance = Instance.objects.get(pk=result.instance.pk)
    assert (result.error.kind, instance.sync_error_kind) == (kind, kind)
    assert words in instance.sync_error_message
    assert instance.complete_to == result.instance.complete_to
    assert scene.stored() == {"r-1": "succeed", "r-2": "failed"}
    query = QueryDict(f"instance={instance.instance_id}")
    status = Scope(ListParams.parse(query, datetime.now(UTC)), SUPERUSER).sync_status()
    assert [error.kind for error in status.errors] == [kind]
    assert status.complete_to is None


@pytest.fixture
def synced(scene):
    """A scene whose first instance holds two restores."""
    scene.list_restores(record("r-1"), record("r-2", status="failed", error_code="dcs.08.0002"))
    assert scene.sync().error is None
    scene.clear_faults()
    return scene


# A1: 204


def test_a1_no_content_is_a_complete_empty_list(scene):
    scene.inject("/restores", kind="status", status=204)
    result = scene.sync()
    assert (result.error, scene.stored()) == (None, {})
    assert scene.instance.complete_to


def test_a1_no_content_after_many_restores_is_not_believed(scene):
    scene.list_restores(*(record(f"r-{number}") for number in range(8)))
    scene.sync()
    scene.clear_faults()
    scene.inject("/restores", kind="status", status=204)
    for _ in range(3):
        assert "8 restores are missing" in scene.sync().error.message
    assert len(scene.stored()) == 8
    assert not Restore.objects.exclude(removed_upstream_at=None).exists()


# A2: 400


def test_a2_a_rejected_request_is_shown_and_stops_no_other_sync(synced, web):
    body = {"error_code": "DCS.4800", "error_msg": "<script>alert(1)</script>"}
    synced.inject(f"{synced.instance.instance_id}/restores", kind="status", status=400, body=body)
    first, second = synced.instances[:2]
    result = synced.sync(first, second)
    assert_sync_error(synced, result, "bad_answer", "DCS.4800")
    limits = [entry.query for entry in synced.calls(f"{first.instance_id}/restores")]
    assert limits == ["offset=0&limit=1000", "offset=0&limit=1"]
    assert Instance.objects.get(pk=second.pk).complete_to
    page = web.get("/sync-status/").content.decode()
    assert "&lt;script&gt;alert(1)" in page and "<script>alert(1)" not in page


# A3: 401


def test_a3_an_expired_token_is_renewed_once_for_twenty_calls(tmp_path, monkeypatch, settings):
    ahead = [timedelta()]
    with Simulator(instances=24, restores=60, clock=lambda: datetime.now(UTC) + ahead[0]) as cloud:
        scene = Scene(cloud, tmp_path, monkeypatch, settings, index=LANTERN)
        assert scene.sync_project() is None
        ahead[0] = timedelta(hours=25)
        cloud.log.clear()
        client = scene.client.client(scene.project)
        with ThreadPoolExecutor(20) as pool:
            pages = list(pool.map(lambda _: client.instances(), range(20)))
    assert all(page.complete for page in pages)
    assert len(scene.calls("/v3/auth/tokens")) == 1
    assert len({e.status for e in scene.calls("/instances")}) == 2


def test_a3_a_second_rejected_login_in_a_row_pauses_the_account(make_scene):
    scene = make_scene(index=LANTERN)
    scene.inject("/v[23]/", kind="status", status=401)
    for _ in range(2):
        assert scene.sync_project().kind == "credentials"
    stopped = scene.account
    assert stopped.paused_until > datetime.now(UTC) + timedelta(minutes=4)
    assert stopped.sync_error_kind == "credentials"
    assert len(scene.calls()) < 5
    claimable = scheduling.due_projects(datetime.now(UTC) + timedelta(minutes=4))
    assert not claimable.filter(account=stopped).exists()


def test_a3_a_batch_larger_than_its_threads_ends_at_the_first_rejected_login(make_scene):
    scene = make_scene(rate=200)
    rows = [
        Instance.objects.create(project=scene.project, instance_id=f"i-{number}")
        for number in range(40)
    ]
    scene.inject("/restores", kind="status", status=401)
    claimed = scheduling.claim_selected([row.pk for row in rows], datetime.now(UTC))
    assert {result.error.kind for result in sync_instances(claimed, scene.client)} == {
        "credentials"
    }
    assert len(scene.calls("/restores")) < 17
    assert not Instance.objects.exclude(lease_until=None, attempts=0).exists()


@pytest.mark.parametrize("command", ["check_projects", "sync"])
def test_a3_a_command_skips_the_other_projects_of_a_rejected_account(make_scene, command, capsys):
    scene = make_scene()
    scene.inject("/v2/", kind="status", status=401)
    with pytest.raises(CommandError):
        call_command(command)
    refused = [entry for entry in scene.calls("/v2/") if entry.status == 401]
    projects = {entry.path.split("/")[2] for entry in refused}
    accounts = {p.account for p in Project.objects.select_related("account")
                if p.project_id in projects}  # fmt: skip
    assert len(projects) == len(accounts)
    assert "Skipped: The provider rejected the credentials" in capsys.readouterr().out


# A4: 403


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a4_unavailable_backups_lose_no_restore(synced, status):
    Instance.objects.filter(pk=synced.instance.pk).update(backups_due_at=None)
    synced.inject("/backups", kind="status", status=status)
    synced.list_restores(
        record("r-1"), record("r-2"), record("r-3", status="restoring", progress="40")
    )
    before = datetime.now(UTC)
    assert synced.sync().error is None
    assert synced.stored()["r-3"] == "restoring"
    assert synced.instance.complete_to >= before.replace(microsecond=0)
    calls = len(synced.calls("/backups"))
    Instance.objects.filter(pk=synced.instance.pk).update(
        backups_due_at=before + timedelta(hours=1)
    )
    synced.sync()
    assert len(synced.calls("/backups")) == calls


def test_a4_backups_that_hang_are_tried_once_per_batch(make_scene):
    scene = make_scene()
    rows = list(scene.instances[:4])
    Instance.objects.filter(pk__in=[row.pk for row in rows]).update(backups_due_at=None)
    Instance.objects.filter(pk=rows[0].pk).update(backups_due_at=datetime(2999, 1, 1, tzinfo=UTC))
    scene.inject("/backups", kind="status", status=503)
    scene.list_restores(record())
    scene.sync(*rows)
    # Unchanged now: some without backups finish together with one whose backups are not due.
    Instance.objects.filter(pk__in=[row.pk for row in rows[1:]]).update(backups_due_at=None)
    claimed = scheduling.claim_selected([row.pk for row in rows], datetime.now(UTC))
    assert [result.error for result in sync_instances(claimed, scene.client)] == [None] * len(rows)
    assert not Instance.objects.filter(pk__in=[row.pk for row in rows], complete_to=None).exists()
    tried = {entry.path for entry in scene.calls("/backups")}
    assert tried


def test_a4_a_failing_instance_is_not_made_due_by_project_syncs(synced):
    """It was last seen restoring and is no longer named: the restore ended in an unknown way."""
    synced.list_restores(
        record("r-1"), record("r-2"), record("r-9", status="restoring", progress="40")
    )
    synced.sync()
    synced.clear_faults()
    synced.inject("/restores", kind="status", status=500)
    synced.sync()
    due = synced.instance.next_sync_at
    assert due > datetime.now(UTC) + timedelta(seconds=20)
    synced.sync_project()
    assert synced.instance.next_sync_at == due


def test_a4_a_restore_removed_upstream_makes_nothing_due(synced):
    Restore.objects.filter(restore_id="r-1").update(
        status="restoring", removed_upstream_at=datetime.now(UTC), changed_at=datetime.now(UTC)
    )
    later = datetime.now(UTC) + timedelta(minutes=10)
    Instance.objects.filter(pk=synced.instance.pk).update(next_sync_at=later)
    synced.sync_project()
    assert synced.instance.next_sync_at == later


def test_a4_a_missing_permission_is_named_and_retried_with_increasing_delays(synced):
    synced.inject("/v2/", kind="status", status=403)
    assert_sync_error(synced, synced.sync(), "permission", "DCS.2003")
    assert len(synced.calls()) == 1
    waits = []
    for _ in range(5):
        synced.sync_project()
        waits.append((synced.project.next_sync_at - datetime.now(UTC)).total_seconds())
    assert waits == pytest.approx([10, 20, 40, 60, 60], abs=2)
    assert (synced.project.sync_error_kind, synced.account.sync_error_kind) == ("permission", "")


# A5: 404


def test_a5_a_deleted_instance_keeps_its_history_and_comes_back_when_listed(synced):
    instance = synced.instance
    synced.inject(f"{instance.instance_id}/restores", kind="status", status=404)
    assert synced.sync().error.kind == "gone"
    instance.refresh_from_db()
    assert instance.deleted_at and len(synced.stored()) == 2
    assert instance.pk not in [row.pk for row in scheduling.claim_instances(_next_year())]
    synced.clear_faults()
    synced.sync_project()
    assert synced.sync().error is None
    instance.refresh_from_db()
    assert (instance.deleted_at, instance.sync_error_kind) == (None, "")


def test_a5_an_instance_is_deleted_once_a_complete_list_lacks_it(synced):
    synced.inject("/instances\\?", kind="edit", remove=1)
    synced.sync_project()
    assert Instance.objects.exclude(deleted_at=None).count() == 1
    synced.clear_faults()
    synced.sync_project()
    assert not Instance.objects.exclude(deleted_at=None).exists()


def test_a5_many_instances_missing_at_once_are_not_deleted(scene):
    many = [{"instance_id": f"i-{number}", "status": "RUNNING"} for number in range(20)]
    scene.inject("/instances\\?", kind="edit", insert=many, times=1)
    scene.sync_project()
    proven = scene.project.listed_at
    for edit in ({"remove": 10**6}, {"remove": 8}):
        scene.clear_faults()
        scene.inject("/instances\\?", kind="edit", **edit)
        assert scene.sync_project() is None
        assert scene.project.sync_error_kind == "bad_answer"
        assert "missing from it all at once" in scene.project.sync_error_message
        assert not Instance.objects.exclude(deleted_at=None).exists()
    assert scene.project.listed_at == proven
    assert scheduling.claim_instances(datetime.now(UTC)), "their syncs go on"


def _next_year():
    return datetime.now(UTC) + timedelta(days=365)


# A6: 429 with Retry-After


@pytest.mark.parametrize(
    ("asked_for", "least", "most"),
    [("30", 28, 31), ("9" * 30, 899, 901), ("-5", 1, 6), ("date", 85, 91)],
)
def test_a6_retry_after_holds_the_whole_account(synced, asked_for, least, most):
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    headers = {"Retry-After": later if asked_for == "date" else asked_for}
    synced.inject("/restores", kind="status", status=429, headers=headers)
    assert_sync_error(synced, synced.sync(), "throttled", "APIGW.0308")
    wait = (synced.account.reserved_until - datetime.now(UTC)).total_seconds()
    assert least <= wait <= most
    patient = scheduling.MAX_PROJECT_WAIT.total_seconds()
    soon = datetime.now(UTC) + timedelta(seconds=max(0, least - patient - 1))
    waiting = scheduling.due_projects(soon).filter(account=synced.account)
    assert waiting.exists() == (wait < patient)


def test_a6_the_next_call_comes_after_retry_after(synced):
    headers = {"Retry-After": "1"}
    synced.inject("/restores", kind="status", status=429, headers=headers, times=1)
    synced.sync()
    assert synced.sync().error is None
    refused, asked_again = [e.at for e in synced.calls("/restores")]
    assert asked_again - refused >= 1


def test_a6_retry_after_ends_the_batch(make_scene):
    scene = make_scene(rate=100)
    rows = [
        Instance.objects.create(project=scene.project, instance_id=f"i-{number}")
        for number in range(40)
    ]
    scene.inject("/restores", kind="status", status=429, headers={"Retry-After": "60"})
    scene.sync(*rows)
    assert len(scene.calls("/restores")) < 17
    assert not Instance.objects.exclude(lease_until=None, attempts=0).exists()


# A7: 429 without it


def test_a7_without_retry_after_the_account_waits_a_few_seconds(synced):
    synced.inject("/restores", kind="throttle", per_second=0)
    synced.sync()
    wait = (synced.account.reserved_until - datetime.now(UTC)).total_seconds()
    assert 1 < wait <= 5


def test_a7_no_second_sees_more_calls_than_the_account_may_make(make_scene):
    scene = make_scene(rate=20)
    rows = [
        Instance.objects.create(project=scene.project, instance_id=f"i-{number}")
        for number in range(12)
    ]
    scene.inject("/restores|/backups", kind="status", status=204)
    scene.inject("/instances/status", kind="status", status=503)
    scene.sync(*rows)
    scene.sync_project()
    assert len(scene.calls()) >= 27
    assert scene.simulator.log.busiest_second("harbour") <= 20


# A8: 5xx


def test_a8_a_busy_cloud_is_tried_three_times_at_most(synced):
    synced.inject("/restores", kind="status", status=503)
    assert_sync_error(synced, synced.sync(), "unreachable", "HTTP 503")
    assert len(synced.calls()) == 3


def test_a8_a_service_error_is_not_retried(synced):
    synced.inject("/restores", kind="status", status=500)
    assert_sync_error(synced, synced.sync(), "unreachable", "DCS.5079")
    assert len(synced.calls()) == 1


def hour(scene, clock):
    """Play an hour with a tick every 20 s; return how many calls reached the cloud."""
    before = scene.simulator.log.total
    for _ in range(180):
        clock.shift(20)
        while project := scheduling.claim_project(datetime.now(UTC)):
            projects.sync_project(project, accounts.load_accounts()[project.account.name])
        while batch := scheduling.claim_instances(datetime.now(UTC)):
            list(sync_instances(batch, accounts.load_accounts()[batch[0].project.account.name]))
    return scene.simulator.log.total - before


@pytest.mark.long
def test_a8_an_hours_outage_costs_no_more_calls_than_an_hours_work(make_scene, monkeypatch):
    at_once = type("Time", (), {"sleep": lambda _: None, "monotonic": time.monotonic})
    monkeypatch.setattr(http, "time", at_once)
    monkeypatch.setattr(rate_limit, "time", at_once)
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        scene = make_scene()
        usual = hour(scene, clock)
        scene.inject("/v[23]/", kind="status", status=503)
        broken = hour(scene, clock)
        assert broken <= 1.2 * usual
        faulty = Project.objects.filter(sync_error_kind="unreachable", monitored=True)
        assert faulty.count() == len(scene.simulator.world.projects)
        scene.clear_faults()
        end = datetime.now(UTC)
        hour(scene, clock)
    assert not Instance.objects.in_states(["problem"]).exists()
    assert not Instance.objects.monitored().exclude(complete_to__gt=end).exists()


# A9: refused, reset


def test_a9_a_broken_connection_is_retried_and_then_given_up(synced):
    synced.inject("/backups", kind="reset", times=1)
    synced.inject("/restores", kind="reset", times=1)
    synced.list_restores(record("r-1"), record("r-2", status="failed"))
    Instance.objects.update(backups_due_at=None)
    assert synced.sync().error is None
    assert (len(synced.calls("/restores")), len(synced.calls("/backups"))) == (2, 2)
    synced.inject("/restores", kind="reset")
    start = time.monotonic()
    assert_sync_error(synced, synced.sync(), "unreachable", "connection was lost")
    assert time.monotonic() - start < 3


def test_a9_a_refused_connection_is_given_up_within_three_seconds(synced):
    synced.simulator.close()
    start = time.monotonic()
    assert_sync_error(synced, synced.sync(), "unreachable", "connect")
    assert time.monotonic() - start < 3


# A10: DNS


def test_a10_a_name_that_does_not_resolve_is_reported(synced, monkeypatch):
    def unknown(*args, **kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    synced.simulator.close()  # an open connection needs no name
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert_sync_error(synced, synced.sync(), "unreachable", "host name could not be resolved")


# A12: slow responses (A11 is in test_api_tls.py)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drip", "seconds": 0.1},
        {"kind": "hang"},
        {"kind": "delay", "seconds": 30},
    ],
)
def test_a12_a_slow_response_ends_at_the_deadline(synced, monkeypatch, fault):
    monkeypatch.setattr(accounts, "_DEADLINE", 0.5)
    synced.inject("/restores", **fault)
    start = time.monotonic()
    assert_sync_error(synced, synced.sync(), "unreachable")
    assert 0.4 < time.monotonic() - start < 1.5


class Worker:
    """Two worker processes, played by threads that run tasks all the time."""

    def __init__(self):
        self.failed = []
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._work) for _ in range(2)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _work(self):
        try:
            while not self._done.wait(0.02):
                tasks.sync_projects()
                tasks.sync_instances()
        except Exception as error:
            self.failed.append(error)
        finally:
            connection.close()


def test_a12_one_hanging_cloud_delays_no_other_account(make_scene, monkeypatch):
    # Five times as fast as usual: a sync every second, two seconds until a call is given up.
    monkeypatch.setattr(projects, "_INTERVAL", 1)
    monkeypatch.setattr(projects, "_DEADLINE", 2.0)
    monkeypatch.setattr(projects, "_DEADLINE_AFTER_ERROR", 1.0)
    monkeypatch.setattr(accounts, "_DEADLINE", 2.0)
    monkeypatch.setattr(results, "_FIRST_PROJECT_RETRY", 2)
    monkeypatch.setattr(results, "_LAST_PROJECT_RETRY", 12)
    scene = make_scene(index=LANTERN)
    now = datetime.now(UTC)
    harbour = Account.objects.get(name="harbour")
    many = [
        Project(
            account=harbour, endpoint=scene.project.endpoint, project_id=f"p-{n}", name=f"p-{n}"
        )
        for n in range(40)
    ]
    Project.objects.bulk_create(many)
    hanging = "|".join(row.project_id for row in Project.objects.filter(account=harbour))
    scene.inject(hanging, kind="hang")
    Project.objects.update(next_sync_at=now)
    with Worker() as worker:
        time.sleep(6)
        scene.simulator.close()
    assert not worker.failed
    for project in Project.objects.filter(account__name="lantern"):
        syncs = [e.at for e in scene.calls(f"{project.project_id}/instances/status")]
        moments = [now.timestamp(), *syncs, now.timestamp() + 6]
        assert max(b - a for a, b in pairwise(moments)) < 3.5


# A13: truncation


@pytest.mark.parametrize(("announced", "kind"), [(True, "unreachable"), (False, "bad_answer")])
def test_a13_a_response_cut_off_at_any_byte_is_not_stored(synced, announced, kind):
    rows = [record("r-1"), record("r-3", minutes=1)]
    length = len(json.dumps({"restore_record_response": rows, "total_num": 2}))
    client = synced.client.client(synced.project)
    for cut in range(0, length, 1 if announced else 5):
        synced.clear_faults()
        synced.list_restores(*rows)
        synced.inject("/restores", kind="truncate", bytes=cut, announced=announced)
        with pytest.raises(DcsError) as raised:
            client.restores("any")
        assert raised.value.kind == kind
    assert_sync_error(synced, synced.sync(), kind)


# A14: bombs


def test_a14_a_gzip_bomb_of_a_gigabyte_costs_less_than_fifty_megabytes(synced):
    gzip_bomb(1024)
    synced.inject("/restores", kind="gzip_bomb", megabytes=1024)
    tracemalloc.start()
    result = synced.sync()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert_sync_error(synced, result, "bad_answer", "larger than 10 MB")
    assert peak < 50 * 2**20


def test_a14_a_body_that_is_too_large_is_dropped(synced):
    synced.inject("/restores", kind="answer", body="[" + " " * (11 * 2**20))
    assert_sync_error(synced, synced.sync(), "bad_answer", "larger than 10 MB")


# A15: no JSON


def hostile_bodies():
    """Yield about two hundred bodies that are no list of restores, from a fixed seed."""
    good = json.dumps({"restore_record_response": [{"restore_id": "x"}], "total_num": 1})
    rng = random.Random(15)
    yield from ("", " ", "null", "true", "0", "NaN", '"text"', "[]", "{}", "[" * 100_000)
    yield from ('{"a":' * 100_000, "\ufeff", "\ufeff{", "\udcff\udc00", "\0", good[1:], good + "}")
    yield from (f"{good}{good}", good.replace('"', "'"), '{"total_num": 1' + "0" * 5000 + ",}")
    yield from ('{"restore_record_response": 7}', '{"restore_record_response": "all"}')
    yield from (f'{{"{key}": [], "total_num": null,}}' for key in ("a", "restore_record_response"))
    for _ in range(180):
        place = rng.randrange(len(good))
        yield good[:place] + rng.choice('{}[]:,"\\\0\ufeffé') * rng.randint(1, 3) + good[place:]


def test_a15_no_body_at_all_crashes_a_sync(synced):
    client = synced.client.client(synced.project)
    for number, body in enumerate(hostile_bodies()):
        synced.clear_faults()
        synced.inject("/restores", kind="answer", body=body)
        try:
            client.restores("any")
        except DcsError as fault:
            assert fault.kind == "bad_answer", body[:99]
        if number % 10 == 0:
            synced.sync()
    assert {"r-1": "succeed", "r-2": "failed"}.items() <= synced.stored().items()


@pytest.mark.parametrize("body", ["", "{", "[" * 100_000, "nonsense", '{"total": 1}'])
def test_a15_a_body_without_a_list_is_an_invalid_response(synced, body):
    synced.inject("/restores", kind="answer", body=body)
    assert_sync_error(synced, synced.sync(), "bad_answer", "JSON")


def test_a15_duplicate_keys_and_a_byte_order_mark_are_read(synced):
    row = json.dumps(record("r-9"))
    body = f'\ufeff{{"total_num": 7, "restore_record_response": [{row}], "total_num": 1}}'
    synced.inject("/restores", kind="answer", body=body)
    assert synced.sync().error is None
    assert "r-9" in synced.stored()


# A16: a web page


def test_a16_a_web_page_in_place_of_the_api_is_named_by_its_title(synced):
    page = "<!doctype html><html><title>Sign in to\n Guest WiFi</title></html>"
    synced.inject("/restores", kind="answer", body=page, headers={"Content-Type": "text/html"})
    assert_sync_error(
        synced, synced.sync(), "bad_answer", "a web page titled “Sign in to Guest WiFi”"
    )


# A17: wrong types


FIELDS = [
    *("restore_id", "restore_name", "backup_id", "backup_name", "restore_remark", "status"),
    *("backup_remark", "progress", "error_code", "created_at", "updated_at", "error_msg"),
]
SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=40, deadline=None, suppress_health_check=SLOW)
@given(odd=st.dictionaries(st.sampled_from(FIELDS), ANY_JSON, min_size=1))
def test_a17_no_wrong_type_in_a_row_keeps_the_good_rows_out(synced, odd):
    synced.clear_faults()
    synced.list_restores(record("r-1"), record("r-2", status="failed"), {**record("odd"), **odd})
    result = synced.sync()
    assert {"r-1": "succeed", "r-2": "failed"}.items() <= synced.stored().items()
    assert result.error is None or result.error.kind in ("bad_answer", "vanished")


@pytest.mark.parametrize("number", ["9" * 5000, "-" + "9" * 5000, "1e999", "-1E999", "Infinity"])
def test_a17_a_number_too_large_for_python_is_kept_as_text(synced, web, number):
    rows = [record("r-3", x="@", progress="@", status="restoring"), record("r-1")]
    body = json.dumps({"restore_record_response": rows, "total_num": 2}).replace('"@"', number)
    synced.inject("/restores", kind="answer", body=body)
    assert synced.sync().error is None
    response = web.get("/restores/r-3.json").content.decode()
    shown = json.loads(response, parse_constant=lambda name: pytest.fail(f"{name} isn’t JSON"))
    assert (shown["raw"]["x"][:5], shown["progress"]) == (number[:5], None)


def test_a17_a_row_without_an_id_is_counted_and_the_others_are_kept(synced):
    synced.list_restores(
        record("r-1"), record("r-2", status="failed"), record({}), "no record", None
    )
    assert_sync_error(
        synced, synced.sync(), "bad_answer", "3 record(s) without a usable restore_id"
    )


def test_a17_an_empty_object_stands_for_an_absent_text(synced):
    synced.list_restores(
        record("r-1", error_code={}), record("r-2"), record("r-3", restore_remark={})
    )
    assert synced.sync().error is None
    assert Restore.objects.get(restore_id="r-3").restore_remark == ""


# A18: the same id twice


def test_a18_of_two_records_with_one_id_the_newest_counts(synced):
    old = record("r-3", minutes=30, status="restoring", updated_at=None)
    synced.list_restores(
        record("r-1"), record("r-2", status="failed"), record("r-3", minutes=30), old
    )
    result = synced.sync()
    assert synced.stored()["r-3"] == "succeed"
    assert "1 of 4 records repeat another's restore_id" in result.error.message
    assert Restore.objects.count() == 3


def test_a18_a_list_with_duplicate_instances_creates_none_twice(scene):
    before = Instance.objects.count()
    scene.inject("/instances\\?", kind="edit", double=True)
    scene.sync_project()
    assert (Instance.objects.count(), scene.project.sync_error_kind) == (before, "")


# A19: wrong totals


@pytest.mark.parametrize("total", [0, 1, -1, 10**9, "many", None, {}, 2.5])
def test_a19_a_wrong_total_proves_nothing(synced, total):
    synced.inject("/restores", kind="edit", total=total)
    synced.list_restores(record("r-1"), record("r-2", status="failed"))
    assert_sync_error(synced, synced.sync(), "bad_answer", "incomplete")
    assert len(synced.calls("/restores")) < 201


@pytest.mark.parametrize("total", [0, -1, "many", None])
def test_a19_a_wrong_number_of_instances_proves_nothing(scene, total):
    proven, count = scene.project.listed_at, Instance.objects.count()
    scene.inject("/instances\\?", kind="edit", remove=1, total=total)
    assert scene.sync_project() is None
    assert "instance_num" in scene.project.sync_error_message
    assert (scene.project.listed_at, Instance.objects.filter(deleted_at=None).count()) == (
        proven,
        count,
    )
    scene.clear_faults()
    scene.sync_project()
    assert scene.project.sync_error_kind == ""
    assert scene.project.listed_at > proven


# A20: pages without end


def test_a20_fetching_instances_stops_at_the_first_repeated_page(scene):
    scene.inject("/instances\\?", kind="edit", total=10**9)
    assert scene.sync_project() is None
    assert "instance_num is 1000000000" in scene.project.sync_error_message
    assert len(scene.calls("/instances\\?")) <= 2


def test_a20_fetching_instances_stops_after_fifty_pages(scene, monkeypatch):
    monkeypatch.setattr(inventory, "max_pages", lambda limit: 4)

    def another(number):
        row = {"instance_id": f"i-{number}", "status": "RUNNING"}
        scene.inject(
            f"offset={number}&", kind="answer", body={"instances": [row], "instance_num": 10**9}
        )

    for number in range(10):
        another(number)
    assert scene.sync_project() is None
    assert "does not end within 4 pages" in scene.project.sync_error_message
    assert len(scene.calls("/instances\\?")) == 4


def test_a20_fetching_restores_stops_at_a_repeated_page(scene):
    scene.list_restores(record("r-1"), total=10**6)
    assert "incomplete" in scene.sync().error.message
    assert len(scene.calls("/restores")) <= 200


# A21: inserts and removals between calls (random sequences are in test_changing_lists.py)


def test_a21_restores_that_begin_during_a_sync_are_all_found(scene):
    target = next(
        i for i in scene.simulator.world.instances if i.instance_id == scene.instance.instance_id
    )
    done, started = threading.Event(), []

    def begin():
        while not done.wait(0.002) and len(started) < 300:
            order = Scenario(waiting=0, seconds=0.01)
            started.append(scene.simulator.world.start_restore(target, datetime.now(UTC), order))

    scene.inject("/restores", kind="edit", shuffle=21)
    thread = threading.Thread(target=begin)
    thread.start()
    results = [scene.sync() for _ in range(12)]
    done.set()
    thread.join()
    scene.sync()
    listed = scene.simulator.world.records(target, datetime.now(UTC))
    assert scene.stored().keys() == {row["restore_id"] for row in listed}
    assert set(started) <= scene.stored().keys()
    assert all(result.error is None for result in results)
    assert Observation.objects.filter(restore__instance=scene.instance).count() >= len(started)


def test_a21_instances_that_shift_between_pages_are_not_deleted(scene, monkeypatch):
    monkeypatch.setattr(PageLimit, "rows", 2)
    count = Instance.objects.filter(project=scene.project).count()
    scene.inject("offset=1&", kind="edit", remove=1)
    for _ in range(3):
        scene.sync_project()
        assert "it changed while it was fetched" in scene.project.sync_error_message
    assert Instance.objects.filter(project=scene.project, deleted_at=None).count() == count


def test_a21_an_instance_missing_from_pages_is_deleted_the_second_time(scene, monkeypatch):
    monkeypatch.setattr(PageLimit, "rows", 2)
    scene.sync_project()
    lost = Instance.objects.create(
        project=scene.project, instance_id="lost", listed_at=datetime.now(UTC)
    )
    for deleted in (False, True):
        scene.sync_project()
        lost.refresh_from_db()
        assert bool(lost.deleted_at) == deleted


# A22: clocks


@pytest.mark.parametrize(("seconds", "words"), [(400, "7 min behind"), (-400, "7 min ahead of")])
def test_a22_clock_skew_is_shown_while_syncs_go_on(scene, seconds, words):
    scene.inject("/v2/", kind="clock_skew", seconds=seconds)
    assert scene.sync_project() is None
    assert (scene.project.sync_error_kind, scene.project.failures) == ("clock", 0)
    assert words in scene.project.sync_error_message
    assert scene.sync().error is None
    assert scene.instance.sync_error_kind == ""
    errors = visible_sync_status(SUPERUSER).errors
    assert [error.kind for error in errors if error.project == scene.project.name] == ["clock"]
    since = scene.project.sync_error_since
    scene.sync_project()
    assert scene.project.sync_error_since == since
    scene.clear_faults()
    scene.sync_project()
    assert scene.project.sync_error_kind == ""


def test_a22_a_wrong_clock_in_the_list_of_restores_alone_is_shown_too(scene):
    scene.inject("/restores", kind="clock_skew", seconds=-600)
    assert scene.sync_project() is None
    assert scene.project.sync_error_kind == ""
    assert scene.sync(*scene.instances).error is None
    instance = scene.instance
    assert (instance.sync_error_kind, instance.failures) == ("clock", 0)
    assert "our clock is 10 min ahead of" in instance.sync_error_message.lower()
    errors = visible_sync_status(SUPERUSER).errors
    assert {error.kind for error in errors if error.instance_id} == {"clock"}
    state = ProjectState.objects.get(project=scene.project)
    assert state.healthy_never_synced_count == 0
    assert state.healthy_oldest_complete_to == instance.complete_to
    scene.sync()
    assert scene.instance.sync_error_since == instance.sync_error_since
    scene.clear_faults()
    scene.sync()
    assert scene.instance.sync_error_kind == ""


def test_a22_complete_to_is_by_the_clouds_clock(scene):
    scene.inject("/v2/", kind="clock_skew", seconds=-600)
    scene.sync()
    assert scene.instance.complete_to < datetime.now(UTC) - timedelta(minutes=9)


@pytest.mark.parametrize(("hours", "words"), [(1, "60 min behind"), (-1, "60 min ahead of")])
def test_a22_a_rejected_signature_says_how_far_our_clock_is_off(scene, hours, words):
    scene.inject("/v2/", kind="clock_skew", seconds=hours * 3600)
    error = scene.sync_project()
    assert (error.kind, error.code) == ("credentials", "APIGW.0303")
    assert words in scene.project.sync_error_message


# A23: redirects


@pytest.mark.parametrize(
    ("status", "where"),
    [
        (301, "{other}/v2/steal"),
        (302, "http://169.254.169.254/"),
        (307, "file:///etc/passwd"),
        (308, "//evil.example/"),
    ],
)
def test_a23_a_redirect_is_an_error_and_its_target_gets_no_request(synced, status, where):
    with Simulator(instances=1, restores=0) as other:
        headers = {"Location": where.format(other=other.url)}
        synced.inject("/restores", kind="answer", status=status, headers=headers)
        assert_sync_error(synced, synced.sync(), "bad_answer", "redirects are not followed")
        assert other.log.total == 0


# A24: the host's proxies


def test_a24_the_hosts_proxies_and_netrc_are_ignored(synced, monkeypatch, tmp_path):
    with Simulator(instances=1, restores=0) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        (tmp_path / ".netrc").write_text("machine 127.0.0.1 login thief password x\n")
        monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
        assert synced.sync().error is None
        assert proxy.log.total == 0


# A25: unknown statuses and fields


@pytest.mark.parametrize("status", ["rolledback", "PAUSED", "再試行", "x" * 300])
def test_a25_an_unknown_status_is_kept_verbatim_and_live_for_a_day(scene, status):
    young, old = record("young", minutes=5), record("old", minutes=60 * 30)
    scene.list_restores({**young, "status": status, "colour": "red"}, {**old, "status": status})
    result = scene.sync()
    assert (result.error, result.stored.live) == (None, True)
    assert scene.stored()["young"][:200] == status[:200]
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=25)):
        assert not scene.sync().stored.live


def test_a25_an_instance_with_an_unknown_status_is_monitored_like_any_other(scene):
    scene.inject("/instances\\?", kind="edit", set={"status": "TRANSMOGRIFYING", "new": [1]})
    assert scene.sync_project() is None
    assert set(scene.instances.values_list("status", flat=True)) == {"TRANSMOGRIFYING"}
    assert scheduling.claim_instances(datetime.now(UTC))


def test_a25_a_cloud_that_ignores_the_status_filter_makes_nothing_due(scene):
    started = _begin(scene)
    Instance.objects.update(next_sync_at=_next_year())
    scene.inject("/instances\\?status=RESTORING", kind="answer", body=_everything(scene))
    scene.sync_project()
    due = Instance.objects.filter(next_sync_at__lt=_next_year() - timedelta(days=1))
    assert {row.instance_id for row in due} <= {started}


def _begin(scene):
    running = {i.instance_id for i, _ in scene.simulator.world.running(datetime.now(UTC))}
    target = next(
        i
        for i in scene.simulator.world.instances_of(scene.simulator.world.projects[0])
        if i.restorable and i.instance_id not in running
    )
    scene.simulator.world.start_restore(target, datetime.now(UTC), Scenario(waiting=0, seconds=300))
    return target.instance_id


def _everything(scene):
    rows = [{"instance_id": row.instance_id, "status": "RUNNING"} for row in Instance.objects.all()]
    return {"instances": rows, "instance_num": len(rows)}


# A26: error bodies of another shape


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"forbidden": {"code": 403, "message": "No policy."}}, "(HTTP 403): No policy."),
        ({"errors": [{"code": "X.1", "message": "No."}]}, "(HTTP 403, X.1): No."),
        ("<Error><Code>Denied</Code><Message>No.</Message></Error>", "(HTTP 403, Denied): No."),
        ("upstream refused", "(HTTP 403): upstream refused"),
    ],
)
def test_a26_an_errors_reason_is_shown_whatever_the_shape_of_its_body(synced, body, words):
    synced.inject("/restores", kind="status", status=403, body=body)
    assert_sync_error(synced, synced.sync(), "permission", words)


# A27: a page limit that is refused


@pytest.mark.parametrize("accepted", [999, 100, 50, 25, 10])
def test_a27_a_cloud_that_refuses_large_pages_is_synced_completely(
    tmp_path, monkeypatch, settings, accepted
):
    with Simulator(instances=24, restores=300, max_limit=accepted) as cloud:
        scene = Scene(cloud, tmp_path, monkeypatch, settings)
        assert scene.sync_project() is None
        refused = [entry for entry in scene.calls() if entry.status == 400]
        assert 1 <= len(refused) <= 7
        for instance in scene.instances:
            assert scene.sync(instance).error is None
        assert [entry for entry in scene.calls() if entry.status == 400] == refused
        call_command("sync")
    world = [i for i in cloud.world.instances if i.restorable]
    assert Restore.objects.count() >= sum(
        len(cloud.world.records(each, scene.project.listed_at)) for each in world
    )
    assert not Instance.objects.filter(single_node=False, complete_to=None).exists()


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a27_a_limit_refused_for_one_kind_of_list_is_lowered_whatever_the_status(scene, status):
    for kind in ("restores", "backups"):
        scene.inject(f"/{kind}.*limit=(1000|500)$", kind="status", status=status, body="too many")
    Instance.objects.update(backups_due_at=None)
    assert scene.sync().error is None
    limits = [entry.query.rpartition("=")[2] for entry in scene.calls("/restores")]
    assert limits == ["1000", "1", "500", "200"]
    assert [entry.query for entry in scene.calls("/backups")] == ["offset=0&limit=200"]


def test_a27_discovery_lists_projects_in_pages_that_iam_accepts(tmp_path, monkeypatch, settings):
    with Simulator(instances=24, restores=60, max_limit=100) as cloud:
        scene = Scene(cloud, tmp_path, monkeypatch, settings)
        iam = scene.client.iam(scene.account)
        assert len(accessible_projects(iam, cloud.url)) == len(
            [p for p in cloud.world.projects if p.account.name == scene.account.name]
        )
        assert scene.calls("/v3/projects")[-1].query == "page=1&per_page=100"


def test_a27_check_projects_sends_the_requests_that_a_sync_sends(
    tmp_path, monkeypatch, settings, capsys
):
    with Simulator(instances=24, restores=300, max_limit=10) as cloud:
        scene = Scene(cloud, tmp_path, monkeypatch, settings)
        call_command("check_projects")
        assert "invalid" not in capsys.readouterr().out.lower()
        checked = {entry.query for entry in scene.calls() if entry.status == 200}
        assert {"offset=0&limit=10"} <= checked
        scene.inject("limit=", kind="status", status=400)
        with pytest.raises(CommandError, match="problem"):
            call_command("check_projects")


# A28: an endpoint with a version, a list of no projects


@pytest.mark.parametrize("version", ["", "/", "/v2", "/v2/", "/v1.0", "/v2/{project_id}"])
def test_a28_an_endpoint_may_be_given_with_a_version(make_scene, settings, version):
    scene = make_scene()
    text = re.sub('(?m)^(.*endpoint = .*)"$', rf'\1{version}"', scene.simulator.projects_file)
    settings.DCS_PROJECTS = f"{scene.file}x"
    Path(settings.DCS_PROJECTS).write_text(text)
    call_command("check_projects")
    assert {entry.status for entry in scene.calls()} <= {200, 201, 204}
    assert set(Project.objects.values_list("endpoint", flat=True)) == {scene.simulator.url}


@pytest.mark.parametrize("projects", [[], None, [{"id": "p", "name": "x", "enabled": False}]])
def test_a28_discovery_without_a_project_is_an_error(make_scene, settings, capsys, projects):
    scene = make_scene()
    url = scene.simulator.url
    account = f'[accounts.found]\nendpoint = "{url}"\niam_endpoint = "{url}"\n'
    keys = 'access_key_env = "HARBOUR_ACCESS_KEY"\nsecret_key_env = "HARBOUR_SECRET_KEY"\n'
    settings.DCS_PROJECTS += "x"
    Path(settings.DCS_PROJECTS).write_text(f'{account}{keys}projects = "discover"\n')
    scene.inject("/v3/", kind="answer", body={"projects": projects})
    with pytest.raises(CommandError, match="2 problem"):
        call_command("check_projects")
    assert "found: projects: none is monitored" in capsys.readouterr().out
    assert Account.objects.get(name="found").sync_error_kind == "discovery"


@pytest.mark.parametrize("options", [[], ["--offline"]])
def test_a28_a_file_that_monitors_nothing_is_never_ok(tmp_path, settings, options):
    settings.DCS_PROJECTS = str(tmp_path / "empty.toml")
    (tmp_path / "empty.toml").touch()
    with pytest.raises(CommandError, match="names no project to monitor"):
        call_command("check_projects", *options)
