"""What every row of the ledger has: a lease to hold and a fault to show."""

from django.db import models


class Faulty(models.Model):
    """Why our last look failed and since when; an empty kind means it did not."""

    sync_error_kind = models.CharField(max_length=20, blank=True, default="")
    sync_error_message = models.CharField(max_length=500, blank=True, default="")
    sync_error_since = models.DateTimeField(null=True, blank=True)
    sync_error_request_id = models.CharField(max_length=128, blank=True, default="")

    class Meta:
        abstract = True


class Leased(Faulty):
    """A row that one worker at a time may hold.

    ``fencing_token`` counts the claims: a worker that comes back after its lease still has the old
    number, and what it would write is refused.
    """

    lease_until = models.DateTimeField(null=True, blank=True)
    fencing_token = models.PositiveBigIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0, help_text="claims without an end")
    failures = models.PositiveIntegerField(default=0, help_text="faults in a row")

    class Meta:
        abstract = True
