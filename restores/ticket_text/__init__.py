"""Texts about restores for tickets, mails and chats: Markdown, Jira, HTML and plain."""

from .cases import Case, case_note, customer_text, escalation
from .formats import html, jira, markdown, plain
from .lists import Line, Listed, customer_summary, list_escalation, list_note
from .note import Note, Row

# The formats that a note can be written in.
FORMATS = {"markdown": markdown, "jira": jira, "html": html, "plain": plain}

__all__ = [
    "FORMATS",
    "Case",
    "Line",
    "Listed",
    "Note",
    "Row",
    "case_note",
    "customer_summary",
    "customer_text",
    "escalation",
    "html",
    "jira",
    "list_escalation",
    "list_note",
    "markdown",
    "plain",
]
