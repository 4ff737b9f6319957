"""Sets what a restore was by a moment beside what it is now."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Generic, TypeVar

from restores.explain.summary import NO_PROGRESS
from restores.models import Restore
from restores.past import Past
from restores.snapshots import as_of
from restores.statuses import FAILED, status_of

Row = TypeVar("Row")

# What the cloud reports: where one of these differs, a row has changed.
_SHOWN = ("status", "progress", "error_code")


@dataclass(frozen=True, slots=True)
class Beside(Generic[Row]):
    """A row as it was by then, and as it is now if that is something else."""

    then: Row
    now: Row | None = None


def beside(rows: Sequence[Row], past: Past | None) -> list[Beside[Row]]:
    """Restores, or named tuples of their fields, as of then; without a past as they are."""
    if past is None:
        return [Beside(row) for row in rows]
    recovered = _recovered([row for row in rows if _status(row, past) == FAILED.value], past)
    return [_beside(row, past, recovered) for row in rows]


def now_words(then: Any, now: Any, zone: tzinfo, at: datetime) -> str:
    """What a restore is at the moment ``at``: ``now: Succeeded 14:12``."""
    parts = []
    if (then.status, then.error_code) != (now.status, now.error_code):
        parts += [status_of(now.status).word, now.error_code]
        parts.append(_clock(now.ended_at or now.moved_at, zone, at))
    elif then.progress != now.progress:
        parts += [f"{now.progress:g} %" if now.progress is not None else NO_PROGRESS]
    if (healed := _healed(now)) and not then.recovered_at:
        parts += ["recovered", _clock(healed, zone, at)]
    elif then.recovered_at and now.status == FAILED.value and not healed:
        parts.append("still failed")
    if (now.removed_upstream_at is None) != (then.removed_upstream_at is None):
        parts.append("no longer listed" if now.removed_upstream_at else "listed again")
    return "now: " + " ".join(filter(None, parts))


def _clock(moment: datetime | None, zone: tzinfo, at: datetime) -> str:
    """The time of day, with the day unless it is that of ``at``."""
    if moment is None:
        return ""
    local, today = moment.astimezone(zone), at.astimezone(zone).date()
    year = "" if local.year == today.year else f" {local.year}"
    return (
        f"{local:%H:%M}" if local.date() == today else f"{local.day} {local:%b}{year} {local:%H:%M}"
    )


def _beside(row: Any, past: Past, recovered: dict[int, datetime]) -> Beside[Any]:
    then = _changed(row, _values(row, past, recovered))
    return Beside(then, row if _differs(then, row) else None)


def _differs(then: Any, now: Any) -> bool:
    return (
        any(getattr(then, name) != getattr(now, name) for name in _SHOWN)
        or (then.recovered_at is None) != (_healed(now) is None)
        or (then.removed_upstream_at is None) != (now.removed_upstream_at is None)
    )


def _healed(row: Any) -> datetime | None:
    at: datetime | None = row.recovered_at if row.status == FAILED.value else None
    return at


def _status(row: Any, past: Past) -> str:
    then = past.moved.get(row.pk)
    return then.status if then else row.status


def _recovered(failed: Sequence[Any], past: Past) -> dict[int, datetime]:
    """When each failed row was recovered, as far as was known by then."""
    if not failed:
        return {}
    rows = as_of(Restore.objects.filter(pk__in=[row.pk for row in failed]), past)
    ends = rows.annotate(at=rows.first_success()).values_list("pk", "at")
    return {key: at for key, at in ends if at}


def _values(row: Any, past: Past, recovered: dict[int, datetime]) -> dict[str, Any]:
    """The values of then that differ from those of now, or may."""
    values: dict[str, Any] = {"recovered_at": recovered.get(row.pk)}
    for name in ("removed_upstream_at", "missing_since", "restoring_by"):
        at = getattr(row, name, None)
        values[name] = at if at and at <= past.asof else None
    if then := past.moved.get(row.pk):
        ended = row.ended_at if then.ended else None
        kept = ended is not None and ended <= past.asof
        values |= {
            "status": then.status,
            "progress": then.progress,
            "error_code": then.error_code,
            "updated_at": ended if kept else None,
            "ended_at": ended if kept else None,
            "duration": row.duration if kept else None,
            "changed_at": then.recorded_at,
        }
    elif (changed := getattr(row, "changed_at", None)) and changed > past.asof:
        values["changed_at"] = row.moved_at or row.first_seen_at
    return values


def _changed(row: Any, values: dict[str, Any]) -> Any:
    if isinstance(row, tuple):
        fields = row._fields  # type: ignore[attr-defined]
        return row._replace(**{k: v for k, v in values.items() if k in fields})  # type: ignore[attr-defined]
    then = copy.copy(row)
    for name, value in values.items():
        setattr(then, name, value)
    return then
