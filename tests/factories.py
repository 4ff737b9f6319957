"""Rows for tests; each takes only what matters to it."""

from datetime import UTC, datetime, timedelta
from itertools import count

from restores.models import (
    Account,
    Instance,
    Observation,
    Project,
    ProjectState,
    Restore,
    last_restore_fields,
)
from restores.statuses import FINAL
from restores.sync.project_state import recount

NOW = datetime(2026, 11, 23, 16, 59, tzinfo=UTC)
_number = count(1)


def make_account(name="shop", **given):
    return Account.objects.get_or_create(name=name, defaults=given)[0]


def make_project(name="shop-prod", **given):
    given.setdefault("account", make_account())
    values = {
        "endpoint": "https://dcs.example",
        "project_id": f"project-of-{name}",
        "region": "eu-de",
        "customer": "Shopwell",
        "listed_at": NOW,
        "restoring_count_at": NOW,
    }
    project, _ = Project.objects.get_or_create(name=name, defaults=values | given)
    ProjectState.objects.get_or_create(project=project)
    return project


def make_instance(name="cart-prod", **given):
    given.setdefault("project", make_project())
    instance_id = given.pop("instance_id", f"id-of-{name}")
    values = {"name": name, "complete_to": NOW, "search": f"{instance_id} {name}".casefold()}
    instance, new = Instance.objects.get_or_create(
        project=given.pop("project"), instance_id=instance_id, defaults=values | given
    )
    if new:
        recount(instance.project_id)
    return instance


def update_instances(rows, **fields):
    """Change instances as a sync does, which counts those of their projects at its end."""
    projects = set(rows.values_list("project_id", flat=True))
    rows.update(**fields)
    for project in projects:
        recount(project)


def make_restore(restore_id=None, **given):
    """A restore that succeeded after six minutes, an hour before NOW, by default.

    One in progress has stood still since its creation, if nothing else is given.
    """
    instance = given.pop("instance", None) or make_instance()
    restore_id = restore_id or f"r-{next(_number)}"
    created = given.pop("created_at", NOW - timedelta(hours=1))
    status = given.get("status", "succeed")
    updated = created + timedelta(minutes=6) if created and status in FINAL else None
    values = {
        "restore_name": f"restore_{restore_id}",
        "status": status,
        "progress": 100.0,
        "created_at": created,
        "updated_at": updated,
        "ended_at": updated,
        "duration": _seconds(created, given.get("ended_at", updated)),
        "first_seen_at": created or NOW,
        "unchanged_since": created or NOW,
        "changed_at": updated or created or NOW,
        "search": f"{restore_id} {given.get('restore_remark', '')}".casefold(),
        "raw": "{}",
    }
    restore = Restore(
        instance=instance, project=instance.project, restore_id=restore_id, **(values | given)
    )
    if "stuck_at" not in given:
        restore.update_stuck_at(instance.usual, reports_progress=instance.project.reports_progress)
    restore.save()
    newest = instance.last_restore_at
    if newest is None or (created and created >= newest):
        Instance.objects.filter(pk=instance.pk).update(**last_restore_fields([restore]))
        instance.refresh_from_db(fields=last_restore_fields([]))
    return restore


def make_observation(restore, at, **given):
    """What a sync at ``at`` saw of a restore; its end and duration only if they are given."""
    values = {"seen_at": at, "recorded_at": at, "created_at": restore.created_at}
    return Observation.objects.create(restore=restore, **(values | given))


def _seconds(created, ended):
    length = (ended - created).total_seconds() if created and ended else -1
    return length if length >= 0 else None
