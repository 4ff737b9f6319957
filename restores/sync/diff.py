"""Diff of the restores we have stored and those the cloud lists; it writes nothing."""

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
class Changes:
    """New and changed records to write, and the ids that are listed or missing."""

    new: tuple[RestoreRecord, ...]
    changed: tuple[RestoreRecord, ...]
    unchanged: int
    listed: frozenset[str]
    missing: frozenset[str]

    @property
    def mass_removal(self) -> bool:
        """Whether more than 5 and more than a fifth are missing at once: probably an error."""
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

    A final status never becomes unfinished again, an older ``updated_at`` never replaces a newer
    one, and an absent value never replaces a present one.
    """
    if fetched == stored:
        return stored
    if stored.status in TERMINAL_STATUSES and fetched.status not in TERMINAL_STATUSES:
        return stored
    if stored.updated_at and fetched.updated_at and fetched.updated_at < stored.updated_at:
        return stored
    texts = {name: getattr(fetched, name) or getattr(stored, name) for name in _TEXTS}
    if fetched.status == stored.status:
        texts["error_code"] = fetched.error_code or stored.error_code
    return replace(
        fetched,
        status=fetched.status or stored.status,
        progress=stored.progress if fetched.progress is None else fetched.progress,
        created_at=fetched.created_at or stored.created_at,
        updated_at=fetched.updated_at or stored.updated_at,
        **texts,
    )
