"""What a page says about the completeness of its data, and why a list may be empty."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from django.urls import reverse
from django.utils import timezone

from restores.asof import then_and_now
from restores.filters import ListParams, Scope
from restores.formatting import format_ago, format_datetime, format_in_one_unit, zone_name
from restores.instance_status import instance_sync_error
from restores.keyset import first_pairs
from restores.models import Instance, Restore
from restores.querysets import InstanceQuerySet, RestoreQuerySet
from restores.restore_list.counts import (
    COUNT_LIMIT,
    CappedCount,
    capped_counts,
    unfinished_by_status,
)
from restores.statuses import Status
from restores.sync_errors import SyncError
from restores.sync_status import EmptyResult, SyncStatus, explain_empty
from restores.timerange import to_iso

if TYPE_CHECKING:
    from restores.querysets import Viewer

_MAX_ERRORS = 3
_MAX_NAMED = 50
_NEAREST_READ = 50
# Shorter words are in no text index.
_MIN_INDEXED = 3
_NO_RESTORES = {
    "created": "No restores were created",
    "ended": "No restores finished",
    "running": "No restores were running",
    "changed": "No restores changed",
}
_NOT_MONITORED = (
    "None of the instances you can see is monitored, so we can’t tell whether there were restores."
)
_MAY_BE_MISSING = "Syncs have failed since then, so later restores may be missing."

Kind = Literal["none", "unknown", "not_monitored"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePart:
    """Words that may end in a time, or link to a page.

    ``header`` is the response header that brings the new time when the page is unchanged.
    ``relative`` says that the time is printed as how long ago it was (``ago``) or is left (``in``).
    """

    text: str
    at: datetime | None = None
    time: str = ""
    header: str = ""
    relative: str = ""
    url: str = ""

    @property
    def iso(self) -> str:
        """The time for the attribute of ``<time>``."""
        return to_iso(self.at) if self.at else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncMessage:
    """A line on how complete the data is; ``late`` if something keeps it from being complete."""

    parts: tuple[MessagePart, ...]
    late: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NearestRestore:
    """The closest restore outside an empty time range; ``side`` is ``earlier`` or ``later``."""

    side: str
    url: str
    iso: str
    time: str
    instance: str
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Undated:
    """How many restores no time range can show because they have no time, and a link to them."""

    count: CappedCount
    query: str

    @property
    def text(self) -> str:
        """How many they are: ``2 restores without a usable time``."""
        plural = "" if str(self.count) == "1" else "s"
        return f"{self.count} restore{plural} without a usable time"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyState:
    """Why nothing is listed: there were none, we can't tell yet, or nothing is monitored.

    The title of a short table ends with the time ``at``, up to which it is true.
    """

    kind: Kind
    title: str
    text: str = ""
    at: datetime | None = None
    nearest: tuple[NearestRestore, ...] = ()
    records_since: str = ""
    undated: Undated | None = None

    @property
    def css_class(self) -> str:
        """How certain it is, as a color: data complete, not known yet, not monitored."""
        return {"none": "ok", "unknown": "late", "not_monitored": "off"}[self.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """How many restores a list by end cannot show, and the query string that leads to them."""

    count: CappedCount
    query: str


def sync_messages(status: SyncStatus, now: datetime) -> list[SyncMessage]:
    """Say when the last sync was, how current the data is, and which syncs failed."""
    messages = []
    if at := status.running_synced_at:
        time = format_ago((now - at).total_seconds())
        parts = [MessagePart(text="Synced", at=at, time=time, header="X-Synced-At", relative="ago")]
        if due := status.next_sync_at:
            left = (due - now).total_seconds()
            time = f"in {format_in_one_unit(left)}" if left >= 1 else "now"
            parts.append(
                MessagePart(
                    text="next sync", at=due, time=time, header="X-Next-Sync-At", relative="in"
                )
            )
        messages.append(SyncMessage(parts=tuple(parts)))
    messages.append(
        SyncMessage(parts=(_complete_to(status, now),), late=status.complete_to is None)
    )
    messages += [
        SyncMessage(parts=(_error(error, now),), late=True) for error in status.errors[:_MAX_ERRORS]
    ]
    if more := len(status.errors[_MAX_ERRORS:]):
        text = f"and {more} more problem{'' if more == 1 else 's'}"
        part = MessagePart(text=text, url=reverse("sync-status"))
        messages.append(SyncMessage(parts=(part,), late=True))
    return messages


def empty_list(params: ListParams, scope: Scope, status: SyncStatus, now: datetime) -> EmptyState:
    """Explain why the restore list is empty, and name the restores closest to its time range."""
    if scope.not_found:
        text = "It doesn’t exist, or it’s in a project you don’t have access to."
        if scope.moved:
            text = "It has moved to another project."
        return EmptyState(kind="unknown", title="No results", text=text)
    return replace(
        _why_empty(params, scope, status, now),
        nearest=tuple(_nearest_restores(params, scope.viewer)),
        records_since=_records_since(scope),
    )


def empty_instance(instance: Instance) -> EmptyState:
    """Explain why an instance has no restores."""
    complete_to, reason = instance.complete_to, _not_monitored(instance)
    if reason:
        title = "No restores up to" if complete_to else "Not monitored"
        return EmptyState(kind="not_monitored", title=title, at=complete_to, text=reason)
    if complete_to is None:
        text = "We haven’t received a complete list for this instance yet."
        return EmptyState(kind="unknown", title="Can’t tell yet", text=text)
    error = instance_sync_error(instance)
    text = "The provider’s list was empty at that time."
    if error and error.blocking:
        text = _MAY_BE_MISSING
    return EmptyState(kind="none", title="No restores up to", at=complete_to, text=text)


def empty_table(
    status: SyncStatus,
    instances: InstanceQuerySet,
    start: datetime | None,
    none: str,
    undated: Undated | None = None,
) -> EmptyState:
    """Explain why a short table has no restores from ``start`` on; ``none`` if there were none.

    Without ``start`` it is about the time up to which the data is complete. ``undated`` are those
    that may belong there.
    """
    end = status.fully_complete_to
    found = explain_empty(status, instances, start or end, end)
    if found.kind == "not_monitored":
        return EmptyState(kind="not_monitored", title="Not monitored", text=_NOT_MONITORED)
    if found.kind == "unknown":
        text = "None found so far, but some instances couldn’t be synced."
        if found.lost:
            names = _listed(found.lost)
            were, their = ("was", "its") if len(found.lost) == 1 else ("were", "their")
            text = (
                f"None found, but {names} {were} deleted before {their} last restores "
                "could be synced."
            )
        return EmptyState(kind="unknown", title="Can’t tell yet", text=text)
    if undated:
        text = f"None found, but {undated.text} may belong here."
        return EmptyState(kind="unknown", title="Can’t tell", text=text, undated=undated)
    late = end and (status.complete_to is None or end < status.complete_to)
    text = _MAY_BE_MISSING if late else ""
    return EmptyState(kind="none", title=f"{none} as of", at=end, text=text)


def unfinished(params: ListParams, viewer: Viewer) -> Unfinished | None:
    """Count what a list by end leaves out because it has not ended yet."""
    if params.time_range.on != "ended" or params.get("stuck") or params.get("recovered"):
        return None
    counts = unfinished_by_status(_scope(params, viewer, None, params.time_range.end, on="created"))
    statuses = [status for status in counts if status]
    if not statuses:
        return None
    query = params.query(**{"on": None, "from": None, "status": statuses})
    return Unfinished(count=CappedCount(sum(counts[status] for status in statuses)), query=query)


def undated(params: ListParams, scope: Scope) -> Undated | None:
    """Count the restores that match everything but the time range, as they lack a time."""
    on = params.time_range.on
    if scope.asof or not (scope.dated or on == "ended"):
        return None
    # The usual case, on every page: there are none at all.
    # In separate queries: with an OR, the databases would read all restores of a project.
    columns = ("created", "ended") if on == "running" else (on,)
    if not any(scope.visible_restores.undated(column).exists() for column in columns):
        return None
    found = _scope(params, scope.viewer, None, None, on="created").restores.undated(on)
    ids = list(found.order_by().values_list("restore_id", flat=True)[: COUNT_LIMIT + 1])
    if not ids:
        return None
    any_time: dict[str, str | None] = {"on": None, "from": None, "to": None}
    named = {"ids": ",".join(sorted(ids))} if len(ids) <= _MAX_NAMED and _joinable(ids) else {}
    return Undated(count=CappedCount(len(ids)), query=params.query(**any_time, **named))


def all_undated(viewer: Viewer, restores: RestoreQuerySet, query: str) -> Undated | None:
    """Count those of some restores that have no usable time; ``query`` leads to their list."""
    without_creation = restores.undated("created")
    without_end = restores.undated("ended").exclude(created_at=None)
    found = sum(capped_counts(viewer, (without_creation, without_end)))
    return Undated(count=CappedCount(found), query=query) if found else None


def undated_messages(without_time: Undated | None) -> list[SyncMessage]:
    """Say how many restores have no usable time, if there are any."""
    if without_time is None:
        return []
    url = reverse("restore-list") + without_time.query
    part = MessagePart(text=f"{without_time.text}: not in any time range", url=url)
    return [SyncMessage(parts=(part,), late=True)]


def _joinable(ids: Sequence[str]) -> bool:
    """Whether the ids can be joined into one list without ambiguity."""
    return all(re.fullmatch(r"[\w.:/-]+", one, re.ASCII) for one in ids)


def _why_empty(params: ListParams, scope: Scope, status: SyncStatus, now: datetime) -> EmptyState:
    if scope.asof:
        matching = "matching restores" if params.filters_rows else "restores"
        title = f"No {matching} recorded by {_zoned_clock(scope.asof.time, now)}"
        text = "Restores found later are in the live list."
        return EmptyState(kind="unknown", title=title, text=text)
    if number := scope.found.searched:
        title = f"None of the newest {number:,} restores match"
        text = "Enter three or more letters to search all of them."
        return EmptyState(kind="unknown", title=title, text=text)
    end, complete_to = params.time_range.end, status.fully_complete_to
    found = explain_empty(status, scope.instances, params.time_range.start, end)
    if found.kind == "not_monitored":
        title = "Nothing is monitored here"
        return EmptyState(kind="not_monitored", title=title, text=_NOT_MONITORED)
    none = "No restores match" if params.filters_rows else _NO_RESTORES[params.time_range.on]
    if params.time_range.on == "changed":
        # Changes before the first sync are not known, only those that we detected.
        text = "Changes are dated when we detected them, not when they happened at the provider."
        return EmptyState(kind="unknown", title=f"{none} in this time range", text=text)
    excluded = (
        " Projects that are no longer monitored are excluded." if scope.some_not_monitored() else ""
    )
    if without_time := undated(params, scope):
        text = f"None found, but {without_time.text} may belong here."
        return EmptyState(kind="unknown", title="Can’t tell", text=text, undated=without_time)
    if scope.some_moved:
        text = "None found here, but an instance has moved to another project with its restores."
        return EmptyState(kind="unknown", title="Can’t tell", text=text)
    if found.kind == "none":
        text = f"{_fully_synced(status, now)}{excluded}"
        return EmptyState(kind="none", title=f"{none} in this time range", text=text)
    if complete_to and end is None and not status.errors and not found.lost:
        title = f"{none} (data complete up to {_zoned_clock(complete_to, now)})"
        text = f"All instances had been fully synced by then.{excluded}"
        return EmptyState(kind="unknown", title=title, text=text)
    text = f"None found so far. {_why_unknown(found, status, end, now)}"
    return EmptyState(kind="unknown", title="Can’t tell yet", text=text)


def _fully_synced(status: SyncStatus, now: datetime) -> str:
    if status.fully_complete_to and status.monitored:
        return (
            f"All instances were fully synced at {_zoned_clock(status.fully_complete_to, now)} or "
            "later, after this time range ended."
        )
    return (
        "The instances have been deleted; each was fully synced after this range or was deleted "
        "before it."
    )


def _why_unknown(
    found: EmptyResult, status: SyncStatus, end: datetime | None, now: datetime
) -> str:
    if found.lost:
        one = found.lost[0]
        gone = f"was deleted by {_zoned_clock(one.deleted_at or now, now)}"
        if one.complete_to is None:
            return f"{one} was never synced and {gone}; its restores can no longer be found."
        synced = f"was last synced at {_clock(one.complete_to, now)}"
        return f"{one} {synced} and {gone}; restores in between can no longer be found."
    if status.fully_complete_to and end and not status.errors:
        return (
            f"The last full sync was at {_zoned_clock(status.fully_complete_to, now)}, before the "
            f"range ends at {_zoned_clock(end, now)}."
        )
    return _incomplete(status, now)


def _complete_to(status: SyncStatus, now: datetime) -> MessagePart:
    if at := status.complete_to:
        text = "Data complete up to"
        return MessagePart(text=text, at=at, time=_clock(at, now), header="X-Complete-To")
    return MessagePart(text=_incomplete(status, now).rstrip("."))


def _incomplete(status: SyncStatus, now: datetime) -> str:
    if not status.monitored:
        return "None of these instances is monitored."
    if status.never_synced:
        have = "hasn’t" if status.never_synced == 1 else "haven’t"
        return f"{status.never_synced:,} of {status.instances:,} instances {have} been synced yet."
    if status.complete_to is None:
        unlisted = any(error.kind == "unlisted" for error in status.errors)
        if unlisted:
            return "The instances of one project haven’t been loaded yet."
        return "No instances can be synced right now."
    return f"Partly complete up to {_zoned_clock(status.complete_to, now)}: some syncs failed."


def _error(error: SyncError, now: datetime) -> MessagePart:
    where = error.project
    if error.instance_id:
        where = f"{error.instance_name or error.instance_id} in {where}"
    text = f"{where}: {error.label[:1].lower()}{error.label[1:]}"
    if error.since is None:
        return MessagePart(text=text)
    return MessagePart(text=f"{text} since", at=error.since, time=_clock(error.since, now))


def _not_monitored(instance: Instance) -> str:
    if instance.single_node:
        return "Single-node instances can’t be restored, so we don’t sync them."
    if not instance.project.monitored:
        return "This project is no longer monitored."
    if at := instance.deleted_at:
        return (
            f"The instance was deleted by {format_datetime(at)}; we can’t see what happened after "
            "the last sync."
        )
    return ""


def _nearest_restores(params: ListParams, viewer: Viewer) -> list[NearestRestore]:
    """The last restore before the time range and the first after it, by the same filters."""
    if _needs_scan(params):
        return []
    time_range, found = params.time_range, []
    if time_range.start:
        found += _nearest("earlier", None, time_range.start, params, viewer)
    if time_range.end and time_range.end != time_range.asof:
        found += _nearest("later", time_range.end, None, params, viewer)
    return found


def _needs_scan(params: ListParams) -> bool:
    """Whether no index leads to the nearest restores, so that all rows would be read."""
    words = params.get("q").split()
    if params.time_range.on in ("ended", "changed"):
        # The order as of a snapshot is not stored, and text is indexed in only one order.
        return bool(words or params.time_range.asof)
    return any(len(word) < _MIN_INDEXED for word in words)


def _nearest(
    side: str, start: datetime | None, end: datetime | None, params: ListParams, viewer: Viewer
) -> list[NearestRestore]:
    # If none was running, the nearest is the nearest created.
    on = "created" if params.time_range.on == "running" else params.time_range.on
    sign, column = "-" if side == "earlier" else "", f"{on}_at"
    scope = _scope(params, viewer, start, end, on=on)
    rows = scope.restores
    if end:
        # A restore that changed again after the range is not near its beginning.
        rows = rows.filter(**{f"{column}__lt": end})
    # For what has changed, the indexes that begin with the project take longer.
    projects = None if on == "changed" else scope.keyset_projects
    # With a limit of one row, PostgreSQL would walk the newest for text that may not exist.
    pairs = first_pairs(rows, f"{sign}{column}", _NEAREST_READ, projects)[:1]
    found = Restore.objects.select_related("instance").filter(pk__in=[pk for _, pk in pairs])
    nearest = then_and_now(list(found), scope.asof)
    return [_nearest_restore(side, one.then, getattr(one.then, column), params) for one in nearest]


def _nearest_restore(
    side: str, restore: Restore, at: datetime, params: ListParams
) -> NearestRestore:
    local = timezone.localtime(at)
    path = reverse("restore-detail", args=[restore.restore_id])
    return NearestRestore(
        side=side,
        url=path + params.query(page=None),
        iso=to_iso(at),
        time=f"{local.day} {local:%b %Y} {local:%H:%M:%S}",
        instance=str(restore.instance),
        status=restore.shown_status,
    )


def _records_since(scope: Scope) -> str:
    """The day of the first record, if the time range ends before it."""
    rows = scope.visible_restores.exclude(created_at=None)
    first = first_pairs(rows, "created_at", 1, scope.visible_keys)
    time_range = scope.params.time_range
    if not first or time_range.end is None or time_range.end > first[0][0]:
        return ""
    local = timezone.localtime(first[0][0])
    return f"{local.day} {local:%b %Y}"


def _scope(
    params: ListParams, viewer: Viewer, start: datetime | None, end: datetime | None, *, on: str
) -> Scope:
    time_range = replace(params.time_range, start=start, end=end, on=on)
    return Scope(params.within(time_range), viewer)


def _listed(instances: tuple[Instance, ...]) -> str:
    """Names in a sentence: ``a``, ``a and b``, ``a, b and c``."""
    *first, last = map(str, instances)
    return f"{', '.join(first)} and {last}" if first else last


def _clock(at: datetime, now: datetime, form: str = "%H:%M") -> str:
    """The time of day, with the day unless it is today's."""
    at, now = timezone.localtime(at), timezone.localtime(now)
    if at.date() == now.date():
        return f"{at:{form}}"
    day = f"{at.day} {at:%b}" if at.year == now.year else f"{at.day} {at:%b %Y}"
    return f"{day} {at:{form}}"


def _zoned_clock(at: datetime, now: datetime) -> str:
    """The same for a sentence, with the time zone."""
    return f"{_clock(at, now)} {zone_name()}"
