"""Parameters of the restore list: parsed strictly from a query string, written canonically."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from functools import lru_cache
from itertools import starmap
from urllib.parse import urlencode

from django.http import QueryDict

from restores import timerange
from restores.columns import COLUMNS, SHOWN, SORTS
from restores.filters.cursors import Cursor
from restores.statuses import KNOWN
from restores.timerange import InvalidTimeRange, ParamError, TimeRange, anchor, canonical, instant

REPEATABLE = ("customer", "region", "project", "instance", "status", "code")
PLACES = ("customer", "region", "project", "instance")
TIME_RANGE = ("on", "from", "to", "tz", "asof")
# What stands for from and to, and never in a canonical URL.
SHORTHAND = ("around", "win")
ORDER = (
    *REPEATABLE,
    "recovered",
    "q",
    "ids",
    *TIME_RANGE,
    "sort",
    "cols",
    "size",
    "page",
    "after",
    "before",
)
# Parameters that filter the rows; the others say how they are shown.
FILTERS = (*REPEATABLE, "recovered", "q", "ids")
# Filters beyond where and when: none may match although there are restores.
ROW_FILTERS = ("status", "code", "recovered", "q", "ids")
DEFAULTS = {"sort": "-created", "size": "50", "page": "1"}

MAX_QUERY = 8190
MAX_LENGTH = 128
MAX_TEXT = 200
MAX_CURSOR = 1024
MAX_VALUES = 20
MAX_IDS = 100
SIZES = (10, 200)
PAGES = (1, 1_000_000)
# A link younger than this opens live: what it shows is still what is.
YOUNG = timedelta(minutes=2)
_SHOWN = 200
_KNOWN = frozenset((*ORDER, *SHORTHAND))
_FIRST_PAGE: dict[str, tuple[str, ...]] = {"page": (), "after": (), "before": ()}
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)

Value = str | Sequence[str] | None
Values = tuple[str, ...]


class InvalidValue(Exception):
    """A value that cannot be parsed, and one that may have been meant."""

    def __init__(self, reason: str, suggestion: str = "") -> None:
        super().__init__(reason)
        self.reason, self.suggestion = reason, suggestion


@dataclass(frozen=True, slots=True, kw_only=True)
class ListParams:
    """The parsed parameters in their canonical spelling, and the errors of the others.

    With ``errors`` a page shows no rows. ``raw`` holds the text of each known parameter as it
    stood in the URL. ``permalink_asof`` is the ``asof`` of every link that leads to data; a time
    range with an ``asof`` is a snapshot. ``normalized`` is the time range in its canonical
    spelling, if a person wrote one that has a single meaning and nothing else is wrong.
    """

    values: Mapping[str, Values]
    time_range: TimeRange
    unknown: Mapping[str, Values]
    errors: tuple[ParamError, ...]
    raw: Mapping[str, str]
    permalink_asof: str = ""
    normalized: Mapping[str, str] | None = None

    @classmethod
    def parse(cls, query: QueryDict, now: datetime) -> ListParams:
        """Parse a query string at the time ``now``; every error is collected, none is raised."""
        return _Parser(query, now).parse()

    def get(self, name: str) -> str:
        """The value of a single-valued parameter, its default, or an empty string."""
        return self.values.get(name, (DEFAULTS.get(name, ""),))[0]

    def getlist(self, name: str) -> Values:
        """Every value of a repeatable parameter."""
        return self.values.get(name, ())

    @property
    def size(self) -> int:
        """Rows per page."""
        return int(self.get("size"))

    @property
    def page(self) -> int:
        """The number of the page, from 1."""
        return int(self.get("page"))

    @property
    def cursor(self) -> tuple[str, Cursor] | None:
        """``after`` or ``before``, and the cursor."""
        found = [(name, self.get(name)) for name in ("after", "before") if name in self.values]
        return next(((name, Cursor.read(token)) for name, token in found), None)

    @property
    def sort(self) -> str:
        """The column to sort by, with ``-`` in front for descending."""
        return self.get("sort")

    @property
    def position(self) -> dict[str, str]:
        """The page or cursor, for a link that leads back to it."""
        return {name: self.get(name) for name in _FIRST_PAGE}

    @property
    def ids(self) -> list[str]:
        """The ids of ``ids``, one by one."""
        return [one for one in self.get("ids").split(",") if one]

    @property
    def filters_rows(self) -> bool:
        """Whether restores are filtered by more than place and time."""
        return any(name in self.values for name in ROW_FILTERS)

    @property
    def filtered(self) -> bool:
        """Whether anything but the time range leaves rows out."""
        return any(name in self.values for name in FILTERS)

    def query(self, **changed: Value) -> str:
        """The query string of this view with some values changed, ``?`` in front; None removes.

        It carries ``asof``, so that it shows the same later. Any other change leads to page 1.
        """
        return _encode(self.hidden_fields(**{"asof": self.permalink_asof, **changed}))

    def hidden_fields(self, **changed: Value) -> list[tuple[str, str]]:
        """The same as names and values, for the hidden fields of a form."""
        given = {name: _as_tuple(value) for name, value in changed.items()}
        values = {**self.values, **(_FIRST_PAGE if given.keys() - {"asof"} else {}), **given}
        return [
            (name, value)
            for name in ORDER
            for value in sorted(set(values.get(name, ())))
            if value and value != DEFAULTS.get(name)
        ]

    @property
    def canonical_query(self) -> str:
        """The one query string of this view, as it should stand in the address bar."""
        return _encode([*self.hidden_fields(), *self._unknown_pairs()])

    @property
    def normalized_query(self) -> str:
        """The canonical query string of a time range that a person wrote; empty unless one was."""
        if self.normalized is None:
            return ""
        edges: dict[str, Value] = {name: self.normalized.get(name) for name in TIME_RANGE}
        return _encode([*self.hidden_fields(**edges), *self._unknown_pairs()])

    @property
    def permalink_query(self) -> str:
        """The canonical query string of this snapshot: it shows the same later."""
        return _encode([*self.hidden_fields(asof=self.permalink_asof), *self._unknown_pairs()])

    @property
    def live_query(self) -> str:
        """The canonical query string without ``asof``: it shows the present when opened."""
        return _encode([*self.hidden_fields(asof=None), *self._unknown_pairs()])

    def with_time_range(self, edges: Mapping[str, str]) -> str:
        """The query string of this view in another time range, as of the same moment."""
        changed: dict[str, Value] = {name: edges.get(name) for name in TIME_RANGE if name != "asof"}
        return self.query(**changed)

    def corrected_query(self, error: ParamError) -> str:
        """The query string with the suggestion of an error; empty without a suggestion."""
        if not error.suggestion:
            return ""
        wrong = {other.param for other in self.errors}
        valid = (name for name in (*TIME_RANGE, *SHORTHAND) if name not in wrong)
        edges = {name: self.raw[name] for name in valid if name in self.raw}
        edges |= error.suggestion
        shorthand = [(name, edges.pop(name)) for name in SHORTHAND if name in edges]
        return _encode([*self.hidden_fields(**edges), *shorthand])

    @property
    def resolved_range(self) -> dict[str, str | None]:
        """The time range in absolute times, for JSON."""
        edges = {
            "from": self.time_range.start,
            "to": self.time_range.end,
            "asof": self.time_range.asof,
        }
        times = {name: instant(at) if at else None for name, at in edges.items()}
        return {"on": self.time_range.on, **times}

    def _unknown_pairs(self) -> list[tuple[str, str]]:
        return [(name, value) for name, values in self.unknown.items() for value in values]


class _Parser:
    """One pass over the parameters that goes on after an error."""

    def __init__(self, query: QueryDict, now: datetime) -> None:
        self.now = now
        self.errors: list[ParamError] = []
        self.values: dict[str, Values] = {}
        self.normalized: dict[str, str] | None = None
        self.given = self._given(query)

    def parse(self) -> ListParams:
        for name, parse in _PARSERS.items():
            given = self._storable(name)
            try:
                values = parse(given) if given else ()
            except InvalidValue as error:
                self._refuse(name, error)
                continue
            if values and values != (DEFAULTS.get(name),):
                self.values[name] = values
        self._check_position()
        time_range = self._time_range()
        return ListParams(
            time_range=time_range,
            values=self.values,
            unknown={name: values for name, values in self.given.items() if name not in _KNOWN},
            errors=tuple(self.errors),
            raw={name: _shortened(self.given[name]) for name in _KNOWN & self.given.keys()},
            permalink_asof=self._permalink_asof(time_range),
            normalized=self.normalized if all(error.clear for error in self.errors) else None,
        )

    def _given(self, query: QueryDict) -> dict[str, Values]:
        lists = list(query.lists())
        if sum(len(name) + sum(map(len, values)) for name, values in lists) > MAX_QUERY:
            reason = f"The address is longer than {MAX_QUERY:,} characters"
            self.errors.append(ParamError(param="", value="", reason=reason))
            return {}
        return {
            # An empty value of a known parameter counts as absent.
            name: tuple(filter(None, map(str.strip, values)) if name in _KNOWN else values)
            for name, values in lists
        }

    def _storable(self, name: str) -> Values:
        """The values, unless the database or the response could not carry them."""
        values = self.given.get(name, ())
        if all("\0" not in value and value == _encodable(value) for value in values):
            return values
        self._refuse(name, InvalidValue("holds a character that no text has"))
        return ()

    def _check_position(self) -> None:
        """A cursor belongs to one order, and a page is asked for in one way."""
        given = [name for name in _FIRST_PAGE if name in self.values]
        for name in given[1:]:
            self._refuse(name, InvalidValue(f"can’t be combined with {given[0]}"))
        (sort,) = self.values.get("sort", (DEFAULTS["sort"],))
        for name in given:
            if name != "page" and Cursor.read(self.values[name][0]).sort != sort:
                self._refuse(name, InvalidValue("belongs to a list that is sorted differently"))

    def _time_range(self) -> TimeRange:
        texts = {}
        for name in (*TIME_RANGE, *SHORTHAND):
            try:
                texts[name] = single_value(values) if (values := self._storable(name)) else ""
            except InvalidValue as error:
                self._refuse(name, error)
        if young := self._young_asof(texts):
            texts["asof"] = ""
        try:
            found = timerange.read(texts, self.now)
        except InvalidTimeRange as error:
            self.errors += self._normalize(texts, error.errors)
            return timerange.read({}, self.now)
        written = canonical(found) | ({"asof": young} if young else {})
        self.values |= {name: (value,) for name, value in written.items()}
        return found

    def _young_asof(self, texts: Mapping[str, str]) -> str:
        """The ``asof`` of a link that is young enough to open live."""
        try:
            found = timerange.read({name: texts.get(name, "") for name in ("asof", "tz")}, self.now)
        except InvalidTimeRange:
            return ""
        return instant(found.asof) if found.asof and self.now - found.asof < YOUNG else ""

    def _permalink_asof(self, time_range: TimeRange) -> str:
        if self.errors:
            return ""
        return instant(time_range.asof) if time_range.asof else anchor(self.now)

    def _normalize(self, texts: dict[str, str], errors: list[ParamError]) -> list[ParamError]:
        """Parse again what a person wrote with one meaning; return the errors that remain."""
        if not all(error.clear for error in errors):
            return errors
        clear = dict(texts)
        for error in errors:
            clear |= error.suggestion
        try:
            self.normalized = canonical(timerange.read(clear, self.now))
        except InvalidTimeRange as error:
            return error.errors
        return errors

    def _refuse(self, name: str, error: InvalidValue) -> None:
        self.errors.append(
            ParamError(
                param=name,
                value=_shortened(self.given[name]),
                reason=error.reason,
                suggestion={name: error.suggestion} if error.suggestion else {},
            )
        )


def many_values(values: Values) -> Values:
    """Any texts, each once."""
    if len(values) > MAX_VALUES:
        raise InvalidValue(f"Too many values (max. {MAX_VALUES})")
    if any(len(value) > MAX_LENGTH for value in values):
        raise InvalidValue(f"longer than {MAX_LENGTH} characters")
    return tuple(sorted(set(values)))


def single_value(values: Values, longest: int = MAX_LENGTH) -> str:
    """The one text of a parameter that can only be given once."""
    if len(values) > 1:
        raise InvalidValue("can only be given once")
    if len(values[0]) > longest:
        raise InvalidValue(f"longer than {longest} characters")
    return values[0]


def _status(values: Values) -> Values:
    folded = {value: value.casefold() for value in values}
    return many_values(tuple(low if low in KNOWN else value for value, low in folded.items()))


def _code(values: Values) -> Values:
    return ("any",) if "any" in many_values(values) else many_values(values)


def _text(values: Values) -> Values:
    return (" ".join(single_value(values, MAX_TEXT).split()),)


def _recovered(values: Values) -> Values:
    return (_one_of(single_value(values).casefold(), ("yes", "no")),)


def _ids(values: Values) -> Values:
    text = single_value(values, MAX_IDS * (MAX_LENGTH + 1))
    ids = sorted({one.strip() for one in text.split(",")} - {""})
    if len(ids) > MAX_IDS:
        raise InvalidValue(f"Too many IDs (max. {MAX_IDS})")
    if any(len(one) > MAX_LENGTH for one in ids):
        raise InvalidValue(f"an ID longer than {MAX_LENGTH} characters")
    return (",".join(ids),) if ids else ()


def _sort(values: Values) -> Values:
    return (_one_of(single_value(values), [*SORTS, *(f"-{name}" for name in SORTS)]),)


def _cols(values: Values) -> Values:
    named = {_one_of(one.strip(), COLUMNS) for one in ",".join(values).split(",") if one.strip()}
    cols = tuple(column for column in COLUMNS if column in named)
    return (",".join(cols),) if cols and cols != SHOWN else ()


def _size(values: Values) -> Values:
    return (_number(single_value(values), *SIZES),)


def _page(values: Values) -> Values:
    return (_number(single_value(values), *PAGES),)


def _cursor(values: Values) -> Values:
    token = single_value(values, MAX_CURSOR)
    try:
        Cursor.read(token)
    except ValueError:
        raise InvalidValue("isn’t a cursor of this list") from None
    return (token,)


def _number(text: str, least: int, most: int) -> str:
    if not _NUMBER.fullmatch(text):
        raise InvalidValue(f"must be a whole number from {least:,} to {most:,}")
    near = str(min(max(int(text), least), most))
    if int(near) != int(text):
        raise InvalidValue(f"must be between {least:,} and {most:,}", near)
    return near


def _one_of(text: str, allowed: Iterable[str]) -> str:
    names = list(allowed)
    if text not in names:
        close = get_close_matches(text.casefold()[:MAX_LENGTH], names, n=1)
        raise InvalidValue(f"must be one of {', '.join(names)}", *close)
    return text


_PARSERS: dict[str, Callable[[Values], Values]] = {
    "customer": many_values,
    "region": many_values,
    "project": many_values,
    "instance": many_values,
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


def _as_tuple(value: Value) -> Values:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def _encode(pairs: list[tuple[str, str]]) -> str:
    return "?" + "&".join(starmap(_encode_pair, pairs)) if pairs else ""


@lru_cache(4096)
def _encode_pair(name: str, value: str) -> str:
    # A page has some fifty links, which differ from each other in one value.
    return urlencode([(name, value)], safe=":/,")


def _encodable(text: str) -> str:
    return text.encode(errors="replace").decode()


def _shortened(values: Values) -> str:
    text = _encodable(", ".join(values)).replace("\0", "�")
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
