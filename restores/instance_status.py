"""How current an instance's restores are, and the sync error that keeps them from being so."""

from dataclasses import dataclass
from datetime import datetime

from restores.models import Instance, Project
from restores.sync_errors import SyncError, first_sync_error

# The values of the filter "state", as pages name them.
STATE_LABELS = {
    "problem": "With problems",
    "never_synced": "Never synced",
    "complete": "Up to date",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceStatus:
    """How current an instance's restores are: complete up to ``at``, or what the label says.

    ``css_class`` is ``ok``, ``late`` (not current) or ``off`` (not monitored).
    """

    css_class: str
    label: str = ""
    at: datetime | None = None
    sync_error: SyncError | None = None


def instance_status(instance: Instance) -> InstanceStatus:
    """Say how current an instance's restores are."""
    if not instance.project.monitored:
        return InstanceStatus(css_class="off", label="No longer monitored")
    if instance.deleted_at:
        return InstanceStatus(css_class="off", label="Deleted by", at=instance.deleted_at)
    if instance.single_node:
        return InstanceStatus(css_class="off", label="Single-node (no restores)")
    error = instance_sync_error(instance)
    if instance.complete_to is None:
        return InstanceStatus(css_class="late", label="Not synced yet", sync_error=error)
    css_class = "late" if error and error.blocking else "ok"
    return InstanceStatus(css_class=css_class, at=instance.complete_to, sync_error=error)


def instance_sync_error(instance: Instance) -> SyncError | None:
    """The error that keeps an instance from being synced: its own, its project's or account's."""
    return first_sync_error(instance.project.account, instance.project, instance)


def project_sync_error(project: Project) -> SyncError | None:
    """The error that keeps a project from being synced, its own or its account's."""
    return first_sync_error(project.account, project)


def is_monitored(instance: Instance) -> bool:
    """Whether the instance's restores are synced."""
    return instance.project.monitored and not instance.deleted_at and not instance.single_node


def next_sync_at(instance: Instance) -> datetime | None:
    """When the instance is next synced automatically; None if only on request."""
    waits = instance.sync_error_kind == "parked" or not is_monitored(instance)
    return None if waits else instance.next_sync_at
