"""The database: accounts, projects, instances and their restores, and who may see them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from math import inf
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import models
from django.db.models import Case, Q, Value, When
from django.db.models.functions import Lower
from django.utils import timezone

from restores.explain.estimates import Usual, find_stuck_at, usual_of
from restores.querysets import (
    AppendOnlyError,
    AppendOnlyQuerySet,
    BackupQuerySet,
    EventQuerySet,
    InstanceQuerySet,
    ProjectQuerySet,
    RestoreQuerySet,
    VisibleQuerySet,
)
from restores.spellings import spellings
from restores.statuses import GROUPS, IN_PROGRESS, OTHER, STUCK, Status, status_of


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
    has the old number, and its writes are rejected.
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
    # A keyed fingerprint of the file's section: a changed credential ends a pause immediately.
    section_digest = models.CharField(max_length=64, blank=True, default="")

    def __str__(self) -> str:
        return self.name


class CallCount(models.Model):
    """How many requests to an account's cloud have ever had a response with this status.

    ``status`` is one of ``call_counts.STATUSES``, a class such as ``5xx``, or ``none``.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="call_counts")
    status = models.CharField(max_length=4)
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "status"], name="call_count_identity")
        ]

    def __str__(self) -> str:
        return f"{self.count} × {self.status} from {self.account}"


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
    owner = models.CharField(max_length=100, blank=True, default="", db_default="")
    console_url = models.CharField(max_length=500, blank=True, default="", db_default="")
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

    def console_url_of(self, instance_id: str) -> str:
        """The URL of an instance in the provider's console; empty if the projects file has none."""
        values = {
            "region": self.region,
            "project_id": self.project_id,
            "instance_id": instance_id,
        }
        url = self.console_url
        for name, value in values.items():
            url = url.replace(f"{{{name}}}", quote(value, safe=""))
        return url

    def is_one_of(self, values: Iterable[str]) -> bool:
        """Whether its name, or its id in any spelling of a ticket, is one of these values."""
        return any(self.name == one or self.project_id.lower() in spellings(one) for one in values)


class ProjectState(models.Model):
    """What every page shows about a project, kept by the sync so that no page counts instances.

    ``change_number`` grows with every change that a list of restores shows. The counts are of
    instances that still exist and, except for ``single_node_count``, can be synced; ``healthy``
    leaves out those whose sync fails.

    A separate table, because workers lock the rows of projects while they claim them.
    """

    project = models.OneToOneField(
        Project, on_delete=models.CASCADE, primary_key=True, related_name="state"
    )
    change_number = models.PositiveBigIntegerField(default=0)
    instance_count = models.PositiveIntegerField(default=0)
    single_node_count = models.PositiveIntegerField(default=0)
    sync_error_count = models.PositiveIntegerField(default=0)
    never_synced_count = models.PositiveIntegerField(default=0)
    healthy_never_synced_count = models.PositiveIntegerField(default=0)
    oldest_complete_to = models.DateTimeField(null=True, blank=True)
    healthy_oldest_complete_to = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"State of {self.project}"


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
    ``usual_p10`` and ``usual_p90`` are how long its restores usually take, by ``usual_count`` of
    its newest successes (``Usual``); NULL while those are too few.
    ``last_restore_id``, ``last_restore_at`` and ``last_status`` are those of its newest restore.
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
    usual_p10 = models.PositiveBigIntegerField(null=True, blank=True, help_text="seconds")
    usual_p90 = models.PositiveBigIntegerField(null=True, blank=True, help_text="seconds")
    usual_count = models.PositiveSmallIntegerField(null=True, blank=True)
    # Without a restore, NULL sorts after every status.
    last_restore_id = models.CharField(max_length=128, null=True, blank=True)
    last_restore_at = models.DateTimeField(null=True, blank=True)
    last_status = models.CharField(max_length=255, null=True, blank=True)

    objects = InstanceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "instance_id"], name="instance_identity")
        ]
        indexes = [
            models.Index("name", "id", name="instance_name"),
            models.Index(Lower("instance_id"), name="instance_id_lower"),
            # The first sync errors by name, on every page.
            models.Index(
                "project",
                "name",
                "id",
                name="instance_sync_error",
                condition=~Q(sync_error_kind=""),
            ),
            # Empty lists: what was deleted before its last restores could be synced.
            models.Index(
                "deleted_at", name="instance_deleted", condition=Q(deleted_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.instance_id

    @property
    def usual(self) -> Usual | None:
        """How long its restores usually take; None while too few have succeeded."""
        if self.usual_p10 is None or self.usual_p90 is None or self.usual_count is None:
            return None
        return Usual(p10=self.usual_p10, p90=self.usual_p90, count=self.usual_count)


def usual_fields(durations: Sequence[float]) -> dict[str, int | None]:
    """The fields of an instance whose successes took this long, oldest first."""
    usual = usual_of(durations)
    return {
        "usual_p10": usual.p10 if usual else None,
        "usual_p90": usual.p90 if usual else None,
        "usual_count": usual.count if usual else None,
    }


def last_restore_fields(restores: Iterable["Restore"]) -> dict[str, Any]:
    """The fields of an instance that has these restores: those of the newest.

    One without a creation time is the newest only if none has one.
    """
    # Those without a key are about to be stored, in their order.
    by_age = sorted(
        restores, key=lambda one: (one.created_at is not None, one.created_at, one.pk or inf)
    )
    newest = by_age[-1] if by_age else None
    return {
        "last_restore_id": newest.restore_id if newest else None,
        "last_restore_at": newest.created_at if newest else None,
        "last_status": newest.status if newest else None,
    }


class FormerName(models.Model):
    """A name that an instance or a project had ``until`` we saw another one, by our clock."""

    instance = models.ForeignKey(
        Instance, on_delete=models.CASCADE, null=True, blank=True, related_name="former_names"
    )
    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, null=True, blank=True, related_name="former_names"
    )
    name = models.CharField(max_length=255, db_index=True)
    until = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["until", "pk"]

    def __str__(self) -> str:
        return f"{self.name} until {self.until:%Y-%m-%d %H:%M:%S}"


class FormerProject(models.Model):
    """A project that an instance was in ``until`` we saw it in another one, by our clock."""

    instance = models.ForeignKey(Instance, on_delete=models.CASCADE, related_name="former_projects")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="former_instances")
    until = models.DateTimeField(db_index=True)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        ordering = ["until", "pk"]

    def __str__(self) -> str:
        return f"{self.instance} in {self.project} until {self.until:%Y-%m-%d %H:%M:%S}"


# What we observe of a restore: each change is one observation, which holds all of these.
OBSERVED_FIELDS = ("status", "progress", "error_code", "created_at", "ended_at", "duration")
# Values derived from when we observed it, also stored with each observation.
STILLNESS_FIELDS = ("unchanged_since", "stuck_at")

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

    ``ended_at`` is the first ``updated_at`` of a final status after the restore was last seen
    unfinished; later changes affect the record, not the end.
    ``restoring_after`` and ``restoring_by`` bound the time at which it began to restore: it was
    last seen not restoring at the first and first seen restoring at the second.
    ``moved_at`` is when a change of an observed field was last recorded, ``changed_at`` any change
    at all; ``slow`` restores were seen to move over more than two hours.
    ``unchanged_since`` is when its status and progress were first seen; ``stuck_at`` the time from
    which it is possibly stuck if nothing changes, NULL once it has ended.
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
    # Each tab of the list counts by equality on one column, which leads the indexes.
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
    # Why a time that was sent can't be used; NULL in rows that are older than these columns.
    created_problem = models.CharField(max_length=255, null=True, blank=True)
    updated_problem = models.CharField(max_length=255, null=True, blank=True)
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
    unchanged_since = models.DateTimeField(null=True, blank=True)
    stuck_at = models.DateTimeField(null=True, blank=True)
    missing_since = models.DateTimeField(null=True, blank=True)
    removed_upstream_at = models.DateTimeField(null=True, blank=True)
    search = models.TextField(blank=True)
    raw = models.TextField(blank=True)

    objects = RestoreQuerySet.as_manager()

    # The time of the snapshot that this state is from.
    as_of: datetime | None = None

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["instance", "restore_id"], name="restore_identity")
        ]
        # Each names the views that need it. Most end in the id, which breaks ties: a page is read
        # from an index without sorting.
        indexes = [
            # Restore page; filter "ids".
            models.Index("restore_id", name="restore_id"),
            models.Index(Lower("restore_id"), name="restore_id_lower"),
            models.Index("backup_id", name="restore_backup"),
            models.Index(Lower("backup_id"), name="restore_backup_lower"),
            # List, live and by creation; the same for members of projects.
            models.Index("created_at", "id", name="restore_created"),
            models.Index("project", "created_at", "id", name="restore_project"),
            # Filter "status", tab counts, pinned restores.
            models.Index("status_group", "created_at", "id", name="restore_status"),
            models.Index(
                "project", "status_group", "created_at", "id", name="restore_project_status"
            ),
            # Tabs of unknown statuses: rare, and their rows are all over the table.
            models.Index(
                "status_group",
                "project",
                "created_at",
                "status",
                name="restore_other",
                condition=Q(status_group=OTHER),
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
            # Error code page: how a code of unknown spelling is stored.
            models.Index(
                Lower("error_code"), name="restore_code_like", condition=~Q(error_code="")
            ),
            # List by end ("on=ended", "sort=ended"); the same for members of projects.
            models.Index("ended_at", "id", name="restore_ended"),
            models.Index("project", "ended_at", "id", name="restore_project_ended"),
            # List by duration; the longest one bounds "on=running".
            models.Index("duration", "id", name="restore_duration"),
            # List sorted by status or code.
            models.Index("status", "id", name="restore_by_status"),
            models.Index("error_code", "id", name="restore_by_code", condition=~Q(error_code="")),
            # Restores that may still change, in all projects or one (sync); "on=changed".
            models.Index("changed_at", "id", name="restore_changed"),
            models.Index("project", "changed_at", "id", name="restore_project_changed"),
            # Snapshots: what has changed since.
            models.Index("moved_at", "first_seen_at", name="restore_moved"),
            models.Index("moved_at", "first_seen_at", name="restore_slow", condition=Q(slow=True)),
        ]

    def __str__(self) -> str:
        return self.restore_name or self.restore_id

    @property
    def stuck(self) -> bool:
        """Whether it is possibly stuck, as far as syncs have proven; see ``find_stuck_at``."""
        if self.stuck_at is None or self.status not in IN_PROGRESS:
            return False
        return self._known_to is not None and self.stuck_at <= self._known_to

    @property
    def shown_status(self) -> Status:
        """The status that pages show."""
        return STUCK if self.stuck else status_of(self.status)

    @property
    def unchanged_for(self) -> float | None:
        """Seconds for which it provably stood still: up to the last sync, not up to now."""
        known_to = self._known_to
        if known_to is None or self.unchanged_since is None:
            return None
        return max(0.0, (known_to - self.unchanged_since).total_seconds())

    @property
    def _known_to(self) -> datetime | None:
        """The last complete sync; in a snapshot, no later than the snapshot."""
        complete_to = self.instance.complete_to
        return min(complete_to, self.as_of) if complete_to and self.as_of else complete_to

    def update_stuck_at(self, usual: Usual | None, *, reports_progress: bool) -> bool:
        """Set, but do not save, ``stuck_at``; return whether it changed.

        It is unknown whether a restore that is missing from the list has stopped.
        """
        before, self.stuck_at = self.stuck_at, None
        if self.unchanged_since and not self.missing_since:
            self.stuck_at = find_stuck_at(
                self.status,
                self.created_at,
                self.unchanged_since,
                usual,
                reports_progress=reports_progress,
            )
        return self.stuck_at != before


class Observation(models.Model):
    """A state first seen at ``seen_at``: it changed after ``seen_after``, the sync before.

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
    created_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    duration = models.FloatField(null=True, blank=True, help_text="seconds")
    unchanged_since = models.DateTimeField(null=True, blank=True)
    stuck_at = models.DateTimeField(null=True, blank=True)

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

    objects = BackupQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["instance", "backup_id"], name="backup_identity")
        ]
        indexes = [models.Index(Lower("backup_id"), name="backup_id_lower")]

    def __str__(self) -> str:
        return self.backup_name or self.backup_id


class AppendOnly(models.Model):
    """A row that is written once: changing or deleting it raises AppendOnlyError."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add the row; refuse to write one again."""
        if not self._state.adding:
            raise AppendOnlyError
        # With the key of another row, save() would change that row.
        super().save(*args, **kwargs | {"force_insert": True})

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refuse."""
        raise AppendOnlyError


class Event(AppendOnly):
    """One line of the audit log: who did what to what, about which projects, and from where.

    ``restores/audit.py`` writes it. ``username`` is the name that the user had then, or that
    somebody tried to sign in with; it stays when the user is renamed or deleted.
    """

    at = models.DateTimeField(auto_now_add=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    username = models.CharField(max_length=150, blank=True, default="", db_default="")
    what = models.CharField(max_length=40)
    subject = models.CharField(max_length=500, blank=True)
    address = models.CharField(max_length=45, blank=True, default="", db_default="")
    projects = models.ManyToManyField(Project, through="EventProject", related_name="+")

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index("at", "id", name="event_at"),
            models.Index("what", "at", "id", name="event_what"),
            models.Index("username", "at", "id", name="event_username"),
        ]

    def __str__(self) -> str:
        return f"{self.username} {self.what} {self.subject}"


class EventProject(AppendOnly):
    """A project that an event is about."""

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="+")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event", "project"], name="event_project_identity")
        ]

    def __str__(self) -> str:
        return f"{self.event} in {self.project}"


class FailedSignIn(models.Model):
    """A wrong password, or one that is being checked; deleted once it is too old to count.

    The account is what somebody typed as the username, in lower case; it need not exist.
    """

    account = models.CharField(max_length=150)
    address = models.CharField(max_length=45)
    at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [
            models.Index("account", "id", name="failed_sign_in_account"),
            models.Index("address", "id", name="failed_sign_in_address"),
        ]

    def __str__(self) -> str:
        return f"{self.account} from {self.address}"


class UserSession(models.Model):
    """What Django's row of a session lacks: whose it is, where, and since when.

    It is deleted with that row. ``active_at`` is updated every ten minutes at most.
    """

    # Without a constraint: an older version, running during an upgrade or after a rollback, deletes
    # sessions without knowing this table.
    session = models.OneToOneField(
        Session, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    signed_in_at = models.DateTimeField()
    active_at = models.DateTimeField()
    browser = models.CharField(max_length=60)
    address = models.CharField(max_length=45, blank=True)

    class Meta:
        ordering = ["-active_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.browser} since {self.signed_in_at:%Y-%m-%d %H:%M:%S}"


class ApiToken(models.Model):
    """A token that reads the dashboard's endpoints for a program, as its user could.

    The token itself is never stored: ``public_id`` is the part of it that isn't secret, ``digest``
    a keyed digest of the whole. Without ``all_projects`` it reads only ``projects``.
    ``last_used_at`` is the minute of its last use, and ``requests`` how many there were in it.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=100)
    public_id = models.CharField(max_length=12, unique=True)
    digest = models.CharField(max_length=64)
    all_projects = models.BooleanField(default=False)
    projects = models.ManyToManyField(Project, related_name="+", blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    requests = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = "API token"

    def __str__(self) -> str:
        return f"{self.name} (dcs_{self.public_id}_…)"


class Heartbeat(models.Model):
    """When a worker last finished a tick, and since when most ticks are lost, if they are."""

    TICK_FINISHED, TICKS_LOST = 1, 2  # the keys of the two rows

    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S}"
