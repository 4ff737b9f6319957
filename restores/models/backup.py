"""A backup: what a restore was made from, kept after the cloud has dropped it."""

from django.db import models

from restores.models.instance import Instance


class Backup(models.Model):
    """The last known state of one backup record."""

    instance = models.ForeignKey(Instance, on_delete=models.PROTECT, related_name="backups")
    backup_id = models.CharField(max_length=128)
    backup_name = models.TextField(blank=True)
    backup_type = models.CharField(max_length=255, blank=True)
    backup_format = models.CharField(max_length=255, blank=True)
    status = models.CharField(max_length=255, blank=True)
    remark = models.TextField(blank=True)
    error_code = models.CharField(max_length=255, blank=True)
    size = models.BigIntegerField(null=True, blank=True, help_text="bytes")
    created_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(null=True, blank=True)
    first_seen_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    raw = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["instance", "backup_id"], name="backup_identity")
        ]

    def __str__(self) -> str:
        return self.backup_name or self.backup_id
