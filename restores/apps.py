"""The app's configuration."""

from django.apps import AppConfig


class RestoresConfig(AppConfig):
    """The ``restores`` app."""

    name = "restores"
    verbose_name = "Restores"
