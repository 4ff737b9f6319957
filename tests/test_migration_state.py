"""A database that a newer version has migrated: ./run refuses it, but running processes go on."""

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from restores.migration_state import unknown_migrations

NAME = "restores.9999_from_the_future"


@pytest.fixture
def newer(db):
    MigrationRecorder(connection).record_applied(*NAME.split("."))


def test_a_database_of_this_version_has_no_unknown_migration(web):
    MigrationRecorder(connection).record_applied("an_app_of_the_past", "0001_initial")
    assert unknown_migrations() == []
    assert web.get("/readyz").content == b"ok\n"
    assert b"older than the database" not in web.get("/sync-status/").content


def test_d8_migrate_refuses_a_newer_database_and_names_the_migration(newer):
    with pytest.raises((SystemCheckError, CommandError), match=NAME):
        call_command("migrate", "--noinput", "-v0", skip_checks=False)


def test_d8_web_and_worker_go_on_with_a_newer_database_and_say_so(newer, web):
    ready = web.get("/readyz")
    assert (ready.status_code, ready.content.decode()) == (
        200,
        f"ok\nmigrations: this code is older than {NAME}\n",
    )
    page = web.get("/sync-status/").content.decode()
    assert "This version is older than the database." in page and NAME in page
    assert web.get("/sync-status.json").json()["unknown_migrations"] == [NAME]
    assert web.get("/restores/").status_code == 200
    call_command("check")
