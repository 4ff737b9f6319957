"""Parameters of the lists: parsed strictly from a query string, written canonically."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from difflib import get_close_matches
from functools import lru_cache
from itertools import starmap
from typing import TYPE_CHECKING, ClassVar, Self
from urllib.parse import urlencode

from django.http import QueryDict

from restores import timerange
from restores.audit import Kind
from restores.filters.cursors import Cursor
from restores.querysets import INSTANCE_STATES
from restores.spellings import canonical_id, parse_uuid, spellings, split_ids
from restores.statuses import KNOWN
from restores.timerange import (
    ON,
    InvalidTimeRange,
    ParamError,
    TimeRange,
    iso_or_none,
    permalink_asof,
    to_iso,
    to_params,
)

if TYPE_CHECKING:
    from restores.models import Project
    from restores.querysets import InstanceQuerySet
    from restores.sync_status import VisibleProject

# The columns of the table in their order, and those it shows by default.
COLUMNS = (
    "created",
    "ended",
    "status",
    "instance",
    "restore",
    "id",
    "project",
    "outcome",
    "took",
    "downtime",
    "backup",
)
DEFAULT_COLUMNS = ("created", "status", "instance", "outcome", "took", "backup")
# Columns that old links still name, and those that now show the same.
FORMER_COLUMNS = {"since": "status"}
# The sort orders, and the database columns behind them.
SORTS = {
    "created": "created_at",
    "ended": "ended_at",
    "duration": "duration",
    "status": "status",
    "instance": "instance__name",
    "code": "error_code",
}

MAX_QUERY = 8190
MAX_LENGTH = 128
MAX_TEXT = 200
MAX_CURSOR = 1024
MAX_VALUES = 20
MAX_IDS = 100
SIZES = (10, 200)
PAGES = (1, 1_000_000)
# A link younger than this opens live: what it shows is still current.
YOUNG = timedelta(minutes=2)
# Where the overview begins unless its URL says otherwise, and the most days that it counts.
OVERVIEW_START, OVERVIEW_DAYS = "now-7d", 93
_SHOWN = 200
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)

Value = str | Sequence[str] | None
Values = tuple[str, ...]


class InvalidValue(Exception):
    """A value that cannot be parsed, and one that may have been meant."""

    def __init__(self, reason: str, suggestion: str = "") -> None:
        super().__init__(reason)
        self.reason, self.suggestion = reason, suggestion


@dataclass(frozen=True, slots=True)
class Parameter:
    """How the values of one parameter are parsed.

    ``parse`` returns them in canonical spelling or raises InvalidValue; None: the list parses
    the parameter together with others. ``filters``: it leaves out rows.
    """

    parse: Callable[[Values], Values] | None
    default: str = ""
    filters: bool = False


class Params:
    """The parsed query string of a list; a subclass declares its parameters in canonical order.

    ``values`` holds what is valid and not the default, in canonical spelling; ``raw`` the text of
    each known parameter as it was in the URL; ``unknown`` the undeclared parameters. With
    ``errors`` a page shows no rows.
    """

    DECLARED: ClassVar[Mapping[str, Parameter]]
    # Accepted too, but never part of a canonical URL.
    SHORTHAND: ClassVar[tuple[str, ...]] = ()
    # Removed by any change of the view, which leads back to the first page.
    POSITION: ClassVar[tuple[str, ...]] = ("page",)

    def __init__(self, query: QueryDict) -> None:
        self.errors: list[ParamError] = []
        self.values: dict[str, Values] = {}
        known = {*self.DECLARED, *self.SHORTHAND}
        given = self._given(query)
        self.unknown = {name: values for name, values in given.items() if name not in known}
        # An empty value counts as absent.
        self._texts = {
            name: tuple(filter(None, map(str.strip, values)))
            for name, values in given.items()
            if name in known
        }
        self.raw = {name: _shortened(values) for name, values in self._texts.items()}

    @classmethod
    def parse(cls, query: QueryDict, now: datetime) -> Self:
        """Parse a query string at the time ``now``; every error is collected, none is raised."""
        params = cls(query)
        for name, parameter in cls.DECLARED.items():
            params._parse_values(name, parameter)
        params._parse_together(now)
        return params

    def get(self, name: str) -> str:
        """The value of a single-valued parameter, its default, or an empty string."""
        return self.values.get(name, (self._default(name, self.values),))[0]

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
    def sort(self) -> str:
        """The column to sort by, with ``-`` in front for descending."""
        return self.get("sort")

    @property
    def filtered(self) -> bool:
        """Whether anything but the time range leaves rows out."""
        return any(self.DECLARED[name].filters for name in self.values)

    @property
    def ignored(self) -> list[str]:
        """The names of the parameters that this list does not know."""
        return sorted(self.unknown)

    def query(self, **changed: Value) -> str:
        """The query string of this view with some values changed, after a ``?``; None removes one.

        Any change leads to page 1.
        """
        return _encode(self.hidden_fields(**changed))

    def hidden_fields(self, **changed: Value) -> list[tuple[str, str]]:
        """The same as names and values, for the hidden fields of a form."""
        given = {name: _as_tuple(value) for name, value in changed.items()}
        first_page = dict.fromkeys(self.POSITION, ()) if given.keys() - {"asof"} else {}
        values = {**self.values, **first_page, **given}
        return [
            (name, value)
            for name in self.DECLARED
            for value in sorted(set(values.get(name, ())))
            if value and value != self._default(name, values)
        ]

    @property
    def canonical_query(self) -> str:
        """The one query string of this view, as it should be in the address bar."""
        return self._with_unknown(self.hidden_fields())

    @property
    def corrections(self) -> list[tuple[ParamError, str]]:
        """Each error, and the query string with its suggestion; empty without a suggestion."""
        return [(error, self.corrected_query(error)) for error in self.errors]

    def corrected_query(self, error: ParamError) -> str:
        """The query string with the suggestion of an error; empty without a suggestion."""
        if not error.suggestion:
            return ""
        # Other invalid values stay as they are, to be corrected next: left out, they would filter
        # nothing.
        wrong = {other.param for other in self.errors}
        kept = [name for name in self._texts if name in {*TIME_RANGE, *self.SHORTHAND, *wrong}]
        changed: dict[str, Value] = {name: self._encodable_texts(name) for name in kept}
        changed |= error.suggestion
        shorthand = [
            (name, value)
            for name in self.SHORTHAND
            for value in _as_tuple(changed.pop(name, None))
            if value
        ]
        return _encode([*self.hidden_fields(**changed), *shorthand])

    def _encodable_texts(self, name: str) -> Values:
        return tuple(map(_encodable, self._texts[name]))

    def _given(self, query: QueryDict) -> dict[str, Values]:
        lists = {name: tuple(values) for name, values in query.lists()}
        if sum(len(name) + sum(map(len, values)) for name, values in lists.items()) > MAX_QUERY:
            reason = f"the address is longer than {MAX_QUERY:,} characters"
            self.errors.append(ParamError(param="", value="", reason=reason))
            return {}
        return lists

    def _parse_values(self, name: str, parameter: Parameter) -> None:
        if parameter.parse is None:
            return
        try:
            texts = self._storable(name)
            values = parameter.parse(texts) if texts else ()
        except InvalidValue as error:
            self._refuse(name, error)
            return
        if values and values != (parameter.default,):
            self.values[name] = values

    def _parse_together(self, now: datetime) -> None:
        """Parse what depends on the time or on several parameters."""

    def _storable(self, name: str) -> Values:
        """The values, unless the database or the response could not carry them."""
        values = self._texts.get(name, ())
        if any("\0" in value or value != _encodable(value) for value in values):
            raise InvalidValue("contains an invalid character")
        return values

    def _refuse(self, name: str, error: InvalidValue) -> None:
        self.errors.append(
            ParamError(
                param=name,
                value=self.raw[name],
                reason=error.reason,
                suggestion={name: error.suggestion} if error.suggestion else {},
            )
        )

    def _default(self, name: str, values: Mapping[str, Values]) -> str:
        """The default of a parameter, given these values of the others."""
        return self.DECLARED[name].default if name in self.DECLARED else ""

    def _with_unknown(self, known: list[tuple[str, str]]) -> str:
        unknown = [(name, value) for name, values in self.unknown.items() for value in values]
        return _encode(known + unknown)


def _names(values: Values) -> Values:
    """Any strings, each once."""
    if len(values) > MAX_VALUES:
        raise InvalidValue(f"has too many values (max. {MAX_VALUES})")
    if any(len(value) > MAX_LENGTH for value in values):
        raise InvalidValue(f"is longer than {MAX_LENGTH} characters")
    return tuple(sorted(set(values)))


def _single(values: Values, longest: int = MAX_LENGTH) -> str:
    """The single value of a parameter that can only be given once."""
    if len(values) > 1:
        raise InvalidValue("can only be given once")
    if len(values[0]) > longest:
        raise InvalidValue(f"is longer than {longest} characters")
    return values[0]


def _one(values: Values) -> Values:
    """A single name; a username may have 150 characters."""
    return (_single(values, 150),)


def _instances(values: Values) -> Values:
    """Names or ids; a value that consists of UUIDs is split into them."""
    expanded: list[str] = []
    for value in values:
        uuids = [parse_uuid(one) for one in split_ids(value)]
        expanded += uuids if uuids and all(uuids) else [value]
    return _names(tuple(expanded))


def _text(values: Values) -> Values:
    return (" ".join(_single(values, MAX_TEXT).split()),)


def _one_of(allowed: Iterable[str]) -> Callable[[Values], Values]:
    names = tuple(allowed)
    return lambda values: (_choose(_single(values), names),)


def _some_of(allowed: Iterable[str]) -> Callable[[Values], Values]:
    names = tuple(allowed)
    return lambda values: _names(tuple(_choose(value, names) for value in values))


def _choose(text: str, allowed: Sequence[str]) -> str:
    if text not in allowed:
        close = get_close_matches(text.casefold()[:MAX_LENGTH], allowed, n=1)
        only = allowed[0] if len(allowed) == 1 else f"one of {', '.join(allowed)}"
        raise InvalidValue(f"must be {only}", *close)
    return text


def _either_way(columns: Iterable[str]) -> list[str]:
    """The values of ``sort``: ascending and descending."""
    return [*columns, *(f"-{name}" for name in columns)]


def _number(least: int, most: int) -> Callable[[Values], Values]:
    def parse(values: Values) -> Values:
        text = _single(values)
        reason = f"must be a whole number from {least:,} to {most:,}"
        if not _NUMBER.fullmatch(text):
            raise InvalidValue(reason)
        nearest = min(max(int(text), least), most)
        if nearest != int(text):
            raise InvalidValue(reason, str(nearest))
        return (str(nearest),)

    return parse


def _statuses(values: Values) -> Values:
    folded = {value: value.casefold() for value in values}
    return _names(tuple(low if low in KNOWN else value for value, low in folded.items()))


def _codes(values: Values) -> Values:
    return ("any",) if "any" in _names(values) else _names(values)


def _recovered(values: Values) -> Values:
    return (_choose(_single(values).casefold(), ("yes", "no")),)


def _ids(values: Values) -> Values:
    text = _single(values, MAX_IDS * (MAX_LENGTH + 1))
    ids = sorted(set(map(canonical_id, split_ids(text))))
    if len(ids) > MAX_IDS:
        raise InvalidValue(f"has too many IDs (max. {MAX_IDS})")
    if any(len(one) > MAX_LENGTH for one in ids):
        raise InvalidValue(f"has an ID longer than {MAX_LENGTH} characters")
    return (",".join(ids),) if ids else ()


def _columns(values: Values) -> Values:
    names = [one.strip() for one in ",".join(values).split(",") if one.strip()]
    named = {_choose(FORMER_COLUMNS.get(name, name), COLUMNS) for name in names}
    columns = tuple(column for column in COLUMNS if column in named)
    return (",".join(columns),) if columns and columns != DEFAULT_COLUMNS else ()


def _cursor(values: Values) -> Values:
    token = _single(values, MAX_CURSOR)
    try:
        Cursor.decode(token)
    except ValueError:
        raise InvalidValue("isn’t a valid page link anymore") from None
    return (token,)


_SIZE = Parameter(_number(*SIZES), default="50")
_PAGE = Parameter(_number(*PAGES), default="1")
_TIME_RANGE = Parameter(None)


class ListParams(Params):
    """The parameters of the restore list.

    ``permalink_asof`` is the ``asof`` of every link that leads to data; a time range with an
    ``asof`` is a snapshot. ``normalized`` is the time range in its canonical spelling, if a person
    wrote one that has a single meaning and nothing else is wrong.
    """

    DECLARED = {
        "customer": Parameter(_names, filters=True),
        "region": Parameter(_names, filters=True),
        "project": Parameter(_names, filters=True),
        "instance": Parameter(_instances, filters=True),
        "status": Parameter(_statuses, filters=True),
        "stuck": Parameter(_one_of(["yes"]), filters=True),
        "code": Parameter(_codes, filters=True),
        "recovered": Parameter(_recovered, filters=True),
        "q": Parameter(_text, filters=True),
        "ids": Parameter(_ids, filters=True),
        "on": _TIME_RANGE,
        "from": _TIME_RANGE,
        "to": _TIME_RANGE,
        "tz": _TIME_RANGE,
        "asof": _TIME_RANGE,
        "sort": Parameter(_one_of(_either_way(SORTS))),
        "cols": Parameter(_columns),
        "size": _SIZE,
        "page": _PAGE,
        "after": Parameter(_cursor),
        "before": Parameter(_cursor),
    }
    SHORTHAND = ("around", "win")  # in place of from and to
    POSITION: ClassVar[tuple[str, ...]] = ("page", "after", "before")

    time_range: TimeRange
    permalink_asof: str = ""
    normalized: Mapping[str, str] | None = None

    @property
    def cursor(self) -> tuple[str, Cursor] | None:
        """``after`` or ``before``, and the cursor."""
        found = [(name, self.get(name)) for name in ("after", "before") if name in self.values]
        return next(((name, Cursor.decode(token)) for name, token in found), None)

    @property
    def position(self) -> dict[str, str]:
        """The page or cursor, for a link that leads back to it."""
        return {name: self.get(name) for name in self.POSITION}

    @property
    def ids(self) -> list[str]:
        """The ids of ``ids``, one by one."""
        return [one for one in self.get("ids").split(",") if one]

    @property
    def filters_rows(self) -> bool:
        """Whether restores are filtered by more than place and time."""
        return any(name in self.values for name in ROW_FILTERS)

    def query(self, **changed: Value) -> str:
        """The query string of this view with some values changed, after a ``?``; None removes one.

        It carries ``asof``, so that it shows the same later. Any other change leads to page 1.
        """
        return super().query(**{"asof": self.permalink_asof, **changed})

    @property
    def normalized_query(self) -> str:
        """The canonical query string of a time range that a person wrote; empty unless one was."""
        if self.normalized is None:
            return ""
        edges: dict[str, Value] = {name: self.normalized.get(name) for name in TIME_RANGE}
        return self._with_unknown(self.hidden_fields(**edges))

    @property
    def permalink_query(self) -> str:
        """The canonical query string of this snapshot: it shows the same later."""
        return self._with_unknown(self.hidden_fields(asof=self.permalink_asof))

    @property
    def live_query(self) -> str:
        """The canonical query string without ``asof``: it shows the present when opened."""
        return self._with_unknown(self.hidden_fields(asof=None))

    def without(self, *names: str) -> Self:
        """The same parameters, some left out."""
        params = copy(self)
        params.values = {name: given for name, given in self.values.items() if name not in names}
        return params

    def within(self, time_range: TimeRange) -> Self:
        """The same parameters with another time range."""
        params = copy(self)
        params.time_range = time_range
        return params

    def as_list(self, **changed: Value) -> ListParams:
        """The parameters of the list of the same restores, some of them changed."""
        params = ListParams(QueryDict())
        params.time_range, params.permalink_asof = self.time_range, self.permalink_asof
        values = {name: given for name, given in self.values.items() if name in ListParams.DECLARED}
        if self.time_range.on != ON[0]:
            values["on"] = (self.time_range.on,)
        params.values = values | {name: _as_tuple(value) for name, value in changed.items()}
        return params

    def with_time_range(self, edges: Mapping[str, str]) -> str:
        """The query string of this view in another time range, as of the same time."""
        changed: dict[str, Value] = {name: edges.get(name) for name in TIME_RANGE if name != "asof"}
        return self.query(**changed)

    @property
    def resolved_range(self) -> dict[str, str | None]:
        """The time range in absolute times, for JSON."""
        edges = {
            "from": self.time_range.start,
            "to": self.time_range.end,
            "asof": self.time_range.asof,
        }
        times = {name: iso_or_none(at) for name, at in edges.items()}
        return {"on": self.time_range.on, **times}

    def _parse_values(self, name: str, parameter: Parameter) -> None:
        if name == "sort" and self._texts.get(name) in (("progress",), ("-progress",)):
            # It was a sort order once: old links stay valid.
            self.unknown[name] = self._texts.pop(name)
        super()._parse_values(name, parameter)

    def _default(self, name: str, values: Mapping[str, Values]) -> str:
        if name == "sort":
            return "-ended" if values.get("on") == ("ended",) else "-created"
        return super()._default(name, values)

    def _parse_together(self, now: datetime) -> None:
        self.time_range = self._parse_time_range(now)
        self._check_position()
        asof = self.time_range.asof
        if asof or not self.errors:
            self.permalink_asof = to_iso(asof) if asof else permalink_asof(now)
        if not all(error.clear for error in self.errors):
            self.normalized = None

    def _check_position(self) -> None:
        """Refuse a cursor of another sort order, and more than one way to name the page."""
        given = [name for name in self.POSITION if name in self.values]
        for name in given[1:]:
            self._refuse(name, InvalidValue(f"can’t be combined with {given[0]}"))
        for name in given:
            if name != "page" and Cursor.decode(self.get(name)).sort != self.sort:
                self._refuse(name, InvalidValue("belongs to a different sort order"))

    def _parse_time_range(self, now: datetime) -> TimeRange:
        texts = {}
        for name in (*TIME_RANGE, *self.SHORTHAND):
            try:
                texts[name] = _single(values) if (values := self._storable(name)) else ""
            except InvalidValue as error:
                self._refuse(name, error)
        if young := _young_asof(texts, now):
            texts["asof"] = ""
        try:
            time_range = timerange.parse(texts, now)
        except InvalidTimeRange as error:
            self.errors += self._normalize(texts, error.errors, now)
            wrong = {one.param for one in self.errors}
            kept = {name: texts.get(name, "") for name in ("on", "tz", "asof") if name not in wrong}
            time_range = timerange.parse(kept, now)
        written = to_params(time_range) | ({"asof": young} if young else {})
        self.values |= {name: (value,) for name, value in written.items()}
        return time_range

    def _normalize(
        self, texts: Mapping[str, str], errors: list[ParamError], now: datetime
    ) -> list[ParamError]:
        """Reparse what a person wrote with a single meaning; return the errors that remain."""
        if not all(error.clear for error in errors):
            return errors
        clear = dict(texts)
        for error in errors:
            clear |= error.suggestion
        try:
            self.normalized = to_params(timerange.parse(clear, now))
        except InvalidTimeRange as error:
            # Show what the person wrote.
            return [replace(one, value=self.raw.get(one.param, one.value)) for one in error.errors]
        return errors


class DowntimeParams(ListParams):
    """The parameters of the downtime report: place and time as in the restore list.

    It counts what was running in the time range. ``audience`` is ``customer`` for the report that
    one customer may read.
    """

    DECLARED = {
        **{
            name: ListParams.DECLARED[name]
            for name in (
                *("customer", "region", "project", "instance", "ids"),
                *("from", "to", "tz", "asof"),
            )
        },
        "audience": Parameter(_one_of(["customer"])),
    }
    POSITION = ()

    def _parse_together(self, now: datetime) -> None:
        if self.get("audience") and len(self.getlist("customer")) != 1:
            self._refuse("audience", InvalidValue("can only be given with exactly one customer"))
        super()._parse_together(now)

    def _parse_time_range(self, now: datetime) -> TimeRange:
        return replace(super()._parse_time_range(now), on="running")


class OverviewParams(ListParams):
    """The parameters of the overview: a time range as in the restore list, by default 7 days.

    The range has a start and is short, because all of it is counted.
    """

    DECLARED = {name: ListParams.DECLARED[name] for name in ("from", "to", "tz")}
    POSITION = ()

    def _default(self, name: str, values: Mapping[str, Values]) -> str:
        if name == "from":
            return "" if values.get("to") else OVERVIEW_START
        return super()._default(name, values)

    def _parse_time_range(self, now: datetime) -> TimeRange:
        if not any(map(self._texts.get, ("from", "to", *self.SHORTHAND))):
            self._texts["from"] = (OVERVIEW_START,)
        time_range = super()._parse_time_range(now)
        if self.errors:
            return time_range
        longest, end = timedelta(days=OVERVIEW_DAYS), time_range.end or time_range.now
        if time_range.start is None:
            start, reason = end - timedelta(days=7), "is needed"
        elif end - time_range.start > longest:
            start, reason = end - longest, "is too early"
        else:
            return time_range
        earliest = to_iso(start) if time_range.end else f"now-{OVERVIEW_DAYS}d"
        self.errors.append(
            ParamError(
                param="from",
                value=self.raw.get("from", ""),
                reason=f"{reason}: the overview covers up to {OVERVIEW_DAYS} days",
                suggestion={"from": earliest},
            )
        )
        return time_range


class AuditParams(ListParams):
    """The parameters of the audit log: what happened, who did it, in which project, and when."""

    DECLARED = {
        "what": Parameter(_one_of(Kind), filters=True),
        "user": Parameter(_one, filters=True),
        "project": Parameter(_one, filters=True),
        **{name: ListParams.DECLARED[name] for name in ("from", "to", "tz", "size", "page")},
    }
    POSITION = ("page",)


ORDER = tuple(ListParams.DECLARED)
FILTERS = tuple(name for name, parameter in ListParams.DECLARED.items() if parameter.filters)
REPEATABLE = ("customer", "region", "project", "instance", "status", "code")
# Filters other than place and time: there may be restores although none matches.
ROW_FILTERS = ("status", "stuck", "code", "recovered", "q", "ids")
TIME_RANGE = ("on", "from", "to", "tz", "asof")


# The values of ``sort``, and the fields behind them: the name, the time up to which the data is
# complete, the time and the status of the newest restore.
INSTANCE_SORTS = {
    "name": "name",
    "complete": "complete_to",
    "last_restore": "last_restore_at",
    "last_status": "last_status",
}


class InstanceListParams(Params):
    """The parameters of the instance list."""

    DECLARED = {
        "project": Parameter(_names, filters=True),
        "customer": Parameter(_names, filters=True),
        "q": Parameter(_text, filters=True),
        "state": Parameter(_some_of(INSTANCE_STATES), filters=True),
        "sort": Parameter(_one_of(_either_way(INSTANCE_SORTS)), default="name"),
        "page": _PAGE,
        "size": _SIZE,
    }

    @property
    def order_by(self) -> str:
        """The field to sort by, with ``-`` in front for descending."""
        descending = "-" if self.sort.startswith("-") else ""
        return descending + INSTANCE_SORTS[self.sort.removeprefix("-")]

    def apply_filters(self, instances: InstanceQuerySet) -> InstanceQuerySet:
        """Filter instances by the declared parameters."""
        if projects := self.getlist("project"):
            instances = instances.in_projects(projects)
        if customers := self.getlist("customer"):
            instances = instances.of_customers(customers)
        if states := self.getlist("state"):
            instances = instances.in_states(states)
        return instances.matching(self.get("q"))

    def not_found(self, projects: Iterable[Project | VisibleProject]) -> list[str]:
        """The projects and customers in the filters that these projects don't include."""
        names = {project.name for project in projects}
        ids = {project.project_id.lower() for project in projects}
        customers = {project.customer for project in projects}
        return sorted(
            [
                value
                for value in self.getlist("project")
                if value not in names and ids.isdisjoint(spellings(value))
            ]
            + [value for value in self.getlist("customer") if value not in customers]
        )


class SyncStatusParams(InstanceListParams):
    """The parameters of the sync status page: its instances have one order."""

    DECLARED = {
        name: parameter
        for name, parameter in InstanceListParams.DECLARED.items()
        if name in ("project", "q", "state", "page", "size")
    }


def _young_asof(texts: Mapping[str, str], now: datetime) -> str:
    """The ``asof`` of a link that is young enough to open live."""
    try:
        found = timerange.parse({name: texts.get(name, "") for name in ("asof", "tz")}, now)
    except InvalidTimeRange:
        return ""
    return to_iso(found.asof) if found.asof and now - found.asof < YOUNG else ""


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
