"""What our Jinja templates know besides what a view gives them."""

from typing import Any

from django.templatetags.static import static
from jinja2 import Environment

from restores.paths import path_of
from restores.restore_list.forms import column_choice, window_extras


def environment(**options: Any) -> Environment:
    """Make the environment that settings ask for."""
    made = Environment(**options)  # noqa: S701 - Django's backend asks it to escape
    made.globals |= {
        "static": static,
        "url": path_of,
        "column_choice": column_choice,
        "window_extras": window_extras,
    }
    return made
