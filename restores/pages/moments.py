"""Points in time as the pages print them: UTC first, and the customer's own clock."""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from restores.timerange import instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A moment for a ``<time>`` element, in UTC; ``there`` is the customer's clock or empty."""

    iso: str
    day: str
    clock: str
    brief: str
    there: str = ""

    @property
    def full(self) -> str:
        """The whole of it: 23 Nov 2026, 15:37:41 UTC."""
        return f"{self.day}, {self.clock}"


def moment(at: datetime | None, zone: str = "") -> Moment | None:
    """Format a moment in UTC, and in the zone of this IANA name when there is such a zone."""
    if at is None:
        return None
    at = at.astimezone(UTC)
    return Moment(
        iso=instant(at),
        day=day(at),
        clock=f"{at:%H:%M:%S} UTC",
        brief=brief(at),
        there=_there(at, zone),
    )


def brief(at: datetime) -> str:
    """For a column whose head says UTC, cut to the minute; the year only if it is another."""
    year = "" if at.year == datetime.now(UTC).year else f" {at.year}"
    return f"{at.day} {at:%b}{year} {at:%H:%M}"


def day(at: datetime) -> str:
    """A date as people in support say it: 23 Nov 2026."""
    return f"{at.day} {at:%b %Y}"


def place(zone: str) -> str:
    """The town that names a zone: America/New_York is New York."""
    return zone.rpartition("/")[2].replace("_", " ")


def known_zone(name: str) -> tzinfo | None:
    """The zone of this name; None for UTC, no name and a name nobody knows."""
    if name in ("", "UTC"):
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _there(at: datetime, name: str) -> str:
    zone = known_zone(name)
    if zone is None:
        return ""
    local = at.astimezone(zone)
    date = "" if local.date() == at.date() else f" on {local.day} {local:%b}"
    return f"{local:%H:%M:%S}{date} in {place(name)}"
