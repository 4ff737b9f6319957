"""What the dashboard keeps: a module per noun."""

from restores.models.account import Account
from restores.models.backup import Backup
from restores.models.event import Event
from restores.models.heartbeat import Heartbeat
from restores.models.instance import Instance
from restores.models.membership import Membership
from restores.models.observation import Observation
from restores.models.project import Project
from restores.models.restore import Restore

__all__ = [
    "Account",
    "Backup",
    "Event",
    "Heartbeat",
    "Instance",
    "Membership",
    "Observation",
    "Project",
    "Restore",
]
