"""Menus to export a page and to copy it, as of the time of the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.urls import reverse

from restores.filters import ListParams, Params
from restores.models import Restore

register = template.Library()

TICKET_FORMATS = {
    "html": "Rich text",
    "markdown": "Markdown",
    "jira": "Jira",
    "plain": "Plain text",
}


@register.inclusion_tag("components/export_menu.html")
def list_menus(params: ListParams) -> Mapping[str, Any]:
    """The Copy menu of the restore list."""
    query, url = params.query(), reverse("restore-list")
    return {
        "snapshot_url": url + params.permalink_query,
        "live_url": url + params.live_query,
        **_texts(reverse("restore-list-md") + query, "handover"),
    }


@register.simple_tag
def list_exports(params: ListParams) -> list[dict[str, str]]:
    """The files of the restore list."""
    query = params.query()
    return [
        _export("CSV", "all rows", reverse("restore-list-csv") + query),
        _export("Excel", "up to 50,000 rows", reverse("restore-list-xlsx") + query),
        _export("JSON", "this page", reverse("restore-list-json") + query),
        _export("Markdown", "this page", reverse("restore-list-md") + query),
    ]


@register.inclusion_tag("components/export_menu.html")
def instance_list_menus(params: Params) -> Mapping[str, Any]:
    """The menu of the instance list."""
    query = params.query()
    return {
        "exports": [
            _export("CSV", "all rows", reverse("instance-list-csv") + query),
            _export("Excel", "up to 50,000 rows", reverse("instance-list-xlsx") + query),
            _export("JSON", "this page", reverse("instance-list-json") + params.canonical_query),
        ],
    }


@register.inclusion_tag("components/export_menu.html")
def downtime_menus(params: Params) -> Mapping[str, Any]:
    """The menu of the downtime report."""
    query = params.query()
    return {
        "exports": [
            _export("CSV", "a row per instance", reverse("downtime-csv") + query),
            _export("Excel", "with totals", reverse("downtime-xlsx") + query),
            _export("JSON", "with totals", reverse("downtime-json") + query),
        ],
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
        "snapshot_url": reverse("restore-detail", args=[restore.restore_id]) + query,
        "live_url": permalink,
        "restore_id": restore.restore_id,
        **_texts(text_url),
    }


def _export(label: str, hint: str, url: str) -> dict[str, str]:
    return {"label": label, "hint": hint, "url": url}


def _texts(url: str, *more: str) -> dict[str, Any]:
    """The URLs of the text to copy, by its ``format``; those for the ticket with a label."""
    urls = {
        name: f"{url}{'&' if '?' in url else '?'}format={name}"
        for name in (*TICKET_FORMATS, "customer", "provider", *more)
    }
    tickets = [
        {"name": name, "label": label, "url": urls[name]} for name, label in TICKET_FORMATS.items()
    ]
    return {"texts": urls, "tickets": tickets}
