"""The lookup: what is in a pasted ticket, on a page, as JSON and as text for a ticket."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from restores import ticket_text
from restores.explain.estimates import format_timestamp
from restores.filters.params import MAX_TEXT
from restores.formatting import format_datetime, zoned_time
from restores.lookup import MAX_FINDINGS, Found, FoundTime, find
from restores.models import Restore
from restores.restore_list.counts import capped_count
from restores.restore_list.empty_state import sync_messages
from restores.sync_status import SyncStatus, visible_sync_status
from restores.ticket_lookup import Results, TicketLookup
from restores.timerange import Meaning, describe_range, find_zone, parse, to_iso, to_params
from restores.views.api import JsonAnswer, answer_json, revalidated
from restores.views.exports import text_endpoint
from restores.views.lookup_rows import (
    backup_url,
    code_url,
    found_instance_url,
    found_restore_url,
    project_url,
    rows_of,
)

# Characters of the text that are shown; more are searched.
MAX_SHOWN = 20_000
# Characters of the link to the results: longer addresses are refused by the server.
MAX_LINK = 7_500
_AROUND, _LONGEST_RANGE = timedelta(hours=1), timedelta(days=31)
# An address has room for no more instances, and a list of more says little.
_MOST_INSTANCES = 10
_UTC = ZoneInfo("UTC")
_TWICE = "can only be given once"
_PLURALS = {
    "id": "IDs",
    "prefix": "ID prefixes",
    "ends": "shortened IDs",
    "code": "codes",
    "address": "addresses",
    "name": "possible names",
    "time": "times",
}


@sensitive_post_parameters("text")
@require_http_methods(["GET", "HEAD", "POST"])
@revalidated
def lookup(request: HttpRequest) -> HttpResponseBase:
    """What is in the text, and why the rest was not found; a single hit leads to its page."""
    if request.method == "POST":
        text = request.POST.get("text", "")
        if len(text.strip()) <= MAX_TEXT:
            return redirect(_lookup_url(text.strip()))
    elif len(request.GET.getlist("q")) > 1:
        return _page(request, {"error": "Only one text can be looked up at a time."}, status=400)
    else:
        text = request.GET.get("q", "")
    if not text.strip():
        return _page(request, {})
    answer = Answer(text, request, timezone.now())
    if answer.only_url:
        return redirect(answer.only_url)
    if answer.empty and len(text.strip()) <= MAX_TEXT:
        # Not an ID, a code or a name: a search in names and remarks.
        query = urlencode({"q": " ".join(text.split())}, safe=":/,")
        return redirect(f"{reverse('restore-list')}?{query}")
    return _page(request, {"answer": answer, "text": text[: answer.found.searched]})


@sensitive_post_parameters("text")
@answer_json("GET", "HEAD", "POST")
def lookup_json(request: HttpRequest) -> JsonAnswer:
    """The same as JSON; it takes a form without a token because it changes nothing."""
    name, given = ("text", request.POST) if request.method == "POST" else ("q", request.GET)
    texts = given.getlist(name)
    if len(texts) > 1:
        error = {"param": name, "value": None, "reason": _TWICE}
        return JsonResponse({"errors": [error]}, status=400)
    return Answer("".join(texts), request, timezone.now()).json()


@text_endpoint
def lookup_md(request: HttpRequest) -> HttpResponse:
    """The same as text for a ticket, in the format that ``format`` names."""
    texts, form = request.GET.getlist("q"), request.GET.get("format", "markdown")
    if len(texts) > 1:
        return _text(f"q: {_TWICE}\n", "text/plain", 400)
    if form not in ticket_text.FORMATS:
        allowed = ", ".join(ticket_text.FORMATS)
        return _text(f"format: {form[:200]}: must be one of {allowed}\n", "text/plain", 400)
    answer = Answer("".join(texts), request, timezone.now())
    content_type = {"markdown": "text/markdown", "html": "text/html"}.get(form, "text/plain")
    return _text(ticket_text.FORMATS[form](answer.document()), content_type)


def _text(text: str, content_type: str, status: int = 200) -> HttpResponse:
    return HttpResponse(text, status=status, content_type=f"{content_type}; charset=utf-8")


def _page(request: HttpRequest, context: dict[str, Any], status: int = 200) -> HttpResponse:
    return TemplateResponse(request, "lookup.html", context, status=status)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRow:
    """A time of the text, and each meaning with the restores around it."""

    text: str
    meanings: list[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestedRange:
    """A range around the times of the text, and the lists of it.

    ``instances``: how many instances of the text the lists are narrowed to, 0 if they aren't.
    """

    label: str
    instances: int
    created_url: str
    running_url: str
    count: str


class Answer:
    """The results of looking up text for one reader."""

    def __init__(self, text: str, request: HttpRequest, now: datetime) -> None:
        self.now, self.user = now, request.user
        # Before the rows: it must not claim more than they hold.
        self._sync_status = visible_sync_status(request.user)
        self.found: Found = find(text, now, _UTC)
        self.text = text
        lookup = TicketLookup(self.found, text[: self.found.searched], request.user)
        self.results: Results = lookup.results()
        self.rows = list(rows_of(self.results, now))

    @property
    def empty(self) -> bool:
        """Whether nothing was recognized."""
        return not (self.rows or self.results.missing or self.found.times or self.cut)

    @property
    def only_url(self) -> str:
        """The page of the one thing that was found, if there is nothing else to say."""
        alone = len(self.rows) == 1 and not (self.results.missing or self.found.times or self.cut)
        return self.rows[0].url if alone else ""

    @property
    def sync_messages(self) -> Any:
        """How current the data is."""
        return sync_messages(self._sync_status, self.now)

    @property
    def incomplete(self) -> str:
        """A sentence on what could be missing, for below what was not found."""
        return _incomplete(self._sync_status)

    @property
    def cut(self) -> list[str]:
        """Say what was looked up, and what wasn't, where a limit was reached."""
        found, lines = self.found, []
        if found.searched < found.length:
            lines.append(
                f"Only the first {found.searched:,} of {found.length:,} characters were searched."
            )
        for kind, number in found.dropped.items():
            if kind != "name":
                lines.append(
                    f"The first {MAX_FINDINGS[kind]} {_PLURALS[kind]} were looked up, "
                    f"{number:,} more were not."
                )
        return lines

    @property
    def url(self) -> str:
        """The link to these results: everything that was found, in the database or not."""
        findings = [*self.results.matched, *(one.finding for one in self.results.missing)]
        texts = [
            f"“{one.value}”" if one.quoted or " " in one.value else one.value
            for one in sorted(findings, key=lambda one: one.start)
        ]
        for time in self.found.times:
            clear = len(time.meanings) == 1
            texts.append(to_iso(time.meanings[0].start) if clear else time.text)
        url = _lookup_url("")
        for text in dict.fromkeys(texts):
            longer = _lookup_url(",".join(filter(None, [_query(url), text])))
            if len(longer) <= MAX_LINK:
                url = longer
        return url

    @property
    def text_url(self) -> str:
        """The URL of the text for a ticket, without its format."""
        return f"{reverse('lookup-md')}?{self.url.partition('?')[2]}"

    @property
    def parts(self) -> Iterator[tuple[str, str]]:
        """The text in parts, each with the class of its mark if something was found there."""
        marks = [(span, "found") for one in self.results.matched for span in one.spans]
        marks += [(span, "missing") for one in self.results.missing for span in one.finding.spans]
        marks += [(one.span, "time") for one in self.found.times]
        last = 0
        for (start, end), css_class in sorted(marks):
            if last <= start and end <= MAX_SHOWN:
                yield self.text[last:start], ""
                yield self.text[start:end], css_class
                last = end
        yield self.text[last:MAX_SHOWN], ""

    @property
    def shortened(self) -> bool:
        """Whether not all of the text is shown."""
        return len(self.text) > MAX_SHOWN

    @property
    def times(self) -> list[TimeRow]:
        """The times that were found, each with a link for each meaning."""
        return [
            TimeRow(
                text=time.text,
                meanings=[(_meaning(one), _around(one, self.now)) for one in time.meanings],
            )
            for time in self.found.times
        ]

    @property
    def suggested(self) -> SuggestedRange | None:
        """A range around all times that have a single meaning."""
        clear = [one.meanings[0] for one in self.found.times if len(one.meanings) == 1]
        if not clear:
            return None
        start, end = min(_start(one) for one in clear), max(_end(one) for one in clear)
        if end - start > _LONGEST_RANGE:
            return None
        zones = {one.zone for one in clear}
        zone = zones.pop() if len(zones) == 1 else "UTC"
        time_range = parse({"from": to_iso(start), "to": to_iso(end), "tz": zone}, self.now)
        created = Restore.objects.visible_to(self.user).created_in(start, end)
        instances = [one.instance for one in self.results.instances]
        if len(instances) > _MOST_INSTANCES:
            instances = []
        if instances:
            created = created.filter(instance__in=instances)
        ids = [instance.instance_id for instance in instances]
        return SuggestedRange(
            label=describe_range(time_range, self.now),
            instances=len(ids),
            created_url=_list_url(start, end, zone, self.now, ids),
            running_url=_list_url(start, end, zone, self.now, ids, on="running"),
            count=str(capped_count(created)),
        )

    def json(self) -> dict[str, Any]:
        """All of it as JSON."""
        base, results = settings.BASE_URL, self.results
        cut = {"cut": self.cut} if self.cut else {}
        return {
            "restores": [
                {
                    "restore_id": row.restore_id,
                    "instance_id": row.instance.instance_id,
                    "status": row.status or None,
                    "url": base + found_restore_url(row, results.restores),
                }
                for row in results.restores
            ],
            "backups": [
                {
                    "backup_id": row.backup_id,
                    "instance_id": row.instance.instance_id,
                    "restored": row.restored,
                    "last_status": _status(row.last),
                    "url": base + backup_url(row),
                }
                for row in results.backups
            ],
            "instances": [
                {
                    "instance_id": row.instance.instance_id,
                    "project": row.instance.project.name,
                    "last_status": _status(row.last),
                    "restorable": not row.instance.single_node,
                    "url": base + found_instance_url(row, results.instances),
                }
                for row in results.instances
            ],
            "projects": [
                {
                    "project_id": row.project_id,
                    "name": row.name,
                    "monitored": row.monitored,
                    "url": base + project_url(row),
                }
                for row in results.projects
            ],
            "codes": [{"code": code, "url": base + code_url(code)} for code in results.codes],
            "times": [
                {
                    "text": time.text,
                    "from": to_iso(_start(meaning)),
                    "to": to_iso(_end(meaning)),
                    "zone": meaning.zone,
                    "ambiguous": len(time.meanings) > 1,
                }
                for time in self.found.times
                for meaning in time.meanings
            ],
            "not_found": [one.finding.value for one in results.missing],
            "url": base + self.url,
            **cut,
        }

    def document(self) -> ticket_text.Document:
        """All of it for a ticket."""
        missing = [one.finding.value for one in self.results.missing]
        complete_to = self._sync_status.complete_to
        facts = (
            ("Data as of", format_timestamp(complete_to) if complete_to else "unknown for some"),
            ("Not found", ", ".join(missing)),
            ("Times", "; ".join(f"{one.text} = {_or(one)}" for one in self.found.times)),
        )
        return ticket_text.Document(
            title=f"Lookup: {len(self.rows)} found, {len(missing)} not found",
            url=settings.BASE_URL + self.url,
            facts=tuple(fact for fact in facts if fact[1]),
            headers=("Found", "Name", "ID", "Project", "Status", "Details"),
            rows=tuple(
                ticket_text.Row(
                    url=settings.BASE_URL + row.url,
                    cells=(
                        row.kind,
                        row.name,
                        row.id,
                        row.project.name if row.project else "",
                        row.status,
                        row.details,
                    ),
                )
                for row in self.rows
            ),
        )


def _status(restore: Restore | None) -> str | None:
    return restore.status or None if restore else None


def _lookup_url(text: str) -> str:
    query = urlencode({"q": text}, safe=":/,") if text else ""
    return f"{reverse('lookup')}?{query}" if query else reverse("lookup")


def _query(url: str) -> str:
    return QueryDict(url.partition("?")[2]).get("q", "")


def _start(meaning: Meaning) -> datetime:
    """The start of the suggested range of a time: an hour before, or with the day."""
    if _is_day(meaning):
        return meaning.start
    return meaning.start.replace(second=0, microsecond=0) - _AROUND


def _end(meaning: Meaning) -> datetime:
    if _is_day(meaning):
        return meaning.end
    minute = meaning.end.replace(second=0, microsecond=0)
    return minute + _AROUND + (timedelta(minutes=1) if minute < meaning.end else timedelta())


def _is_day(meaning: Meaning) -> bool:
    return meaning.end - meaning.start >= timedelta(hours=23)


def _around(meaning: Meaning, now: datetime) -> str:
    return _list_url(_start(meaning), _end(meaning), meaning.zone, now)


def _list_url(
    start: datetime,
    end: datetime,
    zone: str,
    now: datetime,
    instances: Iterable[str] = (),
    on: str = "",
) -> str:
    times = {
        "on": on,
        "from": to_iso(start),
        "to": to_iso(end),
        "tz": "" if zone == "UTC" else zone,
    }
    query = {"instance": sorted(instances), **to_params(parse(times, now))}
    return f"{reverse('restore-list')}?{urlencode(query, doseq=True, safe=':/,')}"


def _meaning(meaning: Meaning) -> str:
    if _is_day(meaning):
        zone = find_zone(meaning.zone) or _UTC
        local = meaning.start.astimezone(zone)
        return f"{local.day} {local:%b %Y} ({meaning.zone})"
    return format_datetime(meaning.start)


def _or(time: FoundTime) -> str:
    return " or ".join(_meaning(meaning) for meaning in time.meanings)


def _incomplete(status: SyncStatus) -> str:
    """Say how complete the data is, where something was not found."""
    if status.complete_to is None:
        return "Not all data has been synced yet, so some may be missing."
    at = zoned_time(status.complete_to)
    return f"Data is only complete up to {at}, so newer records could be missing."
