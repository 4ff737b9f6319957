"""A project of a cloud, as the projects file names it."""

from django.db import models

from restores.models.account import Account
from restores.models.ledger import Leased
from restores.querysets import ProjectQuerySet


class Project(Leased):
    """A project that is, or was, monitored."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="projects")
    endpoint = models.CharField(max_length=255)
    project_id = models.CharField(max_length=128)
    name = models.CharField(max_length=100)
    region = models.CharField(max_length=100, blank=True)
    customer = models.CharField(max_length=100, blank=True)
    customer_ref = models.CharField(max_length=100, blank=True)
    time_zone = models.CharField(max_length=64, blank=True)
    interval = models.PositiveIntegerField(default=900, help_text="seconds")
    monitored = models.BooleanField(default=True)
    next_sync_at = models.DateTimeField(null=True, blank=True, db_index=True)
    next_discovery_at = models.DateTimeField(null=True, blank=True)
    listed_at = models.DateTimeField(null=True, blank=True)
    # Whether its cloud was ever seen to report progress between 0 and 100.
    reports_progress = models.BooleanField(default=False, db_default=False)
    restoring_count = models.PositiveIntegerField(null=True, blank=True)
    restoring_count_at = models.DateTimeField(null=True, blank=True)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "project_id"], name="project_identity")
        ]

    def __str__(self) -> str:
        return self.name
