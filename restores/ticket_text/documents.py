"""Documents about restores: for a ticket, for the customer and for the provider."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from restores.explain import codes
from restores.explain.estimates import words
from restores.explain.summary import Facts, message, verdict

from .formats import Note, Row, plain

_COMPLETE = "whether the data of the instance is complete."
_ASKED = {
    "failed": f"A restore failed. Please tell us why, and {_COMPLETE}",
    "succeed": f"A restore succeeded. Please tell us {_COMPLETE}",
}
_ASKED_OTHERWISE = "A restore needs your attention. Please tell us its state and when it will end."


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What texts about one restore need beyond its facts.

    ``recorded_at``: its last complete look; ``told``: when the text is written; ``present``: what
    is known by then, if the others are of the past and it is something else.
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
    zone: str = ""
    backup_id: str = ""
    backup_name: str = ""
    recorded_at: datetime | None = None
    told: datetime | None = None
    present: Facts | None = None
    status: str = ""  # the state in our words
    since: str = ""  # what it has become since, if that is something else


def case_note(case: Case) -> Note:
    """All of a restore that helps a colleague."""
    facts = [
        ("Customer", case.customer),
        ("Instance", _named(case.instance, case.instance_id)),
        ("Project", _named(case.project, case.region)),
        ("Restore", _named(case.restore_name, case.restore_id)),
        ("Backup", _named(case.backup_name, case.backup_id)),
        ("Remark", case.remark),
        ("Error code", _code(case)),
        *_times(case.facts, case.recorded_at),
    ]
    return Note(
        title=f"Restore of {case.instance or case.instance_id}: {case.status}",
        url=case.url,
        sentences=tuple(filter(None, [verdict(case.facts).sentence, _since(case)])),
        facts=_given(facts),
    )


def escalation(case: Case) -> str:
    """A request to the provider: every id, the times, what we ask; no customer is named."""
    facts = [
        ("Restore id", case.restore_id),
        ("Instance id", case.instance_id),
        ("Project id", case.project_id),
        ("Region", case.region),
        ("Backup id", case.backup_id),
        ("Status", case.facts.status),
        ("Progress", "" if case.facts.progress is None else f"{case.facts.progress:g} %"),
        ("Error code", case.facts.code),
        *_times(case.facts, case.recorded_at),
    ]
    sentence = _ASKED.get(case.facts.status, _ASKED_OTHERWISE)
    title = f"Redis restore {case.restore_id}: {case.status}"
    return plain(Note(title=title, url=case.url, sentences=(sentence,), facts=_given(facts)))


def customer_text(case: Case) -> str:
    """The message to the customer with its window; no link, no name and no id of ours."""
    facts = case.present or case.facts
    text = message(facts, case.instance, case.zone, case.told)
    return plain(Note(title=text, url="", facts=_given(_times(facts, case.recorded_at))))


def instant(at: datetime) -> str:
    """A time in UTC for a fact: ``2026-11-23 15:37:41 UTC``."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _times(facts: Facts, recorded_at: datetime | None) -> list[tuple[str, str]]:
    created, ended = facts.created, facts.ended
    took = "" if facts.took is None else f" ({words(facts.took)})"
    since = instant(created) if created else "not given"
    until = f"{instant(ended)}{took}" if ended else "not ended, as far as is known"
    known = instant(recorded_at) if recorded_at else "not known"
    return [("Window", f"{since} → {until}"), ("Complete to", known)]


def _code(case: Case) -> str:
    code = case.facts.code
    return f"{code}, {codes.explain(code).meaning.rstrip('.')}" if code else ""


def _since(case: Case) -> str:
    return f"So it was at {instant(case.facts.now)}; {case.since}." if case.since else ""


def _named(name: str, other: str) -> str:
    return f"{name} ({other})" if name and other and name != other else name or other


def _given(facts: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in facts if value)


_WORDS = {"succeed": "completed", "failed": "did not complete"}
_WORDS |= dict.fromkeys(("waiting", "restoring"), "not ended yet")
_PART = "Only a part of the restores in this window was asked for."
_HEADS = (
    "Created (UTC)",
    "Status",
    "Instance",
    "Customer",
    "Progress or reason",
    "Took",
    "Since then",
)
_IDS = ("Created (UTC)", "Restore id", "Instance id", "Project id", "Region", "Status", "Code")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One restore of a list, every value ready to print."""

    url: str
    restore_id: str
    created: str
    value: str  # the status in the cloud's words
    status: str  # and in ours
    instance: str
    instance_id: str
    project_id: str
    region: str = ""
    customer: str = ""
    outcome: str = ""
    code: str = ""
    took: str = ""
    since: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A page of the list: what was asked, which window, how many, and until when we know.

    ``counts``: how many restores of all pages are in each state, none where they are too many to
    count; ``picked``: only some of the window's restores were asked for.
    """

    url: str
    on: str  # "created", "in progress during" …
    window: str
    asked: str  # the filters in words, if there are any
    complete: str
    total: str
    first: int  # the number of the first line, 0 where nobody has counted so far
    lines: tuple[Line, ...]
    counts: Mapping[str, int] = field(default_factory=dict)
    picked: bool = False

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """The window, what was asked and until when the list is complete."""
        shown = f"{self.first}–{self.first + len(self.lines) - 1} of {self.total}"
        if not self.first:
            shown = f"{len(self.lines)} of {self.total}"
        facts = [
            ("Window", f"{self.on} {self.window}"),
            ("Filters", self.asked),
            ("Complete to", self.complete),
            ("Shown", shown if self.lines else f"none of {self.total}"),
        ]
        return tuple((name, value) for name, value in facts if value)


def list_note(listed: Listed) -> Note:
    """The page as a table."""
    return Note(
        title=f"Restores {listed.on} {listed.window}; complete to {listed.complete}",
        url=listed.url,
        facts=listed.facts,
        heads=_HEADS,
        rows=_rows(
            (one, (one.status, one.instance, one.customer, _reason(one), one.took, one.since))
            for one in listed.lines
        ),
    )


def list_escalation(listed: Listed) -> str:
    """A request to the provider about the page's restores: ids and states, no customer."""
    rows = _rows(
        (one, (one.restore_id, one.instance_id, one.project_id, one.region, one.value, one.code))
        for one in listed.lines
    )
    complete = "whether the data of the instances is complete."
    failed = any(one.value == "failed" for one in listed.lines)
    asked = f"Please tell us {'why those that failed did, and ' * failed}{complete}"
    title = f"Redis restores {listed.on} {listed.window}"
    facts = tuple(fact for fact in listed.facts if fact[0] != "Filters")
    # No link: it would name what the list was narrowed to, customers among it.
    text = Note(title=title, url="", sentences=(asked,), facts=facts, heads=_IDS, rows=rows)
    return plain(text)


def customer_summary(listed: Listed) -> str:
    """How many restores ended how, with the window; no link, no name and no id of ours."""
    counts: Counter[str] = Counter()
    for status, number in listed.counts.items():
        counts[_WORDS.get(status, "in a state that we are checking")] += number
    told = ", ".join(f"{number:,} {word}" for word, number in sorted(counts.items()))
    if not told:
        told = f"{listed.total} in all, too many to tell how they ended" if listed.lines else "none"
    said = [_PART] if listed.picked else []
    title = f"Restores {listed.on} {listed.window}: {told}."
    return plain(Note(title=title, url="", sentences=(*said, f"Complete to {listed.complete}.")))


def _reason(line: Line) -> str:
    return " ".join(filter(None, [line.outcome, f"({line.code})" if line.code else ""]))


def _rows(lines: Iterable[tuple[Line, tuple[str, ...]]]) -> tuple[Row, ...]:
    return tuple(Row(url=line.url, cells=(line.created, *cells)) for line, cells in lines)
