"""What the cloud said, word for word, and when we saw it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from restores.models import Observation, Restore
from restores.pages.moments import Moment, day, moment
from restores.serializers import UPSTREAM
from restores.statuses import Status, status_of
from restores.timerange import instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field under the cloud's own name; empty text means that it was not given."""

    name: str
    text: str
    plain: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One observed change: it fell between two looks, so ``when`` may have two ends."""

    status: Status
    progress: str
    error_code: str
    when: str
    at: Moment | None


def record(restore: Restore) -> list[Field]:
    """The record's fields in the cloud's words; ids and codes are not ``plain`` text."""
    return [
        Field(
            name=name,
            text=_spoken(getattr(restore, name)),
            plain=name.endswith(("_name", "_remark")),
        )
        for name in UPSTREAM
    ]


def raw_json(restore: Restore) -> str:
    """The record as it came, indented; what is no JSON stays as it is."""
    try:
        return json.dumps(json.loads(restore.raw), indent=2, ensure_ascii=False)
    except ValueError:
        return restore.raw


def raw_value(restore: Restore) -> Any:
    """The record as a JSON value; None when we hold none."""
    try:
        return json.loads(restore.raw)
    except ValueError:
        return restore.raw or None


def timeline(observations: Iterable[Observation]) -> list[Seen]:
    """The observed changes, oldest first."""
    return [
        Seen(
            status=status_of(seen.status),
            progress=percent(seen.progress),
            error_code=seen.error_code,
            when=_when(seen),
            at=moment(seen.seen_at),
        )
        for seen in observations
    ]


def observation_json(seen: Observation) -> dict[str, Any]:
    """One observation for the twin."""
    return {
        "seen_after": seen.seen_after and instant(seen.seen_after),
        "seen_at": instant(seen.seen_at),
        "status": seen.status or None,
        "progress": seen.progress,
        "error_code": seen.error_code or None,
    }


def percent(progress: float | None) -> str:
    """A progress in words; a whole number without its decimals, absent as a dash."""
    return "—" if progress is None else f"{progress:.2f}".rstrip("0").rstrip(".") + " %"


def _when(seen: Observation) -> str:
    at, after = seen.seen_at, seen.seen_after
    if after is None:
        return f"{day(at)}, by {at:%H:%M:%S}"
    if after.date() == at.date():
        return f"{day(at)}, between {after:%H:%M:%S} and {at:%H:%M:%S}"
    return f"between {day(after)}, {after:%H:%M:%S} and {day(at)}, {at:%H:%M:%S}"


def _spoken(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    return instant(value) if hasattr(value, "isoformat") else value or ""
