"""List parameters: parsed from the query string, and applied to querysets."""

from restores.filters.params import (
    FILTERS,
    ORDER,
    REPEATABLE,
    AuditParams,
    DowntimeParams,
    InstanceListParams,
    ListParams,
    OverviewParams,
    Params,
    SyncStatusParams,
)
from restores.filters.scope import Scope

__all__ = [
    "FILTERS",
    "ORDER",
    "REPEATABLE",
    "AuditParams",
    "DowntimeParams",
    "InstanceListParams",
    "ListParams",
    "OverviewParams",
    "Params",
    "Scope",
    "SyncStatusParams",
]
