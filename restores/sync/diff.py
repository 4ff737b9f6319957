"""Compares what we hold with what the cloud says; decides, touches nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from restores.dcs.records import TERMINAL_STATUSES, RestoreRecord

_TEXTS = (
    "restore_name",
    "backup_id",
    "backup_name",
    "restore_remark",
    "backup_remark",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to write: records new and changed; ids that are listed, and those that were."""

    new: tuple[RestoreRecord, ...]
    changed: tuple[RestoreRecord, ...]
    unchanged: int
    listed: frozenset[str]
    absent: frozenset[str]

    @property
    def mass_vanishing(self) -> bool:
        """More than 5 and more than a fifth are gone at once: rather an upstream mishap."""
        held = len(self.changed) + self.unchanged + len(self.absent)
        return len(self.absent) > 5 and len(self.absent) > held / 5


def plan(
    held: Mapping[str, RestoreRecord],
    fetched: Iterable[RestoreRecord],
    delisted: Collection[str] = (),
) -> Plan:
    """Compare; equal records need no write, and nothing known is unlearned.

    What is known to be ``delisted`` is not missed again.
    """
    found = latest(fetched)
    known = {key: merged(held[key], record) for key, record in found.items() if key in held}
    changed = tuple(record for key, record in known.items() if record != held[key])
    return Plan(
        new=tuple(record for key, record in found.items() if key not in held),
        changed=changed,
        unchanged=len(known) - len(changed),
        listed=frozenset(found),
        absent=frozenset(held.keys() - found.keys() - set(delisted)),
    )


def latest(fetched: Iterable[RestoreRecord]) -> dict[str, RestoreRecord]:
    """Return what the records say of each restore; one that came twice is merged."""
    found: dict[str, RestoreRecord] = {}
    for record in fetched:
        before = found.get(record.restore_id)
        found[record.restore_id] = merged(before, record) if before else record
    return found


def merged(held: RestoreRecord, fetched: RestoreRecord) -> RestoreRecord:
    """Return the fetched record, or the held one where the fetched one would go backwards.

    A final state never becomes unfinished again, an older ``updated_at`` never replaces a newer
    one, and an absent value never replaces a present one.
    """
    if fetched == held:
        return held
    if held.status in TERMINAL_STATUSES and fetched.status not in TERMINAL_STATUSES:
        return held
    if held.updated_at and fetched.updated_at and fetched.updated_at < held.updated_at:
        return held
    kept = {name: getattr(fetched, name) or getattr(held, name) for name in _TEXTS}
    if fetched.status == held.status:
        kept["error_code"] = fetched.error_code or held.error_code
    return replace(
        fetched,
        status=fetched.status or held.status,
        progress=held.progress if fetched.progress is None else fetched.progress,
        created_at=fetched.created_at or held.created_at,
        updated_at=fetched.updated_at or held.updated_at,
        **kept,
    )
