"""What stands above the table: the window, the filters, and what was wrong or left aside."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from restores.explain.codes import CATALOGUE
from restores.filters import FILTERS, ORDER, REPEATABLE, ListParams, Scope
from restores.restore_list.choices import Choice, chips_of
from restores.statuses import KNOWN, status_of
from restores.timerange import ON, PRESETS, canonical, earlier, fixed, label, later, wider, words

SIZES = (25, 50, 100, 200)
ON_WORDS = {
    "created": ("Created", "requested within it"),
    "ended": ("Ended", "succeeded or failed within it"),
    "running": ("In progress during", "waited or restored within it"),
    "changed": ("Changed", "seen to begin, move on or end within it"),
}
_WINDOW_FIELDS = ("on", "from", "to", "tz", "around", "win")
_MOST_CHIPS = 20
_MOST_NAMES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """One problem in words, with a link to what was probably meant."""

    param: str
    value: str
    reason: str
    meant: str
    query: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Panels:
    """The tools above the list; queries are links into the list."""

    on: str
    label: str
    words: str
    notes: tuple[str, ...]
    steps: dict[str, str]
    on_choices: list[Choice]
    presets: list[Choice]
    statuses: list[Choice]
    sizes: list[Choice]
    chips: list[Choice]
    more_chips: int
    clear: str
    live: str
    ever: str
    zone: str
    window_hidden: list[tuple[str, str]]
    filter_hidden: list[tuple[str, str]]
    projects: list[str]
    customers: list[str]
    regions: list[str]
    zones: list[str]
    codes: list[str]
    again: dict[str, str]
    fixes: list[Fix]
    wrong: dict[str, str]
    wrong_window: bool
    unknown: list[Choice]


def panels(scope: Scope, now: datetime) -> Panels:
    """Prepare the tools for one view."""
    params, window, named = scope.params, scope.params.time_range, scope.visible[:_MOST_NAMES]
    chips = list(chips_of(params))
    wrong = {problem.param: problem.reason for problem in params.errors}
    return Panels(
        on=ON_WORDS[window.on][0],
        label=label(window),
        words=words(window, now),
        notes=window.notes,
        steps=_steps(params),
        on_choices=[_on_choice(on, params) for on in ON],
        presets=[_preset(name, edges, params) for name, edges in PRESETS],
        statuses=_statuses(params),
        sizes=[_size(size, params) for size in SIZES],
        chips=chips[:_MOST_CHIPS],
        more_chips=len(chips[_MOST_CHIPS:]),
        clear=params.query(**dict.fromkeys(FILTERS)),
        live=params.query(asof=None, page=None),
        ever=params.with_time_range({}),
        zone=window.tz.rpartition("/")[2].replace("_", " "),
        window_hidden=_hidden(params, without=("on", "from", "to", "tz")),
        filter_hidden=_hidden(params, without=FILTERS),
        projects=_names(place.name for place in named),
        customers=_names(place.customer for place in named),
        regions=_names(place.region for place in named),
        zones=_names(place.time_zone for place in named),
        again={name: params.raw.get(name, "") for name in REPEATABLE if name in wrong},
        codes=["any", *CATALOGUE],
        fixes=_fixes(params),
        wrong=wrong,
        wrong_window=any(name in wrong for name in _WINDOW_FIELDS),
        unknown=[_unknown(name, params) for name in params.unknown],
    )


def _names(values: Iterable[str]) -> list[str]:
    return sorted(set(values) - {""})


def _steps(params: ListParams) -> dict[str, str]:
    """The windows that lie beside and around this one, and its own fixed edges; "" where none."""
    ways = {"earlier": earlier, "later": later, "wider": wider, "fixed": fixed}
    found = {name: step(params.time_range) for name, step in ways.items()}
    return {name: params.with_time_range(edges) if edges else "" for name, edges in found.items()}


def _on_choice(on: str, params: ListParams) -> Choice:
    name, small = ON_WORDS[on]
    return Choice(label=name, value=on, small=small, current=on == params.time_range.on)


def _preset(name: str, edges: dict[str, str], params: ListParams) -> Choice:
    kept = {
        key: value for key, value in canonical(params.time_range).items() if key in ("on", "tz")
    }
    spelt = (edges.get("from", ""), edges.get("to", ""))
    query = params.with_time_range(kept | edges)
    return Choice(label=name, query=query, current=spelt == params.time_range.spelt)


def _statuses(params: ListParams) -> list[Choice]:
    names = [*KNOWN, *(name for name in params.getlist("status") if name not in KNOWN)]
    chosen = params.getlist("status")
    return [Choice(label=status_of(n).word, value=n, current=n in chosen) for n in names]


def _size(size: int, params: ListParams) -> Choice:
    return Choice(label=str(size), query=params.query(size=str(size)), current=size == params.size)


def _hidden(params: ListParams, without: tuple[str, ...]) -> list[tuple[str, str]]:
    # A page that is live leads to one that is, however long its form was being filled in.
    asof = params.permalink_asof if params.time_range.asof else None
    return [
        (n, value) for n, value in params.hidden_fields(page=None, asof=asof) if n not in without
    ]


def _fixes(params: ListParams) -> list[Fix]:
    return [
        Fix(
            param=problem.param,
            value=problem.value,
            reason=problem.reason,
            meant=", ".join(f"{n}={v}" if v else f"no {n}" for n, v in problem.suggestion.items()),
            query=params.corrected_query(problem),
        )
        for problem in params.errors
    ]


def _unknown(name: str, params: ListParams) -> Choice:
    close = get_close_matches(name[:64].casefold(), ORDER, n=1)
    # Only what one value can say: a guess must not make an unreadable page.
    values = [value for value in params.unknown[name] if value and len(value) <= 64]
    query = params.query(**{close[0]: values[:1]}) if close and values else ""
    return Choice(label=name[:64], value=close[0] if close else "", query=query)
