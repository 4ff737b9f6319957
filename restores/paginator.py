"""Numbered pages of instances and events, with links to the pages next to each."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from restores.filters import Params


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedPage:
    """Rows ``first`` to ``last`` of ``total``, and links to the pages next to them, or "".

    A page ``beyond`` the last one has no rows and leads back to the last. ``more`` rows than are
    counted may follow.
    """

    rows: list[Any]
    total: int
    first: int
    last: int
    previous_query: str
    next_query: str
    beyond: bool
    more: bool = False

    @property
    def label(self) -> str:
        """Which rows of how many are shown."""
        total = f"{self.total:,}{'+' if self.more else ''}"
        return f"{self.first:,}–{self.last:,} of {total}" if self.rows else "0"


def numbered_page(rows: QuerySet[Any], params: Params, *, limit: int = 0) -> NumberedPage:
    """Read the page that the parameters ask for; with a limit, count and pages end there."""
    total = rows.order_by()[: limit + 1].count() if limit else rows.count()
    more = bool(limit) and total > limit
    total = min(total, limit) if limit else total
    number, pages = params.page, max(1, ceil(total / params.size))
    start = min((number - 1) * params.size, total)
    end = min(start + params.size, total)
    # Sorted by primary key alone: whole rows take several times as long.
    keys = list(rows.values_list("pk", flat=True)[start:end])
    found = rows.order_by().in_bulk(keys)
    shown = [found[key] for key in keys if key in found]
    return NumberedPage(
        rows=shown,
        total=total,
        first=start + 1,
        last=start + len(shown),
        previous_query=_page_query(params, min(number - 1, pages)) if number > 1 else "",
        next_query=_page_query(params, number + 1) if number < pages else "",
        beyond=number > pages,
        more=more,
    )


def next_url(page: NumberedPage, path: str) -> str | None:
    """The absolute URL of the next page for JSON; None after the last."""
    return f"{settings.BASE_URL}{path}{page.next_query}" if page.next_query else None


def _page_query(params: Params, number: int) -> str:
    return params.query(page=str(number)) or "?"
