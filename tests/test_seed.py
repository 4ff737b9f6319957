"""The command ``seed``: a synthetic world that is the same for the same numbers."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db.models import Max

from restores.explain.estimates import usual_of
from restores.models import (
    Account,
    Backup,
    Instance,
    Observation,
    Project,
    ProjectState,
    Restore,
)
from restores.sync import store

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _frozen():
    with time_machine.travel(NOW, tick=False):
        yield


def seed(restores=2000, **options):
    call_command("seed", restores=restores, verbosity=0, **options)


def test_the_same_numbers_give_the_same_world():
    def world():
        seed(200)
        found = [
            list(model.objects.order_by("pk").values_list(*fields))
            for model, fields in (
                (Instance, ("instance_id", "name", "complete_to", "project__name")),
                (Restore, ("restore_id", "instance__instance_id", "created_at", "status", "raw")),
                (Observation, ("restore__restore_id", "seen_at", "status")),
                (Backup, ("backup_id", "size")),
            )
        ]
        for model in (Observation, Restore, Backup, Instance, Project, Account):
            model.objects.all().delete()
        return found

    assert world() == world()


def test_a_world_has_the_requested_number_of_restores_over_three_years():
    seed(2000)
    assert Restore.objects.count() == 2000
    assert Restore.objects.filter(created_at__gte=NOW - timedelta(days=3 * 365)).count() == 2000
    assert not Restore.objects.filter(changed_at__gt=NOW).exists()


def test_a_world_has_every_kind_of_row_that_pages_show():
    seed(3000, sync_errors=2)
    groups = set(Restore.objects.values_list("status_group", flat=True))
    assert groups == {"succeeded", "failed", "in_progress", "other"}
    assert Restore.objects.unresolved().exists() and Restore.objects.recovered().exists()
    assert Instance.objects.monitored().exclude(sync_error_kind="").count() == 2
    assert 1.8 < Observation.objects.count() / 3000 < 2.2
    assert Backup.objects.exists()
    assert Restore.objects.filter(restore_remark__contains="ticket 00000007").exists()
    assert any(not name.isascii() for name in Project.objects.values_list("name", flat=True))
    lengths = sorted(len(raw) for raw in Restore.objects.values_list("raw", flat=True))
    assert lengths[1500] < 600 and lengths[-1] > 2000


def test_one_instance_has_a_twentieth_of_all_restores():
    seed(2000)
    counts = [instance.restores.count() for instance in Instance.objects.order_by("pk")]
    assert 100 <= counts[0] < 300


def test_a_fifth_of_the_projects_has_been_quiet_for_a_year():
    seed(2000)
    projects = Project.objects.annotate(newest=Max("restores__created_at"))
    quiet = [one for one in projects if one.newest < NOW - timedelta(days=365)]
    assert len(projects) == 5 and len(quiet) == 2


def test_failures_are_marked_as_recovered_just_as_sync_does():
    seed(2000)
    seeded = dict(Restore.objects.values_list("pk", "recovered_at"))
    for instance in Instance.objects.all():
        store.mark_recovered(instance)
    assert dict(Restore.objects.values_list("pk", "recovered_at")) == seeded


def test_each_instance_knows_its_newest_restore_and_what_is_usual_for_it():
    seed(2000)
    for instance in Instance.objects.all():
        successes = instance.restores.succeeded().order_by("created_at")
        durations = list(successes.values_list("duration", flat=True))
        assert instance.usual == usual_of(durations)
        newest = instance.restores.order_by("created_at").last()
        last = newest and (newest.restore_id, newest.created_at, newest.status)
        stored = instance.last_restore_id, instance.last_restore_at, instance.last_status
        assert stored == (last or (None, None, None))


def test_pages_know_the_state_of_each_project():
    seed(50, sync_errors=2)
    states = ProjectState.objects.all()
    assert len(states) == 5
    assert sum(one.sync_error_count for one in states) == 2
    assert sum(one.instance_count + one.single_node_count for one in states) == (
        Instance.objects.filter(deleted_at=None).count()
    )


def test_no_worker_finds_seeded_rows_due():
    seed(50)
    assert not Project.objects.filter(next_sync_at__lte=NOW + timedelta(days=365)).exists()
    assert not Instance.objects.exclude(next_sync_at=None).exists()


def test_another_world_is_added_by_another_seed_only():
    seed(50)
    with pytest.raises(CommandError, match="--seed 1: "):
        seed(50)
    seed(50, seed=11)
    assert Restore.objects.count() == 100


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"restores": 0}, "--restores 0: must be 1 to 50,000,000"),
        ({"restores": 100, "sync_errors": 20}, "--sync-errors 20: must be 0 to 19"),
        ({"restores": 100, "sync_errors": -1}, "--sync-errors -1: must be 0 to 19"),
    ],
)
def test_a_number_out_of_range_is_refused_before_anything_is_stored(options, message):
    with pytest.raises(CommandError, match=message):
        seed(**options)
    assert not Account.objects.exists()
