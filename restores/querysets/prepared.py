"""Questions asked again and again: their SQL is written once, only the values are new.

The ORM takes longer to write the SQL of a short question than a database takes to answer it.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from threading import Lock
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet
from django.db.models.query import (
    FlatValuesListIterable,
    ModelIterable,
    NamedValuesListIterable,
    get_related_populators,
)

from restores.querysets.slots import Keys, Slot

# The oldest question is forgotten when so many others have been asked; it is worded anew then.
_MOST = 1_000


class Prepared:
    """The SQL of a queryset, with its slots, and how its rows are read.

    ``select`` and ``end`` ask something of the rows found: nothing in them may choose how they
    are found.
    """

    def __init__(self, rows: QuerySet[Any, Any], select: str = "", end: str = "") -> None:
        compiler = rows.query.get_compiler(rows.db)
        try:
            sql, self._params = compiler.as_sql()
        except EmptyResultSet:  # the ORM knows that there are none
            self._sql, self._params = "", ()
            return
        self._sql = f"SELECT {select} FROM ({sql}) AS found {end}" if select else sql  # noqa: S608
        columns = [] if select else [column for column, *_ in compiler.select]
        converters = compiler.get_converters(columns)
        self._converters = {place: _converter(*how) for place, how in converters.items()}
        self._made = _maker(rows, compiler) if not select else None

    def is_empty(self, values: Mapping[str, Any]) -> bool:
        """Whether no row can be found: as the ORM says, or for there are no keys to look for."""
        keys = (one.name for one in self._params if isinstance(one, Keys))
        return not self._sql or not all(values[name] for name in keys)

    def bound(self, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
        """The SQL and its parameters; ``KeyError`` for a slot without a value."""
        return self._sql, [
            one.filled(values, connection) if isinstance(one, Slot) else one for one in self._params
        ]

    def read(self, found: list[Any]) -> list[Any]:
        """Rows as the queryset gives them, tuples, bare values or models, from the database's."""
        if found and self._converters:
            columns: list[Any] = list(zip(*found, strict=True))
            for place, convert in self._converters.items():
                columns[place] = convert(columns[place], connection)
            found = list(zip(*columns, strict=True))
        return list(map(self._made, found)) if self._made and found else found


_questions: dict[Hashable, Any] = {}
_forgetting = Lock()


def kept(key: Hashable, build: Callable[[], Any]) -> Any:
    """What was built for this key; without a key it is built each time."""
    if key is None:
        return build()
    found = _questions.get(key)
    if found is None:
        found = build()
        with _forgetting:
            _questions[key] = found
            if len(_questions) > _MOST:
                del _questions[next(iter(_questions))]
    return found


def _converter(converters: Sequence[Any], column: Any) -> Callable[[Iterable[Any], Any], list[Any]]:
    """How a column of values becomes what the ORM would give."""

    def convert(values: Iterable[Any], connection: Any) -> list[Any]:
        for one in converters:
            values = [one(value, column, connection) for value in values]
        return list(values)

    return convert


def _maker(rows: QuerySet[Any, Any], compiler: Any) -> Callable[[tuple[Any, ...]], Any] | None:
    """How a row becomes what the queryset gives; None where that is a tuple."""
    kind: Any = rows._iterable_class
    if kind is ModelIterable:
        return _model_maker(rows.db, compiler)
    if kind is FlatValuesListIterable:
        return lambda row: row[0]
    if kind is NamedValuesListIterable:
        return namedtuple("Row", rows._fields)._make  # type: ignore[attr-defined]
    return None


def _model_maker(db: str, compiler: Any) -> Callable[[tuple[Any, ...]], Any]:
    info, select = compiler.klass_info, compiler.select
    start, end = info["select_fields"][0], info["select_fields"][-1] + 1
    names = [column.target.attname for column, *_ in select[start:end]]
    related = get_related_populators(info, select, db)  # type: ignore[call-arg] # of Django 6

    def made(row: tuple[Any, ...]) -> Any:
        found = info["model"].from_db(db, names, row[start:end])
        for one in related:
            one.populate(row, found)
        return found

    return made
