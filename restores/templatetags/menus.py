"""Menus that lead to what people take away from a page, and to its window seen otherwise."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import reverse

from restores.filters import Asked
from restores.models import Restore

register = template.Library()

FORMATS = (
    ("Markdown", "markdown"),
    ("Jira", "jira"),
    ("Rich text", "html"),
    ("Plain text", "plain"),
    ("For the customer", "customer"),
    ("For the provider", "escalation"),
)
KINDS = ("json", "md")

Menu = dict[str, Any]


@register.inclusion_tag("restores/_menus.html")
def list_menus(asked: Asked) -> Menu:
    """Export and copy menus of the list, anchored in time."""
    query = asked.query()
    exports = [
        ("CSV", "every row", reverse("restore-list-csv") + query),
        ("JSON", "this page", reverse("restore-list-json") + query),
        ("Markdown", "this page", reverse("restore-list-md") + query),
    ]
    return {"exports": exports} | _copies(reverse("restore-list-md"), query)


@register.inclusion_tag("restores/_menus.html")
def restore_menus(restore: Restore, permalink: str, anchor: str) -> Menu:
    """Export and copy menus of one restore as of the page's moment, its ``anchor``."""
    choice = permalink.partition("?")[2]
    query = "&".join(filter(None, [choice, f"asof={anchor}" if anchor else ""]))
    query = f"?{query}" if query else ""
    twins = {kind: reverse(f"restore-detail-{kind}", args=[restore.restore_id]) for kind in KINDS}
    exports = [
        ("JSON", "with its record", twins["json"] + query),
        ("Markdown", "for tickets", twins["md"] + query),
    ]
    return {"exports": exports} | _copies(twins["md"], query)


def _copies(path: str, query: str) -> Menu:
    join = "&" if query else "?"
    urls = {form: f"{path}{query}{join}format={form}" for _, form in FORMATS}
    return {
        "copies": [(label, form, urls[form]) for label, form in FORMATS],
        "plain": urls["plain"],
    }
