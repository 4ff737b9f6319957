"""The text that one shift hands over to the next."""

from collections.abc import Sequence
from dataclasses import dataclass

from . import escapes


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Restores that the next shift must know about: a sentence and a link each.

    ``total`` counts those that are left out, too, as on the screen (``10,000+``). ``none`` is what
    is said if there are none.
    """

    title: str
    total: str
    restores: Sequence[tuple[str, str]]
    none: str


def handover(facts: Sequence[str], sections: Sequence[Section], url: str) -> str:
    """Write plain text for a chat: facts, sections, and a link to the list."""
    blocks = ["\n".join(["Shift handover", *map(escapes.clean, facts)])]
    for section in sections:
        if not section.restores:
            blocks.append(f"{section.title}: {section.none}")
            continue
        lines = [f"{section.title} ({section.total})"]
        lines += [f"- {escapes.clean(text)}\n  {link}" for text, link in section.restores]
        if section.total != str(len(section.restores)):
            lines.append(f"- … only these {len(section.restores)} are listed")
        blocks.append("\n".join(lines))
    return "\n\n".join([*blocks, url]) + "\n"
