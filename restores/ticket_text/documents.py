"""Documents about restores: for a ticket, for the customer and for the provider."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from restores.explain.codes import explain
from restores.explain.estimates import format_duration
from restores.explain.summary import Facts, customer_message, format_percent, summarize

from . import escapes
from .formats import Document, Row, plain

# What we ask the provider about one restore, by its status.
_REQUESTS = {
    "failed": "A restore failed. Please tell us the cause and whether the instance’s data is "
    "complete.",
    "succeed": "A restore succeeded. Please tell us whether the instance’s data is complete.",
}
_OTHER_REQUEST = (
    "A restore needs your attention. Please tell us its status and expected completion."
)
# What a restore without an end time is doing.
_UNFINISHED = {"waiting": "still queued", "restoring": "still running"}
_CUSTOMER_WORDS = {"succeed": "completed", "failed": "failed"}
_CUSTOMER_WORDS |= dict.fromkeys(("waiting", "restoring"), "still running")
_LIST_HEADERS = (
    "Status",
    "Instance",
    "Customer",
    "Details",
    "Duration",
    "Outcome",
)
_ID_HEADERS = (
    "Created (UTC)",
    "Restore ID",
    "Instance ID",
    "Project ID",
    "Region",
    "Status",
    "Error code",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreReport:
    """What text about one restore needs beyond its facts.

    ``facts`` may be those of a snapshot. Then ``current_facts`` and ``changes`` say what is known
    at ``written_at``, if that differs. ``synced_at`` is the last complete sync. Times are in
    ``zone`` and in UTC, for the customer by the clock of ``customer_zone``.
    """

    facts: Facts
    url: str
    restore_id: str
    instance_id: str
    project: str
    project_id: str
    restore_name: str = ""
    remark: str = ""
    instance: str = ""
    region: str = ""
    customer: str = ""
    customer_zone: str = ""
    zone: tzinfo = UTC
    backup_id: str = ""
    backup_name: str = ""
    synced_at: datetime | None = None
    written_at: datetime | None = None
    current_facts: Facts | None = None
    status: str = ""  # as labeled on the screen
    changes: str = ""  # "Now: Succeeded at 14:12"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRow:
    """One restore of a list, every value ready to print."""

    url: str
    restore_id: str
    created: str
    provider_status: str
    status: str  # as labeled on the screen
    instance: str
    instance_id: str
    project_id: str
    region: str = ""
    customer: str = ""
    details: str = ""
    error_code: str = ""
    duration: str = ""
    outcome: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListReport:
    """A page of the list: its filters, time range and size, and how current it is.

    ``counts``: how many restores of all pages have each status, empty if there are too many to
    count. ``narrowed``: whether filters leave out some restores of the time range. ``none``: that
    an empty list is known to be complete. ``undated``: those that may belong to the time range.
    """

    url: str
    on: str  # "created", "running" …
    time_range: str
    filters: str
    complete_to: str
    total: str
    first: int  # the number of the first row, 0 if unknown
    rows: tuple[ReportRow, ...]
    zone: str = "UTC"  # as the column of times is headed
    counts: Mapping[str, int] = field(default_factory=dict)
    narrowed: bool = False
    none: bool = True
    undated: str = ""  # "2 restores without a usable time"

    @property
    def title(self) -> str:
        """Which restores these are: ``Restores created since 2026-11-22 16:59:00 UTC``."""
        return f"Restores {self.on} {self.time_range}"

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """The time range, the filters, how current the list is, and what is shown."""
        last = self.first + len(self.rows) - 1
        shown = f"{self.first}–{last}" if self.first else f"{len(self.rows)}"
        return _present(
            ("Time range", f"{self.on} {self.time_range}"),
            ("Filters", self.filters),
            ("Data as of", self.complete_to),
            ("Shown", f"{shown if self.rows else 'none'} of {self.total}"),
            ("Not shown", self.undated),
        )


def restore_document(report: RestoreReport) -> Document:
    """Write everything about a restore that helps a colleague."""
    facts = report.facts
    as_of = (
        f"As of {timestamp(facts.now, report.zone)}. {report.changes}." if report.changes else ""
    )
    code = facts.error_code
    return Document(
        title=f"Restore of {report.instance or report.instance_id}: {report.status}",
        url=report.url,
        sentences=tuple(filter(None, [summarize(facts).text, as_of])),
        facts=_present(
            ("Customer", report.customer),
            ("Instance", _named(report.instance, report.instance_id)),
            ("Project", _named(report.project, report.region)),
            ("Restore", _named(report.restore_name, report.restore_id)),
            ("Backup", _named(report.backup_name, report.backup_id)),
            ("Remark", report.remark),
            ("Error code", f"{code} – {explain(code).meaning.rstrip('.')}" if code else ""),
            *_times(facts, report.synced_at, report.zone),
        ),
    )


def restore_provider_text(report: RestoreReport) -> str:
    """Write to the provider: every ID, the times and our request; no customer is named."""
    facts = report.facts
    document = Document(
        title=f"Redis restore {report.restore_id}: {report.status}",
        url=report.url,
        sentences=(_REQUESTS.get(facts.status, _OTHER_REQUEST),),
        facts=_present(
            ("Restore ID", report.restore_id),
            ("Instance ID", report.instance_id),
            ("Project ID", report.project_id),
            ("Region", report.region),
            ("Backup ID", report.backup_id),
            ("Status", facts.status),
            ("Progress", "" if facts.progress is None else format_percent(facts.progress)),
            ("Error code", facts.error_code),
            *_times(facts, report.synced_at),
        ),
    )
    return plain(document)


def restore_customer_text(report: RestoreReport) -> str:
    """Write to the customer what is certain now; no link, and none of our names or IDs."""
    facts = report.current_facts or report.facts
    return customer_message(facts, report.instance, report.customer_zone, report.written_at) + "\n"


def list_document(report: ListReport) -> Document:
    """Write the page of the list as a table."""
    return Document(
        title=report.title,
        url=report.url,
        facts=report.facts,
        headers=(f"Created ({report.zone})", *_LIST_HEADERS),
        rows=tuple(
            Row(
                url=row.url,
                cells=(
                    row.created,
                    row.status,
                    row.instance,
                    row.customer,
                    f"{row.details} ({row.error_code})" if row.error_code else row.details,
                    row.duration,
                    row.outcome,
                ),
            )
            for row in report.rows
        ),
    )


def list_provider_text(report: ListReport) -> str:
    """Write to the provider about the page's restores: IDs and statuses, no customer."""
    failed = any(row.provider_status == "failed" for row in report.rows)
    cause = "why the failed restores failed and " if failed else ""
    document = Document(
        title=f"Redis restores {report.on} {report.time_range}",
        url="",  # a link would name the filters, customers among them
        sentences=(f"Please tell us {cause}whether the instances’ data is complete.",),
        facts=tuple(fact for fact in report.facts if fact[0] != "Filters"),
        headers=_ID_HEADERS,
        rows=tuple(
            Row(
                url=row.url,
                cells=(
                    row.created,
                    row.restore_id,
                    row.instance_id,
                    row.project_id,
                    row.region,
                    row.provider_status,
                    row.error_code,
                ),
            )
            for row in report.rows
        ),
    )
    return plain(document)


def list_customer_text(report: ListReport) -> str:
    """Count restores by outcome for the customer; no link, and none of our names or IDs."""
    counts: Counter[str] = Counter()
    for status, number in report.counts.items():
        counts[_CUSTOMER_WORDS.get(status, "being checked")] += number
    text = ", ".join(f"{number:,} {words}" for words, number in sorted(counts.items()))
    if not text:
        none = "none" if report.none else "none found so far"
        text = f"{report.total} in total" if report.rows else none
    sentences = [f"Restores of your instances {report.on} {report.time_range}: {text}."]
    if report.narrowed:
        sentences.append("This covers only some of the restores in this time range.")
    if report.undated:
        sentences.append(f"It leaves out {report.undated}, which may belong to this time range.")
    return " ".join(map(escapes.clean, sentences)) + "\n"


def timestamp(at: datetime, zone: tzinfo = UTC) -> str:
    """Format a time for a fact: ``2026-11-23 15:37:41 UTC``.

    In another zone: ``2026-11-23 16:37:41+01:00 (15:37:41 UTC)``, with both dates if they differ.
    """
    utc, local = at.astimezone(UTC), at.astimezone(zone)
    if local.utcoffset() == utc.utcoffset():
        return f"{utc:%Y-%m-%d %H:%M:%S} UTC"
    in_utc = f"{utc:%H:%M:%S} UTC" if local.date() == utc.date() else timestamp(at)
    return f"{local.isoformat(' ', 'seconds')} ({in_utc})"


def _times(facts: Facts, synced_at: datetime | None, zone: tzinfo = UTC) -> list[tuple[str, str]]:
    def time(at: datetime | None, absent: str) -> str:
        return timestamp(at, zone) if at else absent

    duration = facts.duration
    return [
        ("Created", time(facts.created_at, "not reported")),
        ("Finished", time(facts.ended_at, _UNFINISHED.get(facts.status, "not reported"))),
        ("Duration", "" if duration is None else format_duration(duration)),
        ("Data as of", time(synced_at, "unknown")),
    ]


def _named(name: str, other: str) -> str:
    return f"{name} ({other})" if name and other and name != other else name or other


def _present(*facts: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in facts if value)
