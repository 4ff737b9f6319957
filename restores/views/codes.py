"""The pages of error codes: all of them, and what one means, what to do and how often it occurs."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db.models import Count, Exists, Max, Q
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from restores.explain.codes import CATALOG, Code, explain
from restores.explain.estimates import percentile
from restores.explain.frequency import (
    OLDEST,
    PERIODS,
    Case,
    Frequency,
    Period,
    Spread,
    frequencies,
    spread,
)
from restores.explain.refusals import REFUSALS, Refusal, refusal
from restores.explain.summary import Facts, customer_message
from restores.filters import ListParams, Scope
from restores.filters.params import MAX_LENGTH
from restores.keyset import first_pairs
from restores.models import Instance, Restore
from restores.querysets import RestoreQuerySet, Viewer, select
from restores.restore_list.counts import COUNT_LIMIT, CappedCount, capped_count
from restores.restore_list.empty_state import (
    EmptyState,
    Undated,
    empty_table,
    sync_messages,
    undated_messages,
)
from restores.restore_list.pagination import newest
from restores.serializers import RELATED, restore_json, sync_status_json
from restores.statuses import FAILED
from restores.sync_status import SyncStatus
from restores.timerange import iso_or_none
from restores.views.api import JsonAnswer, json_endpoint, revalidated
from restores.views.restore_rows import restore_rows

SHOWN = 10
# The median time to the next success is that of this many of the newest restores with the code.
SAMPLE = 200
# This many undocumented codes are listed, those with the newest restores: a cloud may give each
# failure its own code.
MOST_UNKNOWN = 200
# How an unknown code must be written; one that is stored may be any text.
WELL_FORMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
MALFORMED = "isn’t an error code. Error codes look like dcs.08.0007 or DCS.4097"
_MAX_SHOWN = 200
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@require_safe
@revalidated
def code_list(request: HttpRequest) -> HttpResponse:
    """Every error code that is documented or occurs, and how often."""
    now = timezone.now()
    scope = _scope(request, now)
    status = scope.sync_status()
    rows, left_out, complete = code_rows(scope, now)
    context = {
        "rows": rows,
        "left_out": left_out,
        "most_unknown": MOST_UNKNOWN,
        "complete": complete,
        "counted": COUNT_LIMIT,
        "periods": PERIODS,
        "refusals": REFUSALS.values(),
        "sync_messages": sync_messages(status, now),
    }
    return TemplateResponse(request, "codes/list.html", context)


@json_endpoint
def code_list_json(request: HttpRequest) -> JsonAnswer:
    """The same as JSON."""
    now = timezone.now()
    scope = _scope(request, now)
    status = sync_status_json(scope.sync_status())
    rows, left_out, complete = code_rows(scope, now)
    return {
        "codes": [
            {
                **_explained_json(row.code),
                "restores": {
                    period.name: count.number
                    for period, (count, _) in zip(PERIODS, row.counts, strict=True)
                },
                "last_created_at": iso_or_none(row.newest),
            }
            for row in rows
        ],
        "codes_left_out": left_out,
        "counted_all": complete,
        "refusals": [_explained_json(one) for one in REFUSALS.values()],
        **status,
    }


@require_safe
@revalidated
def code_detail(request: HttpRequest, code: str) -> HttpResponse:
    """One error code: its meaning, our advice, a message for customers, and how often it occurs."""
    now = timezone.now()
    scope = _scope(request, now)
    spelling = canonical_spelling(code, scope.visible_restores)
    if not spelling:
        context: dict[str, Any] = {"code": code[:_MAX_SHOWN], "reason": MALFORMED}
        return TemplateResponse(request, "codes/invalid.html", context, status=400)
    if request.path != (url := reverse("code-detail", args=[spelling])):
        return redirect(url)
    status, found = scope.sync_status(), occurrences(scope, spelling, now)
    meant = explained(spelling)
    context = {
        "code": meant,
        "refusal": isinstance(meant, Refusal),
        "found": found,
        "empty": None if found.spread.text else _why_none(status, found, request.user, now),
        "rows": restore_rows(found.latest, now, dated=True),
        "customer_message": _customer_message(meant, now),
        "sync_messages": [*sync_messages(status, now), *undated_messages(found.undated)],
    }
    return TemplateResponse(request, "codes/detail.html", context)


@json_endpoint
def code_detail_json(request: HttpRequest, code: str) -> JsonAnswer:
    """The same as JSON, for any spelling of the code."""
    now = timezone.now()
    scope = _scope(request, now)
    spelling = canonical_spelling(code, scope.visible_restores)
    if not spelling:
        error = {"param": "code", "value": code[:_MAX_SHOWN], "reason": MALFORMED}
        return JsonResponse({"errors": [error]}, status=400)
    status, found = sync_status_json(scope.sync_status()), occurrences(scope, spelling, now)
    return {
        **_explained_json(explained(spelling)),
        "customer_message": _customer_message(explained(spelling), now),
        "spellings": found.spellings,
        "platform_wide": found.spread.platform_wide,
        "summary": found.spread.text or None,
        "periods": [
            {
                "period": one.period.name,
                "restores": one.restores,
                "restores_capped": one.more,
                "instances": one.instances,
                "customers": one.customers,
                "usual": None if one.usual is None else round(one.usual, 2),
            }
            for one, _ in found.periods
        ],
        "total": min(found.total.number, COUNT_LIMIT),
        "total_capped": found.total.capped,
        "without_time": found.undated.count.number if found.undated else 0,
        "sampled": found.sampled,
        "recovered": found.recovered,
        "unresolved": found.unresolved,
        "median_seconds_to_next_success": found.median_to_success,
        "latest": [restore_json(restore) for restore in found.latest],
        **status,
    }


def explained(spelling: str) -> Code | Refusal:
    """What a code means: one of failed restores, or one with which a restore is refused."""
    return refusal(spelling) or explain(spelling)


def canonical_spelling(code: str, restores: RestoreQuerySet) -> str:
    """How a code is spelled by the provider or, if it isn't documented, by one of these restores.

    Empty if nothing has such a code and it doesn't look like one.
    """
    known = explained(code)
    if isinstance(known, Refusal) or known.known:
        return known.code
    if restores.with_code_spelled([code]).exists():
        return code
    stored = restores.with_code_like(code).values_list("error_code", flat=True).first()
    return stored or (code if WELL_FORMED.fullmatch(code) else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRow:
    """A code with its number of restores and their list for each period, and the newest one."""

    code: Code | Refusal
    counts: list[tuple[CappedCount, str]]
    newest: datetime | None


def code_rows(scope: Scope, now: datetime) -> tuple[list[CodeRow], int, bool]:
    """The documented codes, then others that visible restores have, by name.

    Also return how many others are left out, and whether every restore with a code was read: only
    the newest are.
    """
    coded = scope.visible_restores.exclude(error_code="")
    dated = coded.exclude(created_at=None)
    # By time, not by key: the databases count within an index then.
    older = first_pairs(dated, "-created_at", 1, scope.visible_keys, COUNT_LIMIT)
    since = older[0][0] if older else None
    if since:
        dated = dated.filter(created_at__gt=since)
    numbers = {
        period.name: Count("pk", filter=Q(created_at__gte=now - period.length))
        for period in PERIODS
    }
    found: dict[str, list[dict[str, Any]]] = {code: [] for code in CATALOG}
    for some in (dated, coded.filter(created_at=None)):
        by_code = some.order_by().values("error_code")
        for row in by_code.annotate(newest=Max("created_at"), **numbers):
            found.setdefault(explained(row["error_code"]).code.casefold(), []).append(row)

    def code_row(folded: str, rows: list[dict[str, Any]]) -> CodeRow:
        spellings = [row["error_code"] for row in rows] or [folded]
        return CodeRow(
            code=explained(spellings[0]),
            counts=[
                (
                    CappedCount(
                        sum(row[period.name] for row in rows),
                        more=since is not None and now - period.length < since,
                    ),
                    list_url(scope.params, spellings, period),
                )
                for period in PERIODS
            ],
            newest=max((row["newest"] for row in rows if row["newest"]), default=None),
        )

    by_name = [code_row(folded, rows) for folded, rows in sorted(found.items())]
    known = [row for row in by_name if row.code.known]
    unknown = [row for row in by_name if not row.code.known]
    newest_first = sorted(unknown, key=lambda row: row.newest or _LONG_AGO, reverse=True)
    left_out = {row.code.code for row in newest_first[MOST_UNKNOWN:]}
    shown = [row for row in unknown if row.code.code not in left_out]
    return [*known, *shown], len(left_out), since is None


def list_url(params: ListParams, spellings: Collection[str], period: Period | None = None) -> str:
    """The list of all restores with a code, in a period or ever; empty if it can't be filtered by.

    ``params`` has no other filter.
    """
    if any(one in ("", "any") or one != one.strip() or len(one) > MAX_LENGTH for one in spellings):
        return ""
    start = period.start if period else None
    return reverse("restore-list") + params.query(code=list(spellings), **{"from": start})


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrences:
    """The visible restores with one code: how many, whose, and what became of them.

    ``periods`` holds each frequency with the list of its restores; ``url`` is the list of all.
    ``recovered``, ``unresolved`` and ``median_to_success`` cover the newest ``sampled`` ones: how
    many failed and have been followed by a success or not, and the seconds until then.
    """

    spellings: list[str]
    periods: list[tuple[Frequency, str]]
    spread: Spread
    latest: list[Restore]
    total: CappedCount
    url: str
    undated: Undated | None
    sampled: int
    recovered: int
    unresolved: int
    median_to_success: float | None


def occurrences(scope: Scope, code: str, now: datetime) -> Occurrences:
    """Find the visible restores with a code, in small letters or capitals."""
    spellings = _stored_spellings(scope, code)
    rows = scope.visible_restores.with_code_spelled(spellings)
    sample = newest(scope, rows, SAMPLE, ("status", "created_at", "ended_at", "recovered_at"))
    failures = [
        (ended or created, recovered)
        for _, status, created, ended, recovered in sample
        if status == FAILED.value
    ]
    times = [
        max(0.0, (recovered - failed).total_seconds())
        for failed, recovered in failures
        if failed and recovered
    ]
    cases, more = _recent_cases(scope, rows, now)
    found = frequencies(cases, now, _records_since(scope), more=more)
    whole = Restore.objects.select_related(*RELATED).defer("raw", "search")
    shown = [key for key, *_ in sample[:SHOWN]]
    by_key = whole.in_bulk(shown)
    url, undated = list_url(scope.params, spellings), None
    if number := rows.undated("created").count():
        undated = Undated(count=CappedCount(number), query=f"?{url.partition('?')[2]}")
    return Occurrences(
        spellings=spellings,
        periods=[(one, list_url(scope.params, spellings, one.period)) for one in found],
        spread=spread(
            cases,
            found,
            now,
            customers={project.customer or project.name for project in scope.visible},
            regions={project.region for project in scope.visible},
        ),
        latest=[by_key[key] for key in shown if key in by_key],
        total=capped_count(rows),
        url=url,
        undated=undated,
        sampled=len(sample),
        recovered=sum(bool(recovered) for _, recovered in failures),
        unresolved=sum(recovered is None for _, recovered in failures),
        median_to_success=percentile(times, 50),
    )


def _why_none(status: SyncStatus, found: Occurrences, viewer: Viewer, now: datetime) -> EmptyState:
    title = "No restores with this code in the last 30 days"
    instances = Instance.objects.visible_to(viewer)
    return empty_table(status, instances, now - PERIODS[-1].length, title, found.undated)


def _scope(request: HttpRequest, now: datetime) -> Scope:
    """All that the user may see; the pages of codes have no filters."""
    return Scope(ListParams.parse(QueryDict(), now), request.user)


def _stored_spellings(scope: Scope, code: str) -> list[str]:
    """How visible restores spell a code; as given if none has it.

    With more spellings than there are, SQLite would read all restores with any code.
    """
    spellings = sorted({code, code.lower(), code.upper(), code.capitalize()})
    exists = [Exists(scope.visible_restores.with_code_spelled([one])) for one in spellings]
    found = zip(spellings, select(scope.viewer, *exists), strict=True)
    return [one for one, stored in found if stored] or [code]


def _recent_cases(scope: Scope, rows: RestoreQuerySet, now: datetime) -> tuple[list[Case], bool]:
    """The newest cases that matter to how often a code occurs, and whether there are more."""
    recent = rows.filter(created_at__gte=now - OLDEST)
    found = first_pairs(recent, "-created_at", COUNT_LIMIT + 1, scope.visible_keys)
    keys = [pk for _, pk in found[:COUNT_LIMIT]]
    read = Restore.objects.filter(pk__in=keys).values_list(
        "created_at",
        "instance",
        "instance__name",
        "instance__instance_id",
        "project__customer",
        "project__name",
        "project__region",
    )
    cases = [
        Case(
            created_at=created_at,
            instance=key,
            name=name or instance_id,
            customer=customer or project,
            region=region,
        )
        for created_at, key, name, instance_id, customer, project, region in read
    ]
    return cases, len(found) > COUNT_LIMIT


def _records_since(scope: Scope) -> datetime | None:
    """When the first visible restore was created."""
    dated = scope.visible_restores.exclude(created_at=None)
    first = first_pairs(dated, "created_at", 1, scope.visible_keys)
    return first[0][0] if first else None


def _customer_message(code: Code | Refusal, now: datetime) -> str:
    """The message to the customer, without the name of the instance."""
    if isinstance(code, Refusal):
        return code.customer_message
    return customer_message(Facts(status=FAILED.value, now=now, error_code=code.code), "")


def _explained_json(code: Code | Refusal) -> dict[str, Any]:
    refused = code if isinstance(code, Refusal) else None
    return {
        "code": code.code,
        "kind": "refusal" if refused else "restore",
        "known": code.known,
        "meaning": code.meaning,
        "advice": code.advice,
        "data_at_risk": code.data_at_risk,
        "retry": code.retry,
        "owner": code.owner,
        "http_status": refused.http if refused else None,
        "v1_code": (refused.v1_code or None) if refused else None,
        "url": settings.BASE_URL + reverse("code-detail", args=[code.code]),
    }
