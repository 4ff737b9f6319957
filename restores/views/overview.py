"""The overview: restores in progress, unresolved restores, and restores per day."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Count
from django.db.models.functions import TruncDate
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from restores.models import Instance, Restore
from restores.querysets import RestoreQuerySet
from restores.restore_list.empty_state import empty_table, sync_messages
from restores.serializers import RELATED, sync_status_json
from restores.statuses import FAILED, SUCCEEDED
from restores.sync_status import visible_sync_status
from restores.views.api import JsonAnswer, json_endpoint, revalidated
from restores.views.restore_rows import restore_rows

SHOWN = 20
DAY, WEEK = timedelta(days=1), timedelta(days=7)
TREND_DAYS = 14
# Of the drawing of the trend, in its own units; a day takes one step.
HEIGHT, STEP, BAR = 120, 46, 26


@require_safe
@revalidated
def overview(request: HttpRequest) -> HttpResponse:
    """Numbers that lead to lists, restores in progress and unresolved restores, and a trend."""
    now = timezone.now()
    restores = Restore.objects.visible_to(request.user).select_related(*RELATED)
    in_progress, unresolved, failed = _tiles(restores, now)
    instances = Instance.objects.visible_to(request.user)
    status = visible_sync_status(request.user)
    context = {
        "tiles": [in_progress, unresolved, failed],
        "in_progress": in_progress,
        "in_progress_rows": restore_rows(in_progress.restores.newest(SHOWN), now),
        "unresolved": unresolved,
        "unresolved_rows": restore_rows(unresolved.restores.newest(SHOWN), now),
        "days": trend(restores, now),
        "sync_messages": sync_messages(status, now),
        "none_in_progress": empty_table(status, instances, None, "No restores in progress"),
        "none_unresolved": empty_table(status, instances, now - WEEK, "No unresolved failures"),
    }
    return TemplateResponse(request, "overview.html", context)


@json_endpoint
def overview_json(request: HttpRequest) -> JsonAnswer:
    """The numbers as JSON."""
    now = timezone.now()
    restores = Restore.objects.visible_to(request.user)
    in_progress, unresolved, failed = _tiles(restores, now)
    return {
        "in_progress": in_progress.count,
        "still_failed_7_days": unresolved.count,
        "failed_24_hours": failed.count,
        "days": [
            {"day": day.date.isoformat(), "succeeded": day.succeeded, "failed": day.failed}
            for day in trend(restores, now)
        ],
        **sync_status_json(visible_sync_status(request.user)),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A number of restores that leads to the list of them."""

    label: str
    restores: RestoreQuerySet
    count: int
    url: str
    css_class: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendDay:
    """The restores that were created on one day: how many, and the bars that show them."""

    date: date
    succeeded: int
    failed: int
    x: int
    succeeded_height: int
    failed_height: int

    @property
    def middle(self) -> int:
        """The x of the label."""
        return self.x + BAR // 2

    @property
    def failed_top(self) -> int:
        """The y of the failed bar, counted from above."""
        return HEIGHT - self.failed_height

    @property
    def succeeded_top(self) -> int:
        """The y of the succeeded bar, which stands on the failed one."""
        return self.failed_top - self.succeeded_height


def trend(restores: RestoreQuerySet, now: datetime) -> list[TrendDay]:
    """Count the finished restores of the last days by the UTC day on which they were created."""
    first = now.astimezone(UTC).date() - timedelta(days=TREND_DAYS - 1)
    counts = _count_by_day(restores.created_in(datetime.combine(first, time(), UTC), None))
    days = [first + timedelta(days=number) for number in range(TREND_DAYS)]
    highest = max(counts[day, SUCCEEDED.value] + counts[day, FAILED.value] for day in days) or 1
    return [
        TrendDay(
            date=day,
            succeeded=counts[day, SUCCEEDED.value],
            failed=counts[day, FAILED.value],
            x=number * STEP + (STEP - BAR) // 2,
            succeeded_height=_height(counts[day, SUCCEEDED.value], highest),
            failed_height=_height(counts[day, FAILED.value], highest),
        )
        for number, day in enumerate(days)
    ]


def _tiles(restores: RestoreQuerySet, now: datetime) -> tuple[Tile, Tile, Tile]:
    return (
        _tile("In progress", restores.in_progress(), "?status=restoring&status=waiting", "running"),
        _tile(
            "Unresolved failures, last 7 days",
            restores.unresolved().created_in(now - WEEK, None),
            "?status=failed&recovered=no&from=now-7d",
            "failed",
        ),
        _tile(
            "Failures, last 24 hours",
            restores.failed().created_in(now - DAY, None),
            "?status=failed&from=now-24h",
            "failed",
        ),
    )


def _tile(label: str, restores: RestoreQuerySet, query: str, css_class: str) -> Tile:
    count = restores.count()
    return Tile(
        label=label,
        restores=restores,
        count=count,
        url=reverse("restore-list") + query,
        css_class=css_class if count else "none",
    )


def _count_by_day(restores: RestoreQuerySet) -> Counter[tuple[date, str]]:
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
