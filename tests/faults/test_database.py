"""The database goes away, freezes or fills up: pages say so, and nothing is lost."""

import os
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import pytest
from django.db import (
    DatabaseError,
    OperationalError,
    ProgrammingError,
    connection,
    connections,
    transaction,
)
from django.db.utils import ConnectionHandler
from django.template.loader import render_to_string
from django.test import Client, RequestFactory

from dashboard.errors import server_error
from restores.models import Instance, Restore
from restores.sync import conflicts
from tests.factories import make_instance, make_restore

from .kit import ROOT, Product, Proxy, Sqlite, until

ON_POSTGRES = os.environ.get("DATABASE_URL", "").startswith("postgres")
needs_postgres = pytest.mark.skipif(
    not ON_POSTGRES, reason="needs PostgreSQL: set TEST_DATABASE_URL=postgres://… and ./run test"
)
needs_sqlite = pytest.mark.skipif(ON_POSTGRES, reason="this fault exists on SQLite only")
RECOVERY = 60
PAGES = ("/", "/restores/", "/instances/", "/sync-status/", "/restores.json")


@pytest.fixture(scope="module")
def redis(redis):
    redis.start()
    return redis


@pytest.fixture(scope="module")
def proxy(scratch):
    """The connection to the database, which can be cut."""
    server = scratch.rows("select inet_server_port()")[0][0]
    proxy = Proxy(server)
    yield proxy
    proxy.close()


@pytest.fixture(scope="module")
def running(product, proxy):
    """Worker, beat and web behind the proxy, and a user who is signed in."""
    product.web_environment["DATABASE_URL"] = product.database.through(proxy.port)
    since = datetime.now(UTC)
    product.worker_and_beat = product.worker(), product.beat()
    product.site = product.web()
    product.site.sign_in(product.command("login_link", "root", "--create"))
    product.wait_until_synced(since, RECOVERY)
    return product


@pytest.fixture
def proxy_to_resume(proxy):
    yield proxy
    proxy.resume()


@needs_postgres
@pytest.mark.xdist_group("database")
def test_d1_pages_say_within_two_seconds_that_the_database_is_unavailable(running, proxy_to_resume):
    assert running.site.get("/").status == 200
    proxy_to_resume.cut()

    responses = [running.site.get(path) for path in PAGES]

    assert {response.status for response in responses} == {503}
    assert max(response.seconds for response in responses) < 2
    assert "Database unavailable" in responses[0].text
    assert "Traceback" not in "".join(response.text for response in responses)
    assert running.site.get("/healthz").status == 200
    assert running.site.get("/readyz").status == 503


@needs_postgres
@pytest.mark.xdist_group("database")
def test_d1_a_page_waits_for_a_frozen_database(running, proxy_to_resume):
    proxy_to_resume.freeze()
    with ThreadPoolExecutor(1) as pool:
        page = pool.submit(running.site.get, "/")
        assert running.site.get("/healthz").status == 200
        proxy_to_resume.resume()

        # An open connection works again; one that was being opened may have timed out.
        assert page.result().status in (200, 503)

    assert running.site.get("/").status == 200


@needs_postgres
@pytest.mark.xdist_group("database")
@pytest.mark.parametrize("fault", ["cut", "freeze"])
def test_d1_work_resumes_when_the_database_is_back(running, proxy_to_resume, fault):
    due = running.make_due()
    getattr(proxy_to_resume, fault)()
    away = monotonic()
    until(lambda: monotonic() - away > 2, 5)
    proxy_to_resume.resume()

    until(lambda: running.site.get("/readyz").status == 200, 15)
    assert running.wait_until_synced(due, RECOVERY) < RECOVERY
    assert all(program.alive for program in running.worker_and_beat)


@needs_postgres
@pytest.mark.xdist_group("database")
def test_d1_a_claim_whose_commit_got_no_response_is_released(running, proxy_to_resume):
    proxy_to_resume.cut_at_commit(of=b'"fencing_token" = ("restores_instance"."fencing_token" + 1)')
    due = running.make_due()
    until(lambda: proxy_to_resume.is_cut, 15)
    proxy_to_resume.resume()

    assert running.wait_until_synced(due, RECOVERY) < RECOVERY


@needs_postgres
@pytest.mark.xdist_group("database")
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param("cut", marks=pytest.mark.long(ci=True)),
        pytest.param("freeze", marks=pytest.mark.long),
    ],
)
def test_d1_work_resumes_after_a_minute_without_database(running, proxy_to_resume, fault):
    due = running.make_due()
    getattr(proxy_to_resume, fault)()
    away = monotonic()
    until(lambda: monotonic() - away > 60, 70)
    proxy_to_resume.resume()

    until(lambda: running.site.get("/readyz").status == 200, 15)
    assert running.wait_until_synced(due, RECOVERY) < RECOVERY
    assert all(program.alive for program in running.worker_and_beat)


@needs_postgres
@pytest.mark.long
@pytest.mark.xdist_group("database")
def test_d1_a_worker_started_without_database_waits_for_it(running, proxy_to_resume):
    proxy_to_resume.cut()
    worker = running.worker("-n", "second@%h")
    until(lambda: "ready" in worker.output() and "connection" in worker.output(), 30, worker.output)
    proxy_to_resume.resume()

    assert running.wait_until_synced(running.make_due(), RECOVERY) < RECOVERY
    worker.kill()


def overwrite(file, start, count):
    """Damage a database file: its head, or everything after it."""
    for log in (f"{file}-wal", f"{file}-shm"):
        Path(log).unlink(missing_ok=True)
    with file.open("r+b") as damaged:
        size = damaged.seek(0, 2)
        damaged.seek(start)
        damaged.write(b"damaged " * (min(count, size - start) // 8))


DAMAGES = {"not a database": (0, 512), "malformed": (100, 10_000_000)}


@needs_sqlite
@pytest.mark.parametrize("damage", DAMAGES)
def test_d7_a_damaged_file_is_explained_at_startup(tmp_path, damage):
    product = Product(tmp_path, Sqlite(tmp_path))
    product.migrate()
    overwrite(product.database.file, *DAMAGES[damage])
    for command in ("migrate", "sync", "login_link"):
        done = subprocess.run(
            [sys.executable, "manage.py", command, *(["root"] if command == "login_link" else [])],
            env=product.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        if command != "sync":  # without a projects file it doesn't get that far
            assert f"The database {product.database.file} is damaged (" in done.stderr
            assert "restore it from a backup" in done.stderr
        assert done.returncode == 1 and "Traceback" not in done.stderr


@needs_sqlite
@pytest.mark.parametrize("damage", DAMAGES)
def test_d7_pages_say_that_the_file_is_damaged(db, tmp_path, damage):
    database = Sqlite(tmp_path)
    Product(tmp_path, database).migrate()
    overwrite(database.file, *DAMAGES[damage])
    default = connection.settings_dict | {"NAME": database.file}
    damaged = ConnectionHandler({"default": default})["default"]
    try:
        damaged.cursor().execute("select count(*) from restores_restore")
    except DatabaseError:
        response = server_error(RequestFactory().get("/"))
    finally:
        damaged.close()
    assert (response.status_code, response["Retry-After"]) == (503, "600")
    assert "<h1>Database damaged</h1>" in response.content.decode()


@pytest.mark.parametrize("error", [ProgrammingError("no such column: x"), ValueError("x")])
def test_an_uncaught_exception_is_a_500_and_promises_nothing(error):
    try:
        raise error
    except type(error):
        response = server_error(RequestFactory().get("/"))
    assert response.status_code == 500
    for page in (response.content.decode(), *map(render_to_string, ("400.html", "503.html"))):
        assert not re.search("lost|logged|Nothing was", page)


@needs_postgres
@pytest.mark.xdist_group("database")
def test_d5_connections_ended_by_the_server_again_and_again_stop_nothing(running):
    due, statuses = running.make_due(), []
    for _ in range(10):
        running.database.rows(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
        statuses.append(running.site.get("/").status)

    assert set(statuses) == {200}
    assert running.wait_until_synced(due, RECOVERY) < RECOVERY


@pytest.fixture
def no_free_connection(transactional_db):
    """A database that accepts no more of our connections."""
    name = f"limited_{os.getpid()}"
    with connection.cursor() as cursor:
        cursor.execute(f"create role {name} login password 'limited' connection limit 0")
    own = {key: connection.settings_dict[key] for key in ("USER", "PASSWORD")}

    def use_up():
        connection.close()
        connection.settings_dict |= {"USER": name, "PASSWORD": "limited"}

    yield use_up
    connection.close()
    connection.settings_dict |= own
    with connection.cursor() as cursor:
        cursor.execute(f"drop role {name}")


@needs_postgres
def test_d5_pages_say_that_the_database_has_no_free_connection(web, no_free_connection):
    web.raise_request_exception = False
    no_free_connection()
    for path in (*PAGES, "/lookup/?q=x", "/nowhere/", "/admin/", "/restores.csv"):
        response = web.get(path)
        assert (response.status_code, response["Retry-After"]) == (503, "10"), path
        assert "<h1>Database busy</h1>" in response.content.decode(), path
    response = web.post("/login/", {"username": "root", "password": "x"})
    assert response.status_code == 503 and "<h1>Database busy</h1>" in response.content.decode()
    probe = Client()
    assert (probe.get("/healthz").status_code, probe.get("/readyz").status_code) == (200, 503)


@pytest.mark.parametrize(
    ("reason", "title"),
    [
        ("FATAL:  sorry, too many clients already", "Database busy"),
        ("FATAL:  remaining connection slots are reserved for roles with …", "Database busy"),
        ("FATAL:  remaining connection slots are reserved for non-replication …", "Database busy"),
        ('FATAL:  too many connections for role "dcs"', "Database busy"),
        ('FATAL:  too many connections for database "dcs"', "Database busy"),
        ("FATAL:  no more connections allowed (max_client_conn)", "Database busy"),
        ('FATAL:  password authentication failed for user "dcs"', "Database unavailable"),
        ("FATAL:  the database system is starting up", "Database unavailable"),
        ("Connection refused", "Database unavailable"),
    ],
)
def test_d5_why_a_connection_was_refused_is_explained(rf, reason, title):
    try:
        raise OperationalError(f'connection to server at "db", port 5432 failed: {reason}')
    except OperationalError:
        response = server_error(rf.get("/"))
    assert response.status_code == 503
    assert f"<h1>{title}</h1>" in response.content.decode()


@needs_postgres
@pytest.mark.django_db(transaction=True)
def test_d2_the_victim_of_a_deadlock_is_retried():
    pair = [make_instance("one").pk, make_instance("two").pk]
    meeting, runs = threading.Barrier(2), []

    @conflicts.retry_on_conflict
    @transaction.atomic
    def rename(order):
        runs.append(order)
        Instance.objects.filter(pk=order[0]).update(az="touched")
        if len(runs) <= 2:
            meeting.wait(10)
        Instance.objects.filter(pk=order[1]).update(name=f"renamed by {order[0]}")

    def other():
        rename(pair[::-1])
        connections.close_all()

    thread = threading.Thread(target=other)
    thread.start()
    rename(pair)
    thread.join()

    assert len(runs) == 3
    names = Instance.objects.order_by("pk").values_list("name", flat=True)
    assert list(names) == [f"renamed by {pair[1]}", f"renamed by {pair[0]}"]


@pytest.mark.parametrize(("failures", "runs"), [(0, 1), (3, 4), (9, 4)])
def test_d2_a_transaction_is_retried_three_times_at_most(failures, runs, db_away):
    count = []

    @conflicts.retry_on_conflict
    def write():
        count.append(1)
        if len(count) <= failures:
            raise OperationalError("deadlock detected") from db_away("40P01")

    if failures > 3:
        with pytest.raises(OperationalError):
            write()
    else:
        write()
    assert len(count) == runs


def test_d2_a_broken_connection_is_not_retried(db_away):
    count = []

    @conflicts.retry_on_conflict
    def write():
        count.append(1)
        raise OperationalError("gone") from db_away("57P01")

    with pytest.raises(OperationalError):
        write()
    assert len(count) == 1


@pytest.fixture
def db_away(monkeypatch):
    """Make errors as the database driver raises them."""

    class Refusal(Exception):
        def __init__(self, sqlstate):
            self.sqlstate = sqlstate

    return Refusal


@needs_sqlite
@pytest.mark.django_db(transaction=True)
def test_d4_pages_do_not_wait_for_the_write_lock(web):
    make_restore("r-1")
    web.get("/restores/")
    held, release = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            Restore.objects.update(search="held")
            held.set()
            release.wait(30)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)
    start = monotonic()
    statuses = [web.get(path).status_code for path in PAGES[:4]]
    took = monotonic() - start
    release.set()
    thread.join()

    assert statuses == [200] * 4
    assert took < 2


@needs_sqlite
@pytest.mark.django_db(transaction=True)
def test_d3_a_full_disk_rolls_the_whole_transaction_back_and_pages_still_work(web, full_disk):
    instance = make_instance()
    make_restore("before", instance=instance)
    full_disk()

    with pytest.raises(OperationalError, match="full"), transaction.atomic():
        instance.restores.update(restore_name="half of it")
        for number in range(1000):
            make_restore(f"r-{number}", instance=instance, raw="x" * 4000)

    assert list(Restore.objects.values_list("restore_id", flat=True)) == ["before"]
    assert Restore.objects.get().restore_name == "restore_before"
    assert web.get("/restores/").status_code == 200


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OperationalError("database or disk is full"), "Database disk full"),
        (OperationalError("connection refused"), "Database unavailable"),
    ],
)
def test_d3_a_page_that_must_write_says_why_it_cannot(rf, error, words):
    try:
        raise error
    except OperationalError:
        response = server_error(rf.get("/"))

    assert (response.status_code, response["Retry-After"]) == (503, "10")
    assert f"<h1>{words}</h1>" in response.content.decode()


@pytest.fixture
def full_disk(db):
    """Keep the database from growing."""
    cursor = connection.cursor()

    def filled():
        pages = cursor.execute("pragma page_count").fetchone()[0]
        cursor.execute(f"pragma max_page_count = {pages + 20}")

    yield filled
    cursor.execute("pragma max_page_count = 1073741823")
