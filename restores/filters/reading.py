"""Reads the query string of a list; what it cannot read it names, all at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.http import QueryDict

from restores import timerange
from restores.filters.asked import DEFAULTS, ORDER, SHORTHAND, WINDOW, Asked
from restores.filters.cursors import Cursor
from restores.filters.values import READERS, Misread, Values, single
from restores.timerange import Problem, Unreadable, Window, anchor, canonical, instant

LONGEST_QUERY = 8190
YOUNG = timedelta(minutes=2)
_SHOWN = 200
_KNOWN = frozenset((*ORDER, *SHORTHAND))


def read(query: QueryDict, now: datetime) -> Asked:
    """What a query string asks for at the moment ``now``."""
    return _Reading(query, now).asked()


class _Reading:
    """One pass over the parameters that goes on after a problem."""

    def __init__(self, query: QueryDict, now: datetime) -> None:
        self.now = now
        self.problems: list[Problem] = []
        self.params: dict[str, Values] = {}
        self.meant: dict[str, str] | None = None
        self.given = self._given(query)

    def asked(self) -> Asked:
        for name, reader in READERS.items():
            values = self._sendable(name)
            try:
                found = reader(values) if values else ()
            except Misread as error:
                self._refuse(name, error)
                continue
            if found and found != (DEFAULTS.get(name),):
                self.params[name] = found
        self._check_place()
        window = self._window()
        return Asked(
            window=window,
            params=self.params,
            unknown={name: values for name, values in self.given.items() if name not in _KNOWN},
            problems=tuple(self.problems),
            typed={name: _shortened(self.given[name]) for name in _KNOWN & self.given.keys()},
            anchor=self._anchor(window),
            meant=self.meant if all(problem.clear for problem in self.problems) else None,
        )

    def _check_place(self) -> None:
        """A place is one in this order only, and there is only one."""
        places = [name for name in ("page", "after", "before") if name in self.params]
        for name in places[1:]:
            self._refuse(name, Misread(f"cannot stand beside {places[0]}"))
        (sort,) = self.params.get("sort", (DEFAULTS["sort"],))
        for name in places:
            if name != "page" and Cursor.read(self.params[name][0]).sort != sort:
                self._refuse(name, Misread("a place in a list that is sorted otherwise"))

    def _given(self, query: QueryDict) -> dict[str, Values]:
        lists = list(query.lists())
        if sum(len(name) + sum(map(len, values)) for name, values in lists) > LONGEST_QUERY:
            reason = f"The address is longer than {LONGEST_QUERY:,} characters"
            self.problems.append(Problem(param="", value="", reason=reason))
            return {}
        return {
            # An empty value of a parameter that we know counts as absent.
            name: tuple(filter(None, map(str.strip, values)) if name in _KNOWN else values)
            for name, values in lists
        }

    def _sendable(self, name: str) -> Values:
        """The values, unless the database or the answer could not carry them."""
        values = self.given.get(name, ())
        if all("\0" not in value and value == _encodable(value) for value in values):
            return values
        self._refuse(name, Misread("holds a character that no text has"))
        return ()

    def _window(self) -> Window:
        texts = {}
        for name in (*WINDOW, *SHORTHAND):
            try:
                texts[name] = single(values) if (values := self._sendable(name)) else ""
            except Misread as error:
                self._refuse(name, error)
        if young := self._young(texts):
            texts["asof"] = ""
        try:
            window = timerange.read(texts, self.now)
        except Unreadable as error:
            self.problems += self._meanings(texts, error.problems)
            return timerange.read({}, self.now)
        spelt = canonical(window) | ({"asof": young} if young else {})
        self.params |= {name: (value,) for name, value in spelt.items()}
        return window

    def _young(self, texts: Mapping[str, str]) -> str:
        """The ``asof`` of a link so young that what it shows is still what is."""
        try:
            asof = timerange.read({name: texts.get(name, "") for name in ("asof", "tz")}, self.now)
        except Unreadable:
            return ""
        return instant(asof.asof) if asof.asof and self.now - asof.asof < YOUNG else ""

    def _anchor(self, window: Window) -> str:
        if self.problems:
            return ""
        return instant(window.asof) if window.asof else anchor(self.now)

    def _meanings(self, texts: dict[str, str], problems: list[Problem]) -> list[Problem]:
        """Read once more what a person wrote; what is wrong then is the problem."""
        if not all(problem.clear for problem in problems):
            return problems
        meant = dict(texts)
        for problem in problems:
            meant |= problem.suggestion
        try:
            self.meant = canonical(timerange.read(meant, self.now))
        except Unreadable as error:
            return error.problems
        return problems

    def _refuse(self, name: str, error: Misread) -> None:
        self.problems.append(
            Problem(
                param=name,
                value=_shortened(self.given[name]),
                reason=error.reason,
                suggestion={name: error.instead} if error.instead else {},
            )
        )


def _encodable(text: str) -> str:
    return text.encode(errors="replace").decode()


def _shortened(values: Values) -> str:
    text = _encodable(", ".join(values)).replace("\0", "�")
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
