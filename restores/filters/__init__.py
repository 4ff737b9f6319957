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
from restores.filters.scope import Near, Scope, scope_of
from restores.filters.usual import page_scope

__all__ = [
    "FILTERS",
    "ORDER",
    "REPEATABLE",
    "InstanceListParams",
    "ListParams",
    "Near",
    "Params",
    "Scope",
    "SyncStatusParams",
    "page_scope",
    "scope_of",
]
