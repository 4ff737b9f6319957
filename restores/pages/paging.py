"""One page of many rows, and the links to its neighbours."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from restores.pages.parameters import InstanceParameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """Rows ``first`` to ``last`` of ``total``; links are query strings, empty where none leads."""

    rows: list[Any]
    total: int
    first: int
    last: int
    previous: str = ""
    next: str = ""
    beyond: bool = False

    @property
    def words(self) -> str:
        """How much of how much is shown."""
        return f"{self.first:,}–{self.last:,} of {self.total:,}" if self.rows else "0"


def next_url(leaf: Leaf, path: str) -> str | None:
    """The whole address of a twin's next page, None after the last."""
    return f"{settings.BASE_URL}{path}{leaf.next}" if leaf.next else None


def leaf(rows: QuerySet[Any], params: InstanceParameters) -> Leaf:
    """Cut out the page asked for; one past the end is empty and leads back to the last."""
    size, number = params.cleaned_data["size"] or 50, params.cleaned_data["page"] or 1
    total = rows.count()
    pages = max(1, -(-total // size))
    start = (number - 1) * size
    shown = list(rows[start : start + size])
    return Leaf(
        rows=shown,
        total=total,
        first=start + 1,
        last=start + len(shown),
        previous="?" + params.canonical(page=min(number - 1, pages)) if number > 1 else "",
        next="?" + params.canonical(page=number + 1) if number < pages else "",
        beyond=number > pages,
    )
