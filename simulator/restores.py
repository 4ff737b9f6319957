"""Simulated backups and restores: when each starts and ends, how it progresses, how it ends."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from random import Random
from typing import Literal

from .inventory import Instance, random_remark
from .rng import random_uuid, seeded

UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 86_400
AUTO_KEPT = timedelta(days=7)
MANUAL_KEPT = timedelta(days=400)
# An instance has at most one manual backup in each of these periods, in seconds.
MANUAL_PERIOD = 45 * DAY

ERROR_CODES = tuple(f"dcs.08.000{number}" for number in range(1, 9))
ERROR_CODE_WEIGHTS = (8, 22, 3, 6, 4, 12, 40, 2)
# These fail before any data moves.
EARLY_ERROR_CODES = frozenset(ERROR_CODES[:1] + ERROR_CODES[2:6])
# The longest that a restore and the retry after it can take together.
LONGEST_ATTEMPTS = timedelta(minutes=95)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """One backup from start to end."""

    backup_id: str
    kind: Literal["auto", "manual"]
    created_at: datetime
    ended_at: datetime
    size: int
    remark: str | None
    failed: bool

    def status(self, now: datetime) -> str:
        """Return the API's status at ``now``."""
        if now < self.ended_at:
            return "backuping"
        return "failed" if self.failed else "succeed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore:
    """One restore from start to end.

    It waits from ``created_at`` to ``started_at``, reaches ``max_progress`` percent within
    ``ramp`` in steps of ``progress_step``, and stays there until ``ended_at``.
    """

    restore_id: str
    backup: Backup
    created_at: datetime
    started_at: datetime
    ended_at: datetime
    ramp: timedelta
    max_progress: int
    progress_step: int
    final_status: str
    error_code: str | None
    remark: str | None

    def status(self, now: datetime) -> str:
        """Return the API's status at ``now``."""
        if now < self.started_at:
            return "waiting"
        return "restoring" if now < self.ended_at else self.final_status

    def progress(self, now: datetime) -> int:
        """Return the percentage done, as coarsely as the region reports it."""
        if now < self.started_at:
            return 0
        if now >= self.ended_at:
            return 100 if self.final_status == "succeed" else self.max_progress
        done = int(self.max_progress * min(1.0, (now - self.started_at) / self.ramp))
        return min(done // self.progress_step * self.progress_step, 99)

    def in_progress(self, now: datetime) -> bool:
        """Whether it has been created and has not ended."""
        return self.created_at <= now < self.ended_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """How a manually requested restore goes: ``waiting`` seconds, then ``seconds`` restoring.

    It succeeds unless it has an error ``code``. Without ``backup_id`` it uses the newest backup.
    """

    backup_id: str | None = None
    remark: str | None = None
    waiting: float = 5
    seconds: float = 60
    code: str | None = None

    def __post_init__(self) -> None:
        for seconds in (self.waiting, self.seconds):
            if not 0 <= seconds <= DAY:
                raise ValueError(f"{seconds} s: must be 0 to {DAY}")


def since_1970(seconds: float) -> datetime:
    """Return the time this many seconds after 1970, truncated to the API's milliseconds."""
    return UNIX_EPOCH + timedelta(milliseconds=int(seconds * 1000))


def backups_kept(seed: int, instance: Instance, now: datetime) -> list[Backup]:
    """Return the backups that the cloud still keeps at ``now``, newest first."""
    if not instance.restorable:
        return []
    seconds = (now - UNIX_EPOCH).total_seconds()
    today = int(seconds // DAY)
    found = [_automatic(seed, instance, day) for day in range(today - 7, today + 1)]
    found = [each for each in found if each.created_at > now - AUTO_KEPT]
    oldest = int((seconds - MANUAL_KEPT.total_seconds()) // MANUAL_PERIOD)
    for period in range(oldest, int(seconds // MANUAL_PERIOD) + 1):
        if backup := _manual(seed, instance, period):
            found.append(backup)
    found = [each for each in found if instance.created_at < each.created_at <= now]
    return sorted(found, key=lambda backup: backup.created_at, reverse=True)


@lru_cache(maxsize=30_000)
def attempts(seed: int, instance: Instance, key: str, created_at: datetime) -> tuple[Restore, ...]:
    """Return the restore that ``key`` names and, if it fails, usually a second attempt."""
    rng = seeded(seed, instance.instance_id, key)
    backup = _backup_to_restore(seed, rng, instance, created_at)
    first = _random_restore(rng, instance, backup, created_at, failing=rng.random() < 0.1)
    if rng.random() < 1 / 80:
        first = _stuck(rng, first)
    if first.final_status != "failed" or rng.random() < 0.2:
        return (first,)
    pause = timedelta(seconds=int(rng.uniform(180, 1800)), milliseconds=417)
    again = first.ended_at + pause
    return first, _random_restore(rng, instance, backup, again, failing=rng.random() < 0.05)


def requested(
    seed: int,
    instance: Instance,
    backup: Backup,
    created_at: datetime,
    scenario: Scenario,
    number: int,
) -> Restore:
    """Return the restore that a scenario describes; ``number`` keeps its id unique."""
    rng = seeded(seed, instance.instance_id, "ordered", created_at.isoformat(), number)
    started_at = created_at + timedelta(seconds=scenario.waiting)
    duration = timedelta(seconds=scenario.seconds)
    step = _progress_step(rng, instance)
    return Restore(
        restore_id=random_uuid(rng),
        backup=backup,
        created_at=created_at,
        started_at=started_at,
        ended_at=started_at + duration,
        ramp=duration or timedelta.resolution,
        max_progress=_partial_progress(rng, step) if scenario.code else 100,
        progress_step=step,
        final_status="failed" if scenario.code else "succeed",
        error_code=scenario.code,
        remark=scenario.remark,
    )


def _automatic(seed: int, instance: Instance, day: int) -> Backup:
    second = seeded(seed, instance.instance_id, "backup hour").uniform(0, 22 * 3600)
    rng = seeded(seed, instance.instance_id, "backup", day)
    created_at = since_1970(day * DAY + second + rng.uniform(0, 90))
    return _backup(rng, instance, "auto", created_at, failed=rng.random() < 0.01)


def _manual(seed: int, instance: Instance, period: int) -> Backup | None:
    rng = seeded(seed, instance.instance_id, "backup by hand", period)
    if rng.random() < 0.5:
        return None
    created_at = since_1970(period * MANUAL_PERIOD + rng.uniform(0, MANUAL_PERIOD - DAY))
    return _backup(rng, instance, "manual", created_at, failed=False)


def _backup(
    rng: Random,
    instance: Instance,
    kind: Literal["auto", "manual"],
    created_at: datetime,
    *,
    failed: bool,
) -> Backup:
    return Backup(
        backup_id=random_uuid(rng),
        kind=kind,
        created_at=created_at,
        ended_at=created_at + timedelta(seconds=int(rng.uniform(20, 240))),
        size=int((instance.gigabytes or 0.125) * rng.uniform(0.1, 0.6) * 2**30),
        remark=random_remark(rng) if kind == "manual" else None,
        failed=failed,
    )


def _backup_to_restore(seed: int, rng: Random, instance: Instance, created_at: datetime) -> Backup:
    """Choose the successful backup that a restore created at ``created_at`` goes back to."""
    seconds = (created_at - UNIX_EPOCH).total_seconds()
    if rng.random() < 0.15:
        manual = _manual(seed, instance, int(seconds // MANUAL_PERIOD) - 1)
        if manual:
            return manual
    day = int(seconds // DAY) - 1 - rng.choice((0, 0, 0, 1, 2, 5))
    backup = _automatic(seed, instance, day)
    return _automatic(seed, instance, day - 1) if backup.failed else backup


def _random_restore(
    rng: Random, instance: Instance, backup: Backup, created_at: datetime, *, failing: bool
) -> Restore:
    started_at = created_at + timedelta(milliseconds=int(rng.uniform(5_000, 40_000)))
    minutes = instance.typical_duration / timedelta(minutes=1) * rng.lognormvariate(0, 0.35)
    duration = timedelta(milliseconds=int(60_000 * min(12.0, max(1.0, minutes))))
    if instance.project.fast_restores and rng.random() < 0.3:
        started_at, duration = created_at + timedelta(seconds=1), timedelta(seconds=3)
    restore = Restore(
        restore_id=random_uuid(rng),
        backup=backup,
        created_at=created_at,
        started_at=started_at,
        ended_at=started_at + duration,
        ramp=duration,
        max_progress=100,
        progress_step=_progress_step(rng, instance),
        final_status="succeed",
        error_code=None,
        remark=random_remark(rng),
    )
    return _failed(rng, restore) if failing else restore


def _failed(rng: Random, restore: Restore) -> Restore:
    code = rng.choices(ERROR_CODES, ERROR_CODE_WEIGHTS)[0]
    early = code in EARLY_ERROR_CODES
    reached = 0.1 if early else rng.uniform(0.15, 0.97)
    milliseconds = (restore.ended_at - restore.started_at) // timedelta(milliseconds=1)
    duration = timedelta(milliseconds=max(1, int(milliseconds * reached)))
    return replace(
        restore,
        ended_at=restore.started_at + duration,
        ramp=duration,
        max_progress=0 if restore.progress_step == 100 or early else int(100 * reached),
        final_status="failed",
        error_code=code,
    )


def _stuck(rng: Random, restore: Restore) -> Restore:
    ended_at = restore.started_at + timedelta(seconds=int(rng.uniform(22 * 60, 45 * 60)))
    stuck = replace(
        restore, ended_at=ended_at, max_progress=_partial_progress(rng, restore.progress_step)
    )
    if rng.random() < 0.6:
        return replace(stuck, final_status="failed", error_code="dcs.08.0002")
    return stuck


def _partial_progress(rng: Random, step: int) -> int:
    return 0 if step == 100 else rng.randint(15, 97)


def _progress_step(rng: Random, instance: Instance) -> int:
    return rng.choice((1, 3, 7, 9)) if instance.project.reports_progress else 100
