"""What the overview says: what runs, what failed and stayed so, and how far we know it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.urls import reverse

from restores.models import Restore
from restores.pages.freshness import READ
from restores.pages.lines import Line, lines
from restores.pages.trend import Bar, trend
from restores.querysets import RestoreQuerySet

if TYPE_CHECKING:
    from restores.querysets import Viewer

SHOWN = 20
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One number that leads to the list it counts."""

    label: str
    number: int
    url: str
    look: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The numbers, the two short tables and the trend."""

    tiles: list[Tile]
    in_progress: list[Line]
    still_failed: list[Line]
    bars: list[Bar]

    def json(self) -> dict[str, Any]:
        """The same for the twin."""
        running, still_failed, failed = (tile.number for tile in self.tiles)
        return {
            "in_progress": running,
            "still_failed_7_days": still_failed,
            "failed_24_hours": failed,
            "days": [
                {"day": bar.day.isoformat(), "succeeded": bar.succeeded, "failed": bar.failed}
                for bar in self.bars
            ],
        }


def overview(viewer: Viewer, now: datetime) -> Overview:
    """Sum up what a user may see."""
    restores = Restore.objects.visible_to(viewer).select_related(*READ)
    still_failed = restores.still_failed().created_in(now - WEEK, None)
    in_progress = restores.in_progress()
    return Overview(
        tiles=[
            _tile("In progress", in_progress, "?status=restoring&status=waiting", "running"),
            _tile(
                "Still failed, last 7 days",
                still_failed,
                "?status=failed&recovered=no&from=now-7d",
                "failed",
            ),
            _tile(
                "Failed, last 24 hours",
                restores.failed().created_in(now - timedelta(days=1), None),
                "?status=failed&from=now-24h",
                "failed",
            ),
        ],
        in_progress=lines(in_progress.newest_first()[:SHOWN], now),
        still_failed=lines(still_failed.newest_first()[:SHOWN], now),
        bars=trend(restores, now),
    )


def _tile(label: str, rows: RestoreQuerySet, query: str, look: str) -> Tile:
    number = rows.count()
    url = reverse("restore-list") + query
    return Tile(label=label, number=number, url=url, look=look if number else "none")
