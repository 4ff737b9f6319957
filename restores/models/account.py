"""An account: one credential at one cloud."""

from django.db import models

from restores.models.ledger import Faulty


class Account(Faulty):
    """The shared limit of upstream calls; the credential itself is never stored."""

    name = models.CharField(max_length=100, unique=True)
    reserved_until = models.DateTimeField(null=True, blank=True)
    paused_until = models.DateTimeField(null=True, blank=True)
    refusals = models.PositiveIntegerField(default=0)
    next_discovery_at = models.DateTimeField(null=True, blank=True)
    # A keyed fingerprint of the file's section: a changed credential ends a pause at once.
    section_digest = models.CharField(max_length=64, blank=True, default="")

    def __str__(self) -> str:
        return self.name
