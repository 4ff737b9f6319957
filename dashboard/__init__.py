"""The wiring of the dashboard: settings, URLs, Celery, headers, health."""
