"""The database: accounts, projects, instances and their restores, and who may see them."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Case, Q, Value, When
from django.utils import timezone

from restores.querysets import InstanceQuerySet, ProjectQuerySet, RestoreQuerySet
from restores.statuses import GROUPS, OTHER


class SyncErrorMixin(models.Model):
    """Why the last sync failed and since when; the kind is empty if it did not."""

    sync_error_kind = models.CharField(max_length=20, blank=True, default="")
    sync_error_message = models.CharField(max_length=500, blank=True, default="")
    sync_error_since = models.DateTimeField(null=True, blank=True)
    sync_error_request_id = models.CharField(max_length=128, blank=True, default="")

    class Meta:
        abstract = True


# The fields of a row whose last sync did not fail.
NO_SYNC_ERROR: dict[str, Any] = {
    "sync_error_kind": "",
    "sync_error_message": "",
    "sync_error_since": None,
    "sync_error_request_id": "",
}


class LeaseMixin(SyncErrorMixin):
    """A row that one worker at a time may hold.

    ``fencing_token`` counts the claims: a worker that comes back after its lease has expired still
    has the old number, and what it would write is rejected.
    """

    lease_until = models.DateTimeField(null=True, blank=True)
    fencing_token = models.PositiveBigIntegerField(default=0)
    # Two counters: an error only makes the next sync wait longer, but a sync that ended its worker
    # is retried alone, and not at all after three. With one, an outage would look like a crash.
    attempts = models.PositiveIntegerField(default=0, help_text="claims without a result")
    failures = models.PositiveIntegerField(default=0, help_text="sync errors in a row")

    class Meta:
        abstract = True


class Account(SyncErrorMixin):
    """One credential at one cloud, with its rate limit; the credential itself is never stored."""

    name = models.CharField(max_length=100, unique=True)
    reserved_until = models.DateTimeField(null=True, blank=True)
    paused_until = models.DateTimeField(null=True, blank=True)
    refusals = models.PositiveIntegerField(default=0)
    next_discovery_at = models.DateTimeField(null=True, blank=True)
    # A keyed fingerprint of the file's section: a changed credential ends a pause at once.
    section_digest = models.CharField(max_length=64, blank=True, default="")

    def __str__(self) -> str:
        return self.name


class Project(LeaseMixin):
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


class Membership(models.Model):
    """A user's access to one project; a superuser needs none."""

    class Role(models.TextChoices):
        VIEWER = "viewer"
        SUPPORT = "support"
        ADMIN = "admin"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships"
    )
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.VIEWER)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "project"], name="membership_identity")
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.project} as {self.role}"


class Instance(LeaseMixin):
    """A Redis instance, and the time up to which its restores are provably complete.

    ``complete_to`` is the cloud's time of the last response that was provably complete.
    A single-node instance cannot be restored: it is listed but never synced.
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
            # The oldest complete_to, and what keeps it back, without reading every instance.
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


# The provider's own values under the provider's own names, next to the restore's id.
RECORD_FIELDS = (
    "restore_name",
    "backup_id",
    "backup_name",
    "restore_remark",
    "backup_remark",
    "status",
    "progress",
    "error_code",
    "created_at",
    "updated_at",
)


class Restore(models.Model):
    """The last known state of one restoration record; never deleted.

    ``restoring_after`` and ``restoring_by`` bound the time at which it began to restore: it was
    last seen not restoring at the first and first seen restoring at the second.
    ``moved_at`` is when another status, progress or error code was last recorded, ``changed_at``
    any change at all; ``slow`` restores were seen to move over more than two hours.
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
    # What a tab of the list counts is one equality on one column, which leads the indexes.
    status_group = models.GeneratedField(
        expression=Case(
            *(When(status__in=statuses, then=Value(group)) for group, statuses in GROUPS.items()),
            default=Value(OTHER),
        ),
        output_field=models.CharField(max_length=12),
        db_persist=True,
    )
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
        # Each names the views that need it. Most end in the id, which breaks ties: a page is read
        # off an index without sorting.
        indexes = [
            # Restore page; filter "ids".
            models.Index("restore_id", name="restore_id"),
            models.Index("backup_id", name="restore_backup"),
            # List, live and by creation; the same for members of projects.
            models.Index("created_at", "id", name="restore_created"),
            models.Index("project", "created_at", "id", name="restore_project"),
            # Filter "status", tab counts, pinned restores.
            models.Index("status_group", "created_at", "id", name="restore_status"),
            models.Index(
                "project", "status_group", "created_at", "id", name="restore_project_status"
            ),
            # Tab "Unresolved": PostgreSQL would read the whole table to count them.
            models.Index(
                "status_group",
                "created_at",
                "id",
                name="restore_unresolved",
                condition=Q(status_group="failed", recovered_at=None),
            ),
            models.Index(
                "project",
                "status_group",
                "created_at",
                "id",
                name="restore_project_unresolved",
                condition=Q(status_group="failed", recovered_at=None),
            ),
            # Instance page; filter "instance" and its tab counts.
            models.Index("instance", "created_at", "id", name="restore_instance"),
            models.Index(
                "instance", "status_group", "created_at", "id", name="restore_instance_status"
            ),
            # Filter "code", one or any.
            models.Index(
                "error_code", "created_at", "id", name="restore_code", condition=~Q(error_code="")
            ),
            models.Index("created_at", "id", name="restore_coded", condition=~Q(error_code="")),
            models.Index(
                "project",
                "error_code",
                "created_at",
                "id",
                name="restore_project_code",
                condition=~Q(error_code=""),
            ),
            # List by end ("on=ended", "sort=ended"); the same for members of projects.
            models.Index("ended_at", "id", name="restore_ended"),
            models.Index("project", "ended_at", "id", name="restore_project_ended"),
            # List by duration; the longest one bounds "on=running".
            models.Index("duration", "id", name="restore_duration"),
            # List sorted by status or code.
            models.Index("status", "id", name="restore_by_status"),
            models.Index("error_code", "id", name="restore_by_code", condition=~Q(error_code="")),
            # ETag of the list: the newest changes, of all projects and of some; "on=changed".
            models.Index("changed_at", "id", name="restore_changed"),
            models.Index("project", "changed_at", "id", name="restore_project_changed"),
            # Snapshots: what has changed since.
            models.Index("moved_at", "first_seen_at", name="restore_moved"),
            models.Index("moved_at", "first_seen_at", name="restore_slow", condition=Q(slow=True)),
        ]

    def __str__(self) -> str:
        return self.restore_name or self.restore_id


class Observation(models.Model):
    """A status first seen at ``seen_at``: it changed after ``seen_after``, the sync before.

    ``seen_at`` is the cloud's clock; ``recorded_at`` is ours, when we stored it.
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


class Backup(models.Model):
    """The last known state of a backup record, kept after the cloud has deleted it."""

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


class Event(models.Model):
    """One line of the audit log: who did what; written once, never changed."""

    at = models.DateTimeField(auto_now_add=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    what = models.CharField(max_length=40)
    subject = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.what} {self.subject}"


class Heartbeat(models.Model):
    """One row: when a worker last finished a tick."""

    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S}"
