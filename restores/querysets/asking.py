"""Asking what was prepared: a question alone, or several in one trip to the database."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from hashlib import blake2b
from itertools import chain
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils.functional import cached_property

from restores.querysets.prepared import Prepared, kept


class Bound:
    """A question with its values, asked once: when its answer is needed first."""

    def __init__(self, question: Prepared, values: Mapping[str, Any]) -> None:
        self._question, self._values = question, values
        self._found: list[Any] | None = None
        self.forget()

    @property
    def open(self) -> bool:
        """Whether it is still to be asked."""
        return self._found is None

    @property
    def rows(self) -> list[Any]:
        """Tuples, bare values or models, as the queryset gives them."""
        if self._found is None:
            together(self)
        return self._found or []

    @property
    def sql(self) -> tuple[str, list[Any]]:
        """The SQL and its parameters."""
        return self._question.bound(self._values)

    @cached_property
    def mark(self) -> str:
        """The name of this question, the same for the same SQL and values."""
        return blake2b(repr(self.sql).encode(), digest_size=16).hexdigest()

    def hold(self, found: list[Any]) -> None:
        """Take the rows as the database gave them."""
        self._found = self._question.read(found)

    def forget(self) -> None:
        """Be open again, for an answer of now; without any key there is nothing to ask."""
        self._found = [] if self._question.is_empty(self._values) else None

    def __getitem__(self, part: slice) -> list[Any]:
        return self.rows[part]


class Plan:
    """The questions of one view by their names, and the values of its slots this time.

    A view with a key asks each question once: who needs the answer again finds it held.
    """

    def __init__(self, key: Hashable, values: Mapping[str, Any]) -> None:
        self.key, self._values = key, values
        self._posed: dict[Hashable, list[Bound]] = {}

    def asked(self, name: Hashable, build: Callable[[], Iterable[Prepared]]) -> list[Bound]:
        """The questions of a name, which ``build`` prepares when it is asked for first."""
        if not self.key:
            return self._bound(build())
        if name not in self._posed:
            found = kept(("plan", self.key, name), lambda: list(build()))
            self._posed[name] = self._bound(found)
        return self._posed[name]

    def _bound(self, questions: Iterable[Prepared]) -> list[Bound]:
        return [Bound(one, self._values) for one in questions]


def pose(key: Hashable, rows: Callable[[], QuerySet[Any, Any]], /, **values: Any) -> Bound:
    """The question of this key, which ``rows`` words when it is posed for the first time.

    Whatever ``rows`` depends on belongs into the key or into a slot; without a key nothing is kept.
    """
    return Bound(kept(key, lambda: Prepared(rows())), values)


def ask(key: Hashable, rows: Callable[[], QuerySet[Any, Any]], /, **values: Any) -> list[Any]:
    """Pose the question of this key and ask it at once."""
    return pose(key, rows, **values).rows


def together(*questions: Bound) -> None:
    """Ask those that are open: in one trip, where the database takes several at once."""
    waiting = [one for one in questions if one.open]
    for trip in filter(None, [waiting] if _takes_several() else [[one] for one in waiting]):
        _ask(trip)


def ask_anew(*questions: Bound) -> None:
    """Ask them all, whatever they hold."""
    for one in questions:
        one.forget()
    together(*questions)


def _takes_several() -> bool:
    """Whether the database answers several questions in one text; values must stand within it."""
    features: Any = connection.features
    return connection.vendor == "postgresql" and not features.uses_server_side_binding


def _ask(questions: Sequence[Bound]) -> None:
    texts, values = zip(*(one.sql for one in questions), strict=True)
    with connection.cursor() as cursor:
        cursor.execute("; ".join(texts), [*chain.from_iterable(values)])
        answers = [cursor.fetchall()]
        while len(questions) > 1 and cursor.nextset():
            answers.append(cursor.fetchall())
    for one, found in zip(questions, answers, strict=True):
        one.hold(found)
