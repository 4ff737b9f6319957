"""/metrics: who may read it, and what it says."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families

from restores import metrics
from restores.models import CallCount, Heartbeat, Instance
from tests.factories import NOW, make_account, make_instance, make_project, make_restore

TOKEN = "0123456789-abcdef._~+/0123456789=="
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


def samples(text=None):
    """Every sample: its value by name and labels."""
    text = text or metrics.metrics_text().decode()
    return {
        (sample.name.removeprefix("dcs_restores_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def seconds(**ago):
    return NOW - timedelta(**ago)


# Who may read it


def test_without_a_token_there_are_no_metrics(client, web):
    for reader in (client, web):
        assert reader.get("/metrics").status_code == 404
        assert reader.get("/metrics", headers={"authorization": "Bearer "}).status_code == 404


def test_prometheus_reads_the_metrics_with_the_token(client, settings):
    settings.METRICS_TOKEN = TOKEN
    response = client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    assert samples(response.content.decode())["info", settings.VERSION] == 1


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", TOKEN, "é"]
)
def test_even_a_superuser_cannot_read_metrics_without_the_token(web, settings, header):
    settings.METRICS_TOKEN = TOKEN
    response = web.get("/metrics", headers={"authorization": header} if header is not None else {})
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert b"dcs_restores" not in response.content


def test_metrics_can_be_read_over_http_in_an_internal_network(client, settings):
    settings.SECURE_SSL_REDIRECT = True
    settings.METRICS_TOKEN = TOKEN
    response = client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert response.status_code == 200


# What it says


def test_restores_in_progress_stuck_and_unresolved_are_counted_by_project():
    shop, bank = (make_instance(name, project=make_project(name)) for name in ("shop", "bank"))
    make_restore("running", instance=shop, status="restoring", created_at=seconds(minutes=5))
    make_restore("stuck", instance=shop, status="restoring", created_at=seconds(hours=9))
    make_restore("failed", instance=bank, status="failed")
    make_restore("recovered", instance=bank, status="failed", recovered_at=NOW)
    make_restore("old", instance=bank, status="failed", created_at=seconds(hours=25))
    found = samples()
    assert (found["in_progress", "shop"], found["stuck", "shop"]) == (2, 1)
    assert (found["in_progress", "bank"], found["stuck", "bank"]) == (0, 0)
    assert (found["unresolved", "shop"], found["unresolved", "bank"]) == (0, 1)


def test_failures_are_counted_by_code_within_an_hour_and_a_day():
    for minutes in (10, 50, 70, 24 * 60 + 1):
        make_restore(status="failed", error_code="DCS.08.0007", created_at=seconds(minutes=minutes))
    make_restore(status="failed", created_at=seconds(minutes=1))
    make_restore(status="failed", error_code="<b>Shopwell</b>", created_at=seconds(minutes=1))
    make_restore(status="succeed", error_code="dcs.08.0007", created_at=seconds(minutes=1))
    found = samples()
    assert found["failed", "dcs.08.0007", "1h"] == 2
    assert found["failed", "dcs.08.0007", "24h"] == 3
    assert found["failed", "none", "1h"] == found["failed", "other", "1h"] == 1


def test_however_many_codes_there_are_the_rarest_are_counted_together():
    for number in range(60):
        for _ in range(2 if number < 5 else 1):
            code = f"dcs.{number}"
            make_restore(status="failed", error_code=code, created_at=seconds(minutes=1))
    codes = {key[1]: value for key, value in samples().items() if key[0] == "failed"}
    assert len(codes) == 21 and sum(codes.values()) == 65
    assert codes["dcs.4"] == 2 and codes["other"] == 40


def test_the_age_of_data_is_that_of_the_pages():
    make_instance("a", complete_to=seconds(minutes=20))
    make_instance("b", complete_to=seconds(minutes=90), sync_error_kind="gone")
    make_project("empty", listed_at=seconds(minutes=3))
    make_instance("never", complete_to=None, project=make_project("new"))
    make_project("unlisted", listed_at=None)
    make_project("former", monitored=False)
    found = samples()
    ages = {key[1]: value for key, value in found.items() if key[0] == "data_age_seconds"}
    assert ages == {"shop-prod": 1200, "empty": 180}
    assert found["sync_interval_seconds", "shop-prod"] == 900
    assert found["instances", "shop-prod"] == 2
    assert found["instances_with_sync_error", "shop-prod"] == 1
    assert found["instances_never_synced", "new"] == 1


def test_due_and_claimed_instances_and_projects_are_counted():
    project = make_project(next_sync_at=seconds(seconds=4))
    make_project("held", lease_until=NOW + timedelta(seconds=9), next_sync_at=NOW)
    make_project("later", next_sync_at=NOW + timedelta(minutes=1))
    make_instance("due", project=project, next_sync_at=seconds(minutes=2))
    make_instance(
        "over",
        project=project,
        next_sync_at=seconds(minutes=1),
        lease_until=NOW - timedelta(seconds=1),
    )
    make_instance("held", project=project, next_sync_at=seconds(minutes=3), lease_until=NOW)
    make_instance("later", project=project, next_sync_at=NOW + timedelta(minutes=1))
    make_instance("parked", project=project, next_sync_at=seconds(days=2), sync_error_kind="parked")
    failing = make_project("failing", failures=3, next_sync_at=NOW + timedelta(minutes=1))
    make_instance("waits", project=failing, next_sync_at=seconds(days=1))
    found = samples()
    assert (found["instances_due",], found["instances_leased",]) == (2, 1)
    assert (found["projects_due",], found["projects_leased",]) == (1, 1)
    assert found["longest_due_seconds",] == 120


def test_sync_errors_are_counted_by_kind():
    account = make_account("down", sync_error_kind="credentials")
    make_project("down", account=account, sync_error_kind="credentials")
    make_account("undiscovered", sync_error_kind="discovery")
    make_project("former", account=make_account("former", sync_error_kind="clock"), monitored=False)
    for number in range(3):
        make_instance(f"i{number}", sync_error_kind="unreachable")
    make_instance("i3", sync_error_kind="invented later")
    found = {
        key[1:]: value for key, value in samples().items() if key[0] == "sync_errors" and value
    }
    assert found == {
        ("credentials", "account"): 1,
        ("discovery", "account"): 1,
        ("credentials", "project"): 1,
        ("unreachable", "instance"): 3,
        ("other", "instance"): 1,
    }


def test_paused_accounts_and_reserved_calls_are_shown():
    for name, until in (("paused", NOW + timedelta(minutes=5)), ("over", NOW), ("never", None)):
        account = make_account(name, paused_until=until, reserved_until=until)
        make_project(name, account=account)
    found = samples()
    assert [found["account_paused", name] for name in ("paused", "over", "never")] == [1, 0, 0]
    assert found["account_queue_seconds", "paused"] == 300
    assert found["account_queue_seconds", "over"] == found["account_queue_seconds", "never"] == 0


def test_upstream_calls_are_counted_by_account_and_status():
    make_project()
    CallCount.objects.create(account=make_account(), status="429", count=7)
    assert samples()["upstream_calls_total", "shop", "429"] == 7


@pytest.mark.parametrize(("ago", "missed"), [(None, float("inf")), (4, 0), (61, 12), (-2, 0)])
def test_missed_ticks_are_counted(ago, missed):
    if ago is not None:
        Heartbeat.objects.create(pk=Heartbeat.TICK_FINISHED, at=seconds(seconds=ago))
    assert samples()["ticks_missed",] == missed


def test_lost_ticks_are_shown():
    assert samples()["ticks_lost",] == 0
    Heartbeat.objects.create(pk=Heartbeat.TICKS_LOST, at=NOW)
    assert samples()["ticks_lost",] == 1


# What it costs, and what it must not tell


def test_metrics_never_name_a_customer_instance_or_restore():
    instance = make_instance("secret-name", instance_id="secret-id", ip="10.9.8.7")
    make_restore("secret-restore", instance=instance, status="failed", error_code="secret code")
    text = metrics.metrics_text().decode()
    assert "shop-prod" in text
    for told in ("Shopwell", "secret", "10.9.8.7", "project-of-", "dcs.example"):
        assert told not in text


def queries_and_lines():
    with CaptureQueriesContext(connection) as queries:
        text = metrics.metrics_text()
    return len(queries), len(text.splitlines())


def test_neither_queries_nor_lines_grow_with_instances_and_restores():
    def add(number):
        for _ in range(number):
            instance = make_instance(f"i{Instance.objects.count()}", sync_error_kind="gone")
            make_restore(instance=instance, status="failed", error_code="dcs.08.0007")
            make_restore(instance=instance, status="restoring")

    add(1)
    few = queries_and_lines()
    add(9)
    assert queries_and_lines() == few
    make_project("another")
    assert queries_and_lines()[0] == few[0] <= 14


def test_more_restores_than_the_lists_count_are_not_read(monkeypatch):
    monkeypatch.setattr(metrics, "_MAX_RESTORES", 3)
    for minutes in range(5):
        made = seconds(minutes=minutes)
        make_restore(status="failed", error_code=f"dcs.{minutes}", created_at=made)
        make_restore(status="waiting", created_at=made)
    found = samples()
    assert found["in_progress", "shop-prod"] == found["unresolved", "shop-prod"] == 3
    assert {key[1] for key in found if key[0] == "failed"} == {"dcs.0", "dcs.1", "dcs.2"}


@pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL has a time limit")
def test_a_scrape_that_takes_too_long_ends_with_a_503(client, settings, monkeypatch):
    settings.METRICS_TOKEN = TOKEN
    monkeypatch.setattr(metrics, "_STATEMENT_TIMEOUT", "1ms")
    make_project()
    client.raise_request_exception = False

    def slow(self):
        with connection.cursor() as cursor:
            cursor.execute("select pg_sleep(5)")
        return iter(())

    monkeypatch.setattr(metrics._DatabaseCollector, "collect", slow)
    response = client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert response.status_code == 503
