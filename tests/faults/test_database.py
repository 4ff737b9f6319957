"""The database goes away, freezes or fills up: pages say so, and nothing is lost."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from time import monotonic

import pytest
from django.db import OperationalError, connection, connections, transaction

from dashboard.errors import server_error
from restores.models import Instance, Restore
from restores.sync import conflicts
from tests.factories import make_instance, make_restore

from .kit import Proxy, until

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

    answers = [running.site.get(path) for path in PAGES]

    assert {answer.status for answer in answers} == {503}
    assert max(answer.seconds for answer in answers) < 2
    assert "Database unavailable" in answers[0].text
    assert "Traceback" not in "".join(answer.text for answer in answers)
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

        # A connection that was open answers; one that was being opened may have timed out.
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
    begun = monotonic()
    statuses = [web.get(path).status_code for path in PAGES[:4]]
    took = monotonic() - begun
    release.set()
    thread.join()

    assert statuses == [200] * 4
    assert took < 2


@needs_sqlite
@pytest.mark.django_db(transaction=True)
def test_d3_a_full_disk_rolls_the_whole_transaction_back_and_pages_still_answer(web, full_disk):
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
        answer = server_error(rf.get("/"))

    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    assert f"<h1>{words}</h1>" in answer.content.decode()


@pytest.fixture
def full_disk(db):
    """Keep the database from growing."""
    cursor = connection.cursor()

    def filled():
        pages = cursor.execute("pragma page_count").fetchone()[0]
        cursor.execute(f"pragma max_page_count = {pages + 20}")

    yield filled
    cursor.execute("pragma max_page_count = 1073741823")
