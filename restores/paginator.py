"""Numbered pages of instances and events, with links to the pages next to each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import QuerySet

from restores.filters import Params


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedPage:
    """Rows ``first`` to ``last`` of ``total``, and links to the pages next to them, or "".

    A page ``beyond`` the last one has no rows and leads back to the last.
    """

    rows: list[Any]
    total: int
    first: int
    last: int
    previous_query: str
    next_query: str
    beyond: bool

    @property
    def label(self) -> str:
        """Which rows of how many are shown."""
        return f"{self.first:,}–{self.last:,} of {self.total:,}" if self.rows else "0"


def numbered_page(rows: QuerySet[Any], params: Params) -> NumberedPage:
    """Read the page that the parameters ask for."""
    paginator = Paginator(rows, params.size)
    number, pages = params.page, paginator.num_pages
    start = (number - 1) * params.size
    # Sorted by primary key alone: whole rows take several times as long.
    keys = list(rows.values_list("pk", flat=True)[start : start + params.size])
    found = rows.order_by().in_bulk(keys)
    shown = [found[key] for key in keys if key in found]
    return NumberedPage(
        rows=shown,
        total=paginator.count,
        first=start + 1,
        last=start + len(shown),
        previous_query=_page_query(params, min(number - 1, pages)) if number > 1 else "",
        next_query=_page_query(params, number + 1) if number < pages else "",
        beyond=number > pages,
    )


def next_url(page: NumberedPage, path: str) -> str | None:
    """The absolute URL of the next page for JSON; None after the last."""
    return f"{settings.BASE_URL}{path}{page.next_query}" if page.next_query else None


def _page_query(params: Params, number: int) -> str:
    return params.query(page=str(number)) or "?"
