"""The toolbar of the restore list: time range, filters, columns, and links that change them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any, NamedTuple

from django.urls import reverse
from django.utils.text import capfirst

from restores.explain.codes import CATALOG
from restores.explain.estimates import format_duration
from restores.filters import FILTERS, ORDER, REPEATABLE, ListParams, Scope
from restores.filters.params import MAX_IDS, MAX_LENGTH, MAX_TEXT
from restores.restore_list.facets import Facet
from restores.statuses import IN_PROGRESS, KNOWN, OTHER, status_of
from restores.tables import RestoreTable, shown_columns
from restores.time_zone import ZoneOption, shown_range, zone_options
from restores.timerange import (
    ON,
    PRESETS,
    ParamError,
    TimeRange,
    describe_range,
    edge_texts,
    next_period,
    pin,
    previous_period,
    range_label,
    to_iso,
    to_params,
    zoom_out,
)

ON_LABELS = {
    "created": ("Created", "Restores that were requested in this range."),
    "ended": ("Finished", "Restores that succeeded or failed in this range."),
    "running": ("Running", "Restores that were queued or running at any point in this range."),
    "changed": ("Changed", "Restores with a status or progress change detected in this range."),
}
PAGE_SIZES = (25, 50, 100, 200)
# A width has to differ from the default, which is the empty value: without a time it is an error.
DEFAULT_WIDTH = "30m"
AROUND_WIDTHS = (("15m", "± 15 min"), ("30m", "± 30 min"), ("2h", "± 2 h"), ("1d", "± 1 d"))
RECOVERED_LABELS = (("", "all"), ("no", "unresolved only"), ("yes", "recovered only"))
# The names of parameters in the forms.
LABELS = {
    "q": "Search",
    "ids": "IDs",
    "code": "Error code",
    "project": "Project",
    "instance": "Instance",
    "customer": "Customer",
    "region": "Region",
    "on": "Match by",
    "from": "From",
    "to": "To",
    "tz": "Time zone",
    "around": "Around a time",
    "win": "Around a time ±",
}
OTHER_LABEL = "Other"
CHIP_LABELS = {"q": "Search", "ids": "IDs", "code": "Error code"}
# As many IDs as a list takes, with the commas between them.
MAX_IDS_LENGTH = MAX_IDS * (MAX_LENGTH + 1) - 1
_TIME_FIELDS = ("on", "from", "to", "tz", "around", "win")
_MAX_CHIPS = 20
_MAX_PROJECTS = 200
_MAX_TIME = 64
_MAX_ZONES = 8
# A guess at an unknown parameter must not lead to an invalid link.
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
    """A text field of a form; a ``multiline`` one keeps the line breaks of pasted text.

    A repeatable parameter has its ``values`` next to it, to be kept or dropped: as checkboxes with
    counts if its ``facet`` is known, else hidden. ``suggestions`` are offered during typing.
    """

    id: str
    name: str
    label: str
    placeholder: str
    value: str = ""
    error: str = ""
    max_length: int = MAX_LENGTH
    suggestions: Sequence[str] = ()
    multiline: bool = False
    repeatable: bool = False
    values: tuple[str, ...] = ()
    facet: Facet | None = None


class ZoneLink(NamedTuple):
    """A time zone to choose, and the URL of the same range in it."""

    zone: ZoneOption
    url: str
    current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeMenu:
    """The time range and the ways to change it; a URL is empty if it would lead nowhere.

    ``words`` is the range as duration and in UTC, ``days`` its first and last day. ``recent``: no
    quick range leads to it, so it is worth remembering.
    """

    path: str
    order: str
    on: str
    label: str
    exact: str
    words: str
    days: tuple[str, str]
    today: str
    recent: bool
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
    around_widths: list[Option]
    zones: list[ZoneLink]
    errors: Mapping[str, str]
    invalid: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pane:
    """One filter of the form: a text field, or options of which one or several are ``chosen``.

    One pane is ``open`` at a time. A text field has its own error and the values next to it.
    """

    name: str
    label: str
    chosen: int
    field: Field | None = None
    options: Sequence[Option] = ()
    single: bool = False
    error: str = ""
    open: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterForm:
    """The form of the filters, how many of them are in use, and whether one is ``invalid``."""

    panes: list[Pane]
    chosen: int
    invalid: bool
    hidden: HiddenFields
    counted: bool
    partly_counted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """An error of the query string, with links to what was probably meant.

    ``label`` is what the form calls the parameter; empty if no form has it.
    """

    param: str
    label: str
    value: str
    reason: str
    links: list[Option]


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
    page_sizes: list[Option]
    display_hidden: HiddenFields
    default_columns_url: str
    fixes: list[Fix]
    errors: Mapping[str, str]
    unknown: list[Option]


def toolbar(scope: Scope, now: datetime, facets: Mapping[str, Facet] | None = None) -> Toolbar:
    """Prepare the toolbar of one view, its filter form with the counts of ``facets``."""
    params = scope.params
    errors = {error.param: error.reason for error in unclear(params)}
    chips = list(_chips(params))
    columns = shown_columns(params)
    return Toolbar(
        time=time_menu(params, reverse("restore-list"), now, errors, _names(scope, "time_zone")),
        filters=_filter_form(scope, errors, facets or {}),
        chips=chips[:_MAX_CHIPS],
        more_chips=len(chips[_MAX_CHIPS:]),
        clear_url=_url(params.query(**dict.fromkeys(FILTERS))),
        live_url=_url(params.query(asof=None, page=None)),
        columns=[
            Option(label=column.verbose_name, value=name, current=name in columns)
            for name, column in RestoreTable.base_columns.items()
        ],
        page_sizes=[
            Option(
                # The default is the empty value: forms leave out what is empty.
                label=str(size),
                value=str(size) if str(size) != params.DECLARED["size"].default else "",
                current=size == params.size,
            )
            for size in sorted({*PAGE_SIZES, params.size})
        ],
        display_hidden=_hidden(params, without=("cols", "size", *params.POSITION)),
        default_columns_url=(
            _url(params.query(cols=None, page=str(params.page))) if params.get("cols") else ""
        ),
        fixes=_fixes(params),
        errors=errors,
        unknown=[_unknown(name, params) for name in params.unknown],
    )


def filter_summary(params: ListParams) -> str:
    """Say what a list is filtered by: ``last 24 hours, unresolved``; empty if by nothing."""
    phrases = [phrase for phrase in (_range_phrase(params), *_filter_phrases(params)) if phrase]
    more = [f"and {len(phrases) - _MAX_PHRASES} more"] if len(phrases) > _MAX_PHRASES else []
    return ", ".join([*phrases[:_MAX_PHRASES], *more])


def time_menu(
    params: ListParams,
    path: str,
    now: datetime,
    errors: Mapping[str, str],
    zones: Sequence[str],
) -> TimeMenu:
    """Prepare the time range of the page at ``path``; ``zones`` are those of the projects."""
    time_range = params.time_range
    shown = shown_range(time_range)

    def url(edges: Mapping[str, str] | None) -> str:
        return "" if edges is None else path + (params.with_time_range(edges) or "?")

    def field(name: str, placeholder: str) -> Field:
        return Field(
            id=name,
            name=name,
            label=LABELS[name],
            placeholder=placeholder,
            value=typed.get(name, ""),
            error=errors.get(name, ""),
            max_length=_MAX_TIME,
        )

    # Typed text stays until it is valid; then the edges are in the zone of the page.
    typed = {name: text for name, text in params.raw.items() if name in _TIME_FIELDS}
    unreadable = any(error.param in _TIME_FIELDS for error in params.errors)
    if not unreadable:
        typed |= dict(zip(("from", "to"), edge_texts(shown), strict=True))
        typed["tz"] = "" if shown.tz == "UTC" and not time_range.tz else shown.tz
    kept = {name: value for name, value in to_params(time_range).items() if name in ("on", "tz")}
    edges = to_params(time_range)
    if any("/" in edge for edge in time_range.edges):
        # Days begin at other times elsewhere: the range stays, only its labels change.
        bounds = {"from": time_range.start, "to": time_range.end}
        edges |= {name: to_iso(at) for name, at in bounds.items() if at}
    current_zone = shown.zone.key
    zone_names = list(dict.fromkeys([current_zone, "UTC", *zones]))[:_MAX_ZONES]
    presets = [
        Option(
            label=name,
            url=url(kept | _in_zone(preset, current_zone)),
            current=not unreadable
            and (preset.get("from", ""), preset.get("to", "")) == shown.edges,
        )
        for name, preset in PRESETS
    ]
    return TimeMenu(
        path=path,
        order=" ".join(params.DECLARED),
        on=ON_LABELS[time_range.on][0],
        label="Invalid time range" if unreadable else capfirst(range_label(shown)),
        exact="" if unreadable else capfirst(describe_range(shown, now)),
        words=range_in_words(time_range),
        days=range_days(shown),
        today=f"{now.astimezone(shown.zone).date()}",
        recent=not unreadable and any(shown.edges) and not any(one.current for one in presets),
        previous=url(previous_period(time_range)),
        next=url(next_period(time_range)),
        zoom_out=url(zoom_out(time_range)),
        pin=url(pin(time_range)),
        any_time=url({}) if any(time_range.edges) else "",
        presets=presets,
        on_options=[
            # The default is the empty value: forms leave out what is empty.
            Option(
                label=name, hint=hint, value=on if on != ON[0] else "", current=on == time_range.on
            )
            for on, (name, hint) in ON_LABELS.items()
            if "on" in params.DECLARED
        ],
        hidden=_hidden(params, without=_TIME_FIELDS),
        edges=(field("from", "yesterday 14:05"), field("to", "now")),
        zone_field=field("tz", "City, country or offset"),
        around=field("around", "Paste a log timestamp"),
        around_widths=[
            Option(
                label=name,
                value=width if width != DEFAULT_WIDTH else "",
                current=params.raw.get("win", DEFAULT_WIDTH) == width,
            )
            for width, name in AROUND_WIDTHS
        ],
        zones=[
            ZoneLink(zone, url(edges | {"tz": zone.value}), zone.value == current_zone)
            for zone in zone_options(zone_names, now)
        ],
        errors=errors,
        invalid=any(name in errors for name in _TIME_FIELDS),
    )


def range_in_words(time_range: TimeRange) -> str:
    """Give the length of a range, and its edges in UTC: ``2 h · 22 Nov, 14:00 – 16:00 UTC``."""
    start, end = time_range.start, time_range.end or time_range.now
    exact = capfirst(describe_range(replace(time_range, tz="UTC"), time_range.now))
    return f"{format_duration((end - start).total_seconds())} · {exact}" if start else exact


def range_days(time_range: TimeRange) -> tuple[str, str]:
    """The first and the last day of a range in its zone, empty if it is open."""
    start, end = time_range.start, time_range.end
    if start and not end:
        end = max(start, time_range.now)
    last = end and (end - timedelta(microseconds=1)).astimezone(time_range.zone).date()
    first = start and start.astimezone(time_range.zone).date()
    return f"{first or ''}", f"{last or ''}"


def _in_zone(preset: Mapping[str, str], zone: str) -> dict[str, str]:
    """A quick range whose days are those of a zone."""
    whole_days = any("/" in edge for edge in preset.values())
    return {**preset, "tz": zone} if whole_days and zone != "UTC" else {**preset}


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

    def names(attribute: str) -> list[str]:
        # With the facets only: printing hundreds takes longer than the rest of the form.
        return _names(scope, attribute) if facets else []

    def text(field: Field) -> Pane:
        chosen = len(params.getlist(field.name))
        return Pane(
            name=field.name, label=field.label, chosen=chosen, field=field, error=field.error
        )

    def choice(name: str, label: str, options: list[Option], *, single: bool = False) -> Pane:
        return Pane(
            name=name,
            label=label,
            chosen=len(params.getlist(name)),
            options=options,
            single=single,
            error=errors.get(name, ""),
        )

    outcomes = [
        Option(label=capfirst(label), value=value, current=value == params.get("recovered"))
        for value, label in RECOVERED_LABELS
    ]
    stuck = [Option(label="Only possibly stuck", value="yes", current=bool(params.get("stuck")))]
    panes = [
        text(field("customer", "Customer", "name", suggestions=names("customer"))),
        text(field("project", "Project", "name or ID", suggestions=names("name"))),
        text(field("instance", "Instance", "name or ID")),
        choice("status", "Status", _status_options(params)),
        choice("stuck", "Possibly stuck", stuck),
        choice("recovered", "Failed restores", outcomes, single=True),
        text(field("code", "Error code", "e.g. dcs.08.0007", suggestions=["any", *CATALOG])),
        text(field("region", "Region", "e.g. eu-de", suggestions=names("region"))),
        text(field("q", "Search", "name, remark or ID", max_length=MAX_TEXT)),
        text(
            field(
                "ids",
                "IDs",
                "restore, backup or instance IDs",
                max_length=MAX_IDS_LENGTH,
                multiline=True,
            )
        ),
    ]
    # Errors come first; otherwise, a filter in use is the likeliest to be changed.
    first = max(panes, key=lambda pane: (bool(pane.error), bool(pane.chosen)))
    return FilterForm(
        panes=[replace(pane, open=pane is first) for pane in panes],
        chosen=sum(bool(pane.chosen) for pane in panes),
        invalid=any(pane.error for pane in panes),
        hidden=_hidden(params, without=FILTERS),
        counted=bool(facets),
        partly_counted=any(facet.partial for facet in facets.values()),
    )


def _status_options(params: ListParams) -> list[Option]:
    chosen = params.getlist("status")
    names = [*KNOWN, *(name for name in chosen if name not in KNOWN and name != OTHER)]
    return [
        *(Option(label=status_of(name).word, value=name, current=name in chosen) for name in names),
        Option(label=OTHER_LABEL, value=OTHER, current=OTHER in chosen),
    ]


def _chips(params: ListParams) -> Iterator[Option]:
    """Each filter that no tab shows, with the link that removes it."""
    on_tab = ("status", "stuck", "recovered") if _is_tab(params) else ()
    for name in FILTERS:
        for value in () if name in on_tab else params.getlist(name):
            others = [other for other in params.getlist(name) if other != value]
            yield Option(
                label=CHIP_LABELS.get(name, name.capitalize()),
                value=_chip_value(name, value),
                url=_url(params.query(**{name: others})),
            )


def _chip_value(name: str, value: str) -> str:
    if name == "status":
        return OTHER_LABEL if value == OTHER else status_of(value).word
    if (name, value) == ("code", "any"):
        return "any"
    return f"{value.count(',') + 1} IDs" if name == "ids" and "," in value else value


def _is_tab(params: ListParams) -> bool:
    chosen = (params.getlist("status"), params.get("stuck"), params.get("recovered"))
    return chosen in (
        ((), "", ""),
        ((), "yes", ""),
        (("failed",), "", "no"),
        (("failed",), "", ""),
        (("succeed",), "", ""),
        (tuple(sorted(IN_PROGRESS)), "", ""),
        ((OTHER,), "", ""),
    )


def _hidden(params: ListParams, without: tuple[str, ...]) -> HiddenFields:
    # A live page leads to a live page, however long its form was open.
    asof = params.permalink_asof if params.time_range.asof else None
    fields = params.hidden_fields(page=None, asof=asof)
    if any(error.param in _TIME_FIELDS for error in params.errors):
        # A time that isn't understood yet is shown again, not dropped.
        typed = {name: params.raw[name] for name in _TIME_FIELDS if name in params.raw}
        fields = [pair for pair in fields if pair[0] not in typed] + list(typed.items())
    return [(name, value) for name, value in fields if name not in without]


def unclear(params: ListParams) -> list[ParamError]:
    """The errors that a person has to look at: clear values are applied later."""
    return [error for error in params.errors if not error.clear] or params.errors


def _fixes(params: ListParams) -> list[Fix]:
    """The errors by parameter and reason: the meanings of a time are links of one."""
    fixes: dict[tuple[str, str], Fix] = {}
    for error in unclear(params):
        fix = fixes.setdefault(
            (error.param, error.reason),
            Fix(
                param=error.param,
                label=LABELS.get(error.param, ""),
                value=error.value,
                reason=error.reason,
                links=[],
            ),
        )
        if error.suggestion:
            url = _url(params.corrected_query(error))
            fix.links.append(Option(label=_suggestion(error), url=url))
    return list(fixes.values())


def _suggestion(error: ParamError) -> str:
    """A suggestion in words."""
    if error.meaning or len(error.suggestion) == 1:
        return error.meaning or "".join(error.suggestion.values())
    return ", ".join(f"{LABELS[name]} “{value}”" for name, value in error.suggestion.items())


def _unknown(name: str, params: ListParams) -> Option:
    """An unknown parameter, and the link that gives its value to the one with a similar name."""
    shown = name[:_MAX_GUESSED]
    if name == "sort":
        hint = "Restores can no longer be sorted by progress; this is the default order."
        return Option(label=name, hint=hint)
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
        return range_label(shown_range(time_range))
    return f"{ON_LABELS[time_range.on][0].lower()} {range_label(shown_range(time_range))}"


def _filter_phrases(params: ListParams) -> Iterator[str]:
    statuses, recovered = params.getlist("status"), params.get("recovered")
    if params.get("stuck"):
        yield "possibly stuck"
    if recovered:
        yield "unresolved" if recovered == "no" else "recovered"
    elif set(statuses) == set(IN_PROGRESS):
        yield "in progress"
    else:
        yield from map(_status_phrase, statuses)
    for name in FILTERS:
        for value in () if name in ("status", "stuck", "recovered") else params.getlist(name):
            yield _filter_phrase(name, value)


def _status_phrase(status: str) -> str:
    if status == OTHER:
        return "other statuses"
    return status_of(status).word.lower() if status in KNOWN else status


def _filter_phrase(name: str, value: str) -> str:
    if name == "q":
        return f"“{value}”"
    if name == "ids":
        return f"{value.count(',') + 1} IDs"
    return "any error code" if (name, value) == ("code", "any") else value


def _names(scope: Scope, attribute: str) -> list[str]:
    """The visible projects' values of an attribute, each once."""
    projects = scope.visible[:_MAX_PROJECTS]
    return sorted({getattr(project, attribute) for project in projects} - {""})


def _url(query: str) -> str:
    return reverse("restore-list") + query
