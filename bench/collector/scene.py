"""What the parts stand on: a database in use, an account without limit, instances that are due."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import django
from django.core.management import call_command
from django.db import connection

from bench import made

if TYPE_CHECKING:
    from restores.sync.accounts import AccountClient

# Slots stay in use, but never hold anybody up.
_UNLIMITED = 1e6
_NEVER = datetime(2999, 1, 1, tzinfo=UTC)
_OURS_ALONE = {"id", "first_seen_at", "changed_at"}


def ready(*, migrated: bool = False) -> None:
    """Set Django up, in the parent's database or, ``migrated``, in a new one."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    django.setup()
    if migrated:
        call_command("migrate", verbosity=0)


def on_sqlite() -> bool:
    """Whether the database is a file of SQLite."""
    return connection.vendor == "sqlite"


def database() -> str:
    """Name the database and its version."""
    version = ".".join(map(str, connection.get_database_version()))
    return f"{connection.display_name} {version}"


def cloud(url: str, name: str = "bench", rate: float = _UNLIMITED) -> AccountClient:
    """Return the made-up account's cloud, as the projects file would give it."""
    from restores.dcs.auth import AccessKey
    from restores.dcs.config import AccountConfig
    from restores.sync.accounts import AccountClient

    account = AccountConfig(
        name=name,
        endpoint=url,
        rate=rate,
        method="aksk",
        credentials=AccessKey(access_key="made", secret_key="up"),
        digest="",
    )
    return AccountClient(account)


def enrol(instances: int, name: str = "bench") -> None:
    """Add one project and its instances to the ledger, all due; no backup ever is."""
    from restores.models import Account, Instance, Project

    account = Account.objects.create(name=name)
    # Ten years: of a day's, some in a thousand would come due again while a round lasts.
    years = 10 * 365 * 86_400
    project = Project.objects.create(account=account, project_id=name, name=name, interval=years)
    ids = made.instance_ids(instances)
    Instance.objects.bulk_create(
        Instance(
            project=project,
            instance_id=each,
            next_sync_at=datetime.now(UTC),
            backups_due_at=_NEVER,
        )
        for each in ids
    )


def all_due() -> None:
    """Make every instance due now."""
    from restores.models import Instance

    Instance.objects.update(next_sync_at=datetime.now(UTC))


def look_until_done(cloud: AccountClient) -> int:
    """Claim and look as a worker does until nothing is due; return the number of looks."""
    from restores.sync.instances import sync_due_instances

    looks = 0
    while claimed := sync_due_instances({cloud.config.name: cloud}):
        looks += claimed
    return looks


def restores() -> list[dict[str, object]]:
    """Return the table of restores in order, less what tells when we wrote it."""
    from restores.models import Restore

    fields = [field.attname for field in Restore._meta.concrete_fields]
    kept = [name for name in fields if name not in _OURS_ALONE]
    return list(Restore.objects.order_by("instance_id", "restore_id").values(*kept))


def forget() -> None:
    """Empty every table of ours."""
    from restores.models import Account, Backup, Instance, Observation, Project, Restore

    for model in (Observation, Restore, Backup, Instance, Project, Account):
        model._base_manager.all()._raw_delete("default")
