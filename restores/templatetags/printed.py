"""Parts of a page that are printed by Jinja: those of the list, where the time goes."""

from typing import Any

from django import template
from django.template.loader import get_template
from django.utils.safestring import SafeString

from restores.paths import path_of

register = template.Library()


@register.simple_tag(takes_context=True)
def printed(context: template.Context, name: str) -> SafeString:
    """A Jinja template with the page's values; it escapes by itself, too."""
    values: dict[str, Any] = {str(key): value for key, value in context.flatten().items()}
    values["here"] = path_of("restore-list")
    return rendered(name, values)


def rendered(name: str, values: dict[str, Any]) -> SafeString:
    """A Jinja template with these values."""
    return SafeString(get_template(name, using="jinja").render(values))
