"""Facets: the values that a list could be filtered by, with counts.

Each facet leaves its own filter aside. The newest rows of a view are counted, but only a limited
number is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.urls import reverse

from restores.explain.codes import explain
from restores.filters import REPEATABLE, ListParams, Scope
from restores.filters.params import MAX_LENGTH
from restores.models import Instance
from restores.querysets import Viewer
from restores.restore_list.counts import COUNT_LIMIT, CappedCount
from restores.restore_list.pagination import newest
from restores.spellings import spellings

FACETS = tuple(name for name in REPEATABLE if name != "status")
# The values with the most rows are offered; the others can be typed.
_MAX_INSTANCES = 10
_MAX_VALUES = 40
# The parameters for the page of the list and its order.
_POSITION = ("sort", "page", "after", "before")
_READ = ("project_id", "instance_id", "error_code")

_INSTANCE_FIELDS = ("name", "instance_id", "project__name", "project__customer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A value to filter by, with a short note and the page that says more.

    ``count`` is empty if none of the rows read has the value.
    """

    value: str
    small: str
    url: str
    count: str
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """The values of one parameter: the chosen ones, then those with the most rows."""

    options: list[Option]
    more: bool
    partial: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """How many rows each project, instance and error code has; ``partial`` if older ones exist."""

    projects: Counter[int]
    instances: Counter[int]
    codes: Counter[str]
    partial: bool


def facets(scope: Scope) -> dict[str, Facet]:
    """Every facet of a view by the name of its parameter."""
    params = scope.params
    shared = _sample(params, scope.viewer, without="")
    return {
        name: _facet(
            name,
            _sample(params, scope.viewer, without=name) if params.getlist(name) else shared,
            params.getlist(name),
            scope,
        )
        for name in FACETS
    }


def _sample(params: ListParams, viewer: Viewer, without: str) -> Sample:
    """Read the newest rows of a view, one of its filters left aside."""
    scope = Scope(params.without(without, *_POSITION), viewer)
    # For a common word, the list also reads only the newest rows.
    found = scope.found.recent
    rows: list[tuple[Any, ...]] = []
    if found is not None:
        rows = newest(scope, scope.in_status(found), COUNT_LIMIT + 1, _READ)
    recent = len(rows) > params.size
    if not recent:
        rows = newest(scope, scope.restores, COUNT_LIMIT + 1, _READ)
    changed = scope.asof.changed_since if scope.asof else {}
    moved = scope.asof.projects if scope.asof else {}
    projects: Counter[int] = Counter()
    instances: Counter[int] = Counter()
    codes: Counter[str] = Counter()
    for pk, project, instance, code in rows[:COUNT_LIMIT]:
        projects[moved[instance].pk if instance in moved else project] += 1
        instances[instance] += 1
        codes[changed[pk].error_code if pk in changed else code] += 1
    del codes[""]
    return Sample(
        projects=projects,
        instances=instances,
        codes=codes,
        partial=recent or len(rows) > COUNT_LIMIT,
    )


# A value, how many rows have it, and a short note.
_Found = tuple[str, int, str]
_Finder = Callable[[Sample, tuple[str, ...], Scope], Iterator[_Found]]


def _facet(name: str, sample: Sample, chosen: tuple[str, ...], scope: Scope) -> Facet:
    found = {
        value: (number, small) for value, number, small in _FINDERS[name](sample, chosen, scope)
    }
    found |= {value: (0, "") for value in chosen if value not in found}
    # Values that a query string could not carry back are not offered.
    usable = [value for value in found if value == value.strip() and 0 < len(value) <= MAX_LENGTH]
    usable.sort(key=lambda value: (value not in chosen, -found[value][0], value))
    shown = usable[: max(_MAX_INSTANCES if name == "instance" else _MAX_VALUES, len(chosen))]
    return Facet(
        options=[
            Option(
                value=value,
                small=small,
                url=_code_url(value) if name == "code" else "",
                count=str(CappedCount(number, more=sample.partial)) if number else "",
                chosen=value in chosen,
            )
            for value in shown
            for number, small in [found[value]]
        ],
        more=len(usable) > len(shown),
        partial=sample.partial,
    )


def _code_url(code: str) -> str:
    return "" if code == "any" else reverse("code-detail", args=[code])


def _project_column(
    column: str, sample: Sample, chosen: tuple[str, ...], scope: Scope
) -> Iterator[_Found]:
    counts: Counter[str] = Counter()
    for project in scope.visible:
        # Older rows may have what the newest don't.
        if sample.projects[project.pk] or sample.partial:
            counts[getattr(project, column)] += sample.projects[project.pk]
    yield from ((label, number, "") for label, number in counts.items())


def _projects(sample: Sample, chosen: tuple[str, ...], scope: Scope) -> Iterator[_Found]:
    """The projects by name; one that is chosen by its id is listed by that."""
    given = {spelling: value for value in chosen for spelling in spellings(value)}
    counts: Counter[tuple[str, str]] = Counter()
    for project in scope.visible:
        if sample.projects[project.pk] or sample.partial:
            value = given.get(project.project_id.lower())
            named = (value, project.name) if value else (project.name, "")
            counts[named] += sample.projects[project.pk]
    yield from ((value, number, small) for (value, small), number in counts.items())


def _codes(sample: Sample, chosen: tuple[str, ...], scope: Scope) -> Iterator[_Found]:
    if sample.codes:
        yield "any", sample.codes.total(), "error code"
    codes = {**dict.fromkeys(chosen, 0), **sample.codes}
    yield from (
        (code, number, explain(code).reason) for code, number in codes.items() if code != "any"
    )


def _instances(sample: Sample, chosen: tuple[str, ...], scope: Scope) -> Iterator[_Found]:
    """The chosen values as they were given, other instances by name where that is unique."""
    visible = Instance.objects.visible_to(scope.viewer)
    keys_of: dict[str, set[int]] = {value: set() for value in chosen}
    for key, *names in visible.named(chosen).values_list("pk", "name", "instance_id"):
        for name in keys_of.keys() & names:
            keys_of[name].add(key)
    for value, keys in keys_of.items():
        yield value, sum(sample.instances[key] for key in keys), ""
    done = set().union(*keys_of.values())
    others = [key for key, _ in sample.instances.most_common(_MAX_INSTANCES + len(done) + 1)]
    found = visible.select_related("project").only(*_INSTANCE_FIELDS).in_bulk(set(others) - done)
    names = [instance.name for instance in found.values() if instance.name]
    namesakes = visible.named(names).values_list("name", "instance_id")
    called = Counter(text for texts in namesakes for text in {*texts})
    for key, instance in found.items():
        owner = instance.project.customer or instance.project.name
        unique = called[instance.name] == 1
        small = owner if unique else " · ".join(filter(None, (instance.name, owner)))
        yield (
            instance.name if unique else instance.instance_id,
            sample.instances[key],
            small,
        )


_FINDERS: dict[str, _Finder] = {
    "customer": partial(_project_column, "customer"),
    "region": partial(_project_column, "region"),
    "project": _projects,
    "instance": _instances,
    "code": _codes,
}
