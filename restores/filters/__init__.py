"""What the URL of a list asks for: read strictly, written back in one spelling, made a queryset."""

from restores.filters.asked import NARROWING, ORDER, REPEATABLE, Asked
from restores.filters.reading import read
from restores.filters.scope import Scope, instances_of, projects_of, scope_of

__all__ = [
    "NARROWING",
    "ORDER",
    "REPEATABLE",
    "Asked",
    "Scope",
    "instances_of",
    "projects_of",
    "read",
    "scope_of",
]
