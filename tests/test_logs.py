"""Logs: text or JSON, with IDs that tie lines together; a refused request is no warning."""

import json
import logging
import logging.config
from datetime import UTC, datetime

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client

from dashboard.logs import AddIds, JsonFormatter, TextFormatter
from restores import log_ids, tasks
from restores.models import Instance, Project
from tests.test_printable import EVIL

EARLIER, LATER = (datetime(year, 1, 1, tzinfo=UTC) for year in (2020, 2100))


class Lines(logging.Handler):
    """What the log says, by the filters and the formatter of LOG_FORMAT=json."""

    def __init__(self):
        super().__init__()
        self.setFormatter(JsonFormatter())
        self.addFilter(AddIds())
        self.lines = []

    def emit(self, record):
        self.lines.append(self.format(record))

    @property
    def objects(self):
        return [json.loads(line) for line in self.lines]


@pytest.fixture
def log():
    handler = Lines()
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


def record(message="m", *arguments, **fields):
    made = logging.LogRecord("a.logger", logging.ERROR, "", 1, message, arguments, None)
    made.__dict__ |= fields
    return made


# Formats


def test_json_has_one_object_a_line_with_time_level_logger_and_message():
    line = JsonFormatter().format(record("Sync of %s failed", "x"))
    found = json.loads(line)
    assert datetime.fromisoformat(found.pop("time")).utcoffset().total_seconds() == 0
    assert found == {"level": "ERROR", "logger": "a.logger", "message": "Sync of x failed"}


@pytest.mark.parametrize("evil", [*EVIL, "\n", "\u2028", '"', "\ud800", "密码"])
def test_no_text_breaks_a_line_of_json(evil):
    line = JsonFormatter().format(record("a%sb", evil))
    assert line.isascii() and line.isprintable() and len(line.splitlines()) == 1
    assert json.loads(line)["message"] == f"a{evil}b"


def test_an_exception_is_part_of_the_object():
    try:
        raise ValueError("no\nsuch thing")
    except ValueError as error:
        made = record(exc_info=(ValueError, error, error.__traceback__))
    line = JsonFormatter().format(made)
    assert len(line.splitlines()) == 1
    assert json.loads(line)["exception"].endswith("ValueError: no\nsuch thing")


def test_json_has_ids_and_places_and_nothing_else_that_a_library_attaches():
    given = {"request_id": "r", "sync_id": "", "provider_request_id": "p", "project": "shop"}
    line = JsonFormatter().format(record(request="<WSGIRequest: GET '/?q=secret'>", **given))
    found = json.loads(line)
    assert {name: found.get(name, "") for name in given} == given
    assert "sync_id" not in found and "secret" not in line


def test_text_has_the_ids_after_the_message():
    text = TextFormatter("{levelname} {message}", style="{")
    assert text.format(record(sync_id="s", provider_request_id="p\x1b")) == (
        "ERROR m [sync_id=s provider_request_id=p�]"
    )
    assert text.format(record()) == "ERROR m"


@pytest.mark.parametrize("format", ["text", "json"])
def test_the_settings_have_both_formats(settings, format, capsys):
    config = json.loads(json.dumps(settings.LOGGING))
    config["handlers"]["stderr"]["formatter"] = format
    formatter = logging.config.DictConfigurator(config)
    made = formatter.configure_formatter(config["formatters"][format])
    assert isinstance(made, {"text": TextFormatter, "json": JsonFormatter}[format])
    assert config["handlers"]["stderr"]["filters"] == ["tokens", "ids"]


# Requests


@pytest.fixture
def failing(client, monkeypatch):
    """A client of a dashboard whose database has gone, which is logged."""
    client.raise_request_exception = False
    monkeypatch.setattr("dashboard.health.HttpResponse", _raise)
    return client


def _raise(*_, **__):
    raise OperationalError("gone")


def test_an_error_page_and_its_log_line_have_the_id_of_the_response(failing, log, monkeypatch):
    response = failing.get("/healthz")
    request_id = response.headers["X-Request-ID"]
    assert response.status_code == 503 and len(request_id) == 32
    assert f"Request ID: <code>{request_id}</code>" in response.content.decode()
    [line] = log.objects
    assert (line["level"], line["request_id"]) == ("ERROR", request_id)
    assert failing.get("/healthz").headers["X-Request-ID"] != request_id


def test_a_request_id_from_the_proxy_is_kept(failing, log):
    given = "3f0c2f6e-8b1d.trace_1"
    response = failing.get("/healthz", headers={"x-request-id": given})
    assert response.headers["X-Request-ID"] == given == log.objects[0]["request_id"]


@pytest.mark.parametrize(
    "given", ["", "short", "x" * 65, "a b c d e f", "<script>alert(1)", "-starts-with", "ü" * 9]
)
def test_an_invalid_request_id_is_replaced(client, given):
    response = client.get("/healthz", headers={"x-request-id": given})
    assert response.headers["X-Request-ID"] not in ("", given)
    assert len(response.headers["X-Request-ID"]) == 32


def test_after_a_request_its_id_is_forgotten(client):
    client.get("/healthz")
    assert log_ids.request_id.get() == ""


def test_a_refused_request_is_not_logged_as_a_warning(client, web, log):
    strict = Client(enforce_csrf_checks=True)
    statuses = [
        web.get("/nowhere/").status_code,
        web.get("/restores/?size=x").status_code,
        web.put("/restores/").status_code,
        strict.post("/logout/").status_code,
        web.get("/", headers={"host": "evil.example"}).status_code,
    ]
    assert statuses == [404, 400, 405, 403, 400]
    configured = logging.getLogger().getEffectiveLevel()
    levels = {line["level"] for line in log.objects}
    assert configured == logging.INFO and levels <= {"INFO"}


# Syncs


@pytest.fixture
def due(simulator, transactional_db):
    """A simulated cloud that was synced once, and two projects with an instance that is due."""
    call_command("sync")
    Project.objects.update(next_sync_at=LATER)
    Instance.objects.update(next_sync_at=LATER)
    make_due()
    return simulator


def make_due():
    for project in Project.objects.order_by("pk")[:2]:
        first = Instance.objects.monitored().filter(project=project).order_by("pk")[:1]
        Instance.objects.filter(pk__in=[one.pk for one in first]).update(next_sync_at=EARLIER)


def failures(log):
    return [line for line in log.objects if line["logger"] == "restores.sync.results"]


def test_a_failed_sync_is_logged_once_with_its_id_and_that_of_the_provider(due, log):
    due.faults.add({"kind": "status", "status": 400, "match": "/restores"})
    tasks.sync_instances()
    lines = failures(log)
    assert lines and {line["level"] for line in lines} == {"WARNING"}
    for line in lines:
        instance = Instance.objects.get(instance_id=line["instance"])
        assert line["provider_request_id"] == instance.sync_error_request_id != ""
        assert line["project"] == instance.project.name
        assert line["account"] == instance.project.account.name
        assert len(line["sync_id"]) == 32
        assert line["message"].endswith(f"failed: {instance.sync_error_message}")
    syncs = {line["sync_id"] for line in lines}
    assert len(syncs) == 2, "each batch is a sync of its own"
    make_due()
    tasks.sync_instances()
    assert len(failures(log)) == len(lines), "the same error again is no news"

    due.faults.clear()
    make_due()
    tasks.sync_instances()
    again = failures(log)[len(lines) :]
    assert {line["level"] for line in again} == {"INFO"} and len(again) == len(lines)
    assert all(line["message"].endswith("works again.") for line in again)


def test_threads_log_the_id_of_their_sync(due, log):
    due.faults.add({"kind": "status", "status": 400, "match": "/backups"})
    Instance.objects.update(backups_due_at=None)
    tasks.sync_instances()
    lines = [line for line in log.objects if line["message"].startswith("The backups of")]
    assert lines and all(line["sync_id"] and line["provider_request_id"] for line in lines)
