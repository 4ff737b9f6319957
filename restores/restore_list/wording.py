"""What a list asks for in a few words, for the way back to it."""

from __future__ import annotations

from collections.abc import Iterable

from restores.filters import NARROWING, Asked
from restores.restore_list.panels import ON_WORDS
from restores.statuses import IN_PROGRESS, KNOWN, status_of
from restores.timerange import label

_MOST = 4
_ALL_TIME = "all time"


def in_words(asked: Asked) -> str:
    """Say what narrows a list: ``last 24 hours, still failed``; empty where nothing does."""
    said = [part for part in (_span(asked), *_states(asked), *_rest(asked)) if part]
    more = [f"and {len(said) - _MOST} more"] if len(said) > _MOST else []
    return ", ".join([*said[:_MOST], *more])


def _span(asked: Asked) -> str:
    span = label(asked.window)
    if span == _ALL_TIME or asked.window.on == "created":
        return "" if span == _ALL_TIME else span
    return f"{ON_WORDS[asked.window.on][0].lower()} {span}"


def _states(asked: Asked) -> Iterable[str]:
    statuses, recovered = asked.all("status"), asked.one("recovered")
    if recovered == "no":
        yield "still failed"
    elif recovered:
        yield "recovered"
    elif set(statuses) == set(IN_PROGRESS):
        yield "in progress"
    else:
        yield from (status_of(one).word.lower() if one in KNOWN else one for one in statuses)


def _rest(asked: Asked) -> Iterable[str]:
    for name in NARROWING:
        for value in () if name in ("status", "recovered") else asked.all(name):
            yield _value(name, value)


def _value(name: str, value: str) -> str:
    if name == "q":
        return f"“{value}”"
    if name == "ids":
        return f"{value.count(',') + 1} ids"
    return "any code" if (name, value) == ("code", "any") else value
