"""Menus to export a page and to copy it for a ticket, as of the time of the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.urls import reverse

from restores.filters import ListParams
from restores.models import Restore

register = template.Library()

COPY_FORMATS = {
    "markdown": "Markdown",
    "jira": "Jira",
    "html": "Rich text",
    "plain": "Plain text",
    "customer": "Customer message",
    "escalation": "Provider escalation",
}


@register.inclusion_tag("components/export_menu.html")
def list_menus(params: ListParams) -> Mapping[str, Any]:
    """The menus of the restore list."""
    query = params.query()
    return {
        "exports": [
            _export("CSV", "all rows", reverse("restore-list-csv") + query),
            _export("JSON", "this page", reverse("restore-list-json") + query),
            _export("Markdown", "this page", reverse("restore-list-md") + query),
        ],
        "copies": _copies(reverse("restore-list-md") + query),
    }


@register.inclusion_tag("components/export_menu.html")
def restore_menus(restore: Restore, permalink: str, asof: str) -> Mapping[str, Any]:
    """The menus of one restore; the query of ``permalink`` tells it from others with its id."""
    pairs = [permalink.partition("?")[2], f"asof={asof}" if asof else ""]
    query = "&".join(filter(None, pairs))
    query = f"?{query}" if query else ""
    text_url = reverse("restore-detail-md", args=[restore.restore_id]) + query
    json_url = reverse("restore-detail-json", args=[restore.restore_id]) + query
    return {
        "exports": [
            _export("JSON", "incl. raw record", json_url),
            _export("Markdown", "for tickets", text_url),
        ],
        "copies": _copies(text_url),
    }


def _export(label: str, hint: str, url: str) -> dict[str, str]:
    return {"label": label, "hint": hint, "url": url}


def _copies(url: str) -> list[dict[str, str]]:
    """The formats to copy; rich text is copied along with the same as plain text."""
    urls = {name: f"{url}{'&' if '?' in url else '?'}format={name}" for name in COPY_FORMATS}
    return [
        {
            "label": label,
            "url": urls[name],
            "plain_url": urls["plain"] if name == "html" else "",
        }
        for name, label in COPY_FORMATS.items()
    ]
