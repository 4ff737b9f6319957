"""A place in a sorted list: the sort key and the id of the row that stands there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any, Self

from django.core.signing import BadSignature, Signer
from django.db.models import QuerySet

_SIGNER = Signer(salt="cursor", sep=".")
_ABSENT: tuple[Any, ...] = (None, "")

Key = str | float | datetime | None


@dataclass(frozen=True, slots=True)
class Cursor:
    """``sort`` is the order in which the place is one; an absent ``value`` stands behind all."""

    sort: str
    value: Key
    pk: int

    @classmethod
    def at(cls, sort: str, column: str, row: Any) -> Self:
        """The place of a row, which is a restore or a named tuple of its fields."""
        path = [column] if hasattr(row, column) else column.split("__")
        value = reduce(getattr, path, row)
        return cls(sort, None if value in _ABSENT else value, row.pk)

    @classmethod
    def read(cls, token: str) -> Self:
        """The place that a token stands for; ``ValueError`` unless it is one of ours."""
        try:
            sort, kind, value, pk = _SIGNER.unsign_object(token)
        except BadSignature as error:
            raise ValueError(token) from error
        return cls(sort, datetime.fromisoformat(value) if kind == "t" else value, pk)

    def __str__(self) -> str:
        timed = isinstance(self.value, datetime)
        value = self.value.isoformat() if isinstance(self.value, datetime) else self.value
        return _SIGNER.sign_object((self.sort, "t" if timed else "", value, self.pk))

    def behind(self, parts: Sequence[QuerySet[Any, Any]]) -> list[QuerySet[Any, Any]]:
        """What follows this place in parts that follow each other, each in its own order.

        Equal keys make a part of their own, so that each is one range of an index.
        """
        found = []
        for part in parts:
            column, way = _order(part)
            tied = {f"pk__{way}": self.pk}
            if column == "pk":
                found.append(part.filter(**tied) if self.value is None else part)
            elif self.value is not None:
                found.append(part.filter(**{column: self.value}, **tied))
                found.append(part.filter(**{f"{column}__{way}": self.value}))
        return found

    def before(self, parts: Sequence[QuerySet[Any, Any]]) -> list[QuerySet[Any, Any]]:
        """What precedes this place, the nearest first."""
        found = []
        for part in reversed([part.reverse() for part in parts]):
            column, way = _order(part)
            tied = {f"pk__{way}": self.pk}
            if column == "pk":
                found += [part.filter(**tied)] if self.value is None else []
            elif self.value is None:
                found.append(part)
            else:
                found.append(part.filter(**{column: self.value}, **tied))
                found.append(part.filter(**{f"{column}__{way}": self.value}))
        return found


def _order(part: QuerySet[Any, Any]) -> tuple[str, str]:
    """The column that a part is sorted by, and whether less or more lies ahead."""
    column = str(part.query.order_by[0])
    descending = column.startswith("-") is part.query.standard_ordering
    return column.lstrip("-"), "lt" if descending else "gt"
