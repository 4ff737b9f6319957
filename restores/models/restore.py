"""A restore: one restoration record, kept for ever."""

from django.db import models
from django.db.models import Q

from restores.models.instance import Instance
from restores.models.project import Project
from restores.querysets import LONG, RestoreQuerySet
from restores.statuses import FAILED, FINAL


class Restore(models.Model):
    """The last known state of one restoration record.

    ``restoring_after`` and ``restoring_by`` bound the moment at which it began to restore:
    it was last seen not restoring at the first and first seen restoring at the second.
    ``moved_at`` is when we last learnt of another status, progress or code, ``changed_at`` of
    anything at all; ``slow`` ones were seen to move over more than two hours.
    """

    instance = models.ForeignKey(
        Instance, on_delete=models.PROTECT, related_name="restores", db_index=False
    )
    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, related_name="restores", db_index=False
    )
    restore_id = models.CharField(max_length=128)
    restore_name = models.TextField(blank=True)
    backup_id = models.CharField(max_length=255, blank=True)
    backup_name = models.TextField(blank=True)
    restore_remark = models.TextField(blank=True)
    backup_remark = models.TextField(blank=True)
    status = models.CharField(max_length=255, blank=True)
    progress = models.FloatField(null=True, blank=True)
    error_code = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    duration = models.FloatField(null=True, blank=True, help_text="seconds")
    restoring_after = models.DateTimeField(null=True, blank=True)
    restoring_by = models.DateTimeField(null=True, blank=True)
    backup_taken_at = models.DateTimeField(null=True, blank=True)
    recovered_at = models.DateTimeField(null=True, blank=True)
    first_seen_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    moved_at = models.DateTimeField(null=True, blank=True)
    slow = models.BooleanField(default=False)
    missing_since = models.DateTimeField(null=True, blank=True)
    removed_upstream_at = models.DateTimeField(null=True, blank=True)
    search = models.TextField(blank=True)
    raw = models.TextField(blank=True)

    objects = RestoreQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["instance", "restore_id"], name="restore_identity")
        ]
        # Each ends in the id, which breaks ties: a page is read off an index without sorting.
        indexes = [
            models.Index("restore_id", name="restore_id"),
            models.Index("backup_id", name="restore_backup"),
            models.Index("created_at", "id", name="restore_created"),
            models.Index("project", "created_at", "id", name="restore_project"),
            models.Index("project", "status", "created_at", "id", name="restore_project_status"),
            models.Index("instance", "created_at", "id", name="restore_instance"),
            models.Index("status", "created_at", "id", name="restore_status"),
            models.Index("status", "id", name="restore_by_status"),
            models.Index(
                "error_code", "created_at", "id", name="restore_code", condition=~Q(error_code="")
            ),
            models.Index("error_code", "id", name="restore_by_code", condition=~Q(error_code="")),
            models.Index("created_at", "id", name="restore_coded", condition=~Q(error_code="")),
            models.Index(
                "status",
                "created_at",
                "id",
                name="restore_coded_status",
                condition=~Q(error_code=""),
            ),
            models.Index("ended_at", "id", name="restore_ended"),
            models.Index("duration", "id", name="restore_duration"),
            models.Index("changed_at", "id", name="restore_changed"),
            models.Index("moved_at", "first_seen_at", name="restore_moved"),
            models.Index("moved_at", "first_seen_at", name="restore_slow", condition=Q(slow=True)),
            # Those whose own length is no bound for when they may have been in progress.
            models.Index(
                "created_at",
                "id",
                name="restore_open",
                condition=~Q(status__in=FINAL) | Q(duration__gt=LONG),
            ),
            # What one code's restores came to, without reading them.
            models.Index(
                "error_code",
                "status",
                "recovered_at",
                name="restore_code_ends",
                condition=~Q(error_code=""),
            ),
            # By their status too, or SQLite would take the longer index that has it.
            models.Index(
                "project",
                "status",
                "created_at",
                "id",
                name="restore_project_failed",
                condition=Q(status=FAILED.value, recovered_at=None),
            ),
            models.Index(
                "status",
                "created_at",
                "id",
                name="restore_still_failed",
                condition=Q(status=FAILED.value, recovered_at=None),
            ),
        ]

    def __str__(self) -> str:
        return self.restore_name or self.restore_id
