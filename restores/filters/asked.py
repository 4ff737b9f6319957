"""What a list's URL asks for, and every URL that asks for something near it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import starmap
from urllib.parse import urlencode

from restores.filters.cursors import Cursor
from restores.timerange import Problem, Window, instant

REPEATABLE = ("customer", "region", "project", "instance", "status", "code")
PLACES = ("customer", "region", "project", "instance")
WINDOW = ("on", "from", "to", "tz", "asof")
# What stands for from and to, and never in a canonical URL.
SHORTHAND = ("around", "win")
ORDER = (
    *REPEATABLE,
    "recovered",
    "q",
    "ids",
    *WINDOW,
    "sort",
    "cols",
    "size",
    "page",
    "after",
    "before",
)
# Parameters that narrow what is shown; the others say how it is shown.
NARROWING = (*REPEATABLE, "recovered", "q", "ids")
DESCRIBING = ("status", "code", "recovered", "q", "ids")
_FROM_THE_START: dict[str, tuple[str, ...]] = {"page": (), "after": (), "before": ()}
DEFAULTS = {"sort": "-created", "size": "50", "page": "1"}

Value = str | Sequence[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The readable parameters, canonically spelled, and what is wrong with the others.

    With ``problems`` a page shows no rows. ``typed`` holds what stood in the URL, word for word.
    ``anchor`` is the ``asof`` of every link; a window with an ``asof`` is one of the past.
    """

    params: Mapping[str, tuple[str, ...]]
    window: Window
    unknown: Mapping[str, tuple[str, ...]]
    problems: tuple[Problem, ...]
    typed: Mapping[str, str]
    anchor: str = ""
    meant: Mapping[str, str] | None = None  # the window that a person wrote, if no other is wrong

    def one(self, name: str) -> str:
        """The value of a single-valued parameter, or its default, or nothing."""
        return self.params.get(name, (DEFAULTS.get(name, ""),))[0]

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a repeatable parameter."""
        return self.params.get(name, ())

    @property
    def size(self) -> int:
        """Rows on a page."""
        return int(self.one("size"))

    @property
    def page(self) -> int:
        """The number of the page, from 1."""
        return int(self.one("page"))

    @property
    def cursor(self) -> tuple[str, Cursor] | None:
        """``after`` or ``before``, and the place in the list that it names."""
        found = [(name, self.one(name)) for name in ("after", "before") if name in self.params]
        return next(((name, Cursor.read(token)) for name, token in found), None)

    @property
    def sort(self) -> str:
        """The column to sort by, with ``-`` in front for descending."""
        return self.one("sort")

    @property
    def place(self) -> dict[str, str]:
        """Where in the list the page begins or ends, to lead back to it."""
        return {name: self.one(name) for name in _FROM_THE_START}

    @property
    def places(self) -> tuple[tuple[str, ...], ...]:
        """Where the restores asked for are: customers, regions, projects and instances."""
        return tuple(self.all(name) for name in PLACES)

    @property
    def ids(self) -> list[str]:
        """The ids asked for, one by one."""
        return [one for one in self.one("ids").split(",") if one]

    @property
    def described(self) -> bool:
        """Whether more is asked than a window and places: then none may match where some are."""
        return any(name in self.params for name in DESCRIBING)

    @property
    def narrowed(self) -> bool:
        """Whether anything but the window leaves rows out."""
        return any(name in self.params for name in NARROWING)

    def query(self, **changed: Value) -> str:
        """The query string of this view with some values changed, ``?`` in front; None removes.

        It is anchored: opened later it still shows what is known now. A change leads to page 1.
        """
        return _written(self.pairs(**{"asof": self.anchor, **changed}))

    def pairs(self, **changed: Value) -> list[tuple[str, str]]:
        """The same as names and values, for the hidden fields of a form."""
        given = {name: _listed(value) for name, value in changed.items()}
        moved = given.keys() - {"asof"}
        values = {**self.params, **(_FROM_THE_START if moved else {}), **given}
        asked = [name for name in ORDER if values.get(name)]
        return [
            (name, value)
            for name in asked
            for value in sorted(set(values[name]))
            if value and value != DEFAULTS.get(name)
        ]

    @property
    def canonical(self) -> str:
        """The one URL of this view, as it should stand in the address bar."""
        return _written([*self.pairs(), *self._extra()])

    @property
    def rewritten(self) -> str:
        """The canonical URL of the window that a person wrote; empty unless one was."""
        if self.meant is None:
            return ""
        window: dict[str, Value] = {name: self.meant.get(name) for name in WINDOW}
        return _written([*self.pairs(**window), *self._extra()])

    def with_window(self, window: Mapping[str, str]) -> str:
        """The query string of this view with another window, as of the same moment."""
        changed: dict[str, Value] = {name: window.get(name) for name in WINDOW if name != "asof"}
        return self.query(**changed)

    @property
    def anchored(self) -> str:
        """The canonical URL as it shall be copied: it shows the same later."""
        return _written([*self.pairs(asof=self.anchor), *self._extra()])

    @property
    def live(self) -> str:
        """The canonical URL of what is now, whenever that is."""
        return _written([*self.pairs(asof=None), *self._extra()])

    def corrected(self, problem: Problem) -> str:
        """The query string with what was probably meant, the other values of the window kept."""
        wrong = {other.param for other in self.problems}
        named = (*WINDOW, *SHORTHAND)
        kept = {name: self.typed[name] for name in named if name in self.typed}
        meant = {name: value for name, value in kept.items() if name not in wrong}
        meant |= problem.suggestion
        short = [(name, meant.pop(name)) for name in SHORTHAND if name in meant]
        return _written([*self.pairs(**meant), *short]) if problem.suggestion else ""

    @property
    def resolved(self) -> dict[str, str | None]:
        """The window in absolute instants, for machines."""
        edges = {"from": self.window.start, "to": self.window.end, "asof": self.window.asof}
        times = {name: instant(at) if at else None for name, at in edges.items()}
        return {"on": self.window.on, **times}

    def _extra(self) -> list[tuple[str, str]]:
        return [(name, value) for name, values in self.unknown.items() for value in values]


def _listed(value: Value) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def _written(pairs: list[tuple[str, str]]) -> str:
    return "?" + "&".join(starmap(_pair, pairs)) if pairs else ""


@lru_cache(4096)
def _pair(name: str, value: str) -> str:
    # A page has some fifty links, which differ from each other in one value.
    return urlencode([(name, value)], safe=":/,")
