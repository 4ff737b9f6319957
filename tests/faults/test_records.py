"""Odd records, rows V1 to V7 and A31 of docs/failure-modes.md, from cloud to page."""

import json
import re
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import unescape
from urllib.parse import quote, urlencode

import pytest
import time_machine
from django.contrib.auth.models import User

from restores.models import FormerProject, Instance, Observation, Project, Restore
from restores.sync import scheduling
from restores.sync.accounts import load_accounts
from restores.sync.instances import sync_instances
from restores.sync.projects import sync_project
from simulator.server import Simulator
from tests.factories import NOW, make_observation, make_restore
from tests.faults.scene import Scene, record

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def scene(tmp_path, monkeypatch, settings):
    # Its epoch is in a month: nothing happens by itself.
    later = datetime.now(UTC) + timedelta(days=30)
    with Simulator(instances=12, restores=0, epoch=later) as simulator:
        scene = Scene(simulator, tmp_path, monkeypatch, settings)
        scene.sync_project()
        yield scene


def sync(scene, *rows):
    """Let every instance list these restores, and sync the first one."""
    scene.clear_faults()
    scene.list_restores(*rows)
    return scene.sync()


def sync_all(scene, *rows):
    """Let every instance of every project list these restores, and sync all of this project."""
    scene.clear_faults()
    scene.list_restores(*rows)
    Project.objects.exclude(pk=scene.project.pk).update(monitored=False)
    scene.sync(*scene.instances)


def page(web, url):
    response = web.get(url)
    if response.status_code == 302:
        response = web.get(response.headers["Location"])
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def stamp(time):
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


def ago(**given):
    return datetime.now(UTC).replace(microsecond=0) - timedelta(**given)


def ids_of(web, query):
    return [row["restore_id"] for row in web.get(f"/restores.json?{query}").json()["restores"]]


def customer_text(web, restore_id="r-1"):
    """The message to the customer, without the time up to which it is true."""
    text = web.get(f"/restores/{restore_id}.md?format=customer").content.decode()
    return text.partition("Data as of")[0]


# V1: the end


@pytest.mark.parametrize(
    "edit", [{"restore_remark": "x"}, {"progress": "100.00"}, {"error_code": "dcs.08.0001"}]
)
def test_v1_a_record_edited_after_its_end_keeps_its_end(scene, web, edit):
    created, edited = ago(hours=3), ago(hours=1)
    ended = created + timedelta(minutes=1)
    row = {"status": "succeed", "progress": "99", "created_at": stamp(created)}
    sync(scene, record(**row, updated_at=stamp(ended)))
    before = customer_text(web)
    sync(scene, record(**row | edit, updated_at=stamp(edited)))

    restore = Restore.objects.get()
    assert (restore.ended_at, restore.duration) == (ended, 60)
    assert restore.updated_at == edited
    assert customer_text(web) == before
    around = f"from={stamp(ended)}&to={stamp(ended + timedelta(minutes=5))}"
    assert ids_of(web, f"on=ended&{around}") == ["r-1"]
    assert ids_of(web, f"on=running&from={stamp(ago(hours=2))}") == []


def test_v1_a_failure_that_restores_again_is_in_progress_and_keeps_both_in_its_history(scene, web):
    now = ago()
    row = {"created_at": stamp(now - timedelta(hours=3)), "error_code": "dcs.08.0002"}
    sync(scene, record(**row, status="failed", updated_at=stamp(ago(hours=2))))
    then = stamp(datetime.now(UTC) + timedelta(seconds=1))
    sync(scene, record(**row, status="restoring", updated_at=stamp(ago(hours=1))))

    assert scene.stored() == {"r-1": "restoring"}
    response = web.get("/restores/r-1.json").json()
    assert response["ended_at"] is response["duration_seconds"] is None
    assert [seen["status"] for seen in response["observations"]] == ["failed", "restoring"]
    assert ids_of(web, f"on=ended&to={then}") == []
    sync(scene, record(**row, status="succeed", updated_at=stamp(now - timedelta(minutes=9))))
    assert web.get("/restores/r-1.json").json()["duration_seconds"] == 3 * 3600 - 9 * 60


def test_v1_a_snapshot_shows_the_end_that_was_known_then(web):
    first, second = NOW - timedelta(hours=5), NOW - timedelta(hours=2)
    restore = make_restore(
        "r-1",
        created_at=first,
        ended_at=second,
        first_seen_at=first,
        moved_at=second,
        slow=True,
    )
    make_observation(restore, first, status="failed", ended_at=first, duration=0)
    make_observation(restore, second, status="succeed", ended_at=second, duration=10800)
    asof = stamp(first + timedelta(minutes=1))
    response = web.get(f"/restores/r-1.json?asof={asof}").json()
    assert (response["status"], response["duration_seconds"]) == ("failed", 0)
    within = f"on=ended&from={stamp(first)}&to={asof}"
    assert ids_of(web, f"{within}&asof={asof}") == ["r-1"]
    assert ids_of(web, within) == []


# V2: a time that can't be read


UNREADABLE = [None, "", {}, "yesterday", "2026-11-31T08:00:00Z", "2026-11-20T08:00:00 CST", "0"]


@pytest.mark.parametrize("sent", UNREADABLE)
def test_v2_while_a_restore_has_no_readable_time_no_range_says_none(scene, web, sent):
    row = {"created_at": sent, "updated_at": sent, "status": "failed", "error_code": "dcs.08.0002"}
    sync_all(scene, record("r-1", **row))
    restores = len(scene.instances)
    for on in ("created", "ended", "running"):
        query = f"on={on}&from={stamp(ago(hours=2))}&to={stamp(ago(hours=1))}"
        html = page(web, f"/restores/?{query}")
        assert "fully synced" not in html and "No restores" not in html
        assert f"None found, but {restores} restores without a usable time may belong" in html
        [link] = re.findall(r'href="(\?[^"]*)">Show \d+ restores without a usable time', html)
        listed = web.get("/restores.json" + unescape(link)).json()
        assert {row["restore_id"] for row in listed["restores"]} == {"r-1"}
        assert listed["total"] == restores
        assert web.get(f"/restores.json?{query}").json()["without_time"] == restores
        with closing(web.get(f"/restores.csv?{query}")) as as_csv:
            assert as_csv.headers["X-Without-Time"] == str(restores)
        text = web.get(f"/restores.md?{query}&format=customer").content.decode()
        assert "none found so far." in text and "which may belong to this time range" in text
    for url in ("/", "/sync-status/"):
        assert f"{restores} restores without a usable time" in page(web, url)
    assert "No unresolved failures" not in page(web, "/")
    assert web.get("/sync-status.json").json()["restores_without_time"] == restores


def test_v2_only_restores_in_scope_keep_a_list_from_saying_none(scene, web):
    sync_all(scene)
    sync(scene, record("r-1", created_at="yesterday"))
    other, affected = scene.instances[1], scene.instances[0]
    within = f"from={stamp(ago(hours=2))}&to={stamp(ago(hours=1))}"
    for query in (
        f"instance={other.instance_id}",
        f"instance={affected.instance_id}&status=failed",
    ):
        assert "fully synced" in page(web, f"/restores/?{query}&{within}")
    query = f"instance={affected.instance_id}&status=succeed"
    assert "1 restore without a usable time" in page(web, f"/restores/?{query}&{within}")


def test_v2_a_list_that_is_not_empty_says_what_it_leaves_out(scene, web):
    sync(scene, record("r-1"), record("r-2", created_at="yesterday"))
    html = page(web, f"/restores/?from={stamp(ago(hours=2))}")
    assert "r-1" in html and "Not shown: <a href=" in html
    assert "1 restore without a usable time" in html
    assert "without a usable time" not in page(web, "/restores/")


def test_v2_a_time_that_can_be_read_later_is_known_from_then_on(scene, web):
    sync(scene, record("r-1", created_at="yesterday"))
    assert "Unreadable" in page(web, "/restores/r-1/")
    created = ago(hours=1)
    sync(scene, record("r-1", created_at=stamp(created)))
    restore = Restore.objects.get()
    assert (restore.created_at, restore.created_problem) == (created, "")
    seen = web.get("/restores/r-1.json").json()["observations"]
    assert len(seen) == 2


def test_v2_nothing_is_claimed_relative_to_a_restore_without_a_readable_time(scene, web):
    failed = {"status": "failed", "error_code": "dcs.08.0002"}
    sync(scene, record("r-1", **failed), record("r-2", created_at="yesterday"))
    html = page(web, "/restores/r-1/")
    assert "hasn’t been restored successfully since" not in html
    assert "We can’t tell whether the instance has been restored successfully since" in html
    assert "First recorded restore" not in html


# V3: a time ahead of both clocks


@pytest.mark.parametrize("ahead", [timedelta(minutes=3), timedelta(hours=3), timedelta(hours=9)])
def test_v3_a_time_ahead_of_both_clocks_is_marked_and_not_used(scene, web, ahead):
    late = datetime.now(UTC) + ahead
    rows = record("r-1", updated_at=stamp(late)), record("r-2", created_at=stamp(late))
    sync(scene, *rows)
    assert_implausible(web, late)
    # It stays implausible once the clocks have reached it.
    with time_machine.travel(late + timedelta(hours=1)):
        sync(scene, *(row | {"restore_remark": "x"} for row in rows))
        web.force_login(User.objects.get())  # the session may have ended by then
        assert_implausible(web, late)


def assert_implausible(web, late):
    end, start = (Restore.objects.get(restore_id=key) for key in ("r-1", "r-2"))
    assert end.ended_at is end.updated_at is end.duration is None
    assert start.created_at is start.duration is None
    for key in ("r-1", "r-2"):
        html = page(web, f"/restores/{key}/")
        assert "Implausible" in html and f"{late:%Y-%m-%d %H:%M:%S}" in html
        for form in ("customer", "escalation", ""):
            text = web.get(f"/restores/{key}.md?format={form}").content.decode()
            assert f"{late:%Y-%m-%d %H:%M:%S}" not in text
    assert ids_of(web, "")[-1] == ids_of(web, "sort=created")[-1] == "r-2"
    assert ids_of(web, "sort=ended")[-1] == ids_of(web, "sort=-ended")[-1] == "r-1"


@pytest.mark.parametrize("status", ["restoring", "waiting", "Rolling-Back"])
def test_v3_a_time_in_year_9998_keeps_no_instance_busy(scene, status):
    row = record("r-1", status=status, created_at="9998-11-20T08:00:00Z", updated_at=None)
    assert sync(scene, row).stored.live
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=25)):
        assert not sync(scene, row).stored.live
        assert not Restore.objects.unfinished(datetime.now(UTC)).exists()


def test_v3_a_time_two_minutes_ahead_is_accepted(scene):
    late = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=110)
    sync(scene, record("r-1", updated_at=stamp(late)))
    assert Restore.objects.get().ended_at == late


def test_v3_times_up_to_the_clock_of_a_cloud_that_is_ahead_are_accepted(scene):
    scene.list_restores(record("r-1", minutes=-30))
    scene.inject("/restores", kind="clock_skew", seconds=3600)
    scene.sync()
    assert Restore.objects.get().created_at > datetime.now(UTC) + timedelta(minutes=29)


@pytest.mark.parametrize("days", [1, -1, 900, -900])
def test_v3_no_date_header_makes_anything_complete_up_to_the_future(scene, web, days):
    date = format_datetime(datetime.now(UTC) + timedelta(days=days), usegmt=True)
    sync_with_date(scene, date)
    assert "Clock skew" in page(web, "/sync-status/")


@pytest.mark.parametrize("date", ["", "soon", "2026-11-20T08:00:00Z", "31 Dec 9999 23:59:59 GMT"])
def test_v3_a_date_header_that_is_no_clocks_counts_as_absent(scene, web, date):
    sync_with_date(scene, date)
    assert "Clock skew" not in page(web, "/sync-status/")


def sync_with_date(scene, date):
    """Sync an instance and the project from responses with this Date header."""
    now, headers = datetime.now(UTC), {"Date": date}
    body = {"restore_record_response": [record("r-1")], "total_num": 1}
    scene.inject("/restores", kind="answer", headers=headers, body=body)
    counts = {"redis": {"restoring_count": 0}}
    scene.inject("/instances/status", kind="answer", headers=headers, body=counts)
    assert scene.sync().error is None
    assert scene.instance.complete_to < datetime.now(UTC)
    assert abs(Restore.objects.get().observations.get().seen_at - now) < timedelta(seconds=9)
    project = scheduling.take_over_project(scene.project, now)
    assert sync_project(project, scene.client) is None


# V4: progress


@pytest.mark.parametrize(
    ("sent", "shown"), [("37%", "37%"), ("37,50", "37.5%"), (" 37.25 % ", "37.2%"), (37, "37%")]
)
def test_v4_progress_is_shown_however_it_is_spelled(scene, web, sent, shown):
    sync(scene, record("r-1", status="restoring", updated_at=None, progress=sent))
    assert f", {shown} complete" in page(web, "/restores/r-1/")


# V5: a record that is too large


def nested(levels, value=None):
    for _ in range(levels):
        value = [value, "x"]
    return value


LARGE = {
    "42 kB of nested lists": {"later": nested(150, ["[]"] * 10_000)},
    "20,000 short texts": {"later": nested(18, ['"'] * 20_000)},
    "a name of 2 MB": {"restore_name": "n" * 2_000_000, "restore_remark": "<" * 300_000},
    "texts of emoji": dict.fromkeys(["restore_name", "backup_name", "backup_remark"], "😀" * 9000),
    "a field name of 1 MB": {"k" * 1_000_000: 1},
    "50,000 fields": {f"field {number}": number for number in range(50_000)},
    "a status of 1 MB": {"status": "s" * 1_000_000},
    "a code of 1 MB": {"status": "failed", "error_code": "c" * 1_000_000},
    "a time of 1 MB": {"created_at": "t" * 1_000_000},
    "a name of nested lists": {"restore_name": nested(300), "backup_id": nested(300)},
}


@pytest.mark.parametrize("name", LARGE)
def test_v5_no_record_makes_a_page_large_or_slow(scene, web, name):
    rows = [record("r-1", **LARGE[name]), record("r-2")]
    assert sync(scene, *rows).error is None
    restore = Restore.objects.get(restore_id="r-1")
    assert len(restore.raw.encode()) <= 65536
    json.loads(restore.raw)
    texts = (restore.restore_name, restore.restore_remark, restore.backup_name)
    assert max(map(len, texts)) <= 4096
    if "restore_name" in LARGE[name]:
        assert len(restore.restore_name) < 4096 or restore.restore_name.endswith("…")
    instance = f"/instances/{restore.instance.instance_id}/"
    columns = "created,ended,status,instance,restore,project,outcome"
    pages = ["/", f"/restores/?cols={columns}&size=200", "/restores/r-1/", instance, "/instances/"]
    others = ["/restores.json", "/restores/r-1.json", "/restores/r-1.md", "/restores.csv"]
    for url in [*pages, *others]:
        started = time.process_time()
        response = web.get(url)
        content = b"".join(response.streaming_content) if response.streaming else response.content
        assert (response.status_code, len(content) < 1_000_000) == (200, True), url
        assert time.process_time() - started < 2, url


@pytest.mark.parametrize("levels", [21, 500, 955, 100_000])
def test_v5_no_record_is_too_deep_for_its_page(scene, web, levels):
    sync(scene, record("r-1"))
    body = json.dumps({"restore_record_response": [record("r-1", x="@")], "total_num": 1})
    scene.clear_faults()
    deep = body.replace('"@"', "[" * levels + "]" * levels)
    scene.inject("/restores", kind="answer", body=deep)
    error = scene.sync().error
    assert (error and error.kind) == (None if levels < 1000 else "bad_answer")
    assert len(page(web, "/restores/r-1/")) < 100_000
    assert web.get("/restores/r-1.json").json()["restore_id"] == "r-1"


def test_v5_what_was_cut_is_marked(scene, web):
    sync(scene, record("r-1", restore_name="n" * 5000, later=nested(30), bulk=["b" * 90] * 900))
    restore = Restore.objects.get()
    assert restore.restore_name == "n" * 4095 + "…"
    raw = json.loads(restore.raw)
    assert raw["…"] == "1 larger fields were cut" and "bulk" not in raw
    depth, value = 1, raw["later"]
    while isinstance(value, list):
        depth, value = depth + 1, value[0]
    assert (depth, value) == (20, "…")


def test_v5_records_stored_before_there_were_limits_are_shown(web):
    make_restore("r-1", raw="[" * 100_000 + "]" * 100_000)
    assert "Raw API record" in page(web, "/restores/r-1/")
    assert web.get("/restores/r-1.json").json()["raw"].startswith("[[[")


def test_v5_large_backups_and_instances_make_no_page_large(scene, web):
    backups = [
        {"backup_id": f"b-{number}", "backup_name": "<" * 9000, "remark": "r" * 9000}
        for number in range(60)
    ]
    scene.list_restores()
    body = {"backup_record_response": backups, "total_num": 60}
    scene.inject("/backups", kind="answer", body=body)
    names = {"name": "<" * 9000, "engine": "e" * 9000, "az_codes": nested(90), "ip": ["i"] * 9000}
    scene.inject("/instances\\?", kind="edit", set=names)
    scene.sync()
    scene.sync_project()
    assert {len(name) for name in scene.instances.values_list("name", flat=True)} == {255}
    for url in ("/", "/instances/", f"/instances/{scene.instance.instance_id}/", "/sync-status/"):
        assert len(page(web, url)) < 1_000_000


def test_v5_a_large_error_message_is_cut_and_marked(scene, web):
    scene.inject("/restores", kind="answer", status=400, body={"error_msg": "m" * 1_000_000})
    scene.sync()
    assert scene.instance.sync_error_message.endswith("…")
    assert len(page(web, "/sync-status/")) < 1_000_000


def test_v5_ten_thousand_changes_make_no_page_large(web):
    restore = make_restore("r-1", status="restoring", ended_at=None)
    Observation.objects.bulk_create(
        Observation(
            restore=restore, seen_at=NOW + timedelta(seconds=n), status="restoring", progress=n % 99
        )
        for n in range(10_000)
    )
    html = page(web, "/restores/r-1/")
    assert len(html) < 1_000_000 and "9,700 earlier changes" in html


# V6: an ID as a ticket spells it


@pytest.mark.parametrize("form", ["{{{}}}", "“{}”", " {};", "({}),"])
def test_v6_an_id_is_found_as_a_ticket_spells_it(scene, web, form):
    instance, restore_id = scene.instance.instance_id, "3f2a9c1e-5b7d-4e80-9a1b-0c2d3e4f5a6b"
    sync(scene, record(restore_id))
    plain = restore_id.replace("-", "").upper()
    assert ids_of(web, urlencode({"ids": form.format(plain)})) == [restore_id]
    assert ids_of(web, urlencode({"instance": form.format(instance.upper())})) == [restore_id]
    for kind, text, url in (
        ("restores", plain, f"/restores/{restore_id}/"),
        ("instances", instance.upper(), f"/instances/{instance}/"),
    ):
        response = web.get(f"/{kind}/{quote(form.format(text))}/")
        assert (response.status_code, response.headers["Location"]) == (302, url)


# V7: an instance that is renamed


def rename(scene, **names):
    """Let the cloud list instances under other names, given by their ids."""
    rows = [
        {"instance_id": one.instance_id, "name": names.get(one.instance_id, one.name)}
        for one in scene.project.instances.all()
    ]
    body = {"instances": rows, "instance_num": len(rows)}
    scene.inject("/instances\\?", kind="answer", body=body)
    scene.sync_project()
    scene.clear_faults()


def test_v7_a_link_shows_the_name_that_an_instance_had(scene, web):
    sync(scene, record("r-1"))
    old, key = scene.instance.name, scene.instance.instance_id
    asof = stamp(ago() + timedelta(seconds=1))
    later = datetime.now(UTC) + timedelta(minutes=10)
    with time_machine.travel(later):
        rename(scene, **{key: "brand-new"})
        for query in (f"instance={old}&asof={asof}", f"ids=r-1&asof={asof}", f"asof={asof}"):
            html = page(web, f"/restores/?{query}")
            assert f"<bdi>{old}</bdi>" in html and "No access or not found" not in html, query
            [row] = web.get(f"/restores.json?{query}").json()["restores"]
            assert row["instance_name"] == old and row["now"]["instance_name"] == "brand-new"
        html = page(web, f"/restores/r-1/?asof={asof}")
        assert old in html and "Now: the instance is called brand-new" in html
        assert old in web.get(f"/restores/r-1.md?asof={asof}").content.decode()
        assert "brand-new" in page(web, "/restores/r-1/")


def test_v7_a_former_name_finds_the_instance_and_its_current_name_is_shown(scene, web):
    sync(scene, record("r-1"))
    old, key = scene.instance.name, scene.instance.instance_id
    rename(scene, **{key: "brand-new"})
    rename(scene, **{key: "newest"})
    for name in (old, "brand-new"):
        response = web.get(f"/restores.json?instance={name}").json()
        assert [row["restore_id"] for row in response["restores"]] == ["r-1"]
        assert (response["not_found"], response["renamed"]) == ([], {name: "newest"})
        html = page(web, f"/restores/?instance={name}")
        assert f"<bdi>{name}</bdi> is now called <bdi>newest</bdi>" in html
        assert ">newest</bdi>" in page(web, f"/instances/?q={name}")
        assert f"{old}, brand-new" in page(web, f"/instances/{key}/")
    assert web.get("/restores.json?instance=newest").json()["renamed"] == {}


def test_v7_a_name_finds_the_instance_that_has_it_rather_than_one_that_had_it(scene, web):
    first, second = scene.instances[:2]
    sync(scene, record("r-1"))
    scene.list_restores(record("r-2"))
    scene.clear_faults()
    scene.list_restores(record("r-2"))
    scene.sync(second)
    asof = stamp(ago() + timedelta(seconds=1))
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=10)):
        rename(scene, **{first.instance_id: "retired", second.instance_id: first.name})
        assert ids_of(web, f"instance={first.name}") == ["r-2"]
        assert ids_of(web, f"instance={first.name}&asof={asof}") == ["r-1"]


def test_v7_a_renamed_project_is_found_by_either_name(scene, web):
    sync(scene, record("r-1"))
    old, key = scene.project.name, scene.project.pk
    asof = stamp(ago() + timedelta(seconds=1))
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=10)):
        scene.file.write_text(scene.file.read_text().replace(f"[projects.{old}]", "[projects.x-1]"))
        load_accounts()
        assert Project.objects.get(pk=key).name == "x-1"
        assert ids_of(web, f"project={old}") == ids_of(web, "project=x-1") == ["r-1"]
        assert web.get(f"/restores.json?project={old}").json()["renamed"] == {old: "x-1"}
        [row] = web.get(f"/restores.json?project={old}&asof={asof}").json()["restores"]
        assert (row["project"], row["now"]["project"]) == (old, "x-1")


def test_v7_a_creation_time_that_moves_is_in_the_status_history(scene, web):
    first, second = ago(hours=5), ago(hours=3)
    sync(scene, record("r-1", created_at=stamp(first)))
    asof = stamp(ago() + timedelta(seconds=1))
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=10)):
        sync(scene, record("r-1", created_at=stamp(second)))
        assert Restore.objects.get().observations.count() == 2
        then = web.get(f"/restores/r-1.json?asof={asof}").json()
        times = [datetime.fromisoformat(one["created_at"]) for one in (then, then["now"])]
        assert times == [first, second]
        within = f"from={stamp(first)}&to={stamp(first + timedelta(minutes=1))}"
        assert ids_of(web, within) == []
        assert ids_of(web, f"{within}&asof={asof}") == ["r-1"]
        assert "Now: created " in page(web, f"/restores/r-1/?asof={asof}")


# A31: an instance that moves to another project


def list_in(scene, project, *instances, status="RUNNING"):
    """Let the cloud list these instances in a project, and sync the project."""
    rows = [{"instance_id": i, "name": "cart", "status": status} for i in instances]
    body = {"instances": rows, "instance_num": len(rows)}
    scene.inject(f"{project.project_id}/instances\\?", kind="answer", body=body)
    claimed = scheduling.take_over_project(project, datetime.now(UTC))
    assert sync_project(claimed, scene.client, full=True) is None
    scene.clear_faults()


@pytest.fixture
def elsewhere(scene):
    """Another project of the same account."""
    return Project.objects.filter(account=scene.project.account).exclude(pk=scene.project.pk)[0]


@pytest.fixture(params=["still listed in the old one", "no longer listed in the old one"])
def moved(request, scene, elsewhere):
    """A restore's instance, now in another project, and a time before it moved."""
    sync(scene, record("r-1"))
    instance, asof = scene.instance, stamp(ago() + timedelta(seconds=1))
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=10)):
        if request.param == "no longer listed in the old one":
            list_in(scene, scene.project, "i-other")
            instance.refresh_from_db()
            assert instance.deleted_at
        list_in(scene, elsewhere, instance.instance_id)
        list_in(scene, scene.project, "i-other")
        yield instance, asof


def test_a31_an_instance_that_moves_keeps_its_restores_and_is_monitored_once(
    scene, elsewhere, web, moved
):
    instance, _ = moved
    row = Instance.objects.get(instance_id=instance.instance_id)
    assert (row.pk, row.project, row.deleted_at) == (instance.pk, elsewhere, None)
    assert list(Restore.objects.values_list("restore_id", "project")) == [("r-1", elsewhere.pk)]
    found = web.get(f"/restores.json?ids={instance.instance_id}").json()["restores"]
    assert [(one["restore_id"], one["project"]) for one in found] == [("r-1", elsewhere.name)]
    assert ids_of(web, f"project={elsewhere.name}") == ["r-1"]
    assert ids_of(web, f"project={scene.project.name}") == []
    assert web.get("/restores/r-1.json").json()["project"] == elsewhere.name


def test_a31_the_page_of_an_instance_that_has_moved_names_both_projects(
    scene, elsewhere, web, moved
):
    instance, _ = moved
    for choice in ("", f"?project={scene.project.name}"):
        html = page(web, f"/instances/{instance.instance_id}/{choice}")
        assert f"Project:</span> <bdi>{elsewhere.name}</bdi>" in html
        assert f"<dt>Former projects</dt> <dd><bdi>{scene.project.name}</bdi></dd>" in html
        assert "Deleted by" not in html


def test_a31_a_link_from_before_the_move_shows_the_former_project(scene, elsewhere, web, moved):
    instance, asof = moved
    old, new, name = scene.project.name, elsewhere.name, quote(instance.name)
    for query in ("", f"project={old}", f"project={old}&instance={instance.instance_id}",
                  f"project={old}&instance={name}", f"project={old}&q=r-1"):  # fmt: skip
        answer = web.get(f"/restores.json?{query}&asof={asof}").json()
        assert answer["not_found"] == [], query
        [row] = answer["restores"]
        assert (row["project"], row["now"]["project"]) == (old, new), query
    assert ids_of(web, f"project={new}&asof={asof}") == []
    assert ids_of(web, f"project={new}&instance={instance.instance_id}&asof={asof}") == []
    html = page(web, f"/restores/r-1/?asof={asof}")
    assert f"the instance is in the project {new}" in html
    assert old in web.get(f"/restores/r-1.md?asof={asof}").content.decode()
    facets = page(web, f"/facets/?asof={asof}")
    offered = re.findall('<input type="checkbox" name="project" value="(.*?)"', facets)
    assert offered == [old]


def test_a31_a_live_link_to_the_former_project_finds_the_instance_and_says_where_it_is(
    scene, elsewhere, web, moved
):
    instance, _ = moved
    old, new, key = scene.project.name, elsewhere.name, instance.instance_id
    where = {"instance_id": key, "former_project": old, "project": new}
    spellings = (key, key.upper(), f"{{{key}}}", quote(instance.name), f"{key}&status=succeed",
                 f"{key}&from=now-2h", f"{key}&on=ended&from=now-2h", f"{key}&q=r-1",
                 f"{key}&region={scene.project.region}")  # fmt: skip
    for value in spellings:
        query = f"project={old}&instance={value}"
        answer = web.get(f"/restores.json?{query}").json()
        assert [row["restore_id"] for row in answer["restores"]] == ["r-1"], query
        assert answer["not_found"] == [], query
        [found] = answer["moved"]
        assert found.items() >= where.items(), query
        html = page(web, f"/restores/?{query}")
        assert f"has moved from the project <bdi>{old}</bdi> to <bdi>{new}</bdi>" in html, query
        assert "r-1" in web.get(f"/restores.csv?{query}").getvalue().decode(), query
        assert f"has moved from {old} to {new}" in web.get(f"/restores.md?{query}").content.decode()
    later = stamp(datetime.now(UTC) - timedelta(seconds=1))
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=10)):
        assert ids_of(web, f"project={old}&instance={key}&asof={later}") == ["r-1"]


def test_a31_no_list_of_the_former_project_says_none_for_a_time_before_the_move(
    scene, elsewhere, web, moved
):
    old, new = scene.project.name, elsewhere.name
    Instance.objects.update(complete_to=datetime.now(UTC))
    past = f"from={stamp(ago(hours=3))}&to={stamp(ago(minutes=1))}"
    for query in (f"project={old}&{past}", f"project={old}&{past}&on=running",
                  f"project={old}&{past}&q=r-1", f"project={old}"):  # fmt: skip
        html = page(web, f"/restores/?{query}")
        assert f"has moved from the project <bdi>{old}</bdi> to <bdi>{new}</bdi>" in html, query
        assert "Can’t tell" in html and "in this time range" not in html, query
    report = web.get(f"/reports/downtime.json?project={old}&{past}").json()
    assert (report["complete"], len(report["moved"])) == (False, 1)
    handover = web.get(f"/restores.md?format=handover&project={old}&{past}").content.decode()
    assert "none found so far" in handover
    since = f"project={old}&from={stamp(datetime.now(UTC) + timedelta(minutes=1))}"
    assert web.get(f"/restores.json?{since}").json()["moved"] == []


def test_a31_what_moved_to_another_customer_is_in_no_report_for_the_former_one(
    scene, elsewhere, web, moved
):
    instance, _ = moved
    Project.objects.filter(pk=scene.project.pk).update(customer="First")
    Project.objects.filter(pk=elsewhere.pk).update(customer="Second")
    query = f"customer=First&project={scene.project.name}&instance={instance.instance_id}"
    for path in ("restores.json", "reports/downtime.json"):
        answer = web.get(f"/{path}?{query}").json()
        assert not answer.get("restores") and not answer.get("rows")
        assert answer["not_found"] == [instance.instance_id]
        assert [one["project"] for one in answer["moved"]] == [elsewhere.name]
    assert "It has moved to another project." in page(web, f"/restores/?{query}")


def test_a31_who_sees_only_the_former_project_is_not_told_where_an_instance_is(
    scene, elsewhere, client, moved, django_user_model
):
    instance, _ = moved
    Instance.objects.update(complete_to=datetime.now(UTC))
    member = django_user_model.objects.create_user("former")
    scene.project.memberships.create(user=member)
    client.force_login(member)
    past = f"from={stamp(ago(hours=3))}&to={stamp(ago(minutes=1))}"
    for query in (f"instance={instance.instance_id}", past, f"{past}&on=running"):
        for project in ("", f"&project={scene.project.name}"):
            html = page(client, f"/restores/?{query}{project}")
            assert elsewhere.name not in html and "r-1" not in html, query
            assert "No results" in html or "Can’t tell" in html, query


def test_a31_a_member_of_the_new_project_alone_does_not_learn_of_the_former_one(
    scene, elsewhere, client, moved, django_user_model
):
    instance, asof = moved
    member = django_user_model.objects.create_user("member")
    elsewhere.memberships.create(user=member)
    client.force_login(member)
    for url in (f"/instances/{instance.instance_id}/", f"/restores/r-1/?asof={asof}",
                f"/restores/?asof={asof}", f"/restores.json?asof={asof}"):  # fmt: skip
        response = client.get(url)
        assert response.status_code == 200, url
        assert scene.project.name not in response.content.decode(), url


def test_a31_an_empty_list_of_the_former_project_asks_for_the_syncs_of_what_moved(
    scene, elsewhere, web, moved
):
    instance, asof = moved
    Instance.objects.filter(project=scene.project).update(complete_to=datetime.now(UTC))
    Instance.objects.filter(pk=instance.pk).update(complete_to=ago(hours=2))
    hour_ago = ago(hours=1)
    query = f"project={scene.project.name}&from={stamp(hour_ago)}&asof={asof}&q=nothing"
    assert "No restores" not in page(web, f"/restores/?{query}")


def test_a31_whoever_syncs_an_instance_while_it_moves_writes_nothing(scene, elsewhere):
    scene.list_restores(record("r-1"))
    [claimed] = scheduling.claim_selected([scene.instance.pk], datetime.now(UTC))
    list_in(scene, elsewhere, claimed.instance_id)
    scene.list_restores(record("r-1"))
    list(sync_instances([claimed], scene.client))
    assert not Restore.objects.exists()
    [again] = scheduling.claim_selected([claimed.pk], datetime.now(UTC))
    list(sync_instances([again], scene.client))
    assert list(Restore.objects.values_list("project", flat=True)) == [elsewhere.pk]


def test_a31_an_instance_that_is_restoring_moves_before_its_project_is_listed(scene, elsewhere):
    instance = scene.instance
    rows = [{"instance_id": instance.instance_id, "name": "cart", "status": "RESTORING"}]
    body = {"instances": rows, "instance_num": 1}
    scene.inject(f"{elsewhere.project_id}/instances\\?.*RESTORING", kind="answer", body=body)
    scene.inject(
        f"{elsewhere.project_id}/instances/status$", kind="answer", body={"restoring_count": 1}
    )
    far = datetime.now(UTC) + timedelta(hours=1)
    Project.objects.filter(pk=elsewhere.pk).update(next_discovery_at=far)
    claimed = scheduling.take_over_project(elsewhere, datetime.now(UTC))
    assert sync_project(claimed, scene.client) is None
    row = Instance.objects.get(instance_id=instance.instance_id)
    assert (row.pk, row.project) == (instance.pk, elsewhere)
    assert row.next_sync_at <= datetime.now(UTC)


def test_a31_an_instance_that_two_projects_list_moves_once(scene, elsewhere):
    key = scene.instance.instance_id
    for _ in range(3):
        list_in(scene, elsewhere, key)
        list_in(scene, scene.project, key)
    assert FormerProject.objects.count() == 1
    rows = Instance.objects.filter(instance_id=key, deleted_at=None)
    assert set(rows.values_list("project", flat=True)) == {elsewhere.pk, scene.project.pk}


def test_a31_an_instance_moves_back(scene, elsewhere):
    sync(scene, record("r-1"))
    key, pk = scene.instance.instance_id, scene.instance.pk
    list_in(scene, elsewhere, key)
    list_in(scene, elsewhere, "i-other")
    list_in(scene, scene.project, key)
    assert Instance.objects.get(instance_id=key) == Instance.objects.get(pk=pk)
    assert Restore.objects.get().project == scene.project


def test_a31_the_same_id_at_another_cloud_is_another_instance(scene, elsewhere):
    Project.objects.filter(pk=scene.project.pk).update(endpoint="https://dcs.example")
    list_in(scene, elsewhere, scene.instance.instance_id)
    assert Instance.objects.filter(instance_id=scene.instance.instance_id).count() == 2
    assert not FormerProject.objects.exists()
