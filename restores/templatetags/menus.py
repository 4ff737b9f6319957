"""Menus that lead to what people take away from a page, and to its window seen otherwise."""

from __future__ import annotations

from collections.abc import Sequence

from django import template
from django.urls import reverse
from django.utils.safestring import SafeString

from restores.filters import ListParams
from restores.models import Restore
from restores.paths import path_of
from restores.templatetags.printed import rendered

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


@register.simple_tag
def list_menus(params: ListParams) -> SafeString:
    """Export and copy menus of the list, anchored in time."""
    query = params.query()
    exports = [
        ("CSV", "every row", path_of("restore-list-csv") + query),
        ("JSON", "this page", path_of("restore-list-json") + query),
        ("Markdown", "this page", path_of("restore-list-md") + query),
    ]
    return _menus(exports, path_of("restore-list-md"), query)


@register.simple_tag
def restore_menus(restore: Restore, permalink: str, anchor: str) -> SafeString:
    """Export and copy menus of one restore as of the page's moment, its ``anchor``."""
    choice = permalink.partition("?")[2]
    query = "&".join(filter(None, [choice, f"asof={anchor}" if anchor else ""]))
    query = f"?{query}" if query else ""
    twins = {kind: reverse(f"restore-detail-{kind}", args=[restore.restore_id]) for kind in KINDS}
    exports = [
        ("JSON", "with its record", twins["json"] + query),
        ("Markdown", "for tickets", twins["md"] + query),
    ]
    return _menus(exports, twins["md"], query)


def _menus(exports: Sequence[tuple[str, str, str]], path: str, query: str) -> SafeString:
    join = "&" if query else "?"
    urls = {form: f"{path}{query}{join}format={form}" for _, form in FORMATS}
    copies = [(label, form, urls[form]) for label, form in FORMATS]
    values = {"exports": exports, "copies": copies, "plain": urls["plain"]}
    return rendered("restores/menus.jinja", values)
