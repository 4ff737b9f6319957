"""Faults of the cloud's API, by the rows A1 to A25 of docs/faults.md, against the real parts."""

import json
import random
import socket
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from restores import tasks
from restores.dcs import http
from restores.dcs.errors import DcsError
from restores.models import Account, Instance, Observation, Project, Restore
from restores.sync import accounts, inventory, projects, rate_limit, results, scheduling
from restores.sync.instances import look_at
from restores.sync_status import coverage_of
from simulator.faults import gzip_bomb
from simulator.restores import Scenario
from simulator.server import Simulator
from tests.dcs.conftest import ANY_JSON
from tests.faults.scene import LANTERN, Scene, record

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def simulator():
    # Born in a month: nothing restores by itself while a test counts calls.
    later = datetime.now(UTC) + timedelta(days=30)
    with Simulator(instances=24, restores=60, epoch=later) as running:
        yield running


@pytest.fixture
def make_scene(simulator, tmp_path, monkeypatch, settings):
    def make(**options):
        scene = Scene(simulator, tmp_path, monkeypatch, settings, **options)
        scene.look_at_project()
        simulator.log.clear()
        return scene

    return make


@pytest.fixture
def scene(make_scene):
    return make_scene()


def assert_kept(scene, look, kind, words=""):
    """The old rows stay, the proof does not move, and the fault is told with what it is."""
    instance = Instance.objects.get(pk=look.instance.pk)
    assert (look.fault.kind, instance.sync_error_kind) == (kind, kind)
    assert words in instance.sync_error_message
    assert instance.complete_to == look.instance.complete_to
    assert scene.held() == {"r-1": "succeed", "r-2": "failed"}
    told = coverage_of(Instance.objects.filter(pk=instance.pk))
    assert [fault.kind for fault in told.faults] == [kind]
    assert told.complete_to is None


@pytest.fixture
def kept(scene):
    """A scene whose first instance holds two restores."""
    scene.lists(record("r-1"), record("r-2", status="failed", error_code="dcs.08.0002"))
    assert scene.look().fault is None
    scene.heals()
    return scene


# A1: 204


def test_a1_no_content_is_a_proven_empty_list(scene):
    scene.breaks("/restores", kind="status", status=204)
    look = scene.look()
    assert (look.fault, scene.held()) == (None, {})
    assert scene.instance.complete_to


def test_a1_no_content_after_many_restores_is_not_believed(scene):
    scene.lists(*(record(f"r-{number}") for number in range(8)))
    scene.look()
    scene.heals()
    scene.breaks("/restores", kind="status", status=204)
    for _ in range(3):
        assert "8 restores are missing" in scene.look().fault.message
    assert len(scene.held()) == 8
    assert not Restore.objects.exclude(removed_upstream_at=None).exists()


# A2: 400


def test_a2_a_refused_request_is_shown_and_stops_nobody_else(kept, web):
    body = {"error_code": "DCS.4800", "error_msg": "<script>alert(1)</script>"}
    kept.breaks(f"{kept.instance.instance_id}/restores", kind="status", status=400, body=body)
    first, second = kept.instances[:2]
    look = kept.look(first, second)
    assert_kept(kept, look, "bad_answer", "DCS.4800")
    assert len(kept.calls(f"{first.instance_id}/restores")) == 1
    assert Instance.objects.get(pk=second.pk).complete_to
    page = web.get("/sync-status/").content.decode()
    assert "&lt;script&gt;alert(1)" in page and "<script>alert(1)" not in page


# A3: 401


def test_a3_an_expired_token_is_renewed_once_for_twenty_calls(tmp_path, monkeypatch, settings):
    ahead = [timedelta()]
    with Simulator(instances=24, restores=60, clock=lambda: datetime.now(UTC) + ahead[0]) as cloud:
        scene = Scene(cloud, tmp_path, monkeypatch, settings, index=LANTERN)
        assert scene.look_at_project() is None
        ahead[0] = timedelta(hours=25)
        cloud.log.clear()
        client = scene.cloud.client(scene.project)
        with ThreadPoolExecutor(20) as pool:
            pages = list(pool.map(lambda _: client.instances(), range(20)))
    assert all(page.complete for page in pages)
    assert len(scene.calls("/v3/auth/tokens")) == 1
    assert len({e.status for e in scene.calls("/instances")}) == 2


def test_a3_a_second_refusal_in_a_row_stops_the_account(make_scene):
    scene = make_scene(index=LANTERN)
    scene.breaks("/v[23]/", kind="status", status=401)
    for _ in range(2):
        assert scene.look_at_project().kind == "credentials"
    stopped = scene.account
    assert stopped.paused_until > datetime.now(UTC) + timedelta(minutes=4)
    assert stopped.sync_error_kind == "credentials"
    assert len(scene.calls()) < 5
    claimable = scheduling.projects(datetime.now(UTC) + timedelta(minutes=4))
    assert not claimable.filter(account=stopped).exists()


def test_a3_a_batch_larger_than_its_threads_ends_at_the_first_refusal(make_scene):
    scene = make_scene(rate=200)
    rows = [
        Instance.objects.create(project=scene.project, instance_id=f"i-{number}")
        for number in range(40)
    ]
    scene.breaks("/restores", kind="status", status=401)
    claimed = scheduling.claim_these([row.pk for row in rows], datetime.now(UTC))
    assert {look.fault.kind for look in look_at(claimed, scene.cloud)} == {"credentials"}
    assert len(scene.calls("/restores")) < 17
    assert not Instance.objects.exclude(lease_until=None, attempts=0).exists()


@pytest.mark.parametrize("command", ["check_projects", "sync"])
def test_a3_a_command_asks_no_other_project_of_a_refused_account(make_scene, command, capsys):
    scene = make_scene()
    scene.breaks("/v2/", kind="status", status=401)
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
def test_a4_backups_that_are_not_told_cost_no_restore(kept, status):
    Instance.objects.filter(pk=kept.instance.pk).update(backups_due_at=None)
    kept.breaks("/backups", kind="status", status=status)
    kept.lists(record("r-1"), record("r-2"), record("r-3", status="restoring", progress="40"))
    before = datetime.now(UTC)
    assert kept.look().fault is None
    assert kept.held()["r-3"] == "restoring"
    assert kept.instance.complete_to >= before.replace(microsecond=0)
    asked = len(kept.calls("/backups"))
    Instance.objects.filter(pk=kept.instance.pk).update(backups_due_at=before + timedelta(hours=1))
    kept.look()
    assert len(kept.calls("/backups")) == asked


def test_a4_backups_that_hang_are_asked_for_once_in_a_look(make_scene):
    scene = make_scene()
    rows = list(scene.instances[:4])
    Instance.objects.filter(pk__in=[row.pk for row in rows]).update(backups_due_at=None)
    Instance.objects.filter(pk=rows[0].pk).update(backups_due_at=datetime(2999, 1, 1, tzinfo=UTC))
    scene.breaks("/backups", kind="status", status=503)
    scene.lists(record())
    scene.look(*rows)
    # Unchanged now: some whose backups were not told end together with one that was not asked.
    Instance.objects.filter(pk__in=[row.pk for row in rows[1:]]).update(backups_due_at=None)
    claimed = scheduling.claim_these([row.pk for row in rows], datetime.now(UTC))
    assert [look.fault for look in look_at(claimed, scene.cloud)] == [None] * len(rows)
    assert not Instance.objects.filter(pk__in=[row.pk for row in rows], complete_to=None).exists()
    tried = {entry.path for entry in scene.calls("/backups")}
    assert tried


def test_a4_a_look_that_fails_is_not_made_due_by_the_project_s_looks(kept):
    """What was last seen restoring is not named any more: it has ended, but nobody can say how."""
    kept.lists(record("r-1"), record("r-2"), record("r-9", status="restoring", progress="40"))
    kept.look()
    kept.heals()
    kept.breaks("/restores", kind="status", status=500)
    kept.look()
    due = kept.instance.next_sync_at
    assert due > datetime.now(UTC) + timedelta(seconds=20)
    kept.look_at_project()
    assert kept.instance.next_sync_at == due


def test_a4_a_restore_that_is_no_longer_listed_is_followed_no_more(kept):
    Restore.objects.filter(restore_id="r-1").update(
        status="restoring", removed_upstream_at=datetime.now(UTC), changed_at=datetime.now(UTC)
    )
    later = datetime.now(UTC) + timedelta(minutes=10)
    Instance.objects.filter(pk=kept.instance.pk).update(next_sync_at=later)
    kept.look_at_project()
    assert kept.instance.next_sync_at == later


def test_a4_a_missing_permission_is_named_and_asked_again_ever_more_rarely(kept):
    kept.breaks("/v2/", kind="status", status=403)
    assert_kept(kept, kept.look(), "permission", "DCS.2003")
    assert len(kept.calls()) == 1
    waits = []
    for _ in range(5):
        kept.look_at_project()
        waits.append((kept.project.next_sync_at - datetime.now(UTC)).total_seconds())
    assert waits == pytest.approx([10, 20, 40, 60, 60], abs=2)
    assert (kept.project.sync_error_kind, kept.account.sync_error_kind) == ("permission", "")


# A5: 404


def test_a5_a_deleted_instance_keeps_its_history_and_comes_back_when_listed(kept):
    gone = kept.instance
    kept.breaks(f"{gone.instance_id}/restores", kind="status", status=404)
    assert kept.look().fault.kind == "gone"
    gone.refresh_from_db()
    assert gone.deleted_at and len(kept.held()) == 2
    assert gone.pk not in [row.pk for row in scheduling.claim_instances(_next_year())]
    kept.heals()
    kept.look_at_project()
    assert kept.look().fault is None
    gone.refresh_from_db()
    assert (gone.deleted_at, gone.sync_error_kind) == (None, "")


def test_a5_a_deleted_instance_is_gone_once_the_list_lacks_it(kept):
    kept.breaks("/instances\\?", kind="edit", remove=1)
    kept.look_at_project()
    assert Instance.objects.exclude(deleted_at=None).count() == 1
    kept.heals()
    kept.look_at_project()
    assert not Instance.objects.exclude(deleted_at=None).exists()


def test_a5_instances_that_vanish_all_at_once_are_not_gone(scene):
    many = [{"instance_id": f"i-{number}", "status": "RUNNING"} for number in range(20)]
    scene.breaks("/instances\\?", kind="edit", insert=many, times=1)
    scene.look_at_project()
    proven = scene.project.listed_at
    for spoil in ({"remove": 10**6}, {"remove": 8}):
        scene.heals()
        scene.breaks("/instances\\?", kind="edit", **spoil)
        assert scene.look_at_project() is None
        assert scene.project.sync_error_kind == "bad_answer"
        assert "missing from it all at once" in scene.project.sync_error_message
        assert not Instance.objects.exclude(deleted_at=None).exists()
    assert scene.project.listed_at == proven
    assert scheduling.claim_instances(datetime.now(UTC)), "their looks go on"


def _next_year():
    return datetime.now(UTC) + timedelta(days=365)


# A6: 429 with Retry-After


@pytest.mark.parametrize(
    ("asked_for", "least", "most"),
    [("30", 28, 31), ("9" * 30, 899, 901), ("-5", 1, 6), ("date", 85, 91)],
)
def test_a6_a_break_the_cloud_asks_for_is_kept_by_the_whole_account(kept, asked_for, least, most):
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    headers = {"Retry-After": later if asked_for == "date" else asked_for}
    kept.breaks("/restores", kind="status", status=429, headers=headers)
    assert_kept(kept, kept.look(), "throttled", "APIGW.0308")
    wait = (kept.account.reserved_until - datetime.now(UTC)).total_seconds()
    assert least <= wait <= most
    patient = scheduling.PROJECT_PATIENCE.total_seconds()
    soon = datetime.now(UTC) + timedelta(seconds=max(0, least - patient - 1))
    waiting = scheduling.projects(soon).filter(account=kept.account)
    assert waiting.exists() == (wait < patient)


def test_a6_the_next_call_comes_after_the_break(kept):
    headers = {"Retry-After": "1"}
    kept.breaks("/restores", kind="status", status=429, headers=headers, times=1)
    kept.look()
    assert kept.look().fault is None
    refused, asked_again = [e.at for e in kept.calls("/restores")]
    assert asked_again - refused >= 1


def test_a6_a_break_ends_the_batch_it_hits(make_scene):
    scene = make_scene(rate=100)
    rows = [
        Instance.objects.create(project=scene.project, instance_id=f"i-{number}")
        for number in range(40)
    ]
    scene.breaks("/restores", kind="status", status=429, headers={"Retry-After": "60"})
    scene.look(*rows)
    assert len(scene.calls("/restores")) < 17
    assert not Instance.objects.exclude(lease_until=None, attempts=0).exists()


# A7: 429 without it


def test_a7_a_throttling_without_a_time_means_a_few_seconds(kept):
    kept.breaks("/restores", kind="throttle", per_second=0)
    kept.look()
    wait = (kept.account.reserved_until - datetime.now(UTC)).total_seconds()
    assert 1 < wait <= 5


def test_a7_no_second_sees_more_calls_than_the_account_may_make(make_scene):
    scene = make_scene(rate=20)
    rows = [
        Instance.objects.create(project=scene.project, instance_id=f"i-{number}")
        for number in range(12)
    ]
    scene.breaks("/restores|/backups", kind="status", status=204)
    scene.breaks("/instances/status", kind="status", status=503)
    scene.look(*rows)
    scene.look_at_project()
    assert len(scene.calls()) >= 27
    assert scene.simulator.log.busiest_second("harbour") <= 20


# A8: 5xx


def test_a8_a_busy_cloud_is_asked_three_times_at_most(kept):
    kept.breaks("/restores", kind="status", status=503)
    assert_kept(kept, kept.look(), "unreachable", "HTTP 503")
    assert len(kept.calls()) == 3


def test_a8_a_service_error_is_not_asked_again(kept):
    kept.breaks("/restores", kind="status", status=500)
    assert_kept(kept, kept.look(), "unreachable", "DCS.5079")
    assert len(kept.calls()) == 1


def hour(scene, clock):
    """Play an hour, a tick each 20 s, and return how many calls reached the cloud."""
    before = scene.simulator.log.total
    for _ in range(180):
        clock.shift(20)
        while project := scheduling.claim_project(datetime.now(UTC)):
            projects.look_at_project(project, accounts.current_clouds()[project.account.name])
        while batch := scheduling.claim_instances(datetime.now(UTC)):
            list(look_at(batch, accounts.current_clouds()[batch[0].project.account.name]))
    return scene.simulator.log.total - before


@pytest.mark.faults
def test_a8_an_hour_s_outage_costs_no_more_calls_than_an_hour_s_work(make_scene, monkeypatch):
    at_once = type("Time", (), {"sleep": lambda _: None, "monotonic": time.monotonic})
    monkeypatch.setattr(http, "time", at_once)
    monkeypatch.setattr(rate_limit, "time", at_once)
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        scene = make_scene()
        usual = hour(scene, clock)
        scene.breaks("/v[23]/", kind="status", status=503)
        broken = hour(scene, clock)
        assert broken <= 1.2 * usual
        faulty = Project.objects.filter(sync_error_kind="unreachable", monitored=True)
        assert faulty.count() == len(scene.simulator.world.projects)
        scene.heals()
        end = datetime.now(UTC)
        hour(scene, clock)
    assert not Instance.objects.in_states(["problem"]).exists()
    assert not Instance.objects.monitored().exclude(complete_to__gt=end).exists()


# A9: refused, reset


def test_a9_a_broken_connection_is_made_again_and_then_given_up(kept):
    kept.breaks("/backups", kind="reset", times=1)
    kept.breaks("/restores", kind="reset", times=1)
    kept.lists(record("r-1"), record("r-2", status="failed"))
    Instance.objects.update(backups_due_at=None)
    assert kept.look().fault is None
    assert (len(kept.calls("/restores")), len(kept.calls("/backups"))) == (2, 2)
    kept.breaks("/restores", kind="reset")
    begun = time.monotonic()
    assert_kept(kept, kept.look(), "unreachable", "connection was lost")
    assert time.monotonic() - begun < 3


def test_a9_a_cloud_that_is_not_there_is_given_up_within_three_seconds(kept):
    kept.simulator.close()
    begun = time.monotonic()
    assert_kept(kept, kept.look(), "unreachable", "connect")
    assert time.monotonic() - begun < 3


# A10: DNS


def test_a10_a_name_that_does_not_resolve_is_said_so(kept, monkeypatch):
    def unknown(*args, **kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    kept.simulator.close()  # the connection that is still open needs no name
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert_kept(kept, kept.look(), "unreachable", "host name could not be resolved")


# A12: slow answers (A11 is in test_api_tls.py)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drip", "seconds": 0.1},
        {"kind": "hang"},
        {"kind": "delay", "seconds": 30},
    ],
)
def test_a12_a_dripping_body_ends_at_the_deadline(kept, monkeypatch, fault):
    monkeypatch.setattr(accounts, "_DEADLINE", 0.5)
    kept.breaks("/restores", **fault)
    begun = time.monotonic()
    assert_kept(kept, kept.look(), "unreachable")
    assert 0.4 < time.monotonic() - begun < 1.5


class Slots:
    """Two processes of a worker, played by threads that do what the bells ask for."""

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
                tasks.project_look()
                tasks.instance_looks()
        except Exception as error:
            self.failed.append(error)
        finally:
            connection.close()


def test_a12_one_hanging_cloud_delays_nobody_else_s_projects(make_scene, monkeypatch):
    # Everything five times as fast: a look each second, two seconds until a call is given up.
    monkeypatch.setattr(projects, "_EVERY", 1)
    monkeypatch.setattr(projects, "_DEADLINE", 2.0)
    monkeypatch.setattr(projects, "_DEADLINE_AFTER_FAULT", 1.0)
    monkeypatch.setattr(accounts, "_DEADLINE", 2.0)
    monkeypatch.setattr(results, "_BREAKER", (2, 12))
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
    scene.breaks(hanging, kind="hang")
    Project.objects.update(next_sync_at=now)
    with Slots() as slots_of_a_worker:
        time.sleep(6)
        scene.simulator.close()
    assert not slots_of_a_worker.failed
    for project in Project.objects.filter(account__name="lantern"):
        looks = [e.at for e in scene.calls(f"{project.project_id}/instances/status")]
        moments = [now.timestamp(), *looks, now.timestamp() + 6]
        assert max(b - a for a, b in pairwise(moments)) < 3.5


# A13: truncation


@pytest.mark.parametrize(("announced", "kind"), [(True, "unreachable"), (False, "bad_answer")])
def test_a13_a_page_cut_at_any_byte_is_no_proof(kept, announced, kind):
    rows = [record("r-1"), record("r-3", minutes=1)]
    length = len(json.dumps({"restore_record_response": rows, "total_num": 2}))
    client = kept.cloud.client(kept.project)
    for cut in range(0, length, 1 if announced else 5):
        kept.heals()
        kept.lists(*rows)
        kept.breaks("/restores", kind="truncate", bytes=cut, announced=announced)
        with pytest.raises(DcsError) as raised:
            client.restores("any")
        assert raised.value.kind == kind
    assert_kept(kept, kept.look(), kind)


# A14: bombs


def test_a14_a_gigabyte_of_blanks_costs_less_than_fifty_megabytes(kept):
    gzip_bomb(1024)
    kept.breaks("/restores", kind="gzip_bomb", megabytes=1024)
    tracemalloc.start()
    look = kept.look()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert_kept(kept, look, "bad_answer", "larger than 10 MB")
    assert peak < 50 * 2**20


def test_a14_a_body_that_is_simply_too_large_is_dropped(kept):
    kept.breaks("/restores", kind="answer", body="[" + " " * (11 * 2**20))
    assert_kept(kept, kept.look(), "bad_answer", "larger than 10 MB")


# A15: no JSON


def hostile_bodies():
    """About two hundred texts that are no list of restores, from a fixed seed."""
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


def test_a15_no_body_whatsoever_breaks_a_look(kept):
    client = kept.cloud.client(kept.project)
    for number, body in enumerate(hostile_bodies()):
        kept.heals()
        kept.breaks("/restores", kind="answer", body=body)
        try:
            client.restores("any")
        except DcsError as fault:
            assert fault.kind == "bad_answer", body[:99]
        if number % 10 == 0:
            kept.look()
    assert {"r-1": "succeed", "r-2": "failed"}.items() <= kept.held().items()


@pytest.mark.parametrize("body", ["", "{", "[" * 100_000, "nonsense", '{"total": 1}'])
def test_a15_what_is_no_list_is_a_bad_answer(kept, body):
    kept.breaks("/restores", kind="answer", body=body)
    assert_kept(kept, kept.look(), "bad_answer", "JSON")


def test_a15_doubled_keys_and_a_byte_order_mark_are_read(kept):
    row = json.dumps(record("r-9"))
    body = f'\ufeff{{"total_num": 7, "restore_record_response": [{row}], "total_num": 1}}'
    kept.breaks("/restores", kind="answer", body=body)
    assert kept.look().fault is None
    assert "r-9" in kept.held()


# A16: a web page


def test_a16_a_web_page_in_place_of_the_api_is_named_by_its_title(kept):
    page = "<!doctype html><html><title>Sign in to\n Guest WiFi</title></html>"
    kept.breaks("/restores", kind="answer", body=page, headers={"Content-Type": "text/html"})
    assert_kept(kept, kept.look(), "bad_answer", "a web page titled “Sign in to Guest WiFi”")


# A17: wrong types


FIELDS = [
    *("restore_id", "restore_name", "backup_id", "backup_name", "restore_remark", "status"),
    *("backup_remark", "progress", "error_code", "created_at", "updated_at", "error_msg"),
]
SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=40, deadline=None, suppress_health_check=SLOW)
@given(odd=st.dictionaries(st.sampled_from(FIELDS), ANY_JSON, min_size=1))
def test_a17_no_type_in_a_row_keeps_the_good_rows_out(kept, odd):
    kept.heals()
    kept.lists(record("r-1"), record("r-2", status="failed"), {**record("odd"), **odd})
    look = kept.look()
    assert {"r-1": "succeed", "r-2": "failed"}.items() <= kept.held().items()
    assert look.fault is None or look.fault.kind in ("bad_answer", "vanished")


def test_a17_a_row_without_an_id_is_counted_and_the_others_are_kept(kept):
    kept.lists(record("r-1"), record("r-2", status="failed"), record({}), "no record", None)
    assert_kept(kept, kept.look(), "bad_answer", "3 record(s) without a usable restore_id")


def test_a17_an_empty_object_stands_for_an_absent_text(kept):
    kept.lists(record("r-1", error_code={}), record("r-2"), record("r-3", restore_remark={}))
    assert kept.look().fault is None
    assert Restore.objects.get(restore_id="r-3").restore_remark == ""


# A18: the same id twice


def test_a18_of_one_id_twice_the_newest_counts(kept):
    old = record("r-3", minutes=30, status="restoring", updated_at=None)
    kept.lists(record("r-1"), record("r-2", status="failed"), record("r-3", minutes=30), old)
    look = kept.look()
    assert kept.held()["r-3"] == "succeed"
    assert "1 of 4 records repeat another's restore_id" in look.fault.message
    assert Restore.objects.count() == 3


def test_a18_a_list_of_instances_that_doubles_rows_makes_no_instance_twice(scene):
    before = Instance.objects.count()
    scene.breaks("/instances\\?", kind="edit", double=True)
    scene.look_at_project()
    assert (Instance.objects.count(), scene.project.sync_error_kind) == (before, "")


# A19: lying totals


@pytest.mark.parametrize("total", [0, 1, -1, 10**9, "many", None, {}, 2.5])
def test_a19_a_lying_total_is_no_proof(kept, total):
    kept.breaks("/restores", kind="edit", total=total)
    kept.lists(record("r-1"), record("r-2", status="failed"))
    assert_kept(kept, kept.look(), "bad_answer", "incomplete")
    assert len(kept.calls("/restores")) < 201


@pytest.mark.parametrize("total", [0, -1, "many", None])
def test_a19_a_lying_number_of_instances_is_no_proof_of_the_list(scene, total):
    proven, count = scene.project.listed_at, Instance.objects.count()
    scene.breaks("/instances\\?", kind="edit", remove=1, total=total)
    assert scene.look_at_project() is None
    assert "instance_num" in scene.project.sync_error_message
    assert (scene.project.listed_at, Instance.objects.filter(deleted_at=None).count()) == (
        proven,
        count,
    )
    scene.heals()
    scene.look_at_project()
    assert scene.project.sync_error_kind == ""
    assert scene.project.listed_at > proven


# A20: pages without end


def test_a20_the_same_page_of_instances_for_ever_is_left_after_the_second(scene):
    scene.breaks("/instances\\?", kind="edit", total=10**9)
    assert scene.look_at_project() is None
    assert "instance_num is 1000000000" in scene.project.sync_error_message
    assert len(scene.calls("/instances\\?")) <= 2


def test_a20_ever_new_pages_of_instances_end_too(scene, monkeypatch):
    monkeypatch.setattr(inventory, "_MOST_PAGES", 4)

    def another(number):
        row = {"instance_id": f"i-{number}", "status": "RUNNING"}
        scene.breaks(
            f"offset={number}&", kind="answer", body={"instances": [row], "instance_num": 10**9}
        )

    for number in range(10):
        another(number)
    assert scene.look_at_project() is None
    assert "does not end within 4 pages" in scene.project.sync_error_message
    assert len(scene.calls("/instances\\?")) == 4


def test_a20_the_same_page_of_restores_for_ever_ends(scene):
    scene.lists(record("r-1"), total=10**6)
    assert "incomplete" in scene.look().fault.message
    assert len(scene.calls("/restores")) <= 200


# A21: inserts and removals between calls (the schedules are in test_schedules.py)


def test_a21_restores_that_begin_while_we_ask_are_all_found(scene):
    target = next(
        i for i in scene.simulator.world.instances if i.instance_id == scene.instance.instance_id
    )
    done, begun = threading.Event(), []

    def begin():
        while not done.wait(0.002) and len(begun) < 300:
            order = Scenario(waiting=0, seconds=0.01)
            begun.append(scene.simulator.world.start_restore(target, datetime.now(UTC), order))

    scene.breaks("/restores", kind="edit", shuffle=21)
    thread = threading.Thread(target=begin)
    thread.start()
    looks = [scene.look() for _ in range(12)]
    done.set()
    thread.join()
    scene.look()
    listed = scene.simulator.world.records(target, datetime.now(UTC))
    assert scene.held().keys() == {row["restore_id"] for row in listed}
    assert set(begun) <= scene.held().keys()
    assert all(look.fault is None for look in looks)
    assert Observation.objects.filter(restore__instance=scene.instance).count() >= len(begun)


def test_a21_instances_that_shift_between_pages_are_not_gone(scene, monkeypatch):
    monkeypatch.setattr(inventory, "_PAGE", 2)
    count = Instance.objects.filter(project=scene.project).count()
    scene.breaks("offset=1&", kind="edit", remove=1)
    for _ in range(3):
        scene.look_at_project()
        assert "it changed while it was read" in scene.project.sync_error_message
    assert Instance.objects.filter(project=scene.project, deleted_at=None).count() == count


def test_a21_absence_from_pages_counts_from_the_second_time(scene, monkeypatch):
    monkeypatch.setattr(inventory, "_PAGE", 2)
    scene.look_at_project()
    lost = Instance.objects.create(
        project=scene.project, instance_id="lost", listed_at=datetime.now(UTC)
    )
    for gone in (False, True):
        scene.look_at_project()
        lost.refresh_from_db()
        assert bool(lost.deleted_at) == gone


# A22: clocks


@pytest.mark.parametrize(("seconds", "words"), [(400, "7 min behind"), (-400, "7 min ahead of")])
def test_a22_clocks_apart_are_told_while_looks_go_on(scene, seconds, words):
    scene.breaks("/v2/", kind="clock_skew", seconds=seconds)
    assert scene.look_at_project() is None
    assert (scene.project.sync_error_kind, scene.project.failures) == ("clock", 0)
    assert words in scene.project.sync_error_message
    assert scene.look().fault is None
    assert Instance.objects.healthy().filter(pk=scene.instance.pk).exists()
    assert [fault.kind for fault in coverage_of(scene.instances).faults] == ["clock"]
    since = scene.project.sync_error_since
    scene.look_at_project()
    assert scene.project.sync_error_since == since
    scene.heals()
    scene.look_at_project()
    assert scene.project.sync_error_kind == ""


def test_a22_what_is_proven_is_proven_by_the_cloud_s_clock(scene):
    scene.breaks("/v2/", kind="clock_skew", seconds=-600)
    scene.look()
    assert scene.instance.complete_to < datetime.now(UTC) - timedelta(minutes=9)


@pytest.mark.parametrize(("hours", "words"), [(1, "60 min behind"), (-1, "60 min ahead of")])
def test_a22_a_refused_signature_says_how_far_our_clock_is_off(scene, hours, words):
    scene.breaks("/v2/", kind="clock_skew", seconds=hours * 3600)
    fault = scene.look_at_project()
    assert (fault.kind, fault.code) == ("credentials", "APIGW.0303")
    assert words in scene.project.sync_error_message


def test_a22_a_clock_set_back_by_an_hour_holds_nothing_up(scene, monkeypatch):
    monkeypatch.setattr(tasks.project_look, "apply_async", lambda **_: None)
    monkeypatch.setattr(tasks.instance_looks, "apply_async", lambda **_: None)
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=1)):
        scene.look_at_project()
        scene.look()
        tasks.tick()
    tasks.tick()
    soon = datetime.now(UTC) + timedelta(seconds=10)
    assert scheduling.projects(soon).filter(pk=scene.project.pk).exists()
    assert scene.instance.next_sync_at < datetime.now(UTC) + timedelta(seconds=65)
    tasks.tick()
    assert scene.instance.next_sync_at > datetime.now(UTC) - timedelta(seconds=5)


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
def test_a23_a_redirect_is_an_error_and_its_target_hears_nothing(kept, status, where):
    with Simulator(instances=1, restores=0) as other:
        headers = {"Location": where.format(other=other.url)}
        kept.breaks("/restores", kind="answer", status=status, headers=headers)
        assert_kept(kept, kept.look(), "bad_answer", "redirects are not followed")
        assert other.log.total == 0


# A24: the host's proxies


def test_a24_the_host_s_proxies_and_netrc_are_ignored(kept, monkeypatch, tmp_path):
    with Simulator(instances=1, restores=0) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        (tmp_path / ".netrc").write_text("machine 127.0.0.1 login thief password x\n")
        monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
        assert kept.look().fault is None
        assert proxy.log.total == 0


# A25: what nobody has heard of


@pytest.mark.parametrize("status", ["rolledback", "PAUSED", "再試行", "x" * 300])
def test_a25_an_unknown_status_is_kept_as_it_is_and_followed_for_a_day(scene, status):
    young, old = record("young", minutes=5), record("old", minutes=60 * 30)
    scene.lists({**young, "status": status, "colour": "red"}, {**old, "status": status})
    look = scene.look()
    assert (look.fault, look.stored.live) == (None, True)
    assert scene.held()["young"][:200] == status[:200]
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=25)):
        assert not scene.look().stored.live


def test_a25_an_instance_in_an_unknown_state_is_watched_like_any_other(scene):
    scene.breaks("/instances\\?", kind="edit", set={"status": "TRANSMOGRIFYING", "new": [1]})
    assert scene.look_at_project() is None
    assert set(scene.instances.values_list("status", flat=True)) == {"TRANSMOGRIFYING"}
    assert scheduling.claim_instances(datetime.now(UTC))


def test_a25_a_cloud_that_takes_no_notice_of_the_asked_state_wakes_nobody(scene):
    begun = _begin(scene)
    Instance.objects.update(next_sync_at=_next_year())
    scene.breaks("/instances\\?status=RESTORING", kind="answer", body=_everything(scene))
    scene.look_at_project()
    due = Instance.objects.filter(next_sync_at__lt=_next_year() - timedelta(days=1))
    assert {row.instance_id for row in due} <= {begun}


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
