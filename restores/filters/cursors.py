"""A place in a sorted list: the sort key and the id of the row that stands there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any, Self

from django.core.signing import BadSignature, Signer

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
