"""What the cloud said, word for word, and when we saw it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from restores.formatting import format_percent
from restores.models import Observation, Restore
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
class ObservedChange:
    """One observed change: it happened between the sync at ``after`` and the one at ``at``."""

    status: Status
    progress: str
    error_code: str
    at: datetime
    after: datetime | None


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


def status_history(observations: Iterable[Observation]) -> list[ObservedChange]:
    """The observed changes, oldest first."""
    return [
        ObservedChange(
            status=status_of(seen.status),
            progress=format_percent(seen.progress),
            error_code=seen.error_code,
            at=seen.seen_at,
            after=seen.seen_after,
        )
        for seen in observations
    ]


def _spoken(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    return instant(value) if hasattr(value, "isoformat") else value or ""
