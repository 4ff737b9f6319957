"""Small HTML components, for templates and for the cells of tables."""

from functools import cache

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from restores.statuses import Status

register = template.Library()


@register.simple_tag
@cache
def icon(name: str) -> SafeString:
    """An icon of the sprite ``static/icons.svg``, hidden from screen readers."""
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>', static("icons.svg"), name
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
