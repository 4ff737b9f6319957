"""The app's configuration."""

from django.apps import AppConfig
from django.core.checks import Tags, register

from restores.migration_state import check_migrations


class RestoresConfig(AppConfig):
    """The ``restores`` app."""

    name = "restores"
    verbose_name = "Restores"

    def ready(self) -> None:
        """Register the system check, and the handlers of changes to users."""
        from restores import sessions  # noqa: F401 - needs the models, which are loaded by now

        register(Tags.database)(check_migrations)
