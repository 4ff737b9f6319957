"""Rows for tests; each takes only what matters to it."""

from datetime import UTC, datetime, timedelta
from itertools import count

from restores.models import Account, Instance, Project, Restore
from restores.statuses import FINAL

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
    return Project.objects.get_or_create(name=name, defaults=values | given)[0]


def make_instance(name="cart-prod", **given):
    given.setdefault("project", make_project())
    instance_id = given.pop("instance_id", f"id-of-{name}")
    values = {"name": name, "complete_to": NOW, "search": f"{instance_id} {name}".casefold()}
    return Instance.objects.get_or_create(
        project=given.pop("project"), instance_id=instance_id, defaults=values | given
    )[0]


def make_restore(restore_id=None, **given):
    """A restore that succeeded after six minutes, an hour before NOW, unless told otherwise."""
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
        "changed_at": updated or created or NOW,
        "search": f"{restore_id} {given.get('restore_remark', '')}".casefold(),
        "raw": "{}",
    }
    return Restore.objects.create(
        instance=instance, project=instance.project, restore_id=restore_id, **(values | given)
    )


def _seconds(created, ended):
    length = (ended - created).total_seconds() if created and ended else -1
    return length if length >= 0 else None
