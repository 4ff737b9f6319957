"""The window of time a list shows, and what is wrong with parameters that name none."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from . import zones
from .spellings import instant

ON = ("created", "ended", "running", "changed")


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRange:
    """``start <= t < end`` in UTC, None = open; ``spelt``: the edges in a canonical URL."""

    on: str
    start: datetime | None
    end: datetime | None
    tz: str
    asof: datetime | None
    moment: datetime  # what ``now`` stood for
    spelt: tuple[str, str]
    notes: tuple[str, ...] = field(default=(), compare=False)
    shorthand: bool = field(default=False, compare=False)  # asked by around, so to be redirected

    @property
    def days(self) -> tuple[date, date] | None:
        """The first day and the day after the last, when whole days of the zone are asked."""
        if self.start is None or self.end is None:
            return None
        first, last = zones.day(self.start, self.zone), zones.day(self.end, self.zone)
        return (first, last) if first and last else None

    @property
    def zone(self) -> ZoneInfo:
        """The zone that days and wall-clock times are read and shown in."""
        return ZoneInfo(self.tz)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParamError:
    """A parameter that cannot be read, and the parameters to set instead (empty: no guess).

    ``clear``: a person wrote a time that has one meaning, so a page may set them unasked. What
    has several meanings makes a problem for each.
    """

    param: str
    value: str
    reason: str
    suggestion: Mapping[str, str] = field(default_factory=dict)
    clear: bool = False


class InvalidTimeRange(ValueError):
    """The parameters name no window; ``errors`` says why, all at once."""

    def __init__(self, errors: list[ParamError]) -> None:
        super().__init__("; ".join(f"{error.param}: {error.reason}" for error in errors))
        self.errors = errors


def canonical(window: TimeRange) -> dict[str, str]:
    """The one spelling of a window as parameters: absolute edges in UTC, defaults left out."""
    first, last = window.spelt
    params = {
        "on": "" if window.on == ON[0] else window.on,
        "from": first,
        "to": last,
        "tz": "" if window.tz == "UTC" else window.tz,
        "asof": instant(window.asof) if window.asof else "",
    }
    return {name: value for name, value in params.items() if value}
