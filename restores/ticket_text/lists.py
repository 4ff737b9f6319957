"""A list of restores as a ticket wants to read it, as a customer may, and as the provider must."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .formats import plain
from .note import Note, Row

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
