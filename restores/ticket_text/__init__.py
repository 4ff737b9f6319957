"""Texts about restores for tickets, emails and chats, in Markdown, Jira, HTML and plain text."""

from .documents import (
    ListReport,
    ReportRow,
    RestoreReport,
    list_customer_text,
    list_document,
    list_escalation,
    restore_customer_text,
    restore_document,
    restore_escalation,
)
from .formats import Document, Row, html, jira, markdown, plain

# The formats that a document can be written in.
FORMATS = {"markdown": markdown, "jira": jira, "html": html, "plain": plain}

__all__ = [
    "FORMATS",
    "Document",
    "ListReport",
    "ReportRow",
    "RestoreReport",
    "Row",
    "html",
    "jira",
    "list_customer_text",
    "list_document",
    "list_escalation",
    "markdown",
    "plain",
    "restore_customer_text",
    "restore_document",
    "restore_escalation",
]
