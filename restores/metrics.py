"""Metrics for Prometheus, read from the database at each scrape.

So they are the same from every web process, and workers need no port. Labels are names from
the projects file and values that are few in number: never a customer, an instance or a restore.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from math import inf

from django.conf import settings
from django.db import connection, transaction
from django.db.models import BooleanField, Count, ExpressionWrapper, F, Min, Q, QuerySet
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from restores.models import Account, CallCount, Heartbeat, Instance, Project, Restore
from restores.sync_errors import KINDS

# Prometheus gives up after 10 s.
_STATEMENT_TIMEOUT = "5s"
_TICK = timedelta(seconds=5)
_WINDOWS = {"1h": timedelta(hours=1), "24h": timedelta(hours=24)}
# No more restores are read, the newest first: the rest changes no alert.
_MAX_RESTORES = 10_000
# This many error codes have their own label; the rest are counted together.
_MAX_CODES = 20

Samples = Iterable[tuple[Sequence[str], float]]


def metrics_text() -> bytes:
    """Return all metrics in the format of Prometheus."""
    registry = CollectorRegistry()
    registry.register(_DatabaseCollector())
    with _limited_statements():
        return generate_latest(registry)


class _DatabaseCollector(Collector):
    def collect(self) -> Iterator[Metric]:
        """Yield every metric; those without samples, too, so that their names are known."""
        now = timezone.now()
        projects = {
            project.pk: project
            for project in Project.objects.monitored()
            .filter(state__isnull=False)
            .select_related("state")
            .order_by("name")
        }
        yield _gauge(
            "info", "The version of the web process.", ("version",), [((settings.VERSION,), 1)]
        )
        yield from _ticks(now)
        yield from _projects(projects.values(), now)
        yield from _restores(projects, now)
        yield from _schedule(now)
        yield from _sync_errors(projects.values())
        yield from _accounts(now)


def _ticks(now: datetime) -> Iterator[Metric]:
    at = dict(Heartbeat.objects.values_list("pk", "at"))
    finished = at.get(Heartbeat.TICK_FINISHED)
    missed = max(0, (now - finished) // _TICK) if finished else inf
    yield _gauge(
        "ticks_missed",
        "Ticks that should have finished since the last one that did; +Inf before the first.",
        (),
        [((), missed)],
    )
    yield _gauge(
        "ticks_lost",
        "1 while most ticks are taken from the broker and never finished.",
        (),
        [((), Heartbeat.TICKS_LOST in at)],
    )


def _projects(projects: Iterable[Project], now: datetime) -> Iterator[Metric]:
    projects = list(projects)
    ages = [((one.name,), age) for one in projects if (age := _data_age(one, now)) is not None]
    label = ("project",)
    yield _gauge(
        "data_age_seconds",
        "Age of a project’s complete data, excluding instances whose own sync fails; "
        "absent while one has never been synced.",
        label,
        ages,
    )
    yield _gauge(
        "sync_interval_seconds",
        "How often each instance of a project is synced.",
        label,
        [((one.name,), one.interval) for one in projects],
    )
    for name, field, text in (
        ("instances", "instance_count", "Instances of a project that are synced."),
        (
            "instances_never_synced",
            "never_synced_count",
            "Instances of a project that have never been synced.",
        ),
        (
            "instances_with_sync_error",
            "sync_error_count",
            "Instances of a project with a sync error of their own.",
        ),
    ):
        yield _gauge(
            name, text, label, [((one.name,), getattr(one.state, field)) for one in projects]
        )


def _data_age(project: Project, now: datetime) -> float | None:
    """The age of a project's data, in seconds; None if its pages don't show one."""
    state, listed = project.state, project.listed_at
    if listed is None or state.healthy_never_synced_count:
        return None
    complete_to = min(listed, state.healthy_oldest_complete_to or listed)
    return max(0.0, (now - complete_to).total_seconds())


def _restores(projects: Mapping[int, Project], now: datetime) -> Iterator[Metric]:
    is_stuck = ExpressionWrapper(
        Q(stuck_at__isnull=False, stuck_at__lte=F("instance__complete_to")),
        output_field=BooleanField(),
    )
    in_progress = (
        Restore.objects.in_progress()
        .order_by("-created_at")
        .values_list("project_id", is_stuck)[:_MAX_RESTORES]
    )
    running, stuck = Counter[int](), Counter[int]()
    for project, is_one in in_progress:
        running[project] += 1
        stuck[project] += bool(is_one)
    failed = (
        Restore.objects.failed()
        .created_in(now - _WINDOWS["24h"], None)
        .order_by("-created_at")
        .values_list("project_id", "error_code", "created_at", "recovered_at")[:_MAX_RESTORES]
    )
    unresolved, codes = Counter[int](), Counter[tuple[str, str]]()
    for project, code, created_at, recovered_at in failed:
        unresolved[project] += recovered_at is None
        for within, length in _WINDOWS.items():
            codes[_code_label(code), within] += created_at > now - length
    for name, text, counts in (
        ("in_progress", "Restores in progress in a project.", running),
        ("stuck", "Restores of a project that are possibly stuck.", stuck),
        (
            "unresolved",
            "Restores of a project, created in the last 24 hours, that failed, with no later "
            "success of the instance.",
            unresolved,
        ),
    ):
        samples = [((project.name,), counts[key]) for key, project in projects.items()]
        yield _gauge(name, text, ("project",), samples)
    common = Counter({code: number for (code, within), number in codes.items() if within == "24h"})
    shown = Counter[tuple[str, str]]()
    named = {code for code, _ in common.most_common(_MAX_CODES)}
    for (code, within), number in codes.items():
        shown[code if code in named else "other", within] += number
    yield _gauge(
        "failed",
        "Restores created within the last hour or 24 hours that failed, by error code.",
        ("code", "within"),
        sorted(shown.items()),
    )


def _code_label(code: str) -> str:
    """An error code as a label: providers may write any text there."""
    if not code:
        return "none"
    return code.lower() if re.fullmatch(r"[A-Za-z0-9._-]{1,40}", code) else "other"


def _schedule(now: datetime) -> Iterator[Metric]:
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    leased = Q(lease_until__gte=now)
    # As in ``scheduling.due_instances``: what waits for an operator isn't a backlog.
    works = Q(project__failures=0, project__account__refusals=0) & ~Q(sync_error_kind="parked")
    instances = Instance.objects.monitored().filter(next_sync_at__lte=now)
    found = instances.aggregate(
        due=Count("pk", filter=free & works),
        leased=Count("pk", filter=leased),
        oldest=Min("next_sync_at", filter=free & works),
    )
    projects = Project.objects.monitored().aggregate(
        due=Count("pk", filter=free & (Q(next_sync_at=None) | Q(next_sync_at__lte=now))),
        leased=Count("pk", filter=leased),
    )
    waiting = (now - found["oldest"]).total_seconds() if found["oldest"] else 0
    for name, text, value in (
        ("instances_due", "Instances that are due and not claimed by a worker.", found["due"]),
        ("instances_leased", "Instances that a worker is syncing.", found["leased"]),
        ("projects_due", "Projects that are due and not claimed by a worker.", projects["due"]),
        ("projects_leased", "Projects that a worker is syncing.", projects["leased"]),
        ("longest_due_seconds", "How long the first instance in the queue has been due.", waiting),
    ):
        yield _gauge(name, text, (), [((), value)])


def _sync_errors(projects: Iterable[Project]) -> Iterator[Metric]:
    counts = Counter[tuple[str, str]]()
    for kind in (
        _accounts_in_use().exclude(sync_error_kind="").values_list("sync_error_kind", flat=True)
    ):
        counts["account", _known(kind)] += 1
    for project in projects:
        if project.sync_error_kind:
            counts["project", _known(project.sync_error_kind)] += 1
    failing = Instance.objects.monitored().exclude(sync_error_kind="").order_by()
    for kind, number in failing.values_list("sync_error_kind").annotate(Count("pk")):
        counts["instance", _known(kind)] += number
    yield _gauge(
        "sync_errors",
        "Accounts, projects and instances with a sync error, by its kind.",
        ("of", "kind"),
        [
            ((of, kind), counts[of, kind])
            for of in ("account", "project", "instance")
            for kind in (*KINDS, "other")
        ],
    )


def _known(kind: str) -> str:
    return kind if kind in KINDS else "other"


def _accounts(now: datetime) -> Iterator[Metric]:
    accounts = list(_accounts_in_use())
    yield _gauge(
        "account_paused",
        "1 while an account makes no calls after rejected logins.",
        ("account",),
        [((one.name,), bool(one.paused_until and one.paused_until > now)) for one in accounts],
    )
    yield _gauge(
        "account_queue_seconds",
        "How far ahead the calls of an account are reserved.",
        ("account",),
        [((one.name,), _seconds_until(one.reserved_until, now)) for one in accounts],
    )
    calls = CounterMetricFamily(
        "dcs_restores_upstream_calls",
        "An account’s requests to the cloud, by response status or “none”.",
        labels=("account", "status"),
    )
    counts = CallCount.objects.filter(account__in=accounts).order_by("account__name", "status")
    for account, status, number in counts.values_list("account__name", "status", "count"):
        calls.add_metric((account, status), number)
    yield calls


def _accounts_in_use() -> QuerySet[Account]:
    """Accounts with a monitored project, and those whose projects have not been discovered yet."""
    return (
        Account.objects.filter(Q(projects=None) | Q(projects__monitored=True))
        .distinct()
        .order_by("name")
    )


def _seconds_until(time: datetime | None, now: datetime) -> float:
    return max(0.0, (time - now).total_seconds()) if time else 0.0


def _gauge(name: str, text: str, labels: Sequence[str], samples: Samples) -> Metric:
    metric = GaugeMetricFamily(f"dcs_restores_{name}", text, labels=labels)
    for values, value in samples:
        metric.add_metric(values, value)
    return metric


@contextmanager
def _limited_statements() -> Iterator[None]:
    """End statements that take too long, instead of piling up scrapes (PostgreSQL only)."""
    if connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [_STATEMENT_TIMEOUT])
        yield
