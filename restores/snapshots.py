"""Restores as they were last observed by a moment: from what we knew then and nothing later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Self

from django.db.models import Case, Exists, F, OuterRef, Q, Subquery, When
from django.db.models.functions import Coalesce

from restores.models import Restore
from restores.past import Fits, Past, newest_by
from restores.querysets import UNKNOWN_RUNS, RestoreQuerySet
from restores.querysets.literals import UNSETTLED
from restores.statuses import FINAL, IN_PROGRESS

# What an observation holds, and how it says that there is none.
_OBSERVED = {"status": Q(then=""), "progress": Q(then=None), "error_code": Q(then="")}


def as_of(rows: RestoreQuerySet, past: Past) -> RestoresThen:
    """The rows known by then; every question about their state is answered as of then."""
    then = RestoresThen(model=rows.model, query=rows.query.chain(), using=rows.db)
    then.past = past
    return then.filter(first_seen_at__lte=past.asof)


class RestoresThen(RestoreQuerySet):
    """Restores, asked about what they were by a moment.

    A state is compared as it is now, by index; the few that moved since are put right by key.
    """

    past: Past
    seamed = False

    def _clone(self) -> Self:
        clone: Self = super()._clone()
        clone.past = self.past
        return clone

    def in_status(self, statuses: Iterable[str]) -> Self:
        """In one of these states then."""
        params = set(statuses)
        return self._where(Q(status__in=params), lambda status, _: status in params)

    def with_code(self, codes: Iterable[str]) -> Self:
        """With one of these error codes then, or with any."""
        params = set(codes)
        if "any" in params:
            return self._where(~Q(error_code=""), lambda _, code: bool(code))
        return self._where(Q(error_code__in=params), lambda _, code: code in params)

    def still_failed(self) -> Self:
        """Failed then, and no later restore of the instance was known to have succeeded."""
        lasting = ~Exists(self._later_successes())
        return self.failed().filter(lasting if self._unlearned else Q(recovered_at=None) | lasting)

    def recovered(self) -> Self:
        """Failed then, and a later restore of the instance was known to have succeeded."""
        healed = Q(Exists(self._later_successes()))
        return self.failed().filter(
            healed if self._unlearned else Q(recovered_at__isnull=False) & healed
        )

    def ended_in(self, start: datetime | None, end: datetime | None) -> Self:
        """Known by then to have ended within the window."""
        return super().ended_in(start, end).exclude(self._endless())

    def changed_in(self, start: datetime | None, end: datetime | None) -> Self:
        """Seen by then to begin, move on or end within the window."""
        after = self.past.asof + timedelta(microseconds=1)
        return super().changed_in(start, min(end or after, after))

    def running_in(
        self, start: datetime | None, end: datetime | None, seam: datetime | None = None
    ) -> Self:
        """Waiting or restoring within the window, as far as was known."""
        rows = super().running_in(start, end)
        if start is None:
            return rows
        began = Q(created_at__lt=end) if end else Q()
        unknown = self.past.keys(lambda status, _: status not in (*IN_PROGRESS, *FINAL))
        young = Q(created_at__gt=start - UNKNOWN_RUNS)
        running = Q(pk__in=self.past.keys(lambda status, _: status in IN_PROGRESS))
        # Of another end than the one it has now nothing is kept: it had ended, nobody knows when.
        over = self.past.keys(lambda status, _: status in FINAL)
        lost = [key for key in over if not self.past.moved[key].ended]
        rows = rows.exclude(pk__in=lost, created_at__lt=start)
        rows = rows.exclude(Q(pk__in=unknown) & ~young)
        return rows | self.filter(began & (running | Q(pk__in=unknown) & young))

    def by(self, column: str, *, descending: bool) -> list[Self]:
        """The rows in the order of then; only what has moved since is looked up."""
        if not self.past.moved or column not in ("ended_at", "duration", *_OBSERVED):
            return super().by(column, descending=descending)
        sign = "-" if descending else ""
        if column in _OBSERVED:
            rows, absent = self._with_observed(column), _OBSERVED[column]
            column = "then"
        else:
            rows, absent = self, Q(**{column: None}) | self._endless()
        return [
            rows.exclude(absent).order_by(f"{sign}{column}", f"{sign}pk"),
            rows.filter(absent).order_by(f"{sign}pk"),
        ]

    def progressing(self) -> Self:
        """Waiting and restoring then: no index knows."""
        return self.in_progress()

    def summed(self, most: int) -> tuple[Counter[str], int]:
        """How many were in each state then, and how many still failed; roughly from ``most`` on."""
        counts, _ = super().summed(most)
        if counts.total() < most:
            for key in self.filter(pk__in=self.past.moved).values_list("pk", flat=True):
                counts[self.past.moved[key].status_now] -= 1
                counts[self.past.moved[key].status] += 1
        return +counts, self.still_failed()[:most].count()

    def unsettled_by_status(self, most: int) -> Counter[str]:
        """How many were in each state that was not final then."""
        moved = self.past.moved
        unmoved = self.left_open().filter(UNSETTLED).exclude(pk__in=moved)
        counts = Counter(unmoved.values_list("status", flat=True)[:most])
        keys = self.filter(pk__in=moved).values_list("pk", flat=True)
        then = (moved[key].status for key in keys)
        return counts + Counter(status for status in then if status not in FINAL)

    def unsettled(self) -> Self:
        """Not in a final state then."""
        return self._where(~Q(status__in=FINAL), lambda status, _: status not in FINAL)

    def first_success(self) -> Subquery:
        """The end of the first later restore of the instance that was known to have succeeded."""
        ends = self._later_successes().order_by("created_at", "pk")
        return Subquery(ends.values(end=Coalesce("ended_at", "created_at"))[:1])

    def _where(self, now: Q, fits: Fits) -> Self:
        left: list[int] = []
        came: list[int] = []
        for key, then in self.past.moved.items():
            fitted, fits_now = (
                fits(then.status, then.error_code),
                fits(then.status_now, then.error_code_now),
            )
            if fitted != fits_now:
                (came if fitted else left).append(key)
        rows = self.filter(now | Q(pk__in=came) if came else now)
        return rows.exclude(pk__in=left) if left else rows

    def _endless(self) -> Q:
        """Not known to have ended then, or with an end that is not kept: it has another now."""
        moved = self.past.moved
        endless = [key for key, then in moved.items() if not then.ended]
        return Q(pk__in=endless) | Q(pk__in=list(moved), ended_at__gt=self.past.asof)

    def _with_observed(self, column: str) -> Self:
        newest = newest_by(self.past.asof).values(column)[:1]
        then = Case(When(pk__in=list(self.past.moved), then=Subquery(newest)), default=F(column))
        return self.annotate(then=then)

    def _later_successes(self) -> RestoreQuerySet:
        successes = as_of(Restore.objects.all(), self.past).succeeded()
        own, later = OuterRef("instance"), OuterRef("created_at")
        return successes.filter(instance=own, created_at__gt=later)

    @property
    def _unlearned(self) -> bool:
        """Whether an end was taken back since: then ``recovered_at`` of now tells nothing."""
        moved = self.past.moved.values()
        return any(then.status in FINAL and then.status != then.status_now for then in moved)
