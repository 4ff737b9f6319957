"""The times of one restore: what was given, what was observed and what follows from both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from restores.explain.estimates import format_duration
from restores.models import Restore
from restores.pages.moments import Moment, moment
from restores.statuses import FINAL, IN_PROGRESS, RESTORING, WAITING


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    """One time under its name: a moment or words, a date where it matters, and small print."""

    name: str
    at: Moment | None = None
    words: str = ""
    small: str = ""


def times(restore: Restore, now: datetime) -> list[Time]:
    """Created, restoring from, ended, clients refused, and from when the data is."""
    zone = restore.project.time_zone
    return [
        _given("Created", restore.created_at, zone, "not given"),
        _restoring(restore),
        _given("Ended", restore.ended_at, zone, _no_end(restore)),
        _refused(restore, now),
        _data_from(restore),
    ]


def _given(name: str, at: datetime | None, zone: str, otherwise: str) -> Time:
    said = moment(at, zone)
    if said is None:
        return Time(name=name, words=otherwise)
    return Time(name=name, at=said, small=f"{said.there} (customer)" if said.there else "")


def _no_end(restore: Restore) -> str:
    if restore.status in IN_PROGRESS:
        return "not yet"
    return "not given" if restore.status in FINAL else "not known"


def _restoring(restore: Restore) -> Time:
    after, by = restore.restoring_after or restore.created_at, restore.restoring_by
    if by is None:
        if restore.status == WAITING.value:
            return Time(name="Restoring from", words="not yet", small="it waits for its turn")
        small = "we never saw it while it ran"
        if restore.status == RESTORING.value:
            small = "it was already restoring when first seen"
        return Time(name="Restoring from", words="not observed", small=small)
    by = by.astimezone(UTC)
    if after is None or after >= by:
        return Time(name="Restoring from", words=f"by {by:%H:%M:%S} UTC", small="as observed")
    return Time(
        name="Restoring from",
        words=f"{after.astimezone(UTC):%H:%M:%S} – {by:%H:%M:%S} UTC",
        small="observed between two looks" if restore.restoring_after else "as observed",
    )


def _refused(restore: Restore, now: datetime) -> Time:
    name, small = "Clients refused", "inferred, not measured at the instance"
    end = restore.ended_at or (now if restore.status in IN_PROGRESS else None)
    if restore.status == WAITING.value:
        return Time(name=name, words="not yet", small="it waits, the instance still serves")
    if end is None or restore.created_at is None or end < restore.created_at:
        return Time(name=name, words="not known", small=small)
    most = _seconds(restore.restoring_after or restore.created_at, end)
    least = _seconds(restore.restoring_by, end) if restore.restoring_by else 0.0
    if restore.ended_at is None:
        small = f"so far; {small}"
    if not least:
        return Time(name=name, words=f"at most {format_duration(most)}", small=small)
    span = dict.fromkeys((format_duration(least), format_duration(most)))
    return Time(name=name, words=" – ".join(span), small=small)


def _data_from(restore: Restore) -> Time:
    name, taken = "Data goes back to", restore.backup_taken_at
    if taken is None:
        return Time(name=name, words="not known", small="the backup was not seen")
    age = ""
    if restore.created_at and taken <= restore.created_at:
        age = f"{format_duration(_seconds(taken, restore.created_at))} before this restore"
    return Time(name=name, at=moment(taken), small=age)


def _seconds(start: datetime, end: datetime) -> float:
    return max(0.0, (end - start).total_seconds())
