"""The dashboard with its rivals beside it, on the database that DATABASE_URL names."""

from pathlib import Path

from bench.collector import scene


def ready(*, migrated: bool = False) -> None:
    """Set Django up so that the rivals' pages have addresses, too."""
    scene.ready(migrated=migrated)
    from django.conf import settings

    settings.ROOT_URLCONF = "bench.pages.rivals"
    settings.TEMPLATES[0]["DIRS"].append(str(Path(__file__).parent / "templates"))
    settings.STORAGES["staticfiles"]["BACKEND"] = (
        "django.contrib.staticfiles.storage.StaticFilesStorage"
    )
    settings.ALLOWED_HOSTS.append("testserver")
