"""The wiring of the dashboard: settings, URLs, Celery, headers, health."""

__version__ = "0.1.0"
