"""What stands in a question for a value that is given when it is asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Self

from django.db.models import Expression

_ONE = "%s"
# All keys as one value, so that the SQL is the same for any number of them.
_MANY = {
    "sqlite": "(SELECT value FROM json_each(%s))",
    "postgresql": "(SELECT unnest(%s::bigint[]))",
}


class Slot(Expression):
    """Stands in a question for a value that is given when it is asked."""

    def __init__(self, name: str, less: timedelta = timedelta()) -> None:
        super().__init__()
        self.name, self.less = name, less

    def __sub__(self, other: timedelta) -> Slot:  # type: ignore[override]
        return Slot(self.name, self.less + other)

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Self]]:  # type: ignore[override]
        """Write a hole; the slot goes among the parameters, to be filled."""
        return _ONE, [self]

    def filled(self, values: Mapping[str, Any], connection: Any) -> Any:
        """The value as the database takes it."""
        value = values[self.name]
        if isinstance(value, datetime):
            return connection.ops.adapt_datetimefield_value(value - self.less)
        return value


class Keys(Slot):
    """Stands for any number of keys, on the right of an ``__in``.

    Without keys no row is found: it stands only among conditions that must all hold.
    """

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Self]]:  # type: ignore[override]
        """Write a subquery that reads them from one parameter."""
        return _MANY[connection.vendor], [self]

    def filled(self, values: Mapping[str, Any], connection: Any) -> Any:
        """The keys as the database takes them."""
        keys = list(values[self.name])
        return json.dumps(keys) if connection.vendor == "sqlite" else keys
