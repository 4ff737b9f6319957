"""How restores of one instance ended: figures, and a bar chart of its newest restores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from math import floor
from statistics import median

from django.db.models import Q
from django.urls import reverse

from restores.explain.estimates import RECENT, Usual, format_clock, usual_of
from restores.formatting import format_datetime
from restores.models import Instance, Restore
from restores.querysets import Viewer
from restores.restore_list.counts import CappedCount, capped_counts
from restores.statuses import FAILED, IN_PROGRESS, KNOWN
from restores.tables import RESTORE_FIELDS

SHOWN = 50
PERIOD = timedelta(days=90)
# The chart's height in pixels. A bar that is longer than this many medians is cut: one restore of
# hours would flatten all others.
HEIGHT, CUT = 56, 4
# Bars have this width in percent of the chart's if they are few.
_WIDEST = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreBar:
    """One restore: its height is its duration, its class its outcome; ``label`` has both in words.

    ``x`` and ``width`` are in percent.
    """

    url: str
    css_class: str
    outcome: str
    label: str
    x: str
    width: str
    height: str
    top: str


@dataclass(frozen=True, kw_only=True)
class InstanceHistory:
    """The newest restores of an instance, its newest successes, and counts.

    ``succeeded`` and ``failed`` cover the last 90 days. What is in progress has lasted up to
    ``known_to``, the last complete sync.
    """

    query: str
    known_to: datetime
    restores: Sequence[Restore]
    successes: Sequence[Restore]
    total: CappedCount
    succeeded: CappedCount
    failed: CappedCount
    unresolved: CappedCount

    @classmethod
    def of(cls, instance: Instance, viewer: Viewer, query: str, now: datetime) -> InstanceHistory:
        """Read it, with the fields of the newest restores that the table shows.

        ``query`` is that of the list of its restores, which the links to them carry.
        """
        restores = Restore.objects.filter(instance=instance)
        succeeded, failed, recent = restores.succeeded(), restores.failed(), now - PERIOD
        newest = succeeded.exclude(created_at=None).order_by("-created_at", "-pk")
        successes = list(newest.only("restore_id", "created_at", "duration")[:RECENT])
        # Failures before the last success have recovered: only later ones have to be read.
        later = Q(created_at__gte=successes[0].created_at) if successes else ~Q(created_at=None)
        counts = capped_counts(
            viewer,
            [
                restores,
                succeeded.created_in(recent, None),
                failed.created_in(recent, None),
                failed.filter(later, recovered_at=None),
                failed.filter(created_at=None, recovered_at=None),
            ],
        )
        total, succeeded_count, failed_count, unresolved, undated = counts
        return cls(
            query=query,
            known_to=instance.complete_to or now,
            restores=restores.select_related("instance", "project")
            .only(*RESTORE_FIELDS)
            .newest(SHOWN),
            successes=successes,
            total=CappedCount(total),
            succeeded=CappedCount(succeeded_count),
            failed=CappedCount(failed_count),
            unresolved=CappedCount(unresolved + undated),
        )

    @cached_property
    def ended(self) -> tuple[int, int] | None:
        """How many of how many restores succeeded in the last 90 days; None if too many to say."""
        if self.succeeded.capped or self.failed.capped:
            return None
        return self.succeeded.number, self.succeeded.number + self.failed.number

    @property
    def success_rate(self) -> str:
        """The share of successes in percent, rounded down, so that 100 means all."""
        succeeded, ended = self.ended or (0, 0)
        return f"{floor(1000 * succeeded / ended) / 10:g}" if ended else ""

    @property
    def failures(self) -> str:
        """How many restores failed in the last 90 days, and whether all recovered."""
        number = self.failed.number
        recovered = ", all recovered" if number and not self.unresolved.number else ""
        return f"{self.failed} failure{'' if number == 1 else 's'} in 90 d{recovered}"

    @property
    def last_success(self) -> Restore | None:
        """The newest restore that succeeded."""
        return self.successes[0] if self.successes else None

    @property
    def last_success_url(self) -> str:
        """The page of that restore; empty if none succeeded."""
        return self.url(self.successes[0]) if self.successes else ""

    @cached_property
    def usual(self) -> Usual | None:
        """How long the newest successes took; None if there are too few."""
        return usual_of(self._durations)

    @cached_property
    def median(self) -> float | None:
        """The median of the same, in seconds."""
        return median(self._durations) if self.usual else None

    @property
    def _durations(self) -> list[float]:
        return [one.duration for one in reversed(self.successes) if one.duration]

    @property
    def longest(self) -> float:
        """The seconds of a bar of full height."""
        longest = max(map(self._seconds, self.restores), default=0.0)
        return min(longest, CUT * self.median) if self.median else longest

    @property
    def cut(self) -> bool:
        """Whether a bar is cut."""
        return any(self._seconds(restore) > self.longest for restore in self.restores)

    @property
    def median_y(self) -> str:
        """The y of the median in the chart; empty if it isn't known."""
        return f"{HEIGHT - self._height(self.median):.1f}" if self.median else ""

    @cached_property
    def bars(self) -> list[RestoreBar]:
        """The newest restores from the oldest to the newest."""
        step = min(_WIDEST, 100 / max(1, len(self.restores)))
        return [
            self._bar(restore, number * step, step)
            for number, restore in enumerate(reversed(self.restores))
        ]

    @property
    def summary(self) -> str:
        """The outcomes of the newest restores: ``46 succeeded, 3 failed and recovered``."""
        counts = Counter(bar.outcome for bar in self.bars)
        return ", ".join(f"{number} {outcome}" for outcome, number in counts.most_common())

    def url(self, restore: Restore) -> str:
        """The page of a restore, which leads back to the list of this instance."""
        return reverse("restore-detail", args=[restore.restore_id]) + self.query

    def _bar(self, restore: Restore, x: float, step: float) -> RestoreBar:
        status = restore.shown_status
        css_class, outcome = status.css_class, status.word
        if restore.status == FAILED.value:
            css_class = "recovered" if restore.recovered_at else "failed"
            outcome = "failed and recovered" if restore.recovered_at else "failed and unresolved"
        elif restore.status in KNOWN:
            outcome = outcome.lower()
        created = format_datetime(restore.created_at) if restore.created_at else "no date"
        took = "" if restore.duration is None else format_clock(restore.duration)
        seconds = self._seconds(restore)
        height = max(3.0, self._height(seconds))
        return RestoreBar(
            url=self.url(restore),
            css_class=css_class,
            outcome=outcome,
            label=", ".join(filter(None, (created, outcome, took))),
            x=f"{x + step / 10:.2f}%",
            width=f"{step * 0.8:.2f}%",
            height=f"{height:.1f}",
            top=f"{HEIGHT - height:.1f}",
        )

    def _seconds(self, restore: Restore) -> float:
        """How long a restore took, or has taken as far as we know; 0 if that isn't known."""
        if restore.duration is None and restore.created_at and restore.status in IN_PROGRESS:
            return max(0.0, (self.known_to - restore.created_at).total_seconds())
        return restore.duration or 0.0

    def _height(self, seconds: float) -> float:
        return min(HEIGHT, HEIGHT * seconds / self.longest) if self.longest else 0.0
