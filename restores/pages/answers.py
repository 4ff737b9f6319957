"""What may be said when nothing is there: none, not known yet, or outside what we watch."""

from dataclasses import dataclass
from datetime import datetime

from restores.formatting import format_datetime
from restores.instance_status import instance_sync_error
from restores.models import Instance
from restores.querysets import InstanceQuerySet
from restores.sync_status import Coverage, answer_for


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One of three: ``kind`` is ``none``, ``unknown`` or ``outside``.

    ``title`` goes on with the moment ``at``, if there is one, and ``text`` is a sentence more.
    """

    kind: str
    title: str
    at: datetime | None = None
    text: str = ""


def answer_for_instance(instance: Instance) -> Answer:
    """Why an instance has no restores."""
    proven, outside = instance.complete_to, _outside(instance)
    if outside:
        known = "The cloud’s list was empty until" if proven else "Outside what we watch"
        return Answer(kind="outside", title=known, at=proven, text=outside)
    if proven is None:
        text = "We have not had a complete answer for this instance."
        return Answer(kind="unknown", title="Not known yet", text=text)
    text = "At that moment the cloud’s whole list was empty."
    error = instance_sync_error(instance)
    if error and error.blocking:
        text = "Our looks have failed since, so what came later is not known yet."
    return Answer(kind="none", title="None was requested until", at=proven, text=text)


def answer_in(
    coverage: Coverage, instances: InstanceQuerySet, start: datetime | None, none: str
) -> Answer:
    """Why there is nothing from ``start`` on; ``none`` says it in words where it is proven.

    Without ``start`` the question is the moment to which everything is known.
    """
    end = coverage.known_to
    found = answer_for(coverage, instances, start or end, end)
    if found.kind == "outside":
        text = "No instance that you may see is being looked at, so we cannot say anything."
        return Answer(kind="outside", title="Outside what we watch", text=text)
    if found.kind == "unknown":
        return Answer(kind="unknown", title="Not known yet", text=_gap(found.lost))
    late = end and (coverage.complete_to is None or end < coverage.complete_to)
    text = "Some looks have failed since, so what came later is not known yet." if late else ""
    return Answer(kind="none", title=f"{none}, as of", at=end, text=text)


def _outside(instance: Instance) -> str:
    if instance.single_node:
        return "A single-node instance cannot be restored, so we do not look at it."
    if not instance.project.monitored:
        return "The project is no longer monitored."
    if instance.deleted_at:
        by = format_datetime(instance.deleted_at)
        return f"The instance was deleted by {by}; we can’t see what happened after the last sync."
    return ""


def _gap(lost: tuple[Instance, ...]) -> str:
    if not lost:
        return "We have seen none so far, but not every instance could be looked at."
    names = ", ".join(str(instance) for instance in lost)
    return f"We have seen none, but {names} went before a look could see the last restores."
