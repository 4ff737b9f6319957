"""The overview: what needs attention now, and whether this week is worse than the last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, F
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from restores.explain.codes import explain
from restores.explain.estimates import format_clock, format_duration, percentile
from restores.filters import OverviewParams, Scope
from restores.filters.params import MAX_LENGTH
from restores.instance_status import project_sync_error
from restores.models import Project, Restore
from restores.outcomes import OUTCOMES, Failures, Outcomes, chart, count_outcomes
from restores.querysets import RestoreQuerySet
from restores.restore_list.counts import CappedCount, capped_counts
from restores.restore_list.empty_state import (
    Undated,
    all_undated,
    empty_table,
    sync_messages,
    undated_messages,
)
from restores.restore_list.toolbar import time_menu
from restores.serializers import RELATED, errors_json, sync_status_json
from restores.statuses import FAILED, IN_PROGRESS, RESTORING, SUCCEEDED, WAITING
from restores.sync_status import SyncStatus
from restores.time_zone import show_zone_of, shown_range
from restores.timerange import iso_or_none, range_label
from restores.views.api import JsonAnswer, json_endpoint, revalidated
from restores.views.restore_rows import restore_rows

SHOWN = 10
# Codes and customers with the most failures, and projects that are behind.
MOST = 6
DAY, WEEK = timedelta(days=1), timedelta(days=7)
# The median duration is that of this many of the newest successes.
SAMPLE = 1000
RANGES = (("24 h", "now-24h"), ("7 d", "now-7d"), ("14 d", "now-14d"), ("30 d", "now-30d"))
# The days in the JSON, which is older than the time range of the page.
_JSON_DAYS = "now-13d/d"
_SPARK_WIDTH, _SPARK_HEIGHT = 72, 28


@require_safe
@revalidated
def overview(request: HttpRequest) -> HttpResponse:
    """Figures that link to lists, what needs attention, outcomes by day, and failures."""
    now = timezone.now()
    params = OverviewParams.parse(request.GET, now)
    if params.normalized_query:
        return redirect(request.path + params.normalized_query)
    scope = Scope(params.as_list(), request.user)
    if params.errors:
        context = {"params": params, **_time(params, scope)}
        return TemplateResponse(request, "overview.html", context, status=400)
    if params.canonical_query.lstrip("?") != request.META["QUERY_STRING"]:
        return redirect(request.path + params.canonical_query)
    if not scope.visible:
        return TemplateResponse(request, "overview/first_run.html", {"params": params})
    show_zone_of(request, params.get("tz"), scope.customer_zones)
    zone = shown_range(params.time_range).zone
    # Before the rows: it must not claim more than they hold.
    status = scope.sync_status()
    found = _find(scope, zone)
    undated = all_undated(request.user, scope.visible_restores, "?sort=created")
    urgent = list(scope.visible_restores.select_related(*RELATED).most_urgent(SHOWN))
    context = {
        "params": params,
        **_time(params, scope),
        "label": range_label(shown_range(params.time_range)),
        "figures": list(_figures(scope, found, urgent)),
        "urls": _urls(scope),
        "in_progress_count": CappedCount(found.in_progress),
        "in_progress_rows": restore_rows(urgent, now),
        "unresolved_count": CappedCount(found.outcomes.total["unresolved"]),
        "unresolved_rows": restore_rows(_newest(scope.any_status.unresolved()), now),
        "failed_count": CappedCount(found.outcomes.failed),
        "chart": chart(found.outcomes, scope, zone, status.fully_complete_to),
        "by_code": _top(_by_code(scope, found.outcomes)),
        "by_customer": _top(_by_customer(scope, found.outcomes)),
        "completeness": _completeness(scope, status),
        "sync_messages": sync_messages(status, now) + undated_messages(undated),
    }
    context |= _why_none(scope, status, context, undated)
    return TemplateResponse(request, "overview.html", context)


@json_endpoint
def overview_json(request: HttpRequest) -> JsonAnswer:
    """The numbers as JSON."""
    now = timezone.now()
    params = OverviewParams.parse(request.GET, now)
    if params.errors:
        return JsonResponse(errors_json(params), status=400)
    scope = Scope(params.as_list(), request.user)
    status = sync_status_json(scope.sync_status())
    found, restores = _find(scope, params.time_range.zone), scope.visible_restores
    undated = all_undated(request.user, restores, "")
    outcomes = found.outcomes
    return {
        "stuck": found.stuck,
        "in_progress": found.in_progress,
        "still_failed_7_days": restores.unresolved().created_in(now - WEEK, None).count(),
        "failed_24_hours": found.failed_24_hours,
        "without_time": undated.count.number if undated else 0,
        "days": _days_json(scope, now),
        "time_range": params.resolved_range,
        "outcomes": [
            {"from": iso_or_none(start), "to": iso_or_none(end), **_outcomes_json(counts)}
            for (start, end), counts in zip(outcomes.buckets.spans, outcomes.by_bucket, strict=True)
        ],
        "total": _outcomes_json(outcomes.total),
        "failure_rate": found.rate,
        "median_seconds": found.median,
        "failures_by_code": [row.json("code") for row in _by_code(scope, outcomes)],
        "failures_by_customer": [row.json("customer") for row in _by_customer(scope, outcomes)],
        "ignored": params.ignored,
        **status,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The data of the figures: restores in the range, at present, and some weeks before.

    A rate is a share of the finished restores; medians are in seconds.
    """

    outcomes: Outcomes
    stuck: int
    restoring: int
    waiting: int
    failed_24_hours: int
    failed_24_hours_before: int
    unresolved_before: int
    rate_before: float | None
    median: float | None
    median_before: float | None
    weeks: int

    @property
    def in_progress(self) -> int:
        """How many are in progress, whenever they were created."""
        return self.restoring + self.waiting

    @property
    def rate(self) -> float | None:
        """The share of failures in the range."""
        return _rate(self.outcomes.failed, self.outcomes.total["succeeded"])


def _find(scope: Scope, zone: ZoneInfo) -> Found:
    """Count what the figures show; the time before is as many weeks earlier as the range covers."""
    time_range, restores = scope.params.time_range, scope.visible_restores
    start, now = time_range.start or time_range.now, time_range.now
    end = time_range.end or now
    weeks = ceil((end - start) / WEEK)
    then = min(end, now) - weeks * WEEK
    before = restores.created_in(start - weeks * WEEK, then)
    failed, day = restores.failed(), now - DAY
    stuck, restoring, waiting, recent, recent_before, unresolved_before = capped_counts(
        scope.viewer,
        [
            restores.stuck(),
            restores.in_status([RESTORING.value]),
            restores.in_status([WAITING.value]),
            failed.created_in(day, None),
            failed.created_in(day - WEEK, now - WEEK),
            before.failed().exclude(recovered_at__lt=then),
        ],
    )
    by_group = before.filter(status_group__in=["failed", "succeeded"]).order_by()
    finished = dict(by_group.values_list("status_group").annotate(Count("pk")))
    return Found(
        outcomes=count_outcomes(scope, zone),
        stuck=stuck,
        restoring=restoring,
        waiting=waiting,
        failed_24_hours=recent,
        failed_24_hours_before=recent_before,
        unresolved_before=unresolved_before,
        rate_before=_rate(finished.get("failed", 0), finished.get("succeeded", 0)),
        median=_median(scope.any_status),
        median_before=_median(before),
        weeks=weeks,
    )


def _rate(failed: int, succeeded: int) -> float | None:
    finished = failed + succeeded
    return round(failed / finished, 4) if finished else None


def _median(restores: RestoreQuerySet) -> float | None:
    """The median duration of the newest successes, in seconds."""
    newest = restores.succeeded().order_by("-created_at", "-pk")
    durations = newest.values_list("duration", flat=True)[:SAMPLE]
    return percentile([seconds for seconds in durations if seconds is not None], 50)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """By how much a figure has changed, whether for the worse, and from what."""

    by: str
    worse: bool
    before: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure with the list of what it counts; ``points`` draw its trend, if that says much."""

    label: str
    value: str
    url: str
    unit: str = ""
    detail: str = ""
    css_class: str = ""
    change: Change | None = None
    points: str = ""


def _urls(scope: Scope) -> dict[str, str]:
    """The lists that figures and cards lead to."""
    queries: dict[str, dict[str, Any]] = {
        "in_progress": {"status": IN_PROGRESS, "from": None, "to": None},
        "stuck": {"stuck": "yes", "from": None, "to": None},
        "unresolved": {"status": FAILED.value, "recovered": "no"},
        "failed_24_hours": {"status": FAILED.value, "from": "now-24h", "to": None},
        "failed": {"status": FAILED.value},
        "succeeded": {"status": SUCCEEDED.value},
    }
    path = reverse("restore-list")
    return {name: path + scope.params.query(**changed) for name, changed in queries.items()}


def _figures(scope: Scope, found: Found, urgent: Sequence[Restore]) -> Iterable[Figure]:
    urls, outcomes = _urls(scope), found.outcomes
    edges = scope.params.time_range.edges
    when = next((f", {name}" for name, start in RANGES if edges == (start, "")), "")
    before = " a week earlier" if found.weeks == 1 else f", {found.weeks} weeks earlier"
    unresolved = outcomes.total["unresolved"]
    if found.stuck and urgent:
        others = f" and {found.stuck - 1:,} more" if found.stuck > 1 else ""
        yield Figure(
            label="Stuck",
            value=str(CappedCount(found.stuck)),
            url=urls["stuck"],
            detail=f"{urgent[0].instance}{others}",
            css_class="stuck",
        )
    yield Figure(
        label="In progress",
        value=str(CappedCount(found.in_progress)),
        url=urls["in_progress"],
        detail=f"{CappedCount(found.restoring)} restoring · {CappedCount(found.waiting)} queued",
    )
    yield Figure(
        label=f"Unresolved{when}",
        value=str(CappedCount(unresolved)),
        url=urls["unresolved"],
        css_class="failed" if unresolved else "",
        change=_count_change(unresolved, found.unresolved_before, before),
    )
    yield Figure(
        label="Failed, 24 h",
        value=str(CappedCount(found.failed_24_hours)),
        url=urls["failed_24_hours"],
        change=_count_change(
            found.failed_24_hours, found.failed_24_hours_before, " a week earlier"
        ),
    )
    yield Figure(
        label=f"Failure rate{when}",
        value="–" if found.rate is None else f"{100 * found.rate:.1f}",
        unit="" if found.rate is None else "%",
        url=urls["failed"],
        change=_rate_change(found.rate, found.rate_before, before),
        points="" if outcomes.buckets.hourly else _spark(outcomes.by_bucket),
    )
    yield Figure(
        label=f"Median duration{when}",
        value="–" if found.median is None else format_clock(found.median),
        url=urls["succeeded"],
        unit="" if found.median is None else "min" if found.median < 3600 else "h",
        detail=(f"(newest {SAMPLE:,} successes)" if outcomes.total["succeeded"] > SAMPLE else ""),
        change=_duration_change(found.median, found.median_before, before),
    )


def _count_change(number: int, before: int, when: str) -> Change | None:
    if CappedCount(max(number, before)).capped:
        return None
    return _change(number - before, f"{abs(number - before):,}", f"{before:,}{when}")


def _rate_change(rate: float | None, before: float | None, when: str) -> Change | None:
    if rate is None or before is None:
        return None
    points = round(100 * rate, 1) - round(100 * before, 1)
    return _change(round(points, 1), f"{abs(points):.1f}", f"{100 * before:.1f}%{when}")


def _duration_change(seconds: float | None, before: float | None, when: str) -> Change | None:
    if seconds is None or before is None:
        return None
    longer = int(seconds) - int(before)
    return _change(longer, format_duration(abs(longer)), f"{format_clock(before)}{when}")


def _change(by: float, text: str, before: str) -> Change:
    sign = "+" if by > 0 else "−" if by < 0 else "±"
    return Change(by=sign + text, worse=by > 0, before=before)


def _spark(counts: Sequence[Counter[str]]) -> str:
    """The points of a line through the failure rates; empty if it would say nothing."""
    rates = (_rate(one["recovered"] + one["unresolved"], one["succeeded"]) for one in counts)
    known = [(at, rate) for at, rate in enumerate(rates) if rate is not None]
    highest = max((value for _, value in known), default=0)
    if len(known) < 3 or not highest:
        return ""
    width, height = (_SPARK_WIDTH - 4) / known[-1][0], _SPARK_HEIGHT - 4
    return " ".join(
        f"{2 + at * width:.1f},{2 + height * (1 - value / highest):.1f}" for at, value in known
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureRow:
    """The failures with one code or of one customer, with their list; widths are percentages.

    ``url`` is empty for what a list can't be filtered by.
    """

    key: str
    name: str
    url: str
    count: CappedCount
    unresolved: int
    width: float
    unresolved_width: float

    def json(self, key: str) -> dict[str, Any]:
        """Write it for the JSON endpoint."""
        return {key: self.key or None, "failed": self.count.number, "unresolved": self.unresolved}


def _by_code(scope: Scope, outcomes: Outcomes) -> list[FailureRow]:
    keyed = ((one.code, one) for one in outcomes.failures)
    return _failure_rows(scope, "code", keyed, lambda code: explain(code).reason)


def _by_customer(scope: Scope, outcomes: Outcomes) -> list[FailureRow]:
    customers = {project.pk: project.customer for project in scope.visible}
    keyed = ((customers.get(one.project, ""), one) for one in outcomes.failures)
    return _failure_rows(scope, "customer", keyed, lambda name: name or "No customer")


def _failure_rows(
    scope: Scope,
    param: str,
    keyed: Iterable[tuple[str, Failures]],
    name: Callable[[str], str],
) -> list[FailureRow]:
    """The sums by key, the largest first."""
    failed: Counter[str] = Counter()
    unresolved: Counter[str] = Counter()
    for key, one in keyed:
        failed[key] += one.number
        unresolved[key] += one.number if one.unresolved else 0
    path, most = reverse("restore-list"), max(failed.values(), default=1)

    def url(key: str) -> str:
        # As the parameter would be read: trimmed, and "any" stands for every code.
        if key != key.strip() or not 0 < len(key) <= MAX_LENGTH or (param, key) == ("code", "any"):
            return ""
        return path + scope.params.query(**{param: key, "status": FAILED.value})

    return [
        FailureRow(
            key=key,
            name=name(key),
            url=url(key),
            count=CappedCount(number),
            unresolved=unresolved[key],
            width=round(100 * number / most, 1),
            unresolved_width=round(100 * unresolved[key] / most, 1),
        )
        for key, number in sorted(failed.items(), key=lambda item: (-item[1], item[0]))
    ]


def _top(rows: Sequence[FailureRow]) -> dict[str, Any]:
    """The rows with the most failures, and how many failures the others have."""
    others = CappedCount(sum(row.count.number for row in rows[MOST:]))
    return {"rows": rows[:MOST], "others": others}


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """A project whose data is complete only up to an earlier time, or not at all, and why."""

    project: Project
    complete_to: datetime | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """The projects that are behind, the first of them in detail, and how many others there are.

    The others are complete at least up to ``complete_to``.
    """

    behind: Sequence[Behind]
    more: int
    others: int
    complete_to: datetime | None


def _completeness(scope: Scope, status: SyncStatus) -> Completeness:
    monitored = [project for project in scope.visible if project.monitored]
    wrong = [
        project.pk
        for project in monitored
        if project.unlisted
        or not project.healthy
        or project.sync_error_count
        or project.never_synced_count
    ]
    rows: list[Project] = []
    if wrong:
        found = Project.objects.filter(pk__in=wrong).select_related("account", "state")
        oldest_first = F("state__oldest_complete_to").asc(nulls_first=True)
        rows = list(found.order_by(oldest_first, "name", "pk")[:MOST])
    return Completeness(
        behind=[_behind(project) for project in rows],
        more=len(wrong) - len(rows),
        others=len(monitored) - len(wrong),
        complete_to=status.complete_to,
    )


def _behind(project: Project) -> Behind:
    state, error = project.state, project_sync_error(project)
    problems, unsynced = state.sync_error_count, state.never_synced_count
    if error:
        reason = error.label[:1].lower() + error.label[1:]
    elif problems:
        reason = f"{problems:,} instance{'' if problems == 1 else 's'} with problems"
    elif unsynced:
        reason = f"{unsynced:,} instance{'' if unsynced == 1 else 's'} not synced yet"
    else:
        reason = "instances not loaded yet"
    # No later than the list of instances: one that we haven't heard of isn't covered.
    times = [project.listed_at, *([state.oldest_complete_to] if state.instance_count else [])]
    known = [at for at in times if at] if not unsynced else []
    complete_to = min(known) if len(known) == len(times) else None
    return Behind(project=project, complete_to=complete_to, reason=reason)


def _newest(restores: RestoreQuerySet) -> RestoreQuerySet:
    rows = restores.select_related(*RELATED).defer("raw", "search")
    return rows.order_by("-created_at", "-pk")[:SHOWN]


def _why_none(
    scope: Scope, status: SyncStatus, context: dict[str, Any], undated: Undated | None
) -> dict[str, Any]:
    """Why the cards of restores are empty, if they are."""
    why: dict[str, Any] = {}
    if not context["in_progress_rows"]:
        title = "No restores in progress"
        why["none_in_progress"] = empty_table(status, scope.instances, None, title)
    if not context["unresolved_rows"]:
        start, title = scope.params.time_range.start, "No unresolved failures"
        failures = scope.visible_restores.unresolved()
        if undated:
            undated = all_undated(scope.viewer, failures, "?status=failed&recovered=no")
        why["none_unresolved"] = empty_table(status, scope.instances, start, title, undated)
    return why


def _time(params: OverviewParams, scope: Scope) -> dict[str, Any]:
    """The time range, and the ranges to switch between: name, URL, whether it is the present."""
    path, errors = reverse("overview"), {error.param: error.reason for error in params.errors}
    zones = sorted({project.time_zone for project in scope.visible} - {""})
    menu = time_menu(params, path, params.time_range.now, errors, zones)
    current = params.time_range.edges
    ranges = [
        (name, path + params.query(**{"from": start, "to": None}), current == (start, ""))
        for name, start in RANGES
    ]
    # The overview has no range without a start.
    return {"time": replace(menu, presets=menu.presets[:-1]), "ranges": ranges}


def _days_json(scope: Scope, now: datetime) -> list[dict[str, Any]]:
    days = OverviewParams.parse(QueryDict(f"from={_JSON_DAYS}"), now).as_list()
    found = count_outcomes(Scope(days, scope.viewer), days.time_range.zone)
    counted = zip(found.buckets.starts, found.by_bucket, strict=True)
    return [
        {
            "day": f"{start:%F}",
            "succeeded": counts["succeeded"],
            "failed": counts["recovered"] + counts["unresolved"],
        }
        for start, counts in counted
    ]


def _outcomes_json(counts: Counter[str]) -> dict[str, int]:
    return {outcome: counts[outcome] for outcome in OUTCOMES}
