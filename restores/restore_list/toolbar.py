"""The toolbar of the restore list: time range, filters, columns, and links that change them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from django.urls import reverse
from django.utils.text import capfirst

from restores.explain.codes import CATALOGUE
from restores.filters import FILTERS, ORDER, REPEATABLE, ListParams, Scope
from restores.filters.params import MAX_IDS, MAX_LENGTH, MAX_TEXT
from restores.restore_list.facets import Facet
from restores.statuses import IN_PROGRESS, KNOWN, status_of
from restores.tables import RestoreTable, shown_columns
from restores.timerange import (
    ON,
    PRESETS,
    ParamError,
    city,
    describe_range,
    next_period,
    pin,
    previous_period,
    range_label,
    to_iso,
    to_params,
    zoom_out,
)

ON_LABELS = {
    "created": ("Created", "requested in the range"),
    "ended": ("Finished", "succeeded or failed in the range"),
    "running": ("Running", "active at any point in the range"),
    "changed": ("Changed", "any status or progress change detected in the range"),
}
PAGE_SIZES = (25, 50, 100, 200)
AROUND_WIDTHS = (("30m", "± 30 min"), ("2h", "± 2 h"), ("1d", "± 1 day"))
RECOVERED_LABELS = (("", "all"), ("no", "unresolved only"), ("yes", "recovered only"))
_CHIP_LABELS = {"q": "Search", "ids": "IDs", "code": "Error code"}
# As many IDs as a list takes, with the commas between them.
MAX_IDS_LENGTH = MAX_IDS * (MAX_LENGTH + 1) - 1
_TIME_FIELDS = ("on", "from", "to", "tz", "around", "win")
_MAX_CHIPS = 20
_MAX_PROJECTS = 200
_MAX_TIME = 64
_MAX_ZONES = 8
# A guess at an unknown parameter must not make an invalid link.
_MAX_GUESSED = 64
_MAX_PHRASES = 4

HiddenFields = list[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A link or a value to choose, and whether it is the current one."""

    label: str
    url: str = ""
    value: str = ""
    hint: str = ""
    current: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A text field of a form.

    A repeatable parameter has its ``values`` next to it, to be kept or dropped: as checkboxes with
    counts if its ``facet`` is known, else hidden.
    """

    id: str
    name: str
    label: str
    placeholder: str
    value: str = ""
    error: str = ""
    max_length: int = MAX_LENGTH
    suggestions: Sequence[str] = ()
    repeatable: bool = False
    values: tuple[str, ...] = ()
    facet: Facet | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeMenu:
    """The time range and the ways to change it; a URL is empty where it would lead nowhere.

    ``my_zone_url`` has ``MINE`` in place of the reader's time zone, which only the browser knows.
    """

    on: str
    label: str
    exact: str
    zone: str
    previous: str
    next: str
    zoom_out: str
    pin: str
    any_time: str
    presets: list[Option]
    on_options: list[Option]
    hidden: HiddenFields
    edges: tuple[Field, Field]
    zone_field: Field
    around: Field
    around_hidden: HiddenFields
    around_widths: list[Option]
    zones: list[Option]
    my_zone_url: str
    invalid: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterForm:
    """The form of the filters."""

    search: Field
    statuses: list[Option]
    recovered: list[Option]
    fields: list[Field]
    hidden: HiddenFields
    counted: bool
    partly_counted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """An error of the query string, with a link to what was probably meant."""

    param: str
    value: str
    reason: str
    suggestion: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolbar:
    """Everything above and below the table that changes what it shows."""

    time: TimeMenu
    filters: FilterForm
    chips: list[Option]
    more_chips: int
    clear_url: str
    live_url: str
    columns: list[Option]
    columns_hidden: HiddenFields
    default_columns_url: str
    page_sizes: list[Option]
    fixes: list[Fix]
    errors: Mapping[str, str]
    unknown: list[Option]


def toolbar(scope: Scope, now: datetime, facets: Mapping[str, Facet] | None = None) -> Toolbar:
    """Prepare the toolbar of one view, its filter form with the counts of ``facets``."""
    params = scope.params
    errors = {error.param: error.reason for error in params.errors}
    chips = list(_chips(params))
    columns = shown_columns(params)
    return Toolbar(
        time=_time_menu(scope, now, errors),
        filters=_filter_form(scope, errors, facets or {}),
        chips=chips[:_MAX_CHIPS],
        more_chips=len(chips[_MAX_CHIPS:]),
        clear_url=_url(params.query(**dict.fromkeys(FILTERS))),
        live_url=_url(params.query(asof=None, page=None)),
        columns=[
            Option(label=column.verbose_name, value=name, current=name in columns)
            for name, column in RestoreTable.base_columns.items()
        ],
        columns_hidden=[pair for pair in params.hidden_fields() if pair[0] != "cols"],
        default_columns_url=(
            _url(params.query(cols=None, page=str(params.page))) if params.get("cols") else ""
        ),
        page_sizes=[
            Option(
                label=str(size),
                url=_url(params.query(size=str(size))),
                current=size == params.size,
            )
            for size in PAGE_SIZES
        ],
        fixes=[_fix(error, params) for error in params.errors],
        errors=errors,
        unknown=[_unknown(name, params) for name in params.unknown],
    )


def filter_summary(params: ListParams) -> str:
    """Say what a list is filtered by: ``last 24 hours, unresolved``; empty if by nothing."""
    phrases = [phrase for phrase in (_range_phrase(params), *_filter_phrases(params)) if phrase]
    more = [f"and {len(phrases) - _MAX_PHRASES} more"] if len(phrases) > _MAX_PHRASES else []
    return ", ".join([*phrases[:_MAX_PHRASES], *more])


def _time_menu(scope: Scope, now: datetime, errors: Mapping[str, str]) -> TimeMenu:
    params, time_range = scope.params, scope.params.time_range

    def url(edges: Mapping[str, str] | None) -> str:
        return "" if edges is None else _url(params.with_time_range(edges))

    def field(name: str, label: str, placeholder: str, **options: Any) -> Field:
        return Field(
            id=name,
            name=name,
            label=label,
            placeholder=placeholder,
            value=params.raw.get(name, ""),
            error=errors.get(name, ""),
            max_length=_MAX_TIME,
            **options,
        )

    kept = {name: value for name, value in to_params(time_range).items() if name in ("on", "tz")}
    edges = to_params(time_range)
    if any("/" in edge for edge in time_range.edges):
        # Days begin at other times elsewhere: the range stays, only its labels change.
        bounds = {"from": time_range.start, "to": time_range.end}
        edges |= {name: to_iso(at) for name, at in bounds.items() if at}
    zones = _names(scope, "time_zone")
    zone_names = list(dict.fromkeys(["UTC", *zones, time_range.tz]))[:_MAX_ZONES]
    return TimeMenu(
        on=ON_LABELS[time_range.on][0],
        label=range_label(time_range),
        exact=describe_range(time_range, now),
        zone=city(time_range.tz),
        previous=url(previous_period(time_range)),
        next=url(next_period(time_range)),
        zoom_out=url(zoom_out(time_range)),
        pin=url(pin(time_range)),
        any_time=url({}) if any(time_range.edges) else "",
        presets=[
            Option(
                label=capfirst(name),
                url=url(kept | preset),
                current=(preset.get("from", ""), preset.get("to", "")) == time_range.edges,
            )
            for name, preset in PRESETS
        ],
        on_options=[
            # The default is the empty value: forms leave out what is empty.
            Option(
                label=name, hint=hint, value=on if on != ON[0] else "", current=on == time_range.on
            )
            for on, (name, hint) in ON_LABELS.items()
        ],
        hidden=_hidden(params, without=("on", "from", "to", "tz")),
        edges=(
            field("from", "From", "yesterday 14:05"),
            field("to", "To", "now"),
        ),
        zone_field=field("tz", "Time zone", "UTC", suggestions=["UTC", *zones]),
        around=replace(
            field("around", "Around a time", "Paste a log timestamp, or yesterday 14:05"), error=""
        ),
        around_hidden=[
            *(
                pair
                for pair in params.hidden_fields(page=None)
                if pair[0] not in ("on", "from", "to", "asof")
            ),
            ("on", time_range.on),
        ],
        around_widths=[
            Option(label=name, value=width, current=params.raw.get("win", "30m") == width)
            for width, name in AROUND_WIDTHS
        ],
        zones=[
            Option(
                label=name,
                url=url(edges | {"tz": "" if name == "UTC" else name}),
                current=name == time_range.tz,
            )
            for name in zone_names
        ],
        my_zone_url=url(edges | {"tz": "MINE"}),
        invalid=any(name in errors for name in _TIME_FIELDS),
    )


def _filter_form(
    scope: Scope, errors: Mapping[str, str], facets: Mapping[str, Facet]
) -> FilterForm:
    params = scope.params

    def field(name: str, label: str, placeholder: str, **options: Any) -> Field:
        repeatable = name in REPEATABLE
        # The values of a repeatable parameter stand next to its field, except invalid ones.
        shown = params.raw.get(name, "") if name in errors or not repeatable else ""
        return Field(
            id=f"f-{name}",
            name=name,
            label=label,
            placeholder=placeholder,
            value=shown,
            error=errors.get(name, ""),
            repeatable=repeatable,
            values=params.getlist(name) if repeatable else (),
            facet=facets.get(name),
            **options,
        )

    return FilterForm(
        search=field("q", "Search", "name, remark or ID", max_length=MAX_TEXT),
        statuses=_status_options(params),
        recovered=[
            Option(label=label, value=value, current=value == params.get("recovered"))
            for value, label in RECOVERED_LABELS
        ],
        fields=[
            field("project", "Project", "name", suggestions=_names(scope, "name")),
            field("instance", "Instance", "name or ID"),
            field("code", "Error code", "e.g. dcs.08.0007", suggestions=["any", *CATALOGUE]),
            field("customer", "Customer", "name", suggestions=_names(scope, "customer")),
            field("region", "Region", "e.g. eu-de", suggestions=_names(scope, "region")),
            field("ids", "IDs", "restore, backup or instance IDs", max_length=MAX_IDS_LENGTH),
        ],
        hidden=_hidden(params, without=FILTERS),
        counted=bool(facets),
        partly_counted=any(facet.partial for facet in facets.values()),
    )


def _status_options(params: ListParams) -> list[Option]:
    chosen = params.getlist("status")
    names = [*KNOWN, *(name for name in chosen if name not in KNOWN)]
    return [
        Option(label=status_of(name).word, value=name, current=name in chosen) for name in names
    ]


def _chips(params: ListParams) -> Iterator[Option]:
    """Each filter that no tab shows, with the link that removes it."""
    on_tab = ("status", "recovered") if _is_tab(params) else ()
    for name in FILTERS:
        for value in () if name in on_tab else params.getlist(name):
            others = [other for other in params.getlist(name) if other != value]
            yield Option(
                label=_CHIP_LABELS.get(name, name.capitalize()),
                value=_chip_value(name, value),
                url=_url(params.query(**{name: others})),
            )


def _chip_value(name: str, value: str) -> str:
    if name == "status":
        return status_of(value).word
    if (name, value) == ("code", "any"):
        return "any"
    return f"{value.count(',') + 1} IDs" if name == "ids" and "," in value else value


def _is_tab(params: ListParams) -> bool:
    chosen = (params.getlist("status"), params.get("recovered"))
    return chosen in (
        ((), ""),
        (("failed",), "no"),
        (("failed",), ""),
        (("succeed",), ""),
        (tuple(sorted(IN_PROGRESS)), ""),
    )


def _hidden(params: ListParams, without: tuple[str, ...]) -> HiddenFields:
    # A live page leads to a live page, however long its form was being filled in.
    asof = params.permalink_asof if params.time_range.asof else None
    fields = params.hidden_fields(page=None, asof=asof)
    return [(name, value) for name, value in fields if name not in without]


def _fix(error: ParamError, params: ListParams) -> Fix:
    query = params.corrected_query(error)
    suggestion = ", ".join(
        f"{name} “{value}”" if value else f"no {name}" for name, value in error.suggestion.items()
    )
    if len(error.suggestion) == 1 and all(error.suggestion.values()):
        suggestion = suggestion.removeprefix(f"{error.param} ")
    return Fix(
        param=error.param,
        value=error.value,
        reason=error.reason,
        suggestion=suggestion,
        url=_url(query),
    )


def _unknown(name: str, params: ListParams) -> Option:
    """An unknown parameter, and the link that gives its value to the one with a similar name."""
    shown = name[:_MAX_GUESSED]
    close = get_close_matches(shown.casefold(), ORDER, n=1)
    values = [v for v in params.unknown[name] if v and len(v) <= _MAX_GUESSED]
    if not close:
        return Option(label=shown)
    url = _url(params.query(**{close[0]: values[:1]})) if values else ""
    return Option(label=shown, value=close[0], url=url)


def _range_phrase(params: ListParams) -> str:
    time_range = params.time_range
    if not any(time_range.edges):
        return ""
    if time_range.on == "created":
        return range_label(time_range)
    return f"{ON_LABELS[time_range.on][0].lower()} {range_label(time_range)}"


def _filter_phrases(params: ListParams) -> Iterator[str]:
    statuses, recovered = params.getlist("status"), params.get("recovered")
    if recovered:
        yield "unresolved" if recovered == "no" else "recovered"
    elif set(statuses) == set(IN_PROGRESS):
        yield "in progress"
    else:
        yield from (status_of(one).word.lower() if one in KNOWN else one for one in statuses)
    for name in FILTERS:
        for value in () if name in ("status", "recovered") else params.getlist(name):
            yield _filter_phrase(name, value)


def _filter_phrase(name: str, value: str) -> str:
    if name == "q":
        return f"“{value}”"
    if name == "ids":
        return f"{value.count(',') + 1} IDs"
    return "any error code" if (name, value) == ("code", "any") else value


def _names(scope: Scope, attribute: str) -> list[str]:
    """What the visible projects have there, each once."""
    projects = scope.visible[:_MAX_PROJECTS]
    return sorted({getattr(project, attribute) for project in projects} - {""})


def _url(query: str) -> str:
    return reverse("restore-list") + query
