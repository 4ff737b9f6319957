"""When the collector last showed that it works."""

from django.db import models


class Heartbeat(models.Model):
    """One row: the instant at which a worker last finished a tick."""

    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S}"
