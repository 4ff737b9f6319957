"""The backups of an instance: one a day, kept for a week, and a few made by hand."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Literal

from . import names
from .dice import dice, uuid_of
from .fleet import Instance
from .instants import EPOCH, since_epoch

DAY = 86_400
KEPT = timedelta(days=7)
MANUAL_SLOT = 45 * DAY
MANUAL_KEPT = timedelta(days=400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """One backup from its first second to its last."""

    backup_id: str
    kind: Literal["auto", "manual"]
    begins: datetime
    ends: datetime
    size: int
    remark: str | None
    failed: bool

    def status(self, now: datetime) -> str:
        """Return the API's word for how far it is."""
        if now < self.ends:
            return "backuping"
        return "failed" if self.failed else "succeed"


class Backups:
    """Every backup there ever was, derived from the seed when asked for."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def listed(self, instance: Instance, now: datetime) -> list[Backup]:
        """Return what the cloud still keeps at ``now``, newest first."""
        if not instance.restorable:
            return []
        found = [*self._automatic(instance, now), *self._manual(instance, now)]
        return sorted(found, key=lambda backup: backup.begins, reverse=True)

    def behind(self, rng: Random, instance: Instance, begins: datetime) -> Backup:
        """Choose the sound backup that a restore beginning at ``begins`` goes back to."""
        moment = (begins - EPOCH).total_seconds()
        if rng.random() < 0.15:
            manual = self._by_hand(instance, int(moment // MANUAL_SLOT) - 1)
            if manual:
                return manual
        day = int(moment // DAY) - 1 - rng.choice((0, 0, 0, 1, 2, 5))
        backup = self._daily(instance, day)
        return self._daily(instance, day - 1) if backup.failed else backup

    def _automatic(self, instance: Instance, now: datetime) -> Iterator[Backup]:
        today = int((now - EPOCH).total_seconds() // DAY)
        for day in range(today - 7, today + 1):
            backup = self._daily(instance, day)
            if now - KEPT < backup.begins <= now and backup.begins > instance.created_at:
                yield backup

    def _manual(self, instance: Instance, now: datetime) -> Iterator[Backup]:
        seconds = (now - EPOCH).total_seconds()
        oldest = (now - MANUAL_KEPT - EPOCH).total_seconds()
        for slot in range(int(oldest // MANUAL_SLOT), int(seconds // MANUAL_SLOT) + 1):
            backup = self._by_hand(instance, slot)
            if backup and instance.created_at < backup.begins <= now:
                yield backup

    def _daily(self, instance: Instance, day: int) -> Backup:
        hour = dice(self._seed, instance.instance_id, "backup hour").uniform(0, 22 * 3600)
        rng = dice(self._seed, instance.instance_id, "backup", day)
        begins = since_epoch(day * DAY + hour + rng.uniform(0, 90))
        return _backup(rng, instance, "auto", begins, failed=rng.random() < 0.01)

    def _by_hand(self, instance: Instance, slot: int) -> Backup | None:
        rng = dice(self._seed, instance.instance_id, "backup by hand", slot)
        if rng.random() < 0.5:
            return None
        begins = since_epoch(slot * MANUAL_SLOT + rng.uniform(0, MANUAL_SLOT - DAY))
        return _backup(rng, instance, "manual", begins, failed=False)


def _backup(
    rng: Random,
    instance: Instance,
    kind: Literal["auto", "manual"],
    begins: datetime,
    *,
    failed: bool,
) -> Backup:
    return Backup(
        backup_id=uuid_of(rng),
        kind=kind,
        begins=begins,
        ends=begins + timedelta(seconds=int(rng.uniform(20, 240))),
        size=int((instance.gigabytes or 0.125) * rng.uniform(0.1, 0.6) * 2**30),
        remark=names.remark(rng) if kind == "manual" else None,
        failed=failed,
    )
