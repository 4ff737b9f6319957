"""A Redis instance of a project, with its line in the ledger."""

from django.db import models
from django.db.models import Q

from restores.models.ledger import Leased
from restores.models.project import Project
from restores.querysets import InstanceQuerySet


class Instance(Leased):
    """An instance, and how far its restores are known.

    ``complete_to`` is the server's instant of the last response that was provably complete.
    A single-node instance cannot be restored, so it is listed but never looked at.
    """

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="instances")
    instance_id = models.CharField(max_length=128, db_index=True)
    name = models.CharField(max_length=255, blank=True)
    engine = models.CharField(max_length=255, blank=True)
    spec = models.CharField(max_length=255, blank=True)
    az = models.CharField(max_length=255, blank=True)
    ip = models.CharField(max_length=255, blank=True)
    domain = models.CharField(max_length=255, blank=True)
    status = models.CharField(max_length=255, blank=True)
    single_node = models.BooleanField(default=False)
    search = models.TextField(blank=True)
    listed_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    next_sync_at = models.DateTimeField(null=True, blank=True, db_index=True)
    backups_due_at = models.DateTimeField(null=True, blank=True)
    synced_at = models.DateTimeField(null=True, blank=True)
    complete_to = models.DateTimeField(null=True, blank=True)
    digest = models.CharField(max_length=64, blank=True, default="")

    objects = InstanceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "instance_id"], name="instance_identity")
        ]
        indexes = [
            models.Index("name", "id", name="instance_name"),
            # How far everything is known, and what keeps us from it, without reading all.
            models.Index(
                "complete_to",
                name="instance_proven",
                condition=Q(single_node=False, deleted_at=None),
            ),
            models.Index(
                "name",
                "id",
                name="instance_lacking",
                condition=~Q(sync_error_kind="") | Q(complete_to=None),
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.instance_id
