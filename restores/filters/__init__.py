"""List parameters: parsed from the query string, and applied to querysets."""

from restores.filters.params import (
    FILTERS,
    ORDER,
    REPEATABLE,
    InstanceListParams,
    ListParams,
    Params,
    SyncStatusParams,
)
from restores.filters.scope import Scope

__all__ = [
    "FILTERS",
    "ORDER",
    "REPEATABLE",
    "InstanceListParams",
    "ListParams",
    "Params",
    "Scope",
    "SyncStatusParams",
]
