"""The page of one restore: what happened, when, what to do about it, and what that rests on."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from restores.asof import AsOf, diff_from_now, observations_of, then_and_now
from restores.explain import timeline_svg
from restores.explain.codes import explain
from restores.explain.estimates import format_duration
from restores.explain.summary import Facts, compare, customer_message, format_percent, summarize
from restores.facts import facts_of, present_facts
from restores.filters import ListParams
from restores.formatting import ABSENT, format_customer_time, format_time
from restores.freshness import freshness, known_until
from restores.models import Observation, Restore
from restores.serializers import UPSTREAM, errors_json, observation_json, then_and_now_json
from restores.statuses import FAILED, FINAL, IN_PROGRESS, RESTORING, STUCK, WAITING, status_of
from restores.timerange import to_iso
from restores.views.api import JsonAnswer, json_endpoint, revalidated
from restores.views.navigation import (
    NOT_RECORDED,
    as_of_context,
    find_restores,
    list_navigation,
    opened_list,
    permalink,
    restore_url,
    same_backup,
    same_instance,
)
from restores.views.sync_now import return_url, sync_state

HEADINGS = {
    "failed": "restore failed",
    "succeed": "restore succeeded",
    "restoring": "restore running",
    "waiting": "restore queued",
}


@require_safe
@revalidated
def restore_detail(request: HttpRequest, restore_id: str) -> HttpResponse:
    """One restore; a page to choose from where instances share its ID."""
    now = timezone.now()
    found = find_restores(restore_id, request.user, request.GET)
    if found.only is None:
        return _choose(request, restore_id, found.rows, now)
    asof = as_of_context(found.only, request.GET, request.user, now)
    pair = then_and_now([found.only], asof.snapshot)[0]
    restore = pair.then
    observations = observations_of(restore, asof.snapshot)
    # In a snapshot every sentence speaks of its time; while nobody can sync, of the last sync.
    at = asof.snapshot.time if asof.snapshot else now
    known_at = at if asof.snapshot else known_until(restore, now)
    facts = facts_of(restore, observations, known_at)
    # The message to the customer says what is known now, however old the link.
    current = present_facts(pair, facts, now) or facts
    context = {
        "restore": restore,
        "asof": asof,
        "changes": diff_from_now(pair.then, pair.now, UTC, now) if pair.now else "",
        "heading": HEADINGS.get(restore.status, "restore"),
        "status": STUCK if facts.stuck else status_of(facts.status),
        "in_progress": restore.status in IN_PROGRESS,
        "freshness": freshness(restore, now),
        "now": now,
        "summary": summarize(facts),
        "comparison": compare(facts),
        "progress": _progress(facts),
        "timeline": _timeline(facts, observations),
        "times": _times(restore, known_at),
        "code": explain(restore.error_code) if restore.status == FAILED.value else None,
        "customer_message": customer_message(
            current, restore.instance.name, restore.project.time_zone, now
        ),
        "status_history": observations,
        "record": _record(restore),
        "raw_record": _indented(restore.raw),
        "same_instance": same_instance(restore, request.user, at, asof.snapshot),
        "same_backup": same_backup(restore, request.user, at, asof.snapshot),
        "navigation": list_navigation(
            found.only, request.GET, request.user, now, asof.snapshot, shared=found.shared
        ),
        "permalink": permalink(found),
        "sync": sync_state(restore.instance, now),
        "return_url": return_url(request),
    }
    return TemplateResponse(
        request, "restores/detail.html", context, status=400 if asof.error else 200
    )


def _choose(
    request: HttpRequest, restore_id: str, rows: list[Restore], now: datetime
) -> HttpResponse:
    """List the restores that share an ID, as of the page's time."""
    contexts = [as_of_context(row, request.GET, request.user, now) for row in rows]
    pairs = list(zip(rows, contexts, strict=True))
    recorded = [(row, asof) for row, asof in pairs if not asof.too_early]
    context = {
        "restore_id": restore_id,
        "choices": [
            (then_and_now([row], asof.snapshot)[0].then, restore_url(row, request.GET))
            for row, asof in recorded or pairs
        ],
        "list_url": opened_list(request.GET, now, shared=True)[1],
        # Where not all of them were recorded yet, the page says so.
        "asof": next((asof for asof in contexts if asof.too_early), contexts[0]),
    }
    status = 400 if contexts[0].error else 200
    return TemplateResponse(request, "restores/several.html", context, status=status)


@json_endpoint
def restore_detail_json(request: HttpRequest, restore_id: str) -> JsonAnswer:
    """One restore with its record and observations, or every one with this ID."""
    now = timezone.now()
    found = find_restores(restore_id, request.user, request.GET)
    contexts = [as_of_context(row, request.GET, request.user, now) for row in found.rows]
    if contexts[0].error:
        return JsonResponse(errors_json(ListParams.parse(request.GET, now)), status=400)
    rows = [
        _restore_json(row, asof.snapshot)
        for row, asof in zip(found.rows, contexts, strict=True)
        if not asof.too_early
    ]
    if not rows:
        raise Http404(NOT_RECORDED)
    return {"restores": rows} if found.only is None else rows[0]


def _restore_json(restore: Restore, snapshot: AsOf | None) -> dict[str, Any]:
    return {
        **then_and_now_json(then_and_now([restore], snapshot)[0]),
        "raw": _raw_value(restore.raw),
        "observations": [observation_json(seen) for seen in observations_of(restore, snapshot)],
    }


@dataclass(frozen=True, slots=True)
class Progress:
    """A progress bar: the value of 100, the class that colors it, and the same as text."""

    value: str
    css_class: str
    text: str


def _progress(facts: Facts) -> Progress | None:
    """Draw a bar while the progress may change; the summary tells that of a finished restore."""
    if facts.status == WAITING.value:
        return Progress("0", "waiting", "Not started")
    if facts.progress is None or facts.status in FINAL:
        return None
    value, text = f"{facts.progress:.2f}", format_percent(facts.progress)
    if facts.status == RESTORING.value:
        css_class = "stuck" if facts.stuck else "running"
        return Progress(value, css_class, "Finishing" if facts.progress == 100 else text)
    return Progress(value, "unknown", text)


def _timeline(facts: Facts, observations: Iterable[Observation]) -> timeline_svg.TimelineSvg | None:
    states = [
        timeline_svg.ObservedState(
            at=seen.seen_at, after=seen.seen_after, status=seen.status, progress=seen.progress
        )
        for seen in observations
    ]
    timeline = timeline_svg.draw(facts.created_at, facts.ended_at, facts.now, states)
    return timeline if timeline and timeline.shows_data else None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabeledTime:
    """A time, or a text in its place, under a label, with a note in small print."""

    label: str
    at: datetime | None = None
    text: str = ""
    note: str = ""


def _times(restore: Restore, now: datetime) -> list[LabeledTime]:
    zone = restore.project.time_zone
    if restore.status in IN_PROGRESS:
        no_end = "Not yet"
    else:
        no_end = ABSENT if restore.status in FINAL else "Unknown"
    return [
        _reported_time("Created", restore.created_at, zone, ABSENT),
        _start(restore),
        _reported_time("Ended", restore.ended_at, zone, no_end),
        _downtime(restore, now),
        _recovery_point(restore),
    ]


def _reported_time(label: str, at: datetime | None, zone: str, absent: str) -> LabeledTime:
    if at is None:
        return LabeledTime(label=label, text=absent)
    local = format_customer_time(at, zone)
    return LabeledTime(label=label, at=at, note=f"{local} (customer’s time)" if local else "")


def _start(restore: Restore) -> LabeledTime:
    """When it began to restore: between two syncs, because only the status then is known."""
    label, by = "Restore started", restore.restoring_by
    after = restore.restoring_after or restore.created_at
    if by is None:
        if restore.status == WAITING.value:
            return LabeledTime(label=label, text="Not yet", note="Queued")
        if restore.status == RESTORING.value:
            note = "Already running when first detected"
            return LabeledTime(label=label, text="Not observed", note=note)
        return LabeledTime(
            label=label, text="Not observed", note="It finished before the next sync"
        )
    if after is None or after >= by:
        return LabeledTime(label=label, text=f"by {format_time(by)}", note="first observed")
    return LabeledTime(
        label=label,
        text=f"{after.astimezone(UTC):%H:%M:%S} – {format_time(by)}",
        note="between two syncs" if restore.restoring_after else "first observed",
    )


def _downtime(restore: Restore, now: datetime) -> LabeledTime:
    """For how long the instance has refused its clients: while it was being restored."""
    label, note = "Estimated downtime", "inferred from the restore, not measured"
    if restore.status == WAITING.value:
        note = "Queued; the instance is still online"
        return LabeledTime(label=label, text="None so far", note=note)
    end = restore.ended_at or (now if restore.status in IN_PROGRESS else None)
    if end is None or restore.created_at is None or end < restore.created_at:
        return LabeledTime(label=label, text="Unknown", note=note)
    longest = _format_between(restore.restoring_after or restore.created_at, end)
    if restore.ended_at is None:
        note = f"so far; {note}"
    if restore.restoring_by is None or restore.restoring_by >= end:
        return LabeledTime(label=label, text=f"up to {longest}", note=note)
    shortest = _format_between(restore.restoring_by, end)
    text = longest if shortest == longest else f"{shortest} – {longest}"
    return LabeledTime(label=label, text=text, note=note)


def _recovery_point(restore: Restore) -> LabeledTime:
    """The time from which the restored data is: when the backup was taken, never its name."""
    label, taken, created = "Recovery point", restore.backup_taken_at, restore.created_at
    if taken is None:
        return LabeledTime(label=label, text="Unknown", note="backup not found")
    age = f"{_format_between(taken, created)} before this restore" if created else ""
    return LabeledTime(label=label, at=taken, note=age if created and taken <= created else "")


def _format_between(start: datetime, end: datetime) -> str:
    return format_duration(max(0.0, (end - start).total_seconds()))


def _record(restore: Restore) -> list[tuple[str, str, bool]]:
    """The record's fields under the provider's names, and whether each is an ID or a code."""
    return [
        (name, _record_text(getattr(restore, name)), not name.endswith(("_name", "_remark")))
        for name in UPSTREAM
    ]


def _record_text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    return to_iso(value) if isinstance(value, datetime) else value or ""


def _indented(raw: str) -> str:
    """The record as it came, indented; as it is if it isn't JSON."""
    try:
        return json.dumps(json.loads(raw), indent=2, ensure_ascii=False)
    except ValueError:
        return raw


def _raw_value(raw: str) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return raw or None
