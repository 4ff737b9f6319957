"""Rows D6 and W7: an old worker with a new schema, and a backlog."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.migrations import operations
from django.db.migrations.loader import MigrationLoader

from restores import tasks
from restores.models import Instance, Project, Restore
from simulator.server import Simulator
from tests.faults.scene import Scene

ADDING = (
    # An old worker needs no index: only its speed depends on one.
    operations.RemoveIndex,
    operations.AddField,
    operations.AddIndex,
    operations.AlterModelOptions,
    operations.CreateModel,
    operations.RunPython,
    operations.RunSQL,
)


@pytest.mark.django_db
def test_d6_migrations_only_add_so_that_an_old_worker_keeps_working():
    loader = MigrationLoader(connection)
    later = [m for (app, _), m in loader.disk_migrations.items() if app == "restores"]
    for migration in [m for m in later if not m.initial]:
        created = {one.name_lower for one in migration.operations if hasattr(one, "fields")}
        for operation in migration.operations:
            if getattr(operation, "model_name_lower", "") in created:
                continue
            assert isinstance(operation, ADDING), f"{migration}: {operation.describe()}"
            if isinstance(operation, operations.AddField):
                field = operation.field
                if field.many_to_many:  # a separate table
                    continue
                assert field.null or field.has_default() or field.has_db_default(), operation.name


@pytest.mark.django_db(transaction=True)
def test_w7_after_six_hours_each_instance_is_synced_once_and_live_ones_first(
    tmp_path, monkeypatch, settings
):
    rate = 20
    with Simulator(instances=24, restores=60) as simulator:
        scene = Scene(simulator, tmp_path, monkeypatch, settings, rate=rate)
        scene.sync_project()
        long_ago = datetime.now(UTC) - timedelta(hours=6)
        Instance.objects.update(
            next_sync_at=long_ago, backups_due_at=_tomorrow(), single_node=False
        )
        Project.objects.update(next_sync_at=_tomorrow(), restoring_count_at=long_ago)
        live = scene.instances.last()
        Restore.objects.create(
            instance=live,
            project=scene.project,
            restore_id="r-1",
            status="restoring",
            created_at=long_ago,
            first_seen_at=long_ago,
            changed_at=long_ago,
        )
        scene.clear_faults()
        scene.inject("/restores", kind="status", status=204)
        tasks.sync_instances()
        product_without_worker = [entry.path.split("/")[4] for entry in scene.calls("/restores")]
        assert scene.simulator.log.busiest_second("harbour") <= rate
    assert product_without_worker[0] == live.instance_id
    assert set(Counter(product_without_worker).values()) == {1}
    assert set(product_without_worker) == set(scene.instances.values_list("instance_id", flat=True))


def _tomorrow():
    return datetime.now(UTC) + timedelta(days=1)
