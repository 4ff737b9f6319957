"""The page of one restore: what happened, when, what to do about it, and the raw record."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from restores.asof import AsOf, diff_from_now, observations_of, then_and_now
from restores.explain.codes import explain
from restores.explain.estimates import (
    Usual,
    format_clock,
    format_duration,
    seconds_between,
    usual_of,
)
from restores.explain.next_steps import next_steps
from restores.explain.progress_curve import ObservedProgress, ProgressCurve, draw_progress
from restores.explain.steps import steps_of
from restores.explain.summary import Facts, compare, customer_message, summarize
from restores.facts import estimated_downtime, facts_of, present_facts
from restores.filters import ListParams
from restores.formatting import format_customer_time, format_short
from restores.freshness import freshness, known_until
from restores.instance_status import instance_status
from restores.models import Observation, Restore
from restores.permissions import Permission, may
from restores.serializers import UPSTREAM, errors_json, observation_json, then_and_now_json
from restores.statuses import FAILED, FINAL, IN_PROGRESS, RESTORING, WAITING
from restores.time_zone import show_zone_of
from restores.timerange import to_iso
from restores.views.api import JsonAnswer, json_endpoint, revalidated
from restores.views.navigation import (
    NOT_RECORDED,
    Related,
    as_of_context,
    canonical_url,
    find_restores,
    instance_url,
    opened_list,
    permalink,
    restore_url,
    restores_of_backup_url,
)
from restores.views.restore_rows import outcome_of
from restores.views.sync_now import return_url, sync_state

MAX_HISTORY = 300
_MAX_INDENTED = 100_000  # characters


@require_safe
@revalidated
def restore_detail(request: HttpRequest, restore_id: str) -> HttpResponse:
    """One restore; a page to choose from where instances share its ID."""
    now = timezone.now()
    found = find_restores(restore_id, request.user, request.GET)
    if url := canonical_url("restore-detail", (row.restore_id for row in found.rows), request):
        return redirect(url)
    if found.only is None:
        return _choose(request, restore_id, found.rows, now)
    project = found.only.project
    tz = ListParams.parse(request.GET, now).time_range.tz
    show_zone_of(request, tz, [(project.customer, project.time_zone)])
    asof = as_of_context(found.only, request.GET, request.user, now)
    pair = then_and_now([found.only], asof.snapshot)[0]
    restore = pair.then
    observations = observations_of(restore, asof.snapshot)
    # In a snapshot every sentence is as of its time; while nobody can sync, as of the last sync.
    at = asof.snapshot.time if asof.snapshot else now
    known_at = at if asof.snapshot else known_until(restore, now)
    zone = timezone.get_current_timezone()
    facts = replace(facts_of(restore, known_at), zone=zone)
    # The message to the customer says what is known now, however old the link.
    current = present_facts(pair, facts, now) or facts
    outcome = outcome_of(restore, dated=True)
    related = Related(found.only, request.user, now, asof.snapshot)
    same_instance, same_backup = related.restores()
    sync_button = not asof.snapshot and may(request.user, Permission.SYNC, project)
    context = {
        "restore": restore,
        "asof": asof,
        "changes": diff_from_now(pair.then, pair.now, zone, now) if pair.now else "",
        "outcome": outcome,
        "favicon": f"favicons/{outcome.css_class}.svg",
        "in_progress": restore.status in IN_PROGRESS,
        "console_url": restore.project.console_url_of(restore.instance.instance_id),
        "places": _places(restore, asof.permalink_asof),
        "short_id": _shortened(restore.restore_id),
        "freshness": freshness(restore, now),
        "instance_status": instance_status(restore.instance),
        "now": now,
        "summary": summarize(facts),
        "notable": compare(facts),
        "steps": steps_of(facts, restore.restoring_after, restore.restoring_by),
        "curve": _curve(facts, observations),
        "figures": _figures(restore, facts),
        "code": explain(restore.error_code) if restore.status == FAILED.value else None,
        # In a snapshot, only while nothing has changed since.
        "next_steps": None if pair.now else next_steps(facts, at),
        "customer_message": customer_message(
            current, restore.instance.name, restore.project.time_zone, now
        ),
        "comparison": _compared(restore, facts),
        "status_changes": _status_changes(observations[-MAX_HISTORY:]),
        "observations": observations[-MAX_HISTORY:],
        "earlier_changes": max(0, len(observations) - MAX_HISTORY),
        "record": _record(restore),
        "raw_record": _indented(restore.raw),
        "json_url": _json_url(permalink(found), restore, asof.permalink_asof),
        "same_instance": same_instance,
        "same_backup": same_backup,
        "similar_failures": related.similar_failures(),
        "navigation": related.list_navigation(request.GET, shared=found.shared),
        "permalink": permalink(found),
        "sync": sync_state(restore.instance, now, button=sync_button),
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
    choices = [
        (then_and_now([row], asof.snapshot)[0].then, restore_url(row, request.GET))
        for row, asof in recorded or pairs
    ]
    context = {
        "restore_id": restore_id,
        "choices": [(restore, outcome_of(restore), url) for restore, url in choices],
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


def _curve(facts: Facts, observations: Iterable[Observation]) -> ProgressCurve | None:
    observed = [
        ObservedProgress(at=seen.seen_at, after=seen.seen_after, progress=seen.progress)
        for seen in observations
        if seen.progress is not None and seen.status != WAITING.value
    ]
    until = facts.ended_at or facts.now
    finished = facts.status in FINAL
    if not facts.shows_progress or (finished and facts.ended_at is None):
        return None
    return draw_progress(
        facts.created_at, until, observed[-MAX_HISTORY:], facts.usual, finished=finished
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a restore belongs to or came from, and the list of what else does."""

    icon: str
    label: str
    name: str
    url: str


def _places(restore: Restore, asof: str) -> list[Place]:
    project, home = restore.project, reverse("restore-list")
    at = {"asof": asof} if asof else {}
    places = [
        Place(icon=icon, label=label, name=name, url=f"{home}?{urlencode(query | at, safe=':/,')}")
        for icon, label, name, query in (
            ("person", "Customer", project.customer, {"customer": project.customer}),
            ("project", "Project", project.name, {"project": project.name}),
            ("cloud", "Region", project.region, {"region": project.region}),
        )
        if name
    ]
    if restore.backup_id:
        taken = restore.backup_taken_at
        name = f"Backup {format_short(taken) if taken else _shortened(restore.backup_id)}"
        url = restores_of_backup_url(restore.backup_id, asof)
        places.append(Place(icon="backup", label="All restores from", name=name, url=url))
    return places


def _shortened(text: str) -> str:
    return text if len(text) <= 20 else f"{text[:8]}…{text[-5:]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A time, or text in its place, under a label, with a note in small print."""

    label: str
    at: datetime | None = None
    text: str = ""
    note: str = ""


def _figures(restore: Restore, facts: Facts) -> list[Figure]:
    """What is worth knowing besides the steps; unknown values have the reason."""
    zone = restore.project.time_zone
    figures = [_length(facts)]
    if restore.created_at is None:
        figures.append(_missing_time("Created", restore.created_problem))
    if restore.ended_at:
        figures.append(Figure(label="Finished", at=restore.ended_at))
    elif restore.status in FINAL or restore.updated_problem:
        figures.append(_missing_time("Finished", restore.updated_problem))
    if restore.ended_at and (local := format_customer_time(restore.ended_at, zone)):
        figures.append(Figure(label="Customer’s time", text=f"finished {local}"))
    elif restore.created_at and (local := format_customer_time(restore.created_at, zone)):
        figures.append(Figure(label="Customer’s time", text=f"created {local}"))
    return [*filter(None, figures), _downtime(restore, facts.now), _recovery_point(restore)]


def _length(facts: Facts) -> Figure | None:
    if facts.duration is not None:
        return Figure(label="Duration", text=format_duration(facts.duration))
    label = {WAITING.value: "Queued for", RESTORING.value: "Running for"}.get(facts.status)
    if label is None or facts.elapsed is None:
        return None
    return Figure(label=label, text=format_duration(facts.elapsed))


def _missing_time(label: str, problem: str | None) -> Figure:
    if not problem:
        return Figure(label=label, text="Unknown")
    kind, _, sent = problem.partition(": ")
    return Figure(label=label, text=kind.capitalize(), note=f"the provider sent {sent}")


def _downtime(restore: Restore, now: datetime) -> Figure:
    """How long the instance was unavailable to clients: while it was being restored."""
    label, note = "Estimated downtime", "inferred from the restore, not measured"
    if restore.status == WAITING.value:
        note = "Queued; the instance is still online"
        return Figure(label=label, text="None so far", note=note)
    downtime = estimated_downtime(restore, now, now)
    if downtime is None:
        return Figure(label=label, text="Unknown", note=note)
    if downtime.so_far:
        note = f"so far; {note}"
    shortest, longest = map(format_duration, downtime.seconds)
    if downtime.least is None:
        return Figure(label=label, text=f"up to {longest}", note=note)
    text = longest if shortest == longest else f"{shortest} – {longest}"
    return Figure(label=label, text=text, note=note)


def _recovery_point(restore: Restore) -> Figure:
    """The time from which the restored data is: when the backup was taken, never its name."""
    label, taken, created = "Recovery point", restore.backup_taken_at, restore.created_at
    if taken is None:
        return Figure(label=label, text="Unknown", note="backup not found")
    age = seconds_between(taken, created)
    note = "" if age is None else f"{format_duration(age)} before this restore"
    return Figure(label=label, at=taken, note=note)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A duration next to what is usual for the instance, if that is known."""

    label: str
    seconds: float
    usual: Usual | None

    @property
    def text(self) -> str:
        """The duration as in a table."""
        return format_clock(self.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A restore compared with ``count`` earlier ones of its instance, of which some ``failed``."""

    measures: list[Measure]
    count: int
    failed: int

    @property
    def percent_failed(self) -> int:
        """The share of failures in percent."""
        return round(100 * self.failed / self.count)


def _compared(restore: Restore, facts: Facts) -> Comparison | None:
    """Compare with earlier restores; None if there is nothing to compare."""
    if not facts.earlier_statuses:
        return None
    queue_ended, queues = restore.restoring_by, usual_of(facts.earlier_queues)
    if queue_ended and queue_ended > facts.now:  # in a snapshot
        queue_ended = None
    running = facts.status == RESTORING.value
    duration = facts.elapsed if running else facts.duration
    queued_to = facts.now if facts.status == WAITING.value else queue_ended
    queued = seconds_between(facts.created_at, queued_to)
    measures = []
    if duration is not None and facts.usual:
        measures.append(Measure(label="Duration", seconds=duration, usual=facts.usual))
    if queued is not None and queues:
        measures.append(Measure(label="Queued", seconds=queued, usual=queues))
    if running and facts.unchanged_for is not None:
        measures.append(Measure(label="No change for", seconds=facts.unchanged_for, usual=None))
    if not measures:
        return None
    statuses = facts.earlier_statuses
    failed = sum(status == FAILED.value for status in statuses)
    return Comparison(measures=measures, count=len(statuses), failed=failed)


def _status_changes(observations: Iterable[Observation]) -> list[Observation]:
    """The first observation of each status and code, without those of mere progress."""
    groups = groupby(observations, key=lambda seen: (seen.status, seen.error_code))
    return [next(group) for _, group in groups]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of the record: ``copied`` is its name on a button to copy it, if it has one;
    ``mono`` if it is an ID or a code.
    """

    name: str
    text: str
    url: str = ""
    copied: str = ""
    mono: bool = False


def _record(restore: Restore) -> list[Field]:
    """The record as the provider sent it, and the IDs that it belongs to."""
    problems = {"created_at": restore.created_problem, "updated_at": restore.updated_problem}
    fields = []
    for name in UPSTREAM:
        text = _record_text(getattr(restore, name)) or problems.get(name) or ""
        if name.endswith(("_id", "_code")):
            url = reverse("code-detail", args=[text]) if text and name == "error_code" else ""
            fields.append(_id_field(name, text, url))
        else:
            mono = not name.endswith(("_name", "_remark"))
            fields.append(Field(name=_field_name(name), text=text, mono=mono))
    instance = restore.instance
    fields[1:1] = [
        _id_field("instance_id", instance.instance_id, instance_url(instance)),
        _id_field("project_id", restore.project.project_id),
    ]
    return fields


def _id_field(name: str, text: str, url: str = "") -> Field:
    name = _field_name(name)
    return Field(name=name, text=text, url=url, copied=name[0].lower() + name[1:], mono=True)


def _field_name(name: str) -> str:
    """Name a field of the provider in words: ``Restore ID``, ``Error code``, ``Created``."""
    words = name.removesuffix("_at").replace("_", " ").capitalize()
    return words.replace(" id", " ID")


def _record_text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    return to_iso(value) if isinstance(value, datetime) else value or ""


def _json_url(permalink: str, restore: Restore, asof: str) -> str:
    """The JSON of the page; the query of its permalink tells it from others with its ID."""
    query = [permalink.partition("?")[2], f"asof={asof}" if asof else ""]
    path = reverse("restore-detail-json", args=[restore.restore_id])
    return f"{path}?{'&'.join(filter(None, query))}".rstrip("?")


def _indented(raw: str) -> str:
    """The record as received, indented; unchanged if it isn't JSON, or too large for that."""
    try:
        indented = json.dumps(json.loads(raw), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return raw
    return indented if len(indented) <= _MAX_INDENTED else raw


def _raw_value(raw: str) -> Any:
    try:
        return json.loads(raw, parse_constant=str)  # 1e999 was once stored as Infinity
    except (ValueError, RecursionError):
        return raw or None
