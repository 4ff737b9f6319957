"""Small HTML components, for templates and for the cells of tables."""

from functools import cache

from django import template
from django.template import Context
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from restores.instance_status import InstanceStatus
from restores.statuses import Status
from restores.sync_errors import SyncError
from restores.templatetags.display import short_timestamp, timestamp

register = template.Library()


@register.simple_tag
@cache
def icon(name: str) -> SafeString:
    """An icon of the sprite ``static/icons.svg``, hidden from screen readers."""
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>', static("icons.svg"), name
    )


@register.simple_tag(takes_context=True)
def nav_link(context: Context, view_name: str, label: str, section: str = "") -> SafeString:
    """A link of the main navigation, marked on its page and on those of its section."""
    match = context["request"].resolver_match
    here = match.view_name if match else ""
    current = ""
    if here == view_name:
        current = "page"
    elif section and here.startswith(section):
        current = "true"
    return format_html(
        '<a href="{}"{}>{}</a>',
        reverse(view_name),
        format_html(' aria-current="{}"', current) if current else "",
        label,
    )


@register.simple_tag
def status_badge(status: Status) -> SafeString:
    """A status: always an icon, a word and a color."""
    return format_html(
        '<span class="state {0}">{1}<bdi>{2}</bdi></span>',
        status.css_class,
        icon(status.css_class),
        status.word,
    )


@register.simple_tag
def sync_error(error: SyncError) -> SafeString:
    """A sync error in a line: what, since when, and the provider's message."""
    return format_html(
        "<strong>{}</strong>{}{}",
        error.label,
        format_html(" since {}", timestamp(error.since)) if error.since else "",
        format_html(": <bdi>{}</bdi>", error.message) if error.message else "",
    )


@register.simple_tag
def instance_status_badge(status: InstanceStatus, *, in_column: bool = False) -> SafeString:
    """How far an instance's restores are known, and the sync error that keeps us from more.

    In a column headed "Data complete up to (UTC)" only narrow screens, which hide the heads of
    columns, repeat that.
    """
    label, zone = status.label or "Data complete up to", "" if in_column else " UTC"
    if in_column and not status.label:
        label = mark_safe('<span class="cell-label">Complete up to</span>')
    return format_html(
        '<span class="sync-badge {}">{}{}{}</span>',
        status.css_class,
        label,
        format_html(" {}{}", short_timestamp(status.at), zone) if status.at else "",
        format_html(' <span class="sync-error">({})</span>', status.sync_error.label)
        if status.sync_error
        else "",
    )
