"""Restores and pages of the list, prepared for the texts that go into tickets."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from restores.beside import Beside, beside, now_words
from restores.csv_export import complete_to
from restores.explain.estimates import format_clock, format_timestamp
from restores.explain.summary import Facts, details
from restores.filters import FILTERS, ListParams, Scope
from restores.models import Restore
from restores.pages.freshness import known_until, last_seen
from restores.pages.past import facts_of, present, seen_by
from restores.paths import restore_path
from restores.restore_list.counts import CAP, tally
from restores.restore_list.leaf import nearest
from restores.restore_list.panels import ON_WORDS
from restores.serializers import RELATED
from restores.snapshots import Past
from restores.statuses import FAILED, IN_PROGRESS, status_of
from restores.ticket_text import ListReport, ReportRow, RestoreReport
from restores.timerange import anchor, instant

# What narrows a list to some of the restores of its projects.
_PICKED = ("instance", "status", "recovered", "code", "q", "ids")


def restore_report(restore: Restore, path: str, now: datetime, past: Past | None) -> RestoreReport:
    """One restore as it is known at ``now`` or was in the past; ``path`` is that of its page."""
    pair, at = beside([restore], past)[0], past.asof if past else known_until(restore, now)
    restore, moment = pair.then, instant(past.asof) if past else anchor(now)
    project, instance = restore.project, restore.instance
    return RestoreReport(
        facts=facts_of(restore, seen_by(restore, past), at),
        current_facts=present(pair, now),
        url=_anchored(path, moment),
        restore_id=restore.restore_id,
        restore_name=restore.restore_name,
        remark=restore.restore_remark,
        instance=instance.name,
        instance_id=instance.instance_id,
        project=project.name,
        project_id=project.project_id,
        region=project.region,
        customer=project.customer,
        zone=project.time_zone,
        backup_id=restore.backup_id,
        backup_name=restore.backup_name,
        synced_at=None if past else last_seen(restore),
        written_at=now,
        status=status_of(restore.status).word,
        changes=_now(pair),
    )


def list_report(params: ListParams, scope: Scope) -> ListReport:
    """Prepare the requested page of the list."""
    complete = _complete(scope)  # before the rows: it must not tell of what they do not hold
    read, source = nearest(params, scope, lambda part: part.select_related(*RELATED))
    rows, total = beside(read.rows, scope.past), tally(source.restores, more=source is not scope)
    counts, _ = source.restores.summed(CAP + 1)
    return ListReport(
        url=settings.BASE_URL + reverse("restore-list") + params.query(),
        on=ON_WORDS[params.time_range.on][0].lower(),
        time_range=window_words(params),
        filters="; ".join(
            f"{name} = {', '.join(params.getlist(name))}"
            for name in FILTERS
            if params.getlist(name)
        ),
        complete_to=complete,
        total=str(total),
        counts={} if total.capped else counts,
        narrowed=any(params.getlist(name) for name in _PICKED),
        first=read.first,
        rows=tuple(_row(one, params, scope.past) for one in rows),
    )


def window_words(params: ListParams) -> str:
    """The window in UTC: ``from 2026-11-22 16:59:00 to 2026-11-23 16:59:00 UTC, …``."""
    start, end = params.time_range.start, params.time_range.end or params.time_range.asof
    if start and end:
        return f"from {_stamp(start)} to {_stamp(end)} UTC"
    if start:
        return f"since {_stamp(start)} UTC, as of {_stamp(params.time_range.moment)} UTC"
    until = end or params.time_range.moment
    return f"before {_stamp(until)} UTC"


def _complete(scope: Scope) -> str:
    if scope.past:
        return "not available for snapshots"
    complete = complete_to(scope)
    return format_timestamp(complete) if complete else "unknown for some instances"


def _row(row: Beside[Restore], params: ListParams, past: Past | None) -> ReportRow:
    restore, moment = row.then, params.time_range.moment
    instance, project = restore.instance, restore.project
    facts = Facts(
        status=restore.status,
        now=moment if past else known_until(restore, moment),
        created_at=restore.created_at,
        ended_at=restore.ended_at,
        progress=restore.progress,
        error_code=restore.error_code,
    )
    return ReportRow(
        url=_anchored(restore_path(restore.restore_id), params.permalink_asof),
        restore_id=restore.restore_id,
        created=_stamp(restore.created_at) if restore.created_at else "not reported",
        provider_status=restore.status,
        status=status_of(restore.status).word,
        instance=instance.name or instance.instance_id,
        instance_id=instance.instance_id,
        project_id=project.project_id,
        region=project.region,
        customer=project.customer,
        details=details(facts),
        error_code=restore.error_code,
        duration=_duration(facts),
        outcome="; ".join(filter(None, [_since(restore), _now(row)])),
    )


def _duration(facts: Facts) -> str:
    if facts.duration is not None:
        return format_clock(facts.duration)
    if facts.status in IN_PROGRESS and facts.elapsed is not None:
        return f"{format_clock(facts.elapsed)} so far"
    return ""


def _now(row: Beside[Restore]) -> str:
    """What a restore has become since, if that is something else."""
    return now_words(row.then, row.now, UTC, timezone.now()) if row.now else ""


def _since(restore: Restore) -> str:
    if restore.status != FAILED.value:
        return ""
    return f"Recovered {_stamp(restore.recovered_at)} UTC" if restore.recovered_at else "Unresolved"


def _anchored(path: str, moment: str) -> str:
    join = "&" if "?" in path else "?"
    asof = urlencode({"asof": moment}, safe=":/,")
    return f"{settings.BASE_URL}{path}{join}{asof}"


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
