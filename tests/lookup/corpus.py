"""Invented tickets, and what must be found in each of them.

A file of ``tickets/`` holds several. Each begins with ``=== its name``, then has a line for
everything that is in it, then ``---`` and the text as somebody has pasted it. The lines:

``id``, ``code``, ``address``, ``name``: how it is spelled once it is found
``prefix``: the beginning of an id; ``ends``: its first and last characters
``time``: as it stands in the text ``=`` each meaning in UTC, in the order of preference or not
``maybe``: text that may be taken for a time, but need not be
``not``: text that must not be part of anything found, except a name to look up
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

FOLDER = Path(__file__).parent / "tickets"
# When the tickets are read: a Monday.
NOW = datetime(2026, 11, 30, 20, 0, tzinfo=UTC)
LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "zh", "ja")
KINDS = ("id", "prefix", "ends", "code", "address", "name", "time", "maybe", "not")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """Pasted text, and what must be found in it by kind."""

    name: str
    text: str
    expected: dict[str, list[str]]

    def __str__(self) -> str:
        return self.name

    @property
    def times(self) -> dict[str, set[datetime]]:
        """The meanings of each time, by its text."""
        found = {}
        for line in self.expected["time"]:
            text, _, meanings = line.rpartition(" = ")
            found[text] = {datetime.fromisoformat(one) for one in meanings.split(" | ")}
        return found


def load() -> list[Ticket]:
    """Return every ticket, in the order of the files."""
    return [ticket for file in sorted(FOLDER.glob("*.txt")) for ticket in _read(file)]


def _read(file: Path) -> list[Ticket]:
    tickets = []
    for block in file.read_text().split("=== ")[1:]:
        head, text = block.split("\n---\n", 1)
        name, *lines = head.split("\n")
        expected = defaultdict(list)
        for line in lines:
            kind, _, value = line.partition(": ")
            expected[kind].append(value)
        tickets.append(
            Ticket(name=f"{file.stem}: {name}", text=text.rstrip("\n"), expected=expected)
        )
    return tickets


TICKETS = load()
