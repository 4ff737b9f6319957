"""The corpus is large, covers eight languages, and expects only what its tickets contain."""

import re

import pytest

from tests.lookup.corpus import KINDS, LANGUAGES, TICKETS


def test_the_corpus_has_sixty_tickets_and_every_language_twice():
    assert len(TICKETS) >= 60
    assert len({ticket.name for ticket in TICKETS}) == len(TICKETS)
    for language in LANGUAGES:
        assert sum(ticket.name.startswith(f"languages: {language}:") for ticket in TICKETS) >= 2


@pytest.mark.parametrize("ticket", TICKETS, ids=str)
def test_a_ticket_has_what_is_expected_of_it(ticket):
    assert set(ticket.expected) <= set(KINDS)
    for text in (*ticket.times, *ticket.expected["maybe"], *ticket.expected["not"]):
        assert text in ticket.text or re.sub(r"\s+", " ", text) in ticket.text
    for uuid in ticket.expected["id"]:
        assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}", uuid)
        assert uuid[-4:] in re.sub(r"[\s=]", "", ticket.text).casefold().translate(WIDE)


# Letters of an input method, letters that were misread in a screenshot, invisible ones.
WIDE = {0xFEE0 + ord(char): char for char in "0123456789abcdef-"} | {0x200B: "", 0x2011: "-"}
