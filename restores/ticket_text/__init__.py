"""Texts about restores for tickets, mails and chats: Markdown, Jira, HTML and plain."""

from .documents import (
    Case,
    Line,
    Listed,
    case_note,
    customer_summary,
    customer_text,
    escalation,
    list_escalation,
    list_note,
)
from .formats import Note, Row, html, jira, markdown, plain

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
