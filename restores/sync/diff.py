"""Diff of the restores we have stored and those the cloud lists; it writes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from restores.dcs.records import TERMINAL_STATUSES, RestoreRecord, implausible

_TEXTS = (
    "restore_name",
    "backup_id",
    "backup_name",
    "restore_remark",
    "backup_remark",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """New and changed records to write, and the ids that are listed or missing."""

    new: tuple[RestoreRecord, ...]
    changed: tuple[RestoreRecord, ...]
    unchanged: int
    listed: frozenset[str]
    missing: frozenset[str]

    @property
    def mass_removal(self) -> bool:
        """Whether more than 5 and over a fifth are missing together: probably an error."""
        stored = len(self.changed) + self.unchanged + len(self.missing)
        return len(self.missing) > 5 and len(self.missing) > stored / 5


def diff(
    stored: Mapping[str, RestoreRecord],
    fetched: Iterable[RestoreRecord],
    removed: Collection[str] = (),
) -> Changes:
    """Compare stored records by id with fetched ones.

    ``removed`` are the ids already known to be removed upstream: they are not missing again.
    """
    found = newest_by_id(fetched)
    known = {key: merge(stored[key], record) for key, record in found.items() if key in stored}
    changed = tuple(record for key, record in known.items() if record != stored[key])
    return Changes(
        new=tuple(record for key, record in found.items() if key not in stored),
        changed=changed,
        unchanged=len(known) - len(changed),
        listed=frozenset(found),
        missing=frozenset(stored.keys() - found.keys() - set(removed)),
    )


def newest_by_id(fetched: Iterable[RestoreRecord]) -> dict[str, RestoreRecord]:
    """Return one record per restore; records with the same id are merged."""
    found: dict[str, RestoreRecord] = {}
    for record in fetched:
        previous = found.get(record.restore_id)
        found[record.restore_id] = merge(previous, record) if previous else record
    return found


def merge(stored: RestoreRecord, fetched: RestoreRecord) -> RestoreRecord:
    """Return the fetched record, or the stored one where the fetched one would go backwards.

    An older ``updated_at`` never replaces a newer one, a final status becomes unfinished again only
    with a newer one, and an absent value never replaces a present one. But no state takes over the
    time of another: a restore ends at the time that came with its end, if any did.
    """
    if fetched == stored:
        return stored
    created = _plausible(fetched.created_at, fetched.created_problem, stored.created_problem)
    updated = _plausible(fetched.updated_at, fetched.updated_problem, stored.updated_problem)
    before, after = stored.updated_at, updated[0]
    status = fetched.status or stored.status
    was_final, is_final = stored.status in TERMINAL_STATUSES, status in TERMINAL_STATUSES
    newer = bool(before and after and after > before)
    if (before and after and after < before) or (was_final and not is_final and not newer):
        return stored
    if stored.created_at and not created[0]:
        created = stored.created_at, ""
    if before and not after and (was_final or not is_final):
        updated = before, ""
    texts = {name: getattr(fetched, name) or getattr(stored, name) for name in _TEXTS}
    if status == stored.status:
        texts["error_code"] = fetched.error_code or stored.error_code
    return replace(
        fetched,
        status=status,
        progress=stored.progress if fetched.progress is None else fetched.progress,
        created_at=created[0],
        created_problem=created[1],
        updated_at=updated[0],
        updated_problem=updated[1],
        **texts,
    )


def _plausible(at: datetime | None, problem: str, before: str) -> tuple[datetime | None, str]:
    """Return a fetched time and what is wrong with it, given what was wrong ``before``.

    A time that was once ahead of both clocks stays wrong after they have reached it.
    """
    return (None, before) if at and before == implausible(at) else (at, problem)
