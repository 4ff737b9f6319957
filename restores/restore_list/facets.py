"""What a list could be narrowed to, with counts: each facet leaves its own filter aside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from restores.explain.codes import explain
from restores.filters import REPEATABLE, ListParams
from restores.filters.params import MAX_LENGTH
from restores.models import Instance, Project
from restores.restore_list.sample import Sample, sample

if TYPE_CHECKING:
    from restores.querysets import Viewer

FACETS = tuple(name for name in REPEATABLE if name != "status")
# The values with the most rows are offered; the others can be typed.
_MOST = {"instance": 10}
_MOST_VALUES = 40

# A value, how many rows have it, and a word on it.
_Found = tuple[str, int, str]
_Finder = Callable[[Sample, tuple[str, ...], "Viewer"], Iterator[_Found]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A value to narrow by; ``tally`` is empty where none of the rows read has it."""

    value: str
    small: str
    tally: str
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """The values of one parameter: the chosen ones, then those with the most rows."""

    options: list[Option]
    more: bool
    partial: bool


def facets(params: ListParams, viewer: Viewer) -> dict[str, Facet]:
    """Every facet of a view by the name of its parameter."""
    shared = sample(params, viewer, without="")
    return {
        name: _facet(
            name,
            sample(params, viewer, without=name) if params.getlist(name) else shared,
            params.getlist(name),
            viewer,
        )
        for name in FACETS
    }


def _facet(name: str, read: Sample, chosen: tuple[str, ...], viewer: Viewer) -> Facet:
    found = {
        value: (number, small) for value, number, small in _FINDERS[name](read, chosen, viewer)
    }
    missing = {value: (0, "") for value in chosen if value not in found}
    # What an address could not carry back is not offered.
    fit = [v for v in found | missing if v == v.strip() and 0 < len(v) <= MAX_LENGTH]
    numbers = {value: (found | missing)[value][0] for value in fit}
    fit.sort(key=lambda value: (value not in chosen, -numbers[value], value))
    shown = fit[: max(_MOST.get(name, _MOST_VALUES), len(chosen))]
    return Facet(
        options=[
            Option(
                value=value,
                small=found.get(value, (0, ""))[1],
                tally=str(read.tally(numbers[value])) if numbers[value] else "",
                chosen=value in chosen,
            )
            for value in shown
        ],
        more=len(fit) > len(shown),
        partial=read.partial,
    )


def _places(column: str, read: Sample, chosen: tuple[str, ...], viewer: Viewer) -> Iterator[_Found]:
    counts: Counter[str] = Counter()
    for pk, label in Project.objects.visible_to(viewer).values_list("pk", column):
        # Older rows may have what the newest have not.
        if read.projects[pk] or read.partial:
            counts[label] += read.projects[pk]
    yield from ((label, number, "") for label, number in counts.items())


def _codes(read: Sample, chosen: tuple[str, ...], viewer: Viewer) -> Iterator[_Found]:
    if read.codes:
        yield "any", read.codes.total(), "whichever it is"
    yield from ((code, number, explain(code).reason) for code, number in read.codes.items())


def _instances(read: Sample, chosen: tuple[str, ...], viewer: Viewer) -> Iterator[_Found]:
    """Those asked for as they were asked for, the others by name where it is theirs alone."""
    visible = Instance.objects.visible_to(viewer)
    asked_for = set()
    for value in chosen:
        keys = list(visible.called([value]).values_list("pk", flat=True))
        asked_for.update(keys)
        yield value, sum(read.instances[key] for key in keys), ""
    others = [key for key, _ in read.instances.most_common(_MOST["instance"] + len(asked_for) + 1)]
    found = visible.select_related("project").in_bulk(set(others) - asked_for)
    names = [one.name for one in found.values() if one.name]
    called = Counter(text for one in visible.called(names) for text in {one.name, one.instance_id})
    for key, one in found.items():
        place = one.project.customer or one.project.name
        alone = called[one.name] == 1
        small = place if alone else " · ".join(filter(None, (one.name, place)))
        yield one.name if alone else one.instance_id, read.instances[key], small


_FINDERS: dict[str, _Finder] = {
    "customer": partial(_places, "customer"),
    "region": partial(_places, "region"),
    "project": partial(_places, "name"),
    "instance": _instances,
    "code": _codes,
}
