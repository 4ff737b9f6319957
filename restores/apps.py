"""The app's configuration."""

from django.apps import AppConfig


class RestoresConfig(AppConfig):
    """Restores, with its models in a package."""

    name = "restores"
    verbose_name = "Restores"
