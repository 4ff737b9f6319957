"""Restores per day as bars, with the numbers behind them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db.models import Count
from django.db.models.functions import TruncDate

from restores.pages.moments import day
from restores.querysets import RestoreQuerySet
from restores.statuses import FAILED, SUCCEEDED

DAYS = 14
WIDTH, HEIGHT, STEP, BAR = 644, 120, 46, 26


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One day: its numbers, and where its two boxes stand in the drawing."""

    day: date
    succeeded: int
    failed: int
    x: int
    succeeded_height: int
    failed_height: int

    @property
    def weekday(self) -> str:
        """The day of the week under the bar."""
        return f"{self.day:%a}"

    @property
    def full(self) -> str:
        """The day with its month and year."""
        return day(datetime.combine(self.day, datetime.min.time(), UTC))

    @property
    def middle(self) -> int:
        """Where the label stands."""
        return self.x + BAR // 2

    @property
    def failed_top(self) -> int:
        """Where the failed box begins, counted from above."""
        return HEIGHT - self.failed_height

    @property
    def succeeded_top(self) -> int:
        """Where the succeeded box begins; it stands on the failed one."""
        return self.failed_top - self.succeeded_height


def trend(restores: RestoreQuerySet, now: datetime) -> list[Bar]:
    """Finished restores of the last fourteen days by the UTC day on which they were created."""
    first = now.astimezone(UTC).date() - timedelta(days=DAYS - 1)
    counts = _counts(restores.created_in(datetime.combine(first, datetime.min.time(), UTC), None))
    days = [first + timedelta(days=number) for number in range(DAYS)]
    highest = max(counts[day, SUCCEEDED.value] + counts[day, FAILED.value] for day in days) or 1
    return [
        Bar(
            day=day,
            succeeded=counts[day, SUCCEEDED.value],
            failed=counts[day, FAILED.value],
            x=number * STEP + (STEP - BAR) // 2,
            succeeded_height=_height(counts[day, SUCCEEDED.value], highest),
            failed_height=_height(counts[day, FAILED.value], highest),
        )
        for number, day in enumerate(days)
    ]


def _counts(restores: RestoreQuerySet) -> Counter[tuple[date, str]]:
    rows = (
        restores.select_related(None)
        .order_by()
        .annotate(day=TruncDate("created_at", tzinfo=UTC))
        .values_list("day", "status")
        .annotate(number=Count("pk"))
    )
    return Counter({(day, status): number for day, status, number in rows})


def _height(number: int, highest: int) -> int:
    # One failure among thousands must still be seen.
    return max(3, round(number / highest * (HEIGHT - 8))) if number else 0
