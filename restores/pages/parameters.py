"""What the URL of a list of instances may ask, read strictly and written back in one order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django import forms
from django.db.models import Q
from django.http import QueryDict

from restores.models import Instance, Project
from restores.querysets import InstanceQuerySet

if TYPE_CHECKING:
    from restores.querysets import Viewer

STATES: dict[str, Callable[[InstanceQuerySet], InstanceQuerySet]] = {
    "problem": lambda rows: rows.in_trouble(),
    "never_synced": lambda rows: rows.monitored().healthy().filter(complete_to=None),
    "complete": lambda rows: rows.monitored().healthy().exclude(complete_to=None),
}
SORTS = {"name": "name", "-name": "-name", "complete": "complete_to", "-complete": "-complete_to"}


@dataclass(frozen=True, slots=True)
class Problem:
    """A value of the URL that we cannot use, and why."""

    param: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Sort:
    """A column's head: how it is sorted now (``aria-sort``), and the link that turns it."""

    aria: str
    url: str


class _Names(forms.MultipleChoiceField):
    """Any names: one that is unknown is a note on the page, not an error."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: list[str] | None) -> list[str]:
        return [name for name in value or [] if name]

    def validate(self, value: list[str]) -> None:
        if any(len(name) > 100 for name in value):
            raise forms.ValidationError("longer than 100 characters")
        if any("\0" in name for name in value):
            raise forms.ValidationError("a NUL is no character of a name")


class _States(_Names):
    """Some of the words for how far an instance is known."""

    def validate(self, value: list[str]) -> None:
        if unknown := set(value) - set(STATES):
            raise forms.ValidationError(f"{min(unknown)} is none of {', '.join(STATES)}")


class InstanceParameters(forms.Form):
    """Project, words, order and page; absent values stand for everything, page 1 first."""

    project = _Names(required=False)
    q = forms.CharField(required=False, max_length=200)
    sort = forms.ChoiceField(required=False, choices=[(name, name) for name in SORTS])
    size = forms.IntegerField(required=False, min_value=10, max_value=200)
    page = forms.IntegerField(required=False, min_value=1, max_value=1_000_000)

    order = "name"
    repeatable = frozenset({"project", "state"})

    def __init__(self, params: QueryDict) -> None:
        super().__init__(params)
        self.params = params

    @property
    def problems(self) -> list[Problem]:
        """Every unusable value; a page with one shows no rows."""
        texts = {
            name: " ".join(str(error) for error in errors) for name, errors in self.errors.items()
        }
        for name in self.fields.keys() - self.repeatable:
            if len(self.params.getlist(name)) > 1:
                texts[name] = "given more than once"
        return [
            Problem(name, ", ".join(self.params.getlist(name))[:200], reason)
            for name, reason in texts.items()
        ]

    @property
    def words(self) -> str:
        """The words as they were given, readable or not."""
        return self.params.get("q", "")[:200]

    @property
    def narrowed(self) -> bool:
        """Whether fewer than all instances are asked for."""
        return any(self.params.get(name) for name in ("q", *self.repeatable))

    @property
    def chosen(self) -> list[str]:
        """The projects as they were given."""
        return [name for name in self.params.getlist("project") if name]

    @property
    def by_name(self) -> Sort:
        """The head of the column of names."""
        return self._sort("name")

    @property
    def by_complete(self) -> Sort:
        """The head of the column that says how far an instance is known."""
        return self._sort("complete")

    @property
    def ignored(self) -> list[str]:
        """Parameters that this page does not know."""
        return [name for name in self.params if name not in self.fields]

    def errors_json(self) -> dict[str, Any]:
        """The body of a twin's answer 400."""
        return {"errors": [asdict(problem) for problem in self.problems]}

    def canonical(self, **changed: Any) -> str:
        """The one query string of this view, with some values changed; None takes one away."""
        values = self.cleaned_data | changed
        values |= {
            name: sorted(set(values[name] or [])) for name in self.repeatable & self.fields.keys()
        }
        kept: list[tuple[str, Any]] = [
            (name, values.get(name)) for name in self.fields if self._said(name, values)
        ]
        unknown = [(name, self.params.getlist(name)) for name in self.ignored]
        return urlencode(kept + unknown, doseq=True, safe=":/,")

    def narrow(self, instances: InstanceQuerySet) -> InstanceQuerySet:
        """The instances asked for, in the order asked for, ties by id."""
        if self.cleaned_data["project"]:
            instances = instances.in_projects(self.cleaned_data["project"])
        return self._ordered(instances.matching(self.cleaned_data["q"]))

    def not_found(self, viewer: Viewer) -> list[str]:
        """ListParams projects that do not exist, or that the user may not see: the same answer."""
        names = self.cleaned_data["project"]
        known = Project.objects.visible_to(viewer).named(names).values_list("name", flat=True)
        return sorted(set(names) - set(known))

    def _ordered(self, instances: InstanceQuerySet) -> InstanceQuerySet:
        return instances.sorted_by(SORTS[self.cleaned_data["sort"] or self.order])

    def _sort(self, column: str) -> Sort:
        sort = self.cleaned_data.get("sort") or self.order
        directions = {column: "ascending", f"-{column}": "descending"}
        turned = f"-{column}" if sort == column else column
        return Sort(directions.get(sort, ""), "?" + self.canonical(sort=turned, page=None))

    def _said(self, name: str, values: dict[str, Any]) -> bool:
        defaults = {"sort": self.order, "size": 50, "page": 1}
        return bool(values.get(name)) and values[name] != defaults.get(name)


class CoverageParameters(InstanceParameters):
    """The same questions for the coverage page, where trouble comes first, and how far known."""

    sort = None  # type: ignore[assignment]
    state = _States(required=False)
    field_order = ("project", "state", "q", "size", "page")

    @property
    def states(self) -> list[tuple[str, bool]]:
        """The words for how far an instance is known, and whether each was asked for."""
        return [(name, name in self.params.getlist("state")) for name in STATES]

    def narrow(self, instances: InstanceQuerySet) -> InstanceQuerySet:
        """Those in any of the states asked for, trouble first."""
        rows = super().narrow(instances)
        states = [STATES[name](Instance.objects.all()) for name in self.cleaned_data["state"]]
        either = [Q(pk__in=state.values("pk")) for state in states]
        return rows.filter(reduce(or_, either, Q()))

    def _ordered(self, instances: InstanceQuerySet) -> InstanceQuerySet:
        return instances.trouble_first()
