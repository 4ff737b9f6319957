"""Where a restore's page is: asked for once a row, so without a search through all routes."""

from functools import cache

from django.urls import reverse

from restores.converters import IdConverter

_to_url = IdConverter().to_url


def restore_path(restore_id: str) -> str:
    """The path of a restore's page."""
    before, after = _around()
    return f"{before}{_to_url(restore_id)}{after}"


@cache
def _around() -> tuple[str, str]:
    before, _, after = reverse("restore-detail", args=["id"]).rpartition("id")
    return before, after
