"""The rows of the list, their values written once and ready to print."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from html import escape
from typing import Any

from restores.beside import now_words
from restores.explain import codes
from restores.explain.estimates import format_clock
from restores.explain.summary import NO_PROGRESS, QUEUED
from restores.filters import ListParams
from restores.paths import restore_path
from restores.statuses import FAILED, IN_PROGRESS, RESTORING, SUCCEEDED, status_of
from restores.tables.restores import shown
from restores.timerange import instant

# When it was seen last, from which follows until when it is known.
SEEN = ("removed_upstream_at", "moved_at", "missing_since", "first_seen_at", "changed_at")
FIELDS = (
    "pk",
    "restore_id",
    "restore_name",
    "status",
    "progress",
    "error_code",
    "created_at",
    "ended_at",
    "duration",
    "recovered_at",
    "backup_taken_at",
    *SEEN,
    "instance_id",
    "instance__instance_id",
    "instance__name",
    "instance__complete_to",
    "project__name",
    "project__customer",
    "project__reports_progress",
)


def fields_of(params: ListParams) -> tuple[str, ...]:
    """What is read of each restore of a list; its end only where it is shown or compared."""
    ended = "ended" in shown(params) or params.sort.endswith("ended") or params.time_range.asof
    return FIELDS if ended else tuple(name for name in FIELDS if name != "ended_at")


@dataclass(slots=True, kw_only=True)
class Row:
    """One restore as the table prints it; empty is not printed.

    Texts from outside are escaped; ``outcome`` and the words of ``live`` are our own.
    """

    pk: int
    url: str
    restore: str
    instance: str
    project: str
    customer: str
    day: str
    created: str
    ended: str
    look: str
    word: str
    bar: str
    bar_look: str
    outcome: str
    code: str
    code_url: str
    took: str
    since: str
    still_failed: bool
    recovered: str
    backup: str
    delisted: bool
    now: str
    basis: str = ""


class Writer:
    """Writes rows for one page: in its zone, at its moment, linked to come back to it."""

    def __init__(self, params: ListParams, now: datetime) -> None:
        self.now, self.real_now = params.time_range.asof or now, now
        self.zone: tzinfo = params.time_range.zone
        self.by_day = {"created": "created_at", "ended": "ended_at"}.get(params.sort.lstrip("-"))
        self.query = escape(params.query(**params.position))
        self._year = self.now.astimezone(self.zone).year
        self.params = params
        self.cols = frozenset(shown(params))
        self._code_urls: dict[str, str] = {}
        self._days: dict[date, str] = {}

    def row(self, found: Any, now: Any = None) -> Row:
        """Write one restore, as ``FIELDS`` of it were read, and what it is now if that differs."""
        status = status_of(found.status)
        moving = found.status in IN_PROGRESS
        return Row(
            pk=found.pk,
            url=restore_path(found.restore_id) + self.query,
            restore=escape(found.restore_name or found.restore_id),
            instance=escape(found.instance__name or found.instance__instance_id),
            project=escape(found.project__name),
            customer=escape(found.project__customer),
            day=self._day(getattr(found, self.by_day)) if self.by_day else "",
            created=self._stamp(found.created_at, under_day=self.by_day == "created_at"),
            ended=self._ended(found) if "ended" in self.cols else "",
            look=status.look,
            word=escape(status.word),
            bar=_bar(found),
            bar_look=status.look,
            outcome=_outcome(found),
            code=escape(found.error_code),
            code_url=self._code_url(found.error_code),
            took=self._took(found, moving),
            since=instant(found.created_at) if moving and found.created_at else "",
            still_failed=found.status == FAILED.value and found.recovered_at is None,
            recovered=self._recovered(found),
            backup=self._stamp(found.backup_taken_at),
            delisted=found.removed_upstream_at is not None,
            now=escape(now_words(found, now, self.zone, self.real_now)) if now else "",
        )

    def _day(self, at: datetime | None) -> str:
        if at is None:
            return "No time given"
        day = at.astimezone(self.zone).date()
        if day not in self._days:
            year = "" if day.year == self._year else f" {day.year}"
            self._days[day] = f"{day:%A} {day.day} {day:%B}{year}"
        return self._days[day]

    def _ended(self, found: Any) -> str:
        return self._stamp(found.ended_at, under_day=self.by_day == "ended_at")

    def _stamp(self, at: datetime | None, *, under_day: bool = False) -> str:
        if at is None:
            return ""
        local = at.astimezone(self.zone)
        if under_day:
            return _time(at, f"{local:%H:%M:%S}")
        text = f"{local:%b %H:%M}" if local.year == self._year else f"{local:%b %Y}"
        return _time(at, f"{local.day} {text}")

    def _recovered(self, found: Any) -> str:
        if found.status != FAILED.value or found.recovered_at is None:
            return ""
        local = found.recovered_at.astimezone(self.zone)
        same_day = found.created_at and found.created_at.astimezone(self.zone).date()
        if local.date() == same_day:
            return _time(found.recovered_at, f"{local:%H:%M}")
        return self._stamp(found.recovered_at)

    def _took(self, found: Any, moving: bool) -> str:
        if found.duration is not None:
            return format_clock(found.duration)
        if moving and found.created_at:
            return format_clock((self.now - found.created_at).total_seconds())
        return "—"

    def _code_url(self, code: str) -> str:
        if code and code not in self._code_urls:
            self._code_urls[code] = escape(self.params.query(code=code))
        return self._code_urls.get(code, "")


def _time(at: datetime, text: str) -> str:
    return f'<time datetime="{instant(at)}">{text}</time>'


def _bar(found: Any) -> str:
    """The value of the bar of a restore in progress; a blank for one that shows no progress."""
    if found.status not in IN_PROGRESS:
        return ""
    restoring = found.status == RESTORING.value
    return f"{found.progress:.2f}" if restoring and found.progress is not None else " "


def _outcome(found: Any) -> str:
    share = "" if found.progress is None else f"{found.progress:.2f}".rstrip("0").rstrip(".") + " %"
    if found.status == FAILED.value:
        return codes.explain(found.error_code).reason
    if found.status == RESTORING.value:
        return "finishing (100 %)" if found.progress == 100 else share or NO_PROGRESS
    if found.status in IN_PROGRESS:
        return QUEUED
    if found.status == SUCCEEDED.value and (found.progress is None or found.progress == 100):
        return ""
    return f"the cloud’s progress says {share}" if share else ""
