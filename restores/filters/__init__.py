"""What the URL of a list asks for: read strictly, written back in one spelling, made a queryset."""

from restores.filters.asked import NARROWING, ORDER, REPEATABLE, Asked
from restores.filters.reading import read
from restores.filters.scope import Near, Scope, scope_of
from restores.filters.usual import page_scope

__all__ = [
    "NARROWING",
    "ORDER",
    "REPEATABLE",
    "Asked",
    "Near",
    "Scope",
    "page_scope",
    "read",
    "scope_of",
]
