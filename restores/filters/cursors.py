"""Cursors: positions in a sorted list, signed for use in URLs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any, Self

from django.core.signing import BadSignature, Signer


@dataclass(frozen=True, slots=True)
class Cursor:
    """The position of a row in the order ``sort``: its sort key and its primary key.

    Rows without a sort key (None) come last.
    """

    sort: str
    value: str | float | datetime | None
    pk: int

    @classmethod
    def at(cls, sort: str, column: str, row: Any) -> Self:
        """Return the position of a row, sorted by a column or by one of a related row."""
        value = reduce(getattr, column.split("__"), row)
        return cls(sort, None if value == "" else value, row.pk)

    @classmethod
    def decode(cls, token: str) -> Self:
        """Return the cursor of a token; raise ValueError if we didn't issue it."""
        try:
            sort, kind, value, pk = _signer().unsign_object(token)
        except BadSignature as error:
            raise ValueError(token) from error
        return cls(sort, datetime.fromisoformat(value) if kind == "t" else value, pk)

    def __str__(self) -> str:
        """Return the token that stands for the cursor in URLs."""
        if isinstance(self.value, datetime):
            return _signer().sign_object((self.sort, "t", self.value.isoformat(), self.pk))
        return _signer().sign_object((self.sort, "", self.value, self.pk))


def _signer() -> Signer:
    return Signer(salt="cursor", sep=".")
