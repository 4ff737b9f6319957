"""Where pages are: asked for often, so without a search through all routes."""

from functools import cache

from django.urls import reverse

from restores.converters import IdConverter

_to_url = IdConverter().to_url


def restore_path(restore_id: str) -> str:
    """The path of a restore's page."""
    before, after = _around()
    return f"{before}{_to_url(restore_id)}{after}"


@cache
def path_of(name: str) -> str:
    """The path of a page that takes no arguments."""
    return reverse(name)


@cache
def _around() -> tuple[str, str]:
    before, _, after = reverse("restore-detail", args=["id"]).rpartition("id")
    return before, after
