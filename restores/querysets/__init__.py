"""Questions over many rows; every page starts at ``visible_to``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from restores.querysets.literals import LONG
from restores.querysets.places import (
    HEALTHY_KINDS,
    INSTANCE_STATES,
    NON_BLOCKING_KINDS,
    InstanceQuerySet,
    ProjectQuerySet,
)
from restores.querysets.restores import RestoreQuerySet
from restores.querysets.windows import UNKNOWN_RUNS

if TYPE_CHECKING:
    from restores.querysets.visible import Viewer

__all__ = [
    "HEALTHY_KINDS",
    "INSTANCE_STATES",
    "LONG",
    "NON_BLOCKING_KINDS",
    "UNKNOWN_RUNS",
    "InstanceQuerySet",
    "ProjectQuerySet",
    "RestoreQuerySet",
    "Viewer",
]
