"""One line for each thing about a window that its reader could take otherwise."""

from datetime import datetime
from zoneinfo import ZoneInfo

from . import zones
from .spellings import Moment


def notes(
    first: Moment | None, last: Moment | None, zone: ZoneInfo, now: datetime
) -> tuple[str, ...]:
    """What clock changes and the future have to do with the two edges."""
    found = []
    for edge, name in ((first, "start"), (last, "end")):
        if edge and edge.skipped:
            found.append(_skipped(edge.skipped, edge.at, zone))
        elif edge and (which := zones.repeated(edge.at, zone)):
            found.append(_repeated(edge.at, zone, name, which))
    if first and first.at > now:
        found.append("The window begins in the future.")
    elif last and last.at > now and "/" not in last.text:
        # A rounded end, as in "today", is meant to be ahead.
        found.append("The window ends in the future.")
    return tuple(found)


def _skipped(local: datetime, at: datetime, zone: ZoneInfo) -> str:
    return (
        f"{local:%H:%M} on {local.day} {local:%b %Y} does not exist in {zone.key}: clocks go "
        f"forward. {at.astimezone(zone):%H:%M} is taken, the first time after it."
    )


def _repeated(at: datetime, zone: ZoneInfo, name: str, which: str) -> str:
    local = at.astimezone(zone)
    return (
        f"{local:%H:%M} on {local.day} {local:%b %Y} comes twice in {zone.key}: clocks go back. "
        f"The {name} is the {which}, {at:%H:%M} UTC."
    )
