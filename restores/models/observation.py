"""An observation: one seen change of a restore."""

from django.db import models
from django.utils import timezone

from restores.models.restore import Restore


class Observation(models.Model):
    """A state first seen at ``seen_at``; the change fell after ``seen_after``, the look before.

    ``seen_at`` is the cloud's clock; ``recorded_at`` ours, when we learnt of it.
    """

    restore = models.ForeignKey(
        Restore, on_delete=models.CASCADE, related_name="observations", db_index=False
    )
    seen_after = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField()
    recorded_at = models.DateTimeField(default=timezone.now)
    status = models.CharField(max_length=255, blank=True)
    progress = models.FloatField(null=True, blank=True)
    error_code = models.CharField(max_length=255, blank=True)

    class Meta:
        indexes = [
            models.Index("restore", "seen_at", name="observation_of"),
            models.Index("restore", "recorded_at", name="observation_known"),
            models.Index("recorded_at", name="observation_when"),
        ]

    def __str__(self) -> str:
        return f"{self.status} at {self.seen_at:%Y-%m-%d %H:%M:%S}"
