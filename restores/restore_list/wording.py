"""What a list asks for in a few words, for the way back to it."""

from __future__ import annotations

from collections.abc import Iterable

from restores.filters import FILTERS, ListParams
from restores.restore_list.panels import ON_WORDS
from restores.statuses import IN_PROGRESS, KNOWN, status_of
from restores.timerange import label

_MOST = 4
_ALL_TIME = "all time"


def in_words(params: ListParams) -> str:
    """Say what narrows a list: ``last 24 hours, still failed``; empty where nothing does."""
    said = [part for part in (_span(params), *_states(params), *_rest(params)) if part]
    more = [f"and {len(said) - _MOST} more"] if len(said) > _MOST else []
    return ", ".join([*said[:_MOST], *more])


def _span(params: ListParams) -> str:
    span = label(params.time_range)
    if span == _ALL_TIME or params.time_range.on == "created":
        return "" if span == _ALL_TIME else span
    return f"{ON_WORDS[params.time_range.on][0].lower()} {span}"


def _states(params: ListParams) -> Iterable[str]:
    statuses, recovered = params.getlist("status"), params.get("recovered")
    if recovered == "no":
        yield "still failed"
    elif recovered:
        yield "recovered"
    elif set(statuses) == set(IN_PROGRESS):
        yield "in progress"
    else:
        yield from (status_of(one).word.lower() if one in KNOWN else one for one in statuses)


def _rest(params: ListParams) -> Iterable[str]:
    for name in FILTERS:
        for value in () if name in ("status", "recovered") else params.getlist(name):
            yield _value(name, value)


def _value(name: str, value: str) -> str:
    if name == "q":
        return f"“{value}”"
    if name == "ids":
        return f"{value.count(',') + 1} ids"
    return "any code" if (name, value) == ("code", "any") else value
