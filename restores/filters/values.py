"""Reads the values of one parameter; what it cannot read raises ``Misread``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches

from restores.columns import COLUMNS, SHOWN, SORTS
from restores.filters.cursors import Cursor
from restores.statuses import KNOWN

LONGEST = 128
LONGEST_TEXT = 200
LONGEST_CURSOR = 1024
MOST_VALUES = 20
MOST_IDS = 100
SIZES = (10, 200)
PAGES = (1, 1_000_000)
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)

Values = tuple[str, ...]
Reader = Callable[[Values], Values]


class Misread(Exception):
    """A value that cannot be read, and one that could be instead."""

    def __init__(self, reason: str, instead: str = "") -> None:
        super().__init__(reason)
        self.reason, self.instead = reason, instead


def several(values: Values) -> Values:
    """Any texts, each once."""
    if len(values) > MOST_VALUES:
        raise Misread(f"more than {MOST_VALUES} values")
    if any(len(value) > LONGEST for value in values):
        raise Misread(f"longer than {LONGEST} characters")
    return tuple(sorted(set(values)))


def single(values: Values, longest: int = LONGEST) -> str:
    """The one text of a parameter that stands for one thing."""
    if len(values) > 1:
        raise Misread("given more than once")
    if len(values[0]) > longest:
        raise Misread(f"longer than {longest} characters")
    return values[0]


def _status(values: Values) -> Values:
    folded = {value: value.casefold() for value in values}
    return several(tuple(low if low in KNOWN else value for value, low in folded.items()))


def _code(values: Values) -> Values:
    return ("any",) if "any" in several(values) else several(values)


def _text(values: Values) -> Values:
    return (" ".join(single(values, LONGEST_TEXT).split()),)


def _recovered(values: Values) -> Values:
    return (_one_of(single(values).casefold(), ("yes", "no")),)


def _ids(values: Values) -> Values:
    text = single(values, MOST_IDS * (LONGEST + 1))
    ids = sorted({one.strip() for one in text.split(",")} - {""})
    if len(ids) > MOST_IDS:
        raise Misread(f"more than {MOST_IDS} ids")
    if any(len(one) > LONGEST for one in ids):
        raise Misread(f"an id longer than {LONGEST} characters")
    return (",".join(ids),) if ids else ()


def _sort(values: Values) -> Values:
    return (_one_of(single(values), [*SORTS, *(f"-{name}" for name in SORTS)]),)


def _cols(values: Values) -> Values:
    asked = {_one_of(one.strip(), COLUMNS) for one in ",".join(values).split(",") if one.strip()}
    cols = tuple(column for column in COLUMNS if column in asked)
    return (",".join(cols),) if cols and cols != SHOWN else ()


def _size(values: Values) -> Values:
    return (_number(single(values), *SIZES),)


def _page(values: Values) -> Values:
    return (_number(single(values), *PAGES),)


def _cursor(values: Values) -> Values:
    token = single(values, LONGEST_CURSOR)
    try:
        Cursor.read(token)
    except ValueError:
        raise Misread("not a place in this list that we made") from None
    return (token,)


def _number(text: str, least: int, most: int) -> str:
    if not _NUMBER.fullmatch(text):
        raise Misread(f"not a whole number from {least:,} to {most:,}")
    near = str(min(max(int(text), least), most))
    if int(near) != int(text):
        raise Misread(f"not within {least:,} and {most:,}", near)
    return near


def _one_of(text: str, allowed: Iterable[str]) -> str:
    names = list(allowed)
    if text not in names:
        close = get_close_matches(text.casefold()[:LONGEST], names, n=1)
        raise Misread(f"must be one of {', '.join(names)}", *close)
    return text


READERS: dict[str, Reader] = {
    "customer": several,
    "region": several,
    "project": several,
    "instance": several,
    "status": _status,
    "code": _code,
    "recovered": _recovered,
    "q": _text,
    "ids": _ids,
    "sort": _sort,
    "cols": _cols,
    "size": _size,
    "page": _page,
    "after": _cursor,
    "before": _cursor,
}
