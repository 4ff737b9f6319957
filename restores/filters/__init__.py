"""List parameters: parsed from the query string, and applied to querysets."""

from restores.filters.params import FILTERS, ORDER, REPEATABLE, ListParams
from restores.filters.scope import Near, Scope, scope_of
from restores.filters.usual import page_scope

__all__ = [
    "FILTERS",
    "ORDER",
    "REPEATABLE",
    "ListParams",
    "Near",
    "Scope",
    "page_scope",
    "scope_of",
]
