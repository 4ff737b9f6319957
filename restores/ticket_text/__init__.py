"""Text about restores for tickets, emails and chats, in Markdown, Jira, HTML and plain text."""

from .documents import (
    ListReport,
    ReportRow,
    RestoreReport,
    list_customer_text,
    list_document,
    list_provider_text,
    restore_customer_text,
    restore_document,
    restore_provider_text,
    timestamp,
)
from .formats import Document, Row, html, jira, markdown, plain
from .handover import Section, handover

# The formats that a document can be written in.
FORMATS = {"markdown": markdown, "jira": jira, "html": html, "plain": plain}

__all__ = [
    "FORMATS",
    "Document",
    "ListReport",
    "ReportRow",
    "RestoreReport",
    "Row",
    "Section",
    "handover",
    "html",
    "jira",
    "list_customer_text",
    "list_document",
    "list_provider_text",
    "markdown",
    "plain",
    "restore_customer_text",
    "restore_document",
    "restore_provider_text",
    "timestamp",
]
