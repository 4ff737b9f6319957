"""What one may choose, and what was chosen: chips that name a filter and drop it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from restores.filters import FILTERS, ListParams
from restores.statuses import IN_PROGRESS, status_of

# Where the name in the URL is no word to read.
_WORDS = {"q": "text", "ids": "restores"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A link, or a value to choose, and whether it is the present one."""

    label: str
    query: str = ""
    value: str = ""
    small: str = ""
    current: bool = False


def chips_of(params: ListParams) -> Iterator[Choice]:
    """What narrows the list beyond the choice among the states, each with the way to drop it."""
    states = ("status", "recovered") if _is_tab(params) else ()
    for name in FILTERS:
        for value in () if name in states else params.getlist(name):
            others = [other for other in params.getlist(name) if other != value]
            yield Choice(
                label=_WORDS.get(name, name),
                value=_spoken(name, value),
                query=params.query(**{name: others}),
            )


def _spoken(name: str, value: str) -> str:
    if name == "status":
        return status_of(value).word
    return f"{value.count(',') + 1} given" if name == "ids" and "," in value else value


def _is_tab(params: ListParams) -> bool:
    chosen = params.getlist("status"), params.get("recovered")
    tabs = {((), ""), (("failed",), "no"), (("failed",), ""), (("succeed",), "")}
    return chosen in {*tabs, (tuple(sorted(IN_PROGRESS)), "")}
