"""Small HTML components, for templates and for the cells of tables."""

from collections.abc import Iterable

from django import template
from django.conf import settings
from django.template import Context
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from restores.explain.estimates import SLOW_FACTOR, Usual, format_duration
from restores.formatting import zone_name
from restores.instance_status import InstanceStatus
from restores.statuses import Status
from restores.sync_errors import SyncError
from restores.templatetags.display import short_timestamp, timestamp

register = template.Library()


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon of the sprite ``static/icons.svg``, hidden from screen readers."""
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>', static("icons.svg"), name
    )


@register.simple_tag
def operator_help(anchor: str) -> str:
    """A link to the section of docs/operations.md on a notice, if DOCS_URL says where it is."""
    if not settings.DOCS_URL:
        return ""
    url = f"{settings.DOCS_URL}/operations.md#{anchor}"
    return format_html('<p><a href="{}">For operators: what this means and what to do</a></p>', url)


@register.simple_tag(takes_context=True)
def nav_link(
    context: Context,
    view_name: str,
    label: str,
    symbol: str,
    key: str,
    section: str = "",
    query: str = "",
) -> SafeString:
    """A link of the main navigation, marked on its page and on those of its section.

    ``key`` follows it by keyboard, after ``g``. The icon is shown on phones.
    """
    match = context["request"].resolver_match
    here = match.view_name if match else ""
    current = ""
    if here == view_name:
        current = "page"
    elif section and here.startswith(section):
        current = "true"
    return format_html(
        '<a href="{}{}"{} data-go="{}">{}{}</a>',
        reverse(view_name),
        query,
        format_html(' aria-current="{}"', current) if current else "",
        key,
        icon(symbol),
        label,
    )


@register.simple_tag
def copy_button(what: str, key: int | str = "") -> SafeString:
    """A button that copies the text of an element: that of “backup ID” and 7 has the id
    ``backup-id-7``. The page loads ``copy.js``.
    """
    element = "-".join(filter(None, (*what.lower().split(), str(key))))
    return format_html(
        '<button type="button" class="copy" data-copy="{}" aria-label="Copy {}">Copy</button>',
        element,
        what,
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
def usual_bar(seconds: float, usual: Usual) -> SafeString:
    """A duration as a mark on a line that has the range of the usual ones."""
    scale = 100 / max(1.8 * usual.p90, 1.03 * seconds, 1)
    words = f"{format_duration(seconds)}; {usual}"
    return format_html(
        '<svg class="usual{}" role="img" aria-label="{}"><title>{}</title>'
        '<rect class="base" y="5" width="100%" height="2"/>'
        '<rect class="band" x="{}%" y="3" width="{}%" height="6" rx="3"/>'
        '<rect class="at" x="{}%" width="3" height="12" rx="1.5"/></svg>',
        " slow" if seconds > SLOW_FACTOR * usual.p90 else "",
        words,
        words,
        round(usual.p10 * scale, 1),
        round((usual.p90 - usual.p10) * scale, 1),
        round(seconds * scale, 1),
    )


@register.simple_tag
def sync_error(error: SyncError) -> SafeString:
    """A sync error in one line: what, since when, and the provider's message."""
    return format_html(
        "<strong>{}</strong>{}{}",
        error.label,
        format_html(" since {}", timestamp(error.since)) if error.since else "",
        format_html(": <bdi>{}</bdi>", error.message) if error.message else "",
    )


@register.simple_tag
def instance_status_badge(status: InstanceStatus, *, in_column: bool = False) -> SafeString:
    """How current an instance's restores are, and the sync error that keeps them from being so.

    In a column headed "Data complete up to (UTC)" only narrow screens, which hide the headers of
    columns, repeat that.
    """
    label = status.label or "Data complete up to"
    zone = "" if in_column else f" {zone_name()}"
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


@register.simple_tag
def marked_text(parts: Iterable[tuple[str, str]]) -> SafeString:
    """Text in parts, each marked by its class if it has one; nothing is added between them."""
    return format_html_join(
        "",
        "{}",
        (
            (format_html('<mark class="{}">{}</mark>', css_class, text) if css_class else text,)
            for text, css_class in parts
        ),
    )
