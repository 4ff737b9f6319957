"""Times as PostgreSQL writes them, read quickly: a page of the list holds some four hundred."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

from psycopg.adapt import AdaptersMap
from psycopg.types.datetime import TimestamptzLoader


class Loader(TimestamptzLoader):
    """Reads ``2026-11-23 16:59:00.5+00``; what is no ISO 8601 is left to psycopg.

    Django's own takes a regular expression and three objects for each.
    """

    # Django compares it with the connection's, which asks the server for times in UTC.
    timezone = UTC

    def load(self, data: Any) -> datetime:
        """The instant, in UTC; ``DataError`` for one that Python has no datetime for."""
        try:
            found = datetime.fromisoformat(str(data, "ascii"))
            return found if found.tzinfo is UTC else found.astimezone(UTC)
        except (ValueError, OverflowError):
            return super().load(data)


@cache
def quick(adapters: AdaptersMap) -> AdaptersMap:
    """The adapters given, with ours for times."""
    found = AdaptersMap(adapters)
    found.register_loader("timestamptz", Loader)
    return found
